CREATE TABLE IF NOT EXISTS intensity_sample (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    minutes INTEGER,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
