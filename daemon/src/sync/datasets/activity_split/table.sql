CREATE TABLE IF NOT EXISTS activity_split (
    account TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    type TEXT,
    start_utc TEXT,
    duration_s REAL,
    distance_m REAL,
    avg_hr_bpm REAL,
    max_hr_bpm REAL,
    avg_speed_mps REAL,
    elevation_gain_m REAL,
    elevation_loss_m REAL,
    PRIMARY KEY (account, activity_id, position)
) WITHOUT ROWID;
