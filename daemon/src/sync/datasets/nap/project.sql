-- The offset is in minutes.
INSERT OR REPLACE INTO nap (account, start_utc, day, end_utc, start_local, duration_s, source, feedback)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.napStartTimestampGMT'),
    :item,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.napEndTimestampGMT'),
    strftime('%Y-%m-%dT%H:%M:%S', value ->> '$.napStartTimestampGMT', (value ->> '$.napStartTimeOffset') || ' minutes'),
    value ->> '$.napTimeSec',
    value ->> '$.napSource',
    value ->> '$.napFeedback'
FROM json_each(:body)
WHERE value ->> '$.napStartTimestampGMT' IS NOT NULL;
