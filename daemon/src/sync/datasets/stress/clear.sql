DELETE FROM stress_sample
WHERE
    account = :account
    AND at IN (SELECT (value ->> 0) / 1000 FROM json_each(:body, '$.stressValuesArray'));
DELETE FROM body_battery_sample
WHERE
    account = :account
    AND at IN (SELECT (value ->> 0) / 1000 FROM json_each(:body, '$.bodyBatteryValuesArray'));
