DELETE FROM respiration_sample
WHERE
    account = :account
    AND at IN (SELECT (value ->> 0) / 1000 FROM json_each(:body, '$.respirationValuesArray'));
