INSERT OR REPLACE INTO spo2_sample (account, at, pct)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.spO2HourlyAverages')
WHERE value ->> 1 > 0;
