DELETE FROM activity_set WHERE account = :account AND activity_id = CAST(:item AS INTEGER);
