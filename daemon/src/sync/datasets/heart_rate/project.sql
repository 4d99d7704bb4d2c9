-- What is read again replaces what was known of the same stretch.
DELETE FROM heart_rate_sample
WHERE
    account = :account
    AND at BETWEEN (SELECT min((value ->> 0) / 1000) FROM json_each(:body, '$.heartRateValues')) AND (SELECT max((value ->> 0) / 1000) FROM json_each(:body, '$.heartRateValues'));
INSERT OR REPLACE INTO heart_rate_sample (account, at, bpm)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.heartRateValues')
WHERE value ->> 1 > 0;
