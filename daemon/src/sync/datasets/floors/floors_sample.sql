-- Garmin names the columns; where it does not, the beginning stands first. Below zero is not measured.
SELECT
    :account AS account,
    unixepoch(iif(typeof(at_) = 'text', at_, at_ / 1000), 'auto') AS at,
    CASE WHEN up_ >= 0 THEN up_ END AS up,
    CASE WHEN down_ >= 0 THEN down_ END AS down
FROM (
    SELECT point.value ->> place.at_ AS at_, point.value ->> place.up_ AS up_, point.value ->> place.down_ AS down_
    FROM (
        SELECT
            coalesce(max(CASE WHEN value ->> '$.key' = 'startTimeGMT' THEN value ->> '$.index' END), 0) AS at_,
            coalesce(max(CASE WHEN value ->> '$.key' = 'floorsAscended' THEN value ->> '$.index' END), 2) AS up_,
            coalesce(max(CASE WHEN value ->> '$.key' = 'floorsDescended' THEN value ->> '$.index' END), 3) AS down_
        FROM json_each(:body, '$.floorsValueDescriptorDTOList')
        WHERE type = 'object'
    ) AS place, json_each(:body, '$.floorValuesArray') AS point
    WHERE point.type = 'array'
)
WHERE up_ >= 0 OR down_ >= 0;
