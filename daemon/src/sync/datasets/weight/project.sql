-- `date` is the wall clock written as if it were UTC. Times come in milliseconds or as text.
INSERT OR REPLACE INTO weight (
    account, measured_utc, measured_local, day, sample_pk, weight_g, bmi, body_fat_pct, body_water_pct, bone_mass_g, muscle_mass_g,
    physique_rating, visceral_fat, metabolic_age, source
)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(gmt) = 'text', gmt, gmt / 1000), 'auto'),
    strftime('%Y-%m-%dT%H:%M:%S', iif(typeof(wall) = 'text', wall, wall / 1000), 'auto'),
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
FROM (
    SELECT key, value, value ->> '$.timestampGMT' AS gmt, value ->> '$.date' AS wall
    FROM json_each(:body, '$.allWeightMetrics')
    WHERE type = 'object'
)
WHERE gmt IS NOT NULL;
