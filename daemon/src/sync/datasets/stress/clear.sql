-- Not what another day says of the midnight between them: only where this one had a value.
DELETE FROM stress_sample
WHERE
    account = :account
    AND at IN (
        SELECT (point.value ->> place.at_) / 1000
        FROM (
            SELECT
                coalesce(max(CASE WHEN value ->> '$.key' = 'timestamp' THEN value ->> '$.index' END), 0) AS at_,
                coalesce(max(CASE WHEN value ->> '$.key' = 'stressLevel' THEN value ->> '$.index' END), 1) AS value_
            FROM json_each(:body, '$.stressValueDescriptorsDTOList')
        ) AS place, json_each(:body, '$.stressValuesArray') AS point
        WHERE point.value ->> place.value_ >= 0
    );
DELETE FROM body_battery_sample
WHERE
    account = :account
    AND at IN (
        SELECT (point.value ->> place.at_) / 1000
        FROM (
            SELECT
                coalesce(max(CASE WHEN value ->> '$.bodyBatteryValueDescriptorKey' = 'timestamp' THEN value ->> '$.bodyBatteryValueDescriptorIndex' END), 0) AS at_,
                coalesce(max(CASE WHEN value ->> '$.bodyBatteryValueDescriptorKey' = 'bodyBatteryLevel' THEN value ->> '$.bodyBatteryValueDescriptorIndex' END), 2) AS value_
            FROM json_each(:body, '$.bodyBatteryValueDescriptorsDTOList')
        ) AS place, json_each(:body, '$.bodyBatteryValuesArray') AS point
        WHERE point.value ->> place.value_ >= 0
    );
