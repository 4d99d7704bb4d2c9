CREATE TABLE IF NOT EXISTS sleep_night (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    nap_s INTEGER,
    avg_stress REAL,
    confirmation TEXT,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
