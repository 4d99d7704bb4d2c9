INSERT OR REPLACE INTO hr_zone (
    account, sport, method, zone1_bpm, zone2_bpm, zone3_bpm, zone4_bpm, zone5_bpm, max_hr_bpm, resting_hr_bpm, lactate_threshold_hr_bpm
)
SELECT
    :account,
    coalesce(value ->> '$.sport', 'DEFAULT'),
    value ->> '$.trainingMethod',
    nullif(value ->> '$.zone1Floor', 0),
    nullif(value ->> '$.zone2Floor', 0),
    nullif(value ->> '$.zone3Floor', 0),
    nullif(value ->> '$.zone4Floor', 0),
    nullif(value ->> '$.zone5Floor', 0),
    nullif(value ->> '$.maxHeartRateUsed', 0),
    nullif(value ->> '$.restingHeartRateUsed', 0),
    nullif(value ->> '$.lactateThresholdHeartRateUsed', 0)
FROM json_each(:body)
WHERE type = 'object';
