CREATE TABLE IF NOT EXISTS activity_tombstone (
    account TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    deleted_utc TEXT,
    PRIMARY KEY (account, activity_id)
) WITHOUT ROWID;
