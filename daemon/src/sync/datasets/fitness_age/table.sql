CREATE TABLE IF NOT EXISTS fitness_age (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    chronological_age INTEGER,
    fitness_age REAL,
    achievable_fitness_age REAL,
    resting_hr_bpm INTEGER,
    bmi REAL,
    body_fat_pct REAL,
    vigorous_days_avg REAL,
    vigorous_minutes_avg REAL,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
