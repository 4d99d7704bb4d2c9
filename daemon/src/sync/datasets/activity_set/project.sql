-- Of the exercises that the watch guesses, the most probable.
INSERT OR REPLACE INTO activity_set (account, activity_id, position, kind, start_utc, duration_s, repetitions, weight_g, exercise)
SELECT
    :account,
    CAST(:item AS INTEGER),
    coalesce(one.value ->> '$.messageIndex', one.key),
    one.value ->> '$.setType',
    strftime('%Y-%m-%dT%H:%M:%SZ', one.value ->> '$.startTime'),
    one.value ->> '$.duration',
    nullif(one.value ->> '$.repetitionCount', 0),
    CASE WHEN one.value ->> '$.weight' > 0 THEN one.value ->> '$.weight' END,
    (
        SELECT guess.value ->> '$.category'
        FROM json_each(one.value, '$.exercises') AS guess
        WHERE guess.type = 'object'
        ORDER BY guess.value ->> '$.probability' DESC, guess.key
        LIMIT 1
    )
FROM json_each(:body, '$.exerciseSets') AS one
WHERE one.type = 'object';
