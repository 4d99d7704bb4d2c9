CREATE TABLE IF NOT EXISTS acclimation (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    heat_pct REAL,
    heat_trend TEXT,
    altitude_m REAL,
    acclimated_altitude_m REAL,
    altitude_pct REAL,
    altitude_trend TEXT,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
