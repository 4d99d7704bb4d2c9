CREATE TABLE IF NOT EXISTS activity_weather (
    account TEXT NOT NULL,
    activity_id INTEGER NOT NULL,
    observed_utc TEXT,
    temperature_c REAL,
    apparent_c REAL,
    dew_point_c REAL,
    humidity_pct INTEGER,
    wind_direction INTEGER,
    wind_speed REAL,
    wind_gust REAL,
    description TEXT,
    PRIMARY KEY (account, activity_id)
) WITHOUT ROWID;
