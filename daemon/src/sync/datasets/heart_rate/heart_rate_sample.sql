-- Garmin names the columns; where it does not, the time stands first.
SELECT :account AS account, (point.value ->> place.at_) / 1000 AS at, point.value ->> place.value_ AS bpm
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.key' = 'timestamp' THEN value ->> '$.index' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.key' = 'heartrate' THEN value ->> '$.index' END), 1) AS value_
    FROM json_each(:body, '$.heartRateValueDescriptors')
    WHERE type = 'object'
) AS place, json_each(:body, '$.heartRateValues') AS point
WHERE point.type = 'array' AND point.value ->> place.value_ > 0;
