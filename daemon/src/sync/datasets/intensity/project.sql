-- Under the end of each quarter.
-- What is read again replaces what was known of the day. Only quarters or hours with a value are told, so their ends say less than the day's.
DELETE FROM intensity_sample
WHERE
    account = :account
    AND at > coalesce(
        unixepoch(:body ->> '$.startTimestampGMT'), (SELECT min((value ->> 0) / 1000) FROM json_each(:body, '$.imValuesArray')) - 1
    )
    AND at <= coalesce(
        unixepoch(:body ->> '$.endTimestampGMT'), (SELECT max((value ->> 0) / 1000) FROM json_each(:body, '$.imValuesArray'))
    );
INSERT OR REPLACE INTO intensity_sample (account, at, minutes)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.imValuesArray')
WHERE value ->> 1 IS NOT NULL;
