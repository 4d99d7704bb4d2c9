CREATE TABLE IF NOT EXISTS menstrual_day (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    start_day TEXT,
    day_in_cycle INTEGER,
    phase INTEGER,
    period_days INTEGER,
    predicted INTEGER,
    flow TEXT,
    notes TEXT,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
