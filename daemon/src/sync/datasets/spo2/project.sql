-- What is read again replaces what was known of the same stretch.
DELETE FROM spo2_sample
WHERE
    account = :account
    AND at BETWEEN (SELECT min((value ->> 0) / 1000) FROM json_each(:body, '$.spO2HourlyAverages')) AND (SELECT max((value ->> 0) / 1000) FROM json_each(:body, '$.spO2HourlyAverages'));
INSERT OR REPLACE INTO spo2_sample (account, at, pct)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.spO2HourlyAverages')
WHERE value ->> 1 > 0;
