CREATE TABLE IF NOT EXISTS sleep_stage (
    account TEXT NOT NULL,
    start_utc TEXT NOT NULL,
    day TEXT,
    end_utc TEXT,
    stage TEXT,
    PRIMARY KEY (account, start_utc)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sleep_stage_by_day ON sleep_stage (account, day);

CREATE TABLE IF NOT EXISTS sleep_movement (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    level REAL,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
