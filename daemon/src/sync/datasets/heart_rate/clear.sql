DELETE FROM heart_rate_sample
WHERE
    account = :account
    AND at IN (SELECT (value ->> 0) / 1000 FROM json_each(:body, '$.heartRateValues'));
