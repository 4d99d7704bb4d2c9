-- What is read again replaces what was known of the same stretch.
DELETE FROM floors_sample
WHERE
    account = :account
    AND at BETWEEN (SELECT min(unixepoch(value ->> 0)) FROM json_each(:body, '$.floorValuesArray')) AND (SELECT max(unixepoch(value ->> 0)) FROM json_each(:body, '$.floorValuesArray'));
INSERT OR REPLACE INTO floors_sample (account, at, up, down)
SELECT :account, unixepoch(value ->> 0), value ->> 2, value ->> 3
FROM json_each(:body, '$.floorValuesArray')
WHERE value ->> 2 IS NOT NULL;
