CREATE TABLE IF NOT EXISTS wellness_file (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    path TEXT,
    bytes INTEGER,
    sha256 TEXT,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
