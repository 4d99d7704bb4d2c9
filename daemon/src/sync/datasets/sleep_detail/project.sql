DELETE FROM sleep_stage WHERE account = :account AND day = :item;
INSERT OR REPLACE INTO sleep_stage (account, start_utc, day, end_utc, stage)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.startGMT'),
    :item,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.endGMT'),
    CASE CAST(value ->> '$.activityLevel' AS INTEGER) WHEN 0 THEN 'deep' WHEN 1 THEN 'light' WHEN 2 THEN 'rem' WHEN 3 THEN 'awake' END
FROM json_each(:body, '$.sleepLevels')
WHERE value ->> '$.startGMT' IS NOT NULL AND CAST(value ->> '$.activityLevel' AS INTEGER) BETWEEN 0 AND 3;
-- What is read again replaces what was known of the same stretch.
DELETE FROM sleep_movement
WHERE
    account = :account
    AND at BETWEEN (SELECT min(unixepoch(value ->> '$.startGMT')) FROM json_each(:body, '$.sleepMovement')) AND (SELECT max(unixepoch(value ->> '$.startGMT')) FROM json_each(:body, '$.sleepMovement'));
INSERT OR REPLACE INTO sleep_movement (account, at, level)
SELECT :account, unixepoch(value ->> '$.startGMT'), value ->> '$.activityLevel'
FROM json_each(:body, '$.sleepMovement')
WHERE value ->> '$.activityLevel' IS NOT NULL;
