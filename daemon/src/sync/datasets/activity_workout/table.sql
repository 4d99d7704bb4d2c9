CREATE TABLE IF NOT EXISTS activity_workout_step (
    account TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    workout INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT,
    sport TEXT,
    intensity TEXT,
    until TEXT,
    until_value REAL,
    target TEXT,
    target_low REAL,
    target_high REAL,
    PRIMARY KEY (account, activity_id, workout, position)
) WITHOUT ROWID;
