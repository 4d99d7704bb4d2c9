CREATE TABLE IF NOT EXISTS noticed_activity (
    account TEXT NOT NULL,
    start_utc TEXT NOT NULL,
    type TEXT NOT NULL,
    day TEXT,
    start_local TEXT,
    duration_s INTEGER,
    PRIMARY KEY (account, start_utc, type)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS noticed_activity_by_day ON noticed_activity (account, day);
