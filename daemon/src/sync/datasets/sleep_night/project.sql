INSERT OR REPLACE INTO sleep_night (account, day, nap_s, avg_stress, confirmation)
VALUES (
    :account,
    :item,
    :body ->> '$.napTimeSeconds',
    CASE WHEN :body ->> '$.avgSleepStress' >= 0 THEN :body ->> '$.avgSleepStress' END,
    :body ->> '$.sleepWindowConfirmationType'
);
-- Whichever comes first: the night looks here, and here the night is filled up where it says nothing itself.
UPDATE sleep
SET
    nap_s = iif(sleep.untold & 1, night.nap_s, sleep.nap_s),
    avg_stress = iif(sleep.untold & 2, night.avg_stress, sleep.avg_stress),
    confirmation = iif(sleep.untold & 4, night.confirmation, sleep.confirmation)
FROM sleep_night AS night
WHERE sleep.account = :account AND sleep.day = :item AND night.account = :account AND night.day = :item;
