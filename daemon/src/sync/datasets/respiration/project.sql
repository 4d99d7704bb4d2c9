-- What is read again replaces what was known of the same stretch.
DELETE FROM respiration_sample
WHERE
    account = :account
    AND at BETWEEN (SELECT min((value ->> 0) / 1000) FROM json_each(:body, '$.respirationValuesArray')) AND (SELECT max((value ->> 0) / 1000) FROM json_each(:body, '$.respirationValuesArray'));
INSERT OR REPLACE INTO respiration_sample (account, at, brpm)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.respirationValuesArray')
WHERE value ->> 1 > 0;
