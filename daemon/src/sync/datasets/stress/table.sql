CREATE TABLE IF NOT EXISTS stress_sample (
    account TEXT NOT NULL,
    -- What is no time of ours, or no such value, stands in another column than it should: the answer is refused.
    at INTEGER NOT NULL CHECK (at BETWEEN 315532800 AND 4102444800),
    level INTEGER CHECK (level BETWEEN 0 AND 100),
    PRIMARY KEY (account, at)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS body_battery_sample (
    account TEXT NOT NULL,
    -- What is no time of ours, or no such value, stands in another column than it should: the answer is refused.
    at INTEGER NOT NULL CHECK (at BETWEEN 315532800 AND 4102444800),
    level INTEGER CHECK (level BETWEEN 0 AND 100),
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
