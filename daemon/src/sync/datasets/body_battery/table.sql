CREATE TABLE IF NOT EXISTS body_battery (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    charged INTEGER,
    drained INTEGER,
    lowest INTEGER,
    highest INTEGER,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS body_battery_event (
    account TEXT NOT NULL,
    start_utc TEXT NOT NULL,
    type TEXT NOT NULL,
    day TEXT,
    start_local TEXT,
    duration_s INTEGER,
    impact INTEGER,
    feedback TEXT,
    PRIMARY KEY (account, start_utc, type)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS body_battery_event_by_day ON body_battery_event (account, day);
