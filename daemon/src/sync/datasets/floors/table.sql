CREATE TABLE IF NOT EXISTS floors_sample (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    up REAL,
    down REAL,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
