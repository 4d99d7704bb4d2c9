CREATE TABLE IF NOT EXISTS endurance_score (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    score INTEGER,
    max_score INTEGER,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
