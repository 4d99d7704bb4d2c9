INSERT OR REPLACE INTO sleep_stage (account, start_utc, day, end_utc, stage)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.startGMT'),
    :item,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.endGMT'),
    CASE CAST(value ->> '$.activityLevel' AS INTEGER) WHEN 0 THEN 'deep' WHEN 1 THEN 'light' WHEN 2 THEN 'rem' WHEN 3 THEN 'awake' END
FROM json_each(:body, '$.sleepLevels')
WHERE value ->> '$.startGMT' IS NOT NULL AND CAST(value ->> '$.activityLevel' AS INTEGER) BETWEEN 0 AND 3;
INSERT OR REPLACE INTO sleep_movement (account, at, level)
SELECT :account, unixepoch(value ->> '$.startGMT'), value ->> '$.activityLevel'
FROM json_each(:body, '$.sleepMovement')
WHERE value ->> '$.activityLevel' IS NOT NULL;
