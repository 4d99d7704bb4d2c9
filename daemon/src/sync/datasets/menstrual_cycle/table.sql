CREATE TABLE IF NOT EXISTS menstrual_cycle (
    account TEXT NOT NULL,
    start_day TEXT NOT NULL,
    period_days INTEGER,
    predicted INTEGER,
    PRIMARY KEY (account, start_day)
) WITHOUT ROWID;
