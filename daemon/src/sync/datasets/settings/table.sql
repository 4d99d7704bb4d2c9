CREATE TABLE IF NOT EXISTS settings (
    account TEXT NOT NULL PRIMARY KEY,
    time_zone TEXT,
    locale TEXT,
    measurement_system TEXT,
    first_day_of_week TEXT
) WITHOUT ROWID;
