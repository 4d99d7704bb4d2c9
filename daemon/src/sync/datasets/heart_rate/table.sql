CREATE TABLE IF NOT EXISTS heart_rate_sample (
    account TEXT NOT NULL,
    -- What is no time of ours, or no such value, stands in another column than it should: the answer is refused.
    at INTEGER NOT NULL CHECK (at BETWEEN 315532800 AND 4102444800),
    bpm INTEGER CHECK (bpm BETWEEN 1 AND 500),
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
