INSERT OR REPLACE INTO hrv (
    account, day, last_night_avg_ms, last_night_5min_high_ms, weekly_avg_ms, baseline_low_ms, baseline_balanced_low_ms,
    baseline_balanced_high_ms, status
)
VALUES (
    :account,
    :item,
    nullif(:body ->> '$.lastNightAvg', 0),
    nullif(:body ->> '$.lastNight5MinHigh', 0),
    nullif(:body ->> '$.weeklyAvg', 0),
    nullif(:body ->> '$.baseline.lowUpper', 0),
    nullif(:body ->> '$.baseline.balancedLow', 0),
    nullif(:body ->> '$.baseline.balancedUpper', 0),
    :body ->> '$.status'
);
