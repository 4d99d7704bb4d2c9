-- Times come as text or in milliseconds.
INSERT OR REPLACE INTO blood_pressure (
    account, measured_utc, measured_local, day, version, systolic_mmhg, diastolic_mmhg, pulse_bpm, source, category, notes
)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(gmt) = 'text', gmt, gmt / 1000), 'auto'),
    strftime('%Y-%m-%dT%H:%M:%S', iif(typeof(wall) = 'text', wall, wall / 1000), 'auto'),
    :item,
    coalesce(value ->> '$.version', -key),
    value ->> '$.systolic',
    value ->> '$.diastolic',
    nullif(value ->> '$.pulse', 0),
    value ->> '$.sourceType',
    coalesce(value ->> '$.category', value ->> '$.categoryName'),
    value ->> '$.notes'
FROM (
    SELECT key, value, value ->> '$.measurementTimestampGMT' AS gmt, value ->> '$.measurementTimestampLocal' AS wall
    FROM json_each(:body, '$.measurements')
    WHERE type = 'object'
)
WHERE gmt IS NOT NULL;
