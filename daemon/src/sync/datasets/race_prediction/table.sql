CREATE TABLE IF NOT EXISTS race_prediction (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    time_5k_s INTEGER,
    time_10k_s INTEGER,
    time_half_marathon_s INTEGER,
    time_marathon_s INTEGER,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
