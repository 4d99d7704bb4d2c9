CREATE TABLE IF NOT EXISTS vo2max (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    sport TEXT NOT NULL,
    vo2max REAL,
    vo2max_precise REAL,
    fitness_age INTEGER,
    category INTEGER,
    PRIMARY KEY (account, day, sport)
) WITHOUT ROWID;
