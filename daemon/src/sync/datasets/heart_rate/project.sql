-- Garmin names the columns; where it does not, the time stands first.
INSERT OR REPLACE INTO heart_rate_sample (account, at, bpm)
SELECT :account, (point.value ->> place.at_) / 1000, point.value ->> place.value_
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.key' = 'timestamp' THEN value ->> '$.index' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.key' = 'heartrate' THEN value ->> '$.index' END), 1) AS value_
    FROM json_each(:body, '$.heartRateValueDescriptors')
) AS place, json_each(:body, '$.heartRateValues') AS point
WHERE point.value ->> place.value_ > 0;
