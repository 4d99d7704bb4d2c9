INSERT OR REPLACE INTO respiration_sample (account, at, brpm)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.respirationValuesArray')
WHERE value ->> 1 > 0;
