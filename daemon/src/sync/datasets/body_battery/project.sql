-- Garmin names the columns of its turning points; the level is not always the second.
INSERT OR REPLACE INTO body_battery (account, day, charged, drained, lowest, highest)
SELECT :account, :item, :body ->> '$.charged', :body ->> '$.drained', min(level), max(level)
FROM (
    SELECT point.value ->> ('$[' || coalesce(
        (
            SELECT column_.value ->> '$.bodyBatteryValueDescriptorIndex'
            FROM json_each(:body, '$.bodyBatteryValueDescriptorDTOList') AS column_
            WHERE column_.value ->> '$.bodyBatteryValueDescriptorKey' = 'bodyBatteryLevel'
        ), 1
    ) || ']') AS level
    FROM json_each(:body, '$.bodyBatteryValuesArray') AS point
)
WHERE level BETWEEN 0 AND 100;
-- Local is what the watch showed: timezoneOffset is in milliseconds.
INSERT OR REPLACE INTO body_battery_event (account, start_utc, type, day, start_local, duration_s, impact, feedback)
SELECT
    :account,
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.eventStartTimeGmt'),
    value ->> '$.eventType',
    :item,
    strftime('%Y-%m-%dT%H:%M:%S', value ->> '$.eventStartTimeGmt', (coalesce(value ->> '$.timezoneOffset', 0) / 1000) || ' seconds'),
    value ->> '$.durationInMilliseconds' / 1000,
    value ->> '$.bodyBatteryImpact',
    value ->> '$.feedbackType'
FROM json_each(:body, '$.bodyBatteryActivityEvent')
WHERE value ->> '$.eventStartTimeGmt' IS NOT NULL AND value ->> '$.eventType' IS NOT NULL;
