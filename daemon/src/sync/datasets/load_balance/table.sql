CREATE TABLE IF NOT EXISTS load_balance (
    account TEXT NOT NULL,
    -- The day that was asked for: of two of them the newest value may be of one and the same day.
    asked_day TEXT NOT NULL,
    day TEXT NOT NULL,
    device_id INTEGER NOT NULL,
    aerobic_low REAL,
    aerobic_low_min REAL,
    aerobic_low_max REAL,
    aerobic_high REAL,
    aerobic_high_min REAL,
    aerobic_high_max REAL,
    anaerobic REAL,
    anaerobic_min REAL,
    anaerobic_max REAL,
    feedback TEXT,
    primary_device INTEGER,
    PRIMARY KEY (account, asked_day, device_id)
) WITHOUT ROWID;
