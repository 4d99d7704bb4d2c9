INSERT OR REPLACE INTO training_status (
    account, day, device_id, measured_utc, status, feedback, sport, sub_sport, fitness_trend, paused, primary_device, acute_load,
    chronic_load, chronic_load_min, chronic_load_max, load_ratio, acwr_pct, acwr_status
)
SELECT
    :account,
    :item,
    coalesce(value ->> '$.deviceId', 0),
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(gmt) = 'text', gmt, gmt / 1000), 'auto'),
    value ->> '$.trainingStatus',
    value ->> '$.trainingStatusFeedbackPhrase',
    value ->> '$.sport',
    value ->> '$.subSport',
    value ->> '$.fitnessTrend',
    value ->> '$.trainingPaused',
    value ->> '$.primaryTrainingDevice',
    value ->> '$.acuteTrainingLoadDTO.dailyTrainingLoadAcute',
    value ->> '$.acuteTrainingLoadDTO.dailyTrainingLoadChronic',
    value ->> '$.acuteTrainingLoadDTO.minTrainingLoadChronic',
    value ->> '$.acuteTrainingLoadDTO.maxTrainingLoadChronic',
    value ->> '$.acuteTrainingLoadDTO.dailyAcuteChronicWorkloadRatio',
    value ->> '$.acuteTrainingLoadDTO.acwrPercent',
    value ->> '$.acuteTrainingLoadDTO.acwrStatus'
FROM (
    SELECT value, value ->> '$.timestamp' AS gmt
    FROM json_each(:body)
    WHERE type = 'object'
);
