-- Recovery time comes in minutes.
INSERT OR REPLACE INTO training_readiness (
    account, measured_utc, device_id, measured_local, day, score, level, feedback, sleep_score, sleep_score_factor_pct, recovery_time_s,
    recovery_time_factor_pct, acute_load, acwr_factor_pct, stress_history_factor_pct, hrv_factor_pct, hrv_weekly_avg_ms,
    sleep_history_factor_pct, valid_sleep, context
)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.timestamp'),
    coalesce(value ->> '$.deviceId', 0),
    strftime('%Y-%m-%dT%H:%M:%S', value ->> '$.timestampLocal'),
    :item,
    value ->> '$.score',
    value ->> '$.level',
    value ->> '$.feedbackShort',
    value ->> '$.sleepScore',
    value ->> '$.sleepScoreFactorPercent',
    value ->> '$.recoveryTime' * 60,
    value ->> '$.recoveryTimeFactorPercent',
    value ->> '$.acuteLoad',
    value ->> '$.acwrFactorPercent',
    value ->> '$.stressHistoryFactorPercent',
    value ->> '$.hrvFactorPercent',
    value ->> '$.hrvWeeklyAverage',
    value ->> '$.sleepHistoryFactorPercent',
    value ->> '$.validSleep',
    value ->> '$.inputContext'
FROM json_each(:body)
WHERE value ->> '$.timestamp' IS NOT NULL;
