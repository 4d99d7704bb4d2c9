-- Garmin names the columns; where it does not, the time stands first.
INSERT OR REPLACE INTO spo2_sample (account, at, pct)
SELECT :account, (point.value ->> place.at_) / 1000, point.value ->> place.value_
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.spo2ValueDescriptorKey' = 'timestamp' THEN value ->> '$.spo2ValueDescriptorIndex' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.spo2ValueDescriptorKey' = 'spo2Reading' THEN value ->> '$.spo2ValueDescriptorIndex' END), 1) AS value_
    FROM json_each(:body, '$.spO2ValueDescriptorsDTOList')
) AS place, json_each(:body, '$.spO2HourlyAverages') AS point
WHERE point.value ->> place.value_ > 0;
