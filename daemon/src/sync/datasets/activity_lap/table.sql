CREATE TABLE IF NOT EXISTS activity_lap (
    account TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    lap INTEGER NOT NULL,
    start_utc TEXT,
    distance_m REAL,
    duration_s REAL,
    avg_hr_bpm REAL,
    max_hr_bpm REAL,
    avg_speed_mps REAL,
    intensity TEXT,
    PRIMARY KEY (account, activity_id, lap)
) WITHOUT ROWID;
