-- Below zero is no stress level: -1 was not measured, -2 too active.
INSERT OR REPLACE INTO stress_sample (account, at, level)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.stressValuesArray')
WHERE value ->> 1 >= 0;
-- Garmin names the columns: the level stands third, as far as is known.
INSERT OR REPLACE INTO body_battery_sample (account, at, level)
SELECT :account, at, level
FROM (
    SELECT (point.value ->> 0) / 1000 AS at, point.value ->> ('$[' || coalesce(
        (
            SELECT column_.value ->> '$.bodyBatteryValueDescriptorIndex'
            FROM json_each(:body, '$.bodyBatteryValueDescriptorsDTOList') AS column_
            WHERE column_.value ->> '$.bodyBatteryValueDescriptorKey' = 'bodyBatteryLevel'
        ), 2
    ) || ']') AS level
    FROM json_each(:body, '$.bodyBatteryValuesArray') AS point
)
WHERE level >= 0;
