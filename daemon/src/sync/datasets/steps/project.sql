-- A quarter of an hour without steps is measured: 0.
-- What is read again replaces what was known of the same stretch.
DELETE FROM steps_sample
WHERE
    account = :account
    AND at BETWEEN (SELECT min(unixepoch(value ->> '$.startGMT')) FROM json_each(:body)) AND (SELECT max(unixepoch(value ->> '$.startGMT')) FROM json_each(:body));
INSERT OR REPLACE INTO steps_sample (account, at, steps)
SELECT :account, unixepoch(value ->> '$.startGMT'), value ->> '$.steps'
FROM json_each(:body)
WHERE value ->> '$.steps' IS NOT NULL;
