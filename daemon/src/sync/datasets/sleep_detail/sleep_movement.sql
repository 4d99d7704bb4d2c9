SELECT
    :account AS account,
    unixepoch(iif(typeof(start_gmt) = 'text', start_gmt, start_gmt / 1000), 'auto') AS at,
    level
FROM (
    SELECT value ->> '$.startGMT' AS start_gmt, value ->> '$.activityLevel' AS level
    FROM json_each(:body, '$.sleepMovement')
    WHERE type = 'object'
)
WHERE level IS NOT NULL;
