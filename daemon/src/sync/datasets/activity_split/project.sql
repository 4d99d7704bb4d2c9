-- Stretches of several kinds overlap; they have no number of their own.
INSERT OR REPLACE INTO activity_split (
    account, activity_id, position, type, start_utc, duration_s, distance_m, avg_hr_bpm, max_hr_bpm, avg_speed_mps, elevation_gain_m,
    elevation_loss_m
)
SELECT
    :account,
    CAST(:item AS INTEGER),
    key,
    value ->> '$.type',
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.startTimeGMT'),
    value ->> '$.duration',
    value ->> '$.distance',
    nullif(value ->> '$.averageHR', 0),
    nullif(value ->> '$.maxHR', 0),
    value ->> '$.averageSpeed',
    value ->> '$.elevationGain',
    value ->> '$.elevationLoss'
FROM json_each(:body, '$.splits')
WHERE type = 'object';
