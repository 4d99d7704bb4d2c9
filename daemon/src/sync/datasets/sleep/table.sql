CREATE TABLE IF NOT EXISTS sleep (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    start_utc TEXT,
    end_utc TEXT,
    start_local TEXT,
    end_local TEXT,
    asleep_s INTEGER,
    deep_s INTEGER,
    light_s INTEGER,
    rem_s INTEGER,
    awake_s INTEGER,
    nap_s INTEGER,
    score INTEGER,
    avg_hr_bpm REAL,
    avg_stress REAL,
    avg_spo2_pct REAL,
    avg_respiration_brpm REAL,
    confirmation TEXT,
    -- What Garmin does not tell of the night itself, and sleep_night fills up: 1 nap_s, 2 avg_stress, 4 confirmation.
    untold INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
