CREATE TABLE IF NOT EXISTS training_readiness (
    account TEXT NOT NULL,
    measured_utc TEXT NOT NULL,
    device_id INTEGER NOT NULL,
    measured_local TEXT,
    day TEXT,
    score INTEGER,
    level TEXT,
    feedback TEXT,
    sleep_score INTEGER,
    sleep_score_factor_pct INTEGER,
    recovery_time_s INTEGER,
    recovery_time_factor_pct INTEGER,
    acute_load INTEGER,
    acwr_factor_pct INTEGER,
    stress_history_factor_pct INTEGER,
    hrv_factor_pct INTEGER,
    hrv_weekly_avg_ms INTEGER,
    sleep_history_factor_pct INTEGER,
    valid_sleep INTEGER,
    context TEXT,
    PRIMARY KEY (account, measured_utc, device_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS training_readiness_by_day ON training_readiness (account, day);
