CREATE TABLE IF NOT EXISTS nutrition (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    calories_kcal REAL,
    carbs_g REAL,
    protein_g REAL,
    fat_g REAL,
    goal_kcal REAL,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS food (
    account TEXT NOT NULL,
    log_id TEXT NOT NULL,
    day TEXT,
    meal TEXT,
    name TEXT,
    logged_utc TEXT,
    servings REAL,
    calories_kcal REAL,
    carbs_g REAL,
    protein_g REAL,
    fat_g REAL,
    PRIMARY KEY (account, log_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS food_by_day ON food (account, day);
