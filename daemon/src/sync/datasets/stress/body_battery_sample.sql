-- Garmin names the columns; where it does not, the time stands first.
SELECT :account AS account, (point.value ->> place.at_) / 1000 AS at, point.value ->> place.value_ AS level
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.bodyBatteryValueDescriptorKey' = 'timestamp' THEN value ->> '$.bodyBatteryValueDescriptorIndex' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.bodyBatteryValueDescriptorKey' = 'bodyBatteryLevel' THEN value ->> '$.bodyBatteryValueDescriptorIndex' END), 2) AS value_
    FROM json_each(:body, '$.bodyBatteryValueDescriptorsDTOList')
    WHERE type = 'object'
) AS place, json_each(:body, '$.bodyBatteryValuesArray') AS point
WHERE point.type = 'array' AND point.value ->> place.value_ >= 0;
