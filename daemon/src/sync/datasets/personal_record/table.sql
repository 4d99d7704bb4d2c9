CREATE TABLE IF NOT EXISTS personal_record (
    account TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    type_id INTEGER,
    value REAL,
    activity_id INTEGER,
    activity_name TEXT,
    activity_type TEXT,
    achieved_utc TEXT,
    achieved_local TEXT,
    status TEXT,
    PRIMARY KEY (account, record_id)
) WITHOUT ROWID;
