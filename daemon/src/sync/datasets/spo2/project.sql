-- What is read again replaces what was known of the day. Only quarters or hours with a value are told, so their ends say less than the day's.
DELETE FROM spo2_sample
WHERE
    account = :account
    AND at >= coalesce(
        unixepoch(:body ->> '$.startTimestampGMT'), (SELECT min((value ->> 0) / 1000) FROM json_each(:body, '$.spO2HourlyAverages'))
    )
    AND at < coalesce(
        unixepoch(:body ->> '$.endTimestampGMT'), (SELECT max((value ->> 0) / 1000) FROM json_each(:body, '$.spO2HourlyAverages')) + 1
    );
INSERT OR REPLACE INTO spo2_sample (account, at, pct)
SELECT :account, (value ->> 0) / 1000, value ->> 1
FROM json_each(:body, '$.spO2HourlyAverages')
WHERE value ->> 1 > 0;
