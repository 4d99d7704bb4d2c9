CREATE TABLE IF NOT EXISTS activity_hr_zone (
    account TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    zone INTEGER NOT NULL,
    time_s REAL,
    low_bpm INTEGER,
    PRIMARY KEY (account, activity_id, zone)
) WITHOUT ROWID;
