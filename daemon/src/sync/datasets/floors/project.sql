INSERT OR REPLACE INTO floors_sample (account, at, up, down)
SELECT :account, unixepoch(value ->> 0), value ->> 2, value ->> 3
FROM json_each(:body, '$.floorValuesArray')
WHERE value ->> 2 IS NOT NULL;
