CREATE TABLE IF NOT EXISTS activity_detail (
    account TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    updated_utc TEXT,
    uploaded_utc TEXT,
    time_zone TEXT,
    file_format TEXT,
    trimmed INTEGER,
    elevation_corrected INTEGER,
    manual INTEGER,
    multisport INTEGER,
    leg_ids TEXT,
    PRIMARY KEY (account, activity_id)
) WITHOUT ROWID;
