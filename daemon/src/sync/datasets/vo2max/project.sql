INSERT OR REPLACE INTO vo2max (account, day, sport, vo2max, vo2max_precise, fitness_age, category)
SELECT
    :account,
    :item,
    kind.value,
    reading.value ->> ('$.' || kind.value || '.vo2MaxValue'),
    reading.value ->> ('$.' || kind.value || '.vo2MaxPreciseValue'),
    reading.value ->> ('$.' || kind.value || '.fitnessAge'),
    reading.value ->> ('$.' || kind.value || '.maxMetCategory')
FROM json_each(:body) AS reading, json_each('["generic", "cycling"]') AS kind
WHERE reading.type = 'object' AND reading.value ->> ('$.' || kind.value || '.calendarDate') = :item;
