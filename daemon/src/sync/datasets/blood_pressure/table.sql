CREATE TABLE IF NOT EXISTS blood_pressure (
    account TEXT NOT NULL,
    measured_utc TEXT NOT NULL,
    measured_local TEXT,
    day TEXT,
    -- Garmin's number of the entry: two may be of the same second. Below one where it has none.
    version INTEGER NOT NULL,
    systolic_mmhg INTEGER,
    diastolic_mmhg INTEGER,
    pulse_bpm INTEGER,
    source TEXT,
    category TEXT,
    notes TEXT,
    PRIMARY KEY (account, measured_utc, version)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blood_pressure_by_day ON blood_pressure (account, day);
