INSERT OR REPLACE INTO activity_lap (
    account, activity_id, lap, start_utc, distance_m, duration_s, avg_hr_bpm, max_hr_bpm, avg_speed_mps, intensity
)
SELECT
    :account,
    CAST(:item AS INTEGER),
    coalesce(value ->> '$.lapIndex', key + 1),
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.startTimeGMT'),
    value ->> '$.distance',
    value ->> '$.duration',
    nullif(value ->> '$.averageHR', 0),
    nullif(value ->> '$.maxHR', 0),
    value ->> '$.averageSpeed',
    value ->> '$.intensityType'
FROM json_each(:body, '$.lapDTOs')
WHERE type = 'object';
