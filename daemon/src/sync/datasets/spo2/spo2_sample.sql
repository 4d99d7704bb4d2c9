-- Garmin names the columns; where it does not, the time stands first.
SELECT :account AS account, (point.value ->> place.at_) / 1000 AS at, point.value ->> place.value_ AS pct
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.spo2ValueDescriptorKey' = 'timestamp' THEN value ->> '$.spo2ValueDescriptorIndex' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.spo2ValueDescriptorKey' = 'spo2Reading' THEN value ->> '$.spo2ValueDescriptorIndex' END), 1) AS value_
    FROM json_each(:body, '$.spO2ValueDescriptorsDTOList')
    WHERE type = 'object'
) AS place, json_each(:body, '$.spO2HourlyAverages') AS point
WHERE point.type = 'array' AND point.value ->> place.value_ > 0;
