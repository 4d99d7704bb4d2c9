-- What is read again replaces what was known of the day. Only quarters or hours with a value are told, so their ends say less than the day's.
DELETE FROM floors_sample
WHERE
    account = :account
    AND at >= coalesce(
        unixepoch(:body ->> '$.startTimestampGMT'), (SELECT min(unixepoch(value ->> 0)) FROM json_each(:body, '$.floorValuesArray'))
    )
    AND at < coalesce(
        unixepoch(:body ->> '$.endTimestampGMT'), (SELECT max(unixepoch(value ->> 0)) FROM json_each(:body, '$.floorValuesArray')) + 1
    );
INSERT OR REPLACE INTO floors_sample (account, at, up, down)
SELECT :account, unixepoch(value ->> 0), value ->> 2, value ->> 3
FROM json_each(:body, '$.floorValuesArray')
WHERE value ->> 2 IS NOT NULL;
