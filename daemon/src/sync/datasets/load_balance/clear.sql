DELETE FROM load_balance
WHERE
    account = :account
    AND (day, device_id) IN (
        SELECT coalesce(date(value ->> '$.calendarDate'), :item), coalesce(value ->> '$.deviceId', CAST(key AS INTEGER))
        FROM json_each(:body, '$.metricsTrainingLoadBalanceDTOMap')
    );
