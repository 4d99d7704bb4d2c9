CREATE TABLE IF NOT EXISTS hydration (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    consumed_ml REAL,
    goal_ml REAL,
    sweat_loss_ml REAL,
    activity_intake_ml REAL,
    last_entry_local TEXT,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
