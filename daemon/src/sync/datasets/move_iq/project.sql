-- Minutes. Times come as text or in milliseconds.
INSERT OR REPLACE INTO noticed_activity (account, start_utc, type, day, start_local, duration_s)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(gmt) = 'text', gmt, gmt / 1000), 'auto'),
    value ->> '$.activityType',
    :item,
    strftime('%Y-%m-%dT%H:%M:%S', iif(typeof(wall) = 'text', wall, wall / 1000), 'auto'),
    value ->> '$.duration' * 60
FROM (
    SELECT value, value ->> '$.startTimestampGMT' AS gmt, value ->> '$.startTimestampLocal' AS wall
    FROM json_each(:body)
    WHERE type = 'object'
)
WHERE gmt IS NOT NULL AND value ->> '$.activityType' IS NOT NULL;
