CREATE TABLE IF NOT EXISTS blood_pressure (
    account TEXT NOT NULL,
    measured_utc TEXT NOT NULL,
    measured_local TEXT,
    day TEXT,
    version INTEGER,
    systolic_mmhg INTEGER,
    diastolic_mmhg INTEGER,
    pulse_bpm INTEGER,
    source TEXT,
    category TEXT,
    notes TEXT,
    PRIMARY KEY (account, measured_utc)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blood_pressure_by_day ON blood_pressure (account, day);
