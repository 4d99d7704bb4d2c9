UPDATE sleep
SET
    nap_s = nullif(sleep.nap_s, night.nap_s),
    avg_stress = nullif(sleep.avg_stress, night.avg_stress),
    confirmation = nullif(sleep.confirmation, night.confirmation)
FROM sleep_night AS night
WHERE sleep.account = :account AND sleep.day = :item AND night.account = :account AND night.day = :item;
DELETE FROM sleep_night WHERE account = :account AND day = :item;
