CREATE TABLE IF NOT EXISTS heart_rate_sample (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    bpm INTEGER,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
