-- Under the end of each quarter.
-- Garmin names the columns; where it does not, the time stands first.
INSERT OR REPLACE INTO intensity_sample (account, at, minutes)
SELECT :account, (point.value ->> place.at_) / 1000, point.value ->> place.value_
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.key' = 'timestamp' THEN value ->> '$.index' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.key' = 'value' THEN value ->> '$.index' END), 1) AS value_
    FROM json_each(:body, '$.imValueDescriptorsDTOList')
) AS place, json_each(:body, '$.imValuesArray') AS point
WHERE point.value ->> place.value_ IS NOT NULL;
