-- Not what another day says of the midnight between them: only where this one had a value.
DELETE FROM spo2_sample
WHERE
    account = :account
    AND at IN (
        SELECT (point.value ->> place.at_) / 1000
        FROM (
            SELECT
                coalesce(max(CASE WHEN value ->> '$.spo2ValueDescriptorKey' = 'timestamp' THEN value ->> '$.spo2ValueDescriptorIndex' END), 0) AS at_,
                coalesce(max(CASE WHEN value ->> '$.spo2ValueDescriptorKey' = 'spo2Reading' THEN value ->> '$.spo2ValueDescriptorIndex' END), 1) AS value_
            FROM json_each(:body, '$.spO2ValueDescriptorsDTOList')
        ) AS place, json_each(:body, '$.spO2HourlyAverages') AS point
        WHERE point.value ->> place.value_ > 0
    );
