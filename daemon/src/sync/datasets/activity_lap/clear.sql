DELETE FROM activity_lap WHERE account = :account AND activity_id = CAST(:item AS INTEGER);
