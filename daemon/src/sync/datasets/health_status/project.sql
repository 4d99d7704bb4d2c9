-- One row from five measures; of the two skin temperatures the Celsius one.
INSERT OR REPLACE INTO health_status (
    account, day, outliers, hr_bpm, hr_status, hr_low_bpm, hr_high_bpm, hrv_ms, hrv_status, hrv_low_ms, hrv_high_ms,
    respiration_brpm, respiration_status, respiration_low_brpm, respiration_high_brpm, skin_temp_c, skin_temp_status,
    skin_temp_low_c, skin_temp_high_c, spo2_pct, spo2_status, spo2_low_pct, spo2_high_pct
)
SELECT
    :account,
    :item,
    :body ->> '$.outliersCount',
    max(CASE WHEN value ->> '$.type' = 'HR' THEN value ->> '$.value' END),
    max(CASE WHEN value ->> '$.type' = 'HR' THEN value ->> '$.status' END),
    max(CASE WHEN value ->> '$.type' = 'HR' THEN value ->> '$.baselineLowerLimit' END),
    max(CASE WHEN value ->> '$.type' = 'HR' THEN value ->> '$.baselineUpperLimit' END),
    max(CASE WHEN value ->> '$.type' = 'HRV' THEN value ->> '$.value' END),
    max(CASE WHEN value ->> '$.type' = 'HRV' THEN value ->> '$.status' END),
    max(CASE WHEN value ->> '$.type' = 'HRV' THEN value ->> '$.baselineLowerLimit' END),
    max(CASE WHEN value ->> '$.type' = 'HRV' THEN value ->> '$.baselineUpperLimit' END),
    max(CASE WHEN value ->> '$.type' = 'RESPIRATION' THEN value ->> '$.value' END),
    max(CASE WHEN value ->> '$.type' = 'RESPIRATION' THEN value ->> '$.status' END),
    max(CASE WHEN value ->> '$.type' = 'RESPIRATION' THEN value ->> '$.baselineLowerLimit' END),
    max(CASE WHEN value ->> '$.type' = 'RESPIRATION' THEN value ->> '$.baselineUpperLimit' END),
    max(CASE WHEN value ->> '$.type' = 'SKIN_TEMP_C' THEN value ->> '$.value' END),
    max(CASE WHEN value ->> '$.type' = 'SKIN_TEMP_C' THEN value ->> '$.status' END),
    max(CASE WHEN value ->> '$.type' = 'SKIN_TEMP_C' THEN value ->> '$.baselineLowerLimit' END),
    max(CASE WHEN value ->> '$.type' = 'SKIN_TEMP_C' THEN value ->> '$.baselineUpperLimit' END),
    max(CASE WHEN value ->> '$.type' = 'SPO2' THEN value ->> '$.value' END),
    max(CASE WHEN value ->> '$.type' = 'SPO2' THEN value ->> '$.status' END),
    max(CASE WHEN value ->> '$.type' = 'SPO2' THEN value ->> '$.baselineLowerLimit' END),
    max(CASE WHEN value ->> '$.type' = 'SPO2' THEN value ->> '$.baselineUpperLimit' END)
FROM json_each(:body, '$.metrics')
WHERE type = 'object';
