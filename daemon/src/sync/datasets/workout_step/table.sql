CREATE TABLE IF NOT EXISTS workout_step (
    account TEXT NOT NULL,
    workout_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT,
    repeats INTEGER,
    until TEXT,
    until_value REAL,
    target TEXT,
    target_low REAL,
    target_high REAL,
    PRIMARY KEY (account, workout_id, position)
) WITHOUT ROWID;
