-- Minutes.
INSERT OR REPLACE INTO noticed_activity (account, start_utc, type, day, start_local, duration_s)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.startTimestampGMT'),
    value ->> '$.activityType',
    :item,
    strftime('%Y-%m-%dT%H:%M:%S', value ->> '$.startTimestampLocal'),
    value ->> '$.duration' * 60
FROM json_each(:body)
WHERE value ->> '$.startTimestampGMT' IS NOT NULL AND value ->> '$.activityType' IS NOT NULL;
