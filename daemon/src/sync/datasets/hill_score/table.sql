CREATE TABLE IF NOT EXISTS hill_score (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    score INTEGER,
    strength_score INTEGER,
    endurance_score INTEGER,
    classification INTEGER,
    feedback INTEGER,
    vo2max REAL,
    vo2max_precise REAL,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
