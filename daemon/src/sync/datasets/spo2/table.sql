CREATE TABLE IF NOT EXISTS spo2_sample (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    pct REAL,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
