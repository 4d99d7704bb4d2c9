-- Under the end of each quarter.
-- What is read again replaces what was known of the same stretch.
DELETE FROM intensity_sample
WHERE
    account = :account
    AND at BETWEEN (SELECT min((value ->> 0) / 1000) FROM json_each(:body, '$.imValuesArray')) AND (SELECT max((value ->> 0) / 1000) FROM json_each(:body, '$.imValuesArray'));
INSERT OR REPLACE INTO intensity_sample (account, at, minutes)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.imValuesArray')
WHERE value ->> 1 IS NOT NULL;
