CREATE TABLE IF NOT EXISTS badge (
    account TEXT NOT NULL,
    badge_id INTEGER NOT NULL,
    badge_key TEXT,
    name TEXT,
    category_id INTEGER,
    points INTEGER,
    earned_utc TEXT,
    times_earned INTEGER,
    PRIMARY KEY (account, badge_id)
) WITHOUT ROWID;
