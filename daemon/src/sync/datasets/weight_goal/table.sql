CREATE TABLE IF NOT EXISTS weight_goal (
    account TEXT NOT NULL,
    start_day TEXT NOT NULL,
    end_day TEXT,
    target_g REAL,
    PRIMARY KEY (account, start_day)
) WITHOUT ROWID;
