DELETE FROM hrv_sample
WHERE
    account = :account
    AND at IN (
        SELECT coalesce(unixepoch(value ->> '$.readingTimeGMT'), (value ->> '$.startGMT') / 1000)
        FROM json_each(:body, CASE json_type(:body) WHEN 'array' THEN '$' ELSE '$.hrvReadings' END)
    );
