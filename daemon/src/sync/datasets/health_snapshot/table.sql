CREATE TABLE IF NOT EXISTS health_snapshot (
    account TEXT NOT NULL,
    snapshot_id TEXT NOT NULL,
    day TEXT,
    start_utc TEXT,
    end_utc TEXT,
    start_local TEXT,
    avg_hr_bpm REAL,
    min_hr_bpm REAL,
    max_hr_bpm REAL,
    avg_stress REAL,
    avg_respiration_brpm REAL,
    avg_spo2_pct REAL,
    rmssd_ms REAL,
    sdrr_ms REAL,
    PRIMARY KEY (account, snapshot_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS health_snapshot_by_day ON health_snapshot (account, day);
