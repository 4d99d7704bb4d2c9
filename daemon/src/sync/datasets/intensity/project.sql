-- Under the end of each quarter.
INSERT OR REPLACE INTO intensity_sample (account, at, minutes)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.imValuesArray')
WHERE value ->> 1 IS NOT NULL;
