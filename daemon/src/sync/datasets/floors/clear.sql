DELETE FROM floors_sample
WHERE
    account = :account
    AND at IN (SELECT unixepoch(value ->> 0) FROM json_each(:body, '$.floorValuesArray'));
