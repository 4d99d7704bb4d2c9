-- The Personal tier has an object of readings with text times, the account tier an array with milliseconds.
SELECT
    :account AS account,
    unixepoch(iif(typeof(start_gmt) = 'text', start_gmt, start_gmt / 1000), 'auto') AS at,
    ms
FROM (
    SELECT
        coalesce(value ->> '$.readingTimeGMT', value ->> '$.startGMT') AS start_gmt,
        coalesce(value ->> '$.hrvValue', value ->> '$.value') AS ms
    FROM json_each(:body, CASE json_type(:body) WHEN 'array' THEN '$' ELSE '$.hrvReadings' END)
    WHERE type = 'object'
)
WHERE ms > 0;
