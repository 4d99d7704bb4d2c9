DELETE FROM activity_split WHERE account = :account AND activity_id = CAST(:item AS INTEGER);
