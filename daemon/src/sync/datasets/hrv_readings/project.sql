-- The Personal tier has an object of readings with text times, the account tier an array with milliseconds.
INSERT OR REPLACE INTO hrv_sample (account, at, ms)
SELECT
    :account,
    coalesce(unixepoch(value ->> '$.readingTimeGMT'), (value ->> '$.startGMT') / 1000),
    coalesce(value ->> '$.hrvValue', value ->> '$.value')
FROM json_each(:body, CASE json_type(:body) WHEN 'array' THEN '$' ELSE '$.hrvReadings' END)
WHERE coalesce(value ->> '$.hrvValue', value ->> '$.value') > 0;
