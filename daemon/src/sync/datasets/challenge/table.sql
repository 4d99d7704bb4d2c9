CREATE TABLE IF NOT EXISTS challenge (
    account TEXT NOT NULL,
    challenge_id TEXT NOT NULL,
    kind TEXT,
    name TEXT,
    start_day TEXT,
    end_day TEXT,
    target REAL,
    progress REAL,
    points INTEGER,
    ranking INTEGER,
    earned_utc TEXT,
    PRIMARY KEY (account, challenge_id)
) WITHOUT ROWID;
