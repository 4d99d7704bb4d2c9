-- A behaviour has a row for each of its details, or one without.
INSERT OR REPLACE INTO lifestyle (account, day, behaviour_id, detail, name, category, status, measurement, amount)
SELECT
    :account,
    :item,
    log.value ->> '$.behaviourId',
    coalesce(detail.value ->> '$.subTypeName', ''),
    log.value ->> '$.name',
    log.value ->> '$.category',
    log.value ->> '$.logStatus',
    log.value ->> '$.measurementType',
    detail.value ->> '$.amount'
FROM json_each(:body, '$.dailyLogsReport') AS log
LEFT JOIN json_each(log.value, '$.details') AS detail ON detail.type = 'object'
WHERE log.type = 'object' AND log.value ->> '$.behaviourId' IS NOT NULL AND log.value ->> '$.logStatus' IS NOT NULL;
