-- Recovery time comes in minutes. Times come as text or in milliseconds.
INSERT OR REPLACE INTO training_readiness (
    account, measured_utc, device_id, measured_local, day, score, level, feedback, sleep_score, sleep_score_factor_pct, recovery_time_s,
    recovery_time_factor_pct, acute_load, acwr_factor_pct, stress_history_factor_pct, hrv_factor_pct, hrv_weekly_avg_ms,
    sleep_history_factor_pct, valid_sleep, context
)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(gmt) = 'text', gmt, gmt / 1000), 'auto'),
    coalesce(value ->> '$.deviceId', 0),
    strftime('%Y-%m-%dT%H:%M:%S', iif(typeof(wall) = 'text', wall, wall / 1000), 'auto'),
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
FROM (
    SELECT value, value ->> '$.timestamp' AS gmt, value ->> '$.timestampLocal' AS wall
    FROM json_each(:body)
    WHERE type = 'object'
)
WHERE gmt IS NOT NULL;
