CREATE TABLE IF NOT EXISTS profile (
    account TEXT NOT NULL PRIMARY KEY,
    gender TEXT,
    birth_day TEXT,
    height_m REAL,
    weight_g REAL,
    vo2max_running REAL,
    vo2max_cycling REAL,
    lactate_threshold_speed_mps REAL,
    lactate_threshold_hr_bpm INTEGER,
    ftp_w INTEGER,
    training_days TEXT,
    sleep_s INTEGER,
    wake_s INTEGER
) WITHOUT ROWID;
