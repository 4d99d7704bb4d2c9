DELETE FROM activity_power_zone WHERE account = :account AND activity_id = CAST(:item AS INTEGER);
