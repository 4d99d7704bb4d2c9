-- Garmin names the columns of its turning points; the level is not always the second.
INSERT OR REPLACE INTO body_battery (account, day, charged, drained, lowest, highest)
SELECT :account, :item, :body ->> '$.charged', :body ->> '$.drained', min(level), max(level)
FROM (
    SELECT point.value ->> ('$[' || coalesce(
        (
            SELECT column_.value ->> '$.bodyBatteryValueDescriptorIndex'
            FROM json_each(:body, '$.bodyBatteryValueDescriptorDTOList') AS column_
            WHERE column_.type = 'object' AND column_.value ->> '$.bodyBatteryValueDescriptorKey' = 'bodyBatteryLevel'
        ), 1
    ) || ']') AS level
    FROM json_each(:body, '$.bodyBatteryValuesArray') AS point
    WHERE point.type = 'array'
)
WHERE level BETWEEN 0 AND 100;
-- Local is what the watch showed: timezoneOffset is in milliseconds. Times come as text or in milliseconds.
INSERT OR REPLACE INTO body_battery_event (account, start_utc, type, day, start_local, duration_s, impact, feedback)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', iif(typeof(gmt) = 'text', gmt, gmt / 1000), 'auto'),
    value ->> '$.eventType',
    :item,
    strftime('%Y-%m-%dT%H:%M:%S', iif(typeof(gmt) = 'text', gmt, gmt / 1000), 'auto', offset_s || ' seconds'),
    value ->> '$.durationInMilliseconds' / 1000,
    value ->> '$.bodyBatteryImpact',
    value ->> '$.feedbackType'
FROM (
    SELECT value, value ->> '$.eventStartTimeGmt' AS gmt, coalesce(value ->> '$.timezoneOffset', 0) / 1000 AS offset_s
    FROM json_each(:body, '$.bodyBatteryActivityEvent')
    WHERE type = 'object'
)
WHERE gmt IS NOT NULL AND value ->> '$.eventType' IS NOT NULL;
