CREATE TABLE IF NOT EXISTS activity_set (
    account TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT,
    start_utc TEXT,
    duration_s REAL,
    repetitions INTEGER,
    weight_g REAL,
    exercise TEXT,
    PRIMARY KEY (account, activity_id, position)
) WITHOUT ROWID;
