CREATE TABLE IF NOT EXISTS goal (
    account TEXT NOT NULL,
    goal_id INTEGER NOT NULL,
    type TEXT,
    name TEXT,
    status TEXT,
    start_day TEXT,
    end_day TEXT,
    target REAL,
    progress REAL,
    PRIMARY KEY (account, goal_id)
) WITHOUT ROWID;
