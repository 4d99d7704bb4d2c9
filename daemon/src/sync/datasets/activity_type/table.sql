CREATE TABLE IF NOT EXISTS activity_type (
    account TEXT NOT NULL,
    type_id INTEGER NOT NULL,
    type_key TEXT,
    parent_type_id INTEGER,
    PRIMARY KEY (account, type_id)
) WITHOUT ROWID;
