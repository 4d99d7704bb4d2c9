CREATE TABLE IF NOT EXISTS gear (
    account TEXT NOT NULL,
    gear_uuid TEXT NOT NULL,
    gear_pk INTEGER,
    name TEXT,
    make TEXT,
    model TEXT,
    type TEXT,
    status TEXT,
    begin_day TEXT,
    end_day TEXT,
    max_distance_m REAL,
    total_distance_m REAL,
    total_activities INTEGER,
    PRIMARY KEY (account, gear_uuid)
) WITHOUT ROWID;
