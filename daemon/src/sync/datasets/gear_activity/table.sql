CREATE TABLE IF NOT EXISTS gear_activity (
    account TEXT NOT NULL,
    gear_uuid TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    PRIMARY KEY (account, gear_uuid, activity_id)
) WITHOUT ROWID;
