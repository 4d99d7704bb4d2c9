CREATE TABLE IF NOT EXISTS lifestyle (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    behaviour_id INTEGER NOT NULL,
    detail TEXT NOT NULL,
    name TEXT,
    category TEXT,
    status TEXT,
    measurement TEXT,
    amount REAL,
    PRIMARY KEY (account, day, behaviour_id, detail)
) WITHOUT ROWID;
