-- Times come as text or in milliseconds. The offset is in minutes.
INSERT OR REPLACE INTO nap (account, start_utc, day, end_utc, start_local, duration_s, source, feedback)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(start_gmt) = 'text', start_gmt, start_gmt / 1000), 'auto'),
    :item,
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(end_gmt) = 'text', end_gmt, end_gmt / 1000), 'auto'),
    strftime('%Y-%m-%dT%H:%M:%S', iif(typeof(start_gmt) = 'text', start_gmt, start_gmt / 1000), 'auto', offset_min || ' minutes'),
    value ->> '$.napTimeSec',
    value ->> '$.napSource',
    value ->> '$.napFeedback'
FROM (
    SELECT
        value,
        value ->> '$.napStartTimestampGMT' AS start_gmt,
        value ->> '$.napEndTimestampGMT' AS end_gmt,
        value ->> '$.napStartTimeOffset' AS offset_min
    FROM json_each(:body)
    WHERE type = 'object'
)
WHERE start_gmt IS NOT NULL;
