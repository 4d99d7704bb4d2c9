-- A quarter of an hour without steps is measured: 0.
INSERT OR REPLACE INTO steps_sample (account, at, steps)
SELECT :account, unixepoch(value ->> '$.startGMT'), value ->> '$.steps'
FROM json_each(:body)
WHERE value ->> '$.steps' IS NOT NULL;
