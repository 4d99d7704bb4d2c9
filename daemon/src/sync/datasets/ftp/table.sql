CREATE TABLE IF NOT EXISTS ftp (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    sport TEXT NOT NULL,
    power_w INTEGER,
    PRIMARY KEY (account, day, sport)
) WITHOUT ROWID;
