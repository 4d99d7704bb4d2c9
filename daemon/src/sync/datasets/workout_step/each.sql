SELECT CAST(workout_id AS TEXT) AS item, NULL AS day, updated_utc AS changed_utc
FROM workout
WHERE account = :account
ORDER BY workout_id DESC;
