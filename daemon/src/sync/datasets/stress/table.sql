CREATE TABLE IF NOT EXISTS stress_sample (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    level INTEGER,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS body_battery_sample (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    level INTEGER,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
