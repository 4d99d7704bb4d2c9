INSERT OR REPLACE INTO activity_power_zone (account, activity_id, zone, time_s, low_w)
SELECT :account, CAST(:item AS INTEGER), value ->> '$.zoneNumber', value ->> '$.secsInZone', value ->> '$.zoneLowBoundary'
FROM json_each(:body)
WHERE type = 'object' AND value ->> '$.zoneNumber' IS NOT NULL;
