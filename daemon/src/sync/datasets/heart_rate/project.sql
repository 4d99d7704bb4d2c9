INSERT OR REPLACE INTO heart_rate_sample (account, at, bpm)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.heartRateValues')
WHERE value ->> 1 > 0;
