INSERT OR REPLACE INTO blood_pressure (
    account, measured_utc, measured_local, day, version, systolic_mmhg, diastolic_mmhg, pulse_bpm, source, category, notes
)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.measurementTimestampGMT'),
    strftime('%Y-%m-%dT%H:%M:%S', value ->> '$.measurementTimestampLocal'),
    :item,
    coalesce(value ->> '$.version', -key),
    value ->> '$.systolic',
    value ->> '$.diastolic',
    nullif(value ->> '$.pulse', 0),
    value ->> '$.sourceType',
    coalesce(value ->> '$.category', value ->> '$.categoryName'),
    value ->> '$.notes'
FROM json_each(:body, '$.measurements')
WHERE value ->> '$.measurementTimestampGMT' IS NOT NULL;
