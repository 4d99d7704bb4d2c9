CREATE TABLE IF NOT EXISTS lactate_threshold (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    speed_mps REAL,
    hr_bpm INTEGER,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
