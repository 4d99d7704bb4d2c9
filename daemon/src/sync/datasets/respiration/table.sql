CREATE TABLE IF NOT EXISTS respiration_sample (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    brpm REAL,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
