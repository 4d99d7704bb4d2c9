-- Under the end of each quarter. Below zero is not measured.
-- Garmin names the columns; where it does not, the time stands first.
SELECT :account AS account, (point.value ->> place.at_) / 1000 AS at, point.value ->> place.value_ AS minutes
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.key' = 'timestamp' THEN value ->> '$.index' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.key' = 'value' THEN value ->> '$.index' END), 1) AS value_
    FROM json_each(:body, '$.imValueDescriptorsDTOList')
    WHERE type = 'object'
) AS place, json_each(:body, '$.imValuesArray') AS point
WHERE point.type = 'array' AND point.value ->> place.value_ >= 0;
