-- Garmin names the columns; where it does not, they stand as they are known to. Below zero is no stress level: -1 was not measured, -2 too
-- active.
INSERT OR REPLACE INTO stress_sample (account, at, level)
SELECT :account, (point.value ->> place.at_) / 1000, point.value ->> place.value_
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.key' = 'timestamp' THEN value ->> '$.index' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.key' = 'stressLevel' THEN value ->> '$.index' END), 1) AS value_
    FROM json_each(:body, '$.stressValueDescriptorsDTOList')
) AS place, json_each(:body, '$.stressValuesArray') AS point
WHERE point.value ->> place.value_ >= 0;
INSERT OR REPLACE INTO body_battery_sample (account, at, level)
SELECT :account, (point.value ->> place.at_) / 1000, point.value ->> place.value_
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.bodyBatteryValueDescriptorKey' = 'timestamp' THEN value ->> '$.bodyBatteryValueDescriptorIndex' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.bodyBatteryValueDescriptorKey' = 'bodyBatteryLevel' THEN value ->> '$.bodyBatteryValueDescriptorIndex' END), 2) AS value_
    FROM json_each(:body, '$.bodyBatteryValueDescriptorsDTOList')
) AS place, json_each(:body, '$.bodyBatteryValuesArray') AS point
WHERE point.value ->> place.value_ >= 0;
