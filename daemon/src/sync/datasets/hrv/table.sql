CREATE TABLE IF NOT EXISTS hrv (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    last_night_avg_ms INTEGER,
    last_night_5min_high_ms INTEGER,
    weekly_avg_ms INTEGER,
    baseline_low_ms INTEGER,
    baseline_balanced_low_ms INTEGER,
    baseline_balanced_high_ms INTEGER,
    status TEXT,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
