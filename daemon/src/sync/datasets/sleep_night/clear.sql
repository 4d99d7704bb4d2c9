UPDATE sleep
SET
    nap_s = iif(untold & 1, NULL, nap_s),
    avg_stress = iif(untold & 2, NULL, avg_stress),
    confirmation = iif(untold & 4, NULL, confirmation)
WHERE account = :account AND day = :item;
DELETE FROM sleep_night WHERE account = :account AND day = :item;
