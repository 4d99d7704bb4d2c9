CREATE TABLE IF NOT EXISTS gear_total (
    account TEXT NOT NULL,
    gear_uuid TEXT NOT NULL,
    total_distance_m REAL,
    total_activities INTEGER,
    PRIMARY KEY (account, gear_uuid)
) WITHOUT ROWID;
