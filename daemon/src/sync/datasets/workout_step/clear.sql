DELETE FROM workout_step WHERE account = :account AND workout_id = CAST(:item AS INTEGER);
