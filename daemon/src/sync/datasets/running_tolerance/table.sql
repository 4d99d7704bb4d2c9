CREATE TABLE IF NOT EXISTS running_tolerance (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    acute_impact_load REAL,
    acute_distance_m REAL,
    acute_tolerance REAL,
    feedback TEXT,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
