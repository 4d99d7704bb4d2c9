-- A quarter of an hour without steps is measured: 0.
SELECT
    :account AS account,
    unixepoch(iif(typeof(start_gmt) = 'text', start_gmt, start_gmt / 1000), 'auto') AS at,
    steps
FROM (
    SELECT value ->> '$.startGMT' AS start_gmt, value ->> '$.steps' AS steps
    FROM json_each(:body)
    WHERE type = 'object'
)
WHERE steps IS NOT NULL;
