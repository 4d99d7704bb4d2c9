INSERT OR REPLACE INTO sleep_stage (account, start_utc, day, end_utc, stage)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(start_gmt) = 'text', start_gmt, start_gmt / 1000), 'auto'),
    :item,
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(end_gmt) = 'text', end_gmt, end_gmt / 1000), 'auto'),
    CASE level WHEN 0 THEN 'deep' WHEN 1 THEN 'light' WHEN 2 THEN 'rem' WHEN 3 THEN 'awake' END
FROM (
    SELECT
        value ->> '$.startGMT' AS start_gmt,
        value ->> '$.endGMT' AS end_gmt,
        CAST(value ->> '$.activityLevel' AS INTEGER) AS level
    FROM json_each(:body, '$.sleepLevels')
    WHERE type = 'object'
)
WHERE start_gmt IS NOT NULL AND level BETWEEN 0 AND 3;
