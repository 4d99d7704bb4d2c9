-- The totals come with gear_stats, one answer an item.
INSERT OR REPLACE INTO gear (
    account, gear_uuid, gear_pk, name, make, model, type, status, begin_day, end_day, max_distance_m, total_distance_m, total_activities
)
SELECT
    :account,
    value ->> '$.uuid',
    value ->> '$.gearPk',
    value ->> '$.displayName',
    value ->> '$.gearMakeName',
    coalesce(value ->> '$.customMakeModel', value ->> '$.gearModelName'),
    value ->> '$.gearTypeName',
    value ->> '$.gearStatusName',
    date(value ->> '$.dateBegin'),
    date(value ->> '$.dateEnd'),
    nullif(value ->> '$.maximumMeters', 0),
    stats.total_distance_m,
    stats.total_activities
FROM json_each(:body)
LEFT JOIN gear_total AS stats ON stats.account = :account AND stats.gear_uuid = value ->> '$.uuid'
WHERE type = 'object' AND value ->> '$.uuid' IS NOT NULL;
