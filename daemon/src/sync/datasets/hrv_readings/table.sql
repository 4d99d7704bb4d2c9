CREATE TABLE IF NOT EXISTS hrv_sample (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    ms INTEGER,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
