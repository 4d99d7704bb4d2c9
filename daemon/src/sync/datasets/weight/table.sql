CREATE TABLE IF NOT EXISTS weight (
    account TEXT NOT NULL,
    measured_utc TEXT NOT NULL,
    measured_local TEXT,
    day TEXT,
    -- Garmin's number of the entry: two may be of the same second. Below one where it has none.
    sample_pk INTEGER NOT NULL,
    weight_g REAL,
    bmi REAL,
    body_fat_pct REAL,
    body_water_pct REAL,
    bone_mass_g REAL,
    muscle_mass_g REAL,
    physique_rating REAL,
    visceral_fat REAL,
    metabolic_age REAL,
    source TEXT,
    PRIMARY KEY (account, measured_utc, sample_pk)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS weight_by_day ON weight (account, day);
