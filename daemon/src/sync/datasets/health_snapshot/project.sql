-- A UUID comes as text or as an object that holds it.
INSERT OR REPLACE INTO health_snapshot (
    account, snapshot_id, day, start_utc, end_utc, start_local, avg_hr_bpm, min_hr_bpm, max_hr_bpm, avg_stress, avg_respiration_brpm,
    avg_spo2_pct, rmssd_ms, sdrr_ms
)
SELECT
    :account,
    coalesce(snapshot.value ->> '$.activityUuid.uuid', snapshot.value ->> '$.activityUuid'),
    :item,
    strftime('%Y-%m-%dT%H:%M:%SZ', snapshot.value ->> '$.startTimestampGMT'),
    strftime('%Y-%m-%dT%H:%M:%SZ', snapshot.value ->> '$.endTimestampGMT'),
    strftime('%Y-%m-%dT%H:%M:%S', snapshot.value ->> '$.startTimestampLocal'),
    max(CASE WHEN sum_.value ->> '$.summaryType' = 'HEART_RATE' THEN sum_.value ->> '$.avgValue' END),
    max(CASE WHEN sum_.value ->> '$.summaryType' = 'HEART_RATE' THEN sum_.value ->> '$.minValue' END),
    max(CASE WHEN sum_.value ->> '$.summaryType' = 'HEART_RATE' THEN sum_.value ->> '$.maxValue' END),
    max(CASE WHEN sum_.value ->> '$.summaryType' = 'STRESS' THEN sum_.value ->> '$.avgValue' END),
    max(CASE WHEN sum_.value ->> '$.summaryType' = 'RESPIRATION' THEN sum_.value ->> '$.avgValue' END),
    max(CASE WHEN sum_.value ->> '$.summaryType' = 'SPO2' THEN sum_.value ->> '$.avgValue' END),
    max(CASE WHEN sum_.value ->> '$.summaryType' = 'RMSSD_HRV' THEN sum_.value ->> '$.avgValue' END),
    max(CASE WHEN sum_.value ->> '$.summaryType' = 'SDRR_HRV' THEN sum_.value ->> '$.avgValue' END)
FROM json_each(:body) AS snapshot
LEFT JOIN json_each(snapshot.value, '$.summaryTypeDataList') AS sum_ ON sum_.type = 'object'
WHERE snapshot.type = 'object' AND coalesce(snapshot.value ->> '$.activityUuid.uuid', snapshot.value ->> '$.activityUuid') IS NOT NULL
GROUP BY snapshot.key;
