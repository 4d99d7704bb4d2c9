-- Not what another day says of the midnight between them: only where this one had a value.
DELETE FROM floors_sample
WHERE
    account = :account
    AND at IN (
        SELECT unixepoch(point.value ->> place.at_)
        FROM (
            SELECT
                coalesce(max(CASE WHEN value ->> '$.key' = 'startTimeGMT' THEN value ->> '$.index' END), 0) AS at_,
                coalesce(max(CASE WHEN value ->> '$.key' = 'floorsAscended' THEN value ->> '$.index' END), 2) AS up_
            FROM json_each(:body, '$.floorsValueDescriptorDTOList')
        ) AS place, json_each(:body, '$.floorValuesArray') AS point
        WHERE point.value ->> place.up_ IS NOT NULL
    );
