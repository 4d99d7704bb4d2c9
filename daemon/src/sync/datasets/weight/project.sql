-- `date` is the wall clock written as if it were UTC.
INSERT OR REPLACE INTO weight (
    account, measured_utc, measured_local, day, sample_pk, weight_g, bmi, body_fat_pct, body_water_pct, bone_mass_g, muscle_mass_g,
    physique_rating, visceral_fat, metabolic_age, source
)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.timestampGMT' / 1000, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%S', value ->> '$.date' / 1000, 'unixepoch'),
    :item,
    coalesce(value ->> '$.samplePk', -key),
    value ->> '$.weight',
    value ->> '$.bmi',
    value ->> '$.bodyFat',
    value ->> '$.bodyWater',
    value ->> '$.boneMass',
    value ->> '$.muscleMass',
    value ->> '$.physiqueRating',
    value ->> '$.visceralFat',
    value ->> '$.metabolicAge',
    value ->> '$.sourceType'
FROM json_each(:body, '$.allWeightMetrics')
WHERE value ->> '$.timestampGMT' IS NOT NULL;
