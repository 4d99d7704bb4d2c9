-- Garmin names the columns; where it does not, the time stands first.
INSERT OR REPLACE INTO floors_sample (account, at, up, down)
SELECT :account, unixepoch(point.value ->> place.at_), point.value ->> place.up_, point.value ->> place.down_
FROM (
    SELECT
        coalesce(max(CASE WHEN value ->> '$.key' = 'startTimeGMT' THEN value ->> '$.index' END), 0) AS at_,
        coalesce(max(CASE WHEN value ->> '$.key' = 'floorsAscended' THEN value ->> '$.index' END), 2) AS up_,
        coalesce(max(CASE WHEN value ->> '$.key' = 'floorsDescended' THEN value ->> '$.index' END), 3) AS down_
    FROM json_each(:body, '$.floorsValueDescriptorDTOList')
) AS place, json_each(:body, '$.floorValuesArray') AS point
WHERE point.value ->> place.up_ IS NOT NULL;
