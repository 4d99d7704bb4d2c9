CREATE TABLE IF NOT EXISTS power_zone (
    account TEXT NOT NULL,
    sport TEXT NOT NULL,
    ftp_w INTEGER,
    zone1_w INTEGER,
    zone2_w INTEGER,
    zone3_w INTEGER,
    zone4_w INTEGER,
    zone5_w INTEGER,
    zone6_w INTEGER,
    zone7_w INTEGER,
    PRIMARY KEY (account, sport)
) WITHOUT ROWID;
