DELETE FROM sleep_stage WHERE account = :account AND day = :item;
DELETE FROM sleep_movement
WHERE
    account = :account
    AND at IN (SELECT unixepoch(value ->> '$.startGMT') FROM json_each(:body, '$.sleepMovement'));
