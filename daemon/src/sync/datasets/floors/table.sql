CREATE TABLE IF NOT EXISTS floors_sample (
    account TEXT NOT NULL,
    -- What is no time of ours, or no such value, stands in another column than it should: the answer is refused.
    at INTEGER NOT NULL CHECK (at BETWEEN 315532800 AND 4102444800),
    up REAL CHECK (up BETWEEN 0 AND 10000),
    down REAL CHECK (down BETWEEN 0 AND 10000),
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
