CREATE TABLE IF NOT EXISTS device (
    account TEXT NOT NULL,
    device_id INTEGER NOT NULL,
    name TEXT,
    application_key TEXT,
    serial_number TEXT,
    firmware TEXT,
    registered_utc TEXT,
    primary_device INTEGER,
    current INTEGER,
    PRIMARY KEY (account, device_id)
) WITHOUT ROWID;
