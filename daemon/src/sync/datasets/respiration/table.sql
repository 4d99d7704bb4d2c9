CREATE TABLE IF NOT EXISTS respiration_sample (
    account TEXT NOT NULL,
    -- What is no time of ours, or no such value, stands in another column than it should: the answer is refused.
    at INTEGER NOT NULL CHECK (at BETWEEN 315532800 AND 4102444800),
    brpm REAL CHECK (brpm BETWEEN 0 AND 200),
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
