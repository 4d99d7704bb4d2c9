-- Garmin names the columns; where it does not, they stand as they are known to. Below zero is no stress level: -1 was not measured, -2 too
-- active.
SELECT :account AS account, (point.value ->> place.at_) / 1000 AS at, point.value ->> place.value_ AS level
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.key' = 'timestamp' THEN value ->> '$.index' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.key' = 'stressLevel' THEN value ->> '$.index' END), 1) AS value_
    FROM json_each(:body, '$.stressValueDescriptorsDTOList')
    WHERE type = 'object'
) AS place, json_each(:body, '$.stressValuesArray') AS point
WHERE point.type = 'array' AND point.value ->> place.value_ >= 0;
