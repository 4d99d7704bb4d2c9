DELETE FROM activity_hr_zone WHERE account = :account AND activity_id = CAST(:item AS INTEGER);
