CREATE TABLE IF NOT EXISTS workout (
    account TEXT NOT NULL,
    workout_id INTEGER NOT NULL,
    name TEXT,
    description TEXT,
    sport TEXT,
    estimated_s INTEGER,
    estimated_m REAL,
    created_utc TEXT,
    updated_utc TEXT,
    PRIMARY KEY (account, workout_id)
) WITHOUT ROWID;
