CREATE TABLE IF NOT EXISTS hr_zone (
    account TEXT NOT NULL,
    sport TEXT NOT NULL,
    method TEXT,
    zone1_bpm INTEGER,
    zone2_bpm INTEGER,
    zone3_bpm INTEGER,
    zone4_bpm INTEGER,
    zone5_bpm INTEGER,
    max_hr_bpm INTEGER,
    resting_hr_bpm INTEGER,
    lactate_threshold_hr_bpm INTEGER,
    PRIMARY KEY (account, sport)
) WITHOUT ROWID;
