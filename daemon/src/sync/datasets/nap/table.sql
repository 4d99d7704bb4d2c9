CREATE TABLE IF NOT EXISTS nap (
    account TEXT NOT NULL,
    start_utc TEXT NOT NULL,
    day TEXT,
    end_utc TEXT,
    start_local TEXT,
    duration_s INTEGER,
    source INTEGER,
    feedback TEXT,
    PRIMARY KEY (account, start_utc)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nap_by_day ON nap (account, day);
