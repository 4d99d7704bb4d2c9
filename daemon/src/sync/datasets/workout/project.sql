INSERT OR REPLACE INTO workout (account, workout_id, name, description, sport, estimated_s, estimated_m, created_utc, updated_utc)
SELECT
    :account,
    value ->> '$.workoutId',
    value ->> '$.workoutName',
    value ->> '$.description',
    value ->> '$.sportType.sportTypeKey',
    value ->> '$.estimatedDurationInSecs',
    value ->> '$.estimatedDistanceInMeters',
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.createdDate'),
    strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(value ->> '$.updatedDate', value ->> '$.updateDate'))
FROM json_each(:body)
WHERE type = 'object' AND value ->> '$.workoutId' IS NOT NULL;
