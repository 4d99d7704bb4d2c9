CREATE TABLE IF NOT EXISTS steps_sample (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    steps INTEGER,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
