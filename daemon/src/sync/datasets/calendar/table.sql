CREATE TABLE IF NOT EXISTS calendar_entry (
    account TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    day TEXT,
    type TEXT,
    title TEXT,
    workout_id INTEGER,
    PRIMARY KEY (account, entry_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS calendar_entry_by_day ON calendar_entry (account, day);
