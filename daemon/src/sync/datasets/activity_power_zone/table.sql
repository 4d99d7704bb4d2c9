CREATE TABLE IF NOT EXISTS activity_power_zone (
    account TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    zone INTEGER NOT NULL,
    time_s REAL,
    low_w INTEGER,
    PRIMARY KEY (account, activity_id, zone)
) WITHOUT ROWID;
