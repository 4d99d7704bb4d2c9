-- Not what another day says of the midnight between them: only where this one had a value.
DELETE FROM respiration_sample
WHERE
    account = :account
    AND at IN (
        SELECT (point.value ->> place.at_) / 1000
        FROM (
            SELECT
                coalesce(max(CASE WHEN value ->> '$.key' = 'timestamp' THEN value ->> '$.index' END), 0) AS at_,
                coalesce(max(CASE WHEN value ->> '$.key' = 'respiration' THEN value ->> '$.index' END), 1) AS value_
            FROM json_each(:body, '$.respirationValueDescriptorsDTOList')
        ) AS place, json_each(:body, '$.respirationValuesArray') AS point
        WHERE point.value ->> place.value_ > 0
    );
