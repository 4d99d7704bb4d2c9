DELETE FROM activity_workout_step WHERE account = :account AND activity_id = CAST(:item AS INTEGER);
