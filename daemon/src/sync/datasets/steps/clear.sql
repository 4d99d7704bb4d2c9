DELETE FROM steps_sample
WHERE
    account = :account
    AND at IN (SELECT unixepoch(value ->> '$.startGMT') FROM json_each(:body));
