-- What a type means: 1 to 6 are the times of 1 km, a mile, 5 km, 10 km, half and whole marathon, 7 the longest run in metres, 12 to 16 steps.
INSERT OR REPLACE INTO personal_record (
    account, record_id, type_id, value, activity_id, activity_name, activity_type, achieved_utc, achieved_local, status
)
SELECT
    :account,
    value ->> '$.id',
    value ->> '$.typeId',
    value ->> '$.value',
    nullif(value ->> '$.activityId', 0),
    value ->> '$.activityName',
    value ->> '$.activityType',
    strftime('%Y-%m-%dT%H:%M:%SZ', CASE typeof((value ->> '$.prStartTimeGmt')) WHEN 'text' THEN (value ->> '$.prStartTimeGmt') ELSE datetime((value ->> '$.prStartTimeGmt') / 1000, 'unixepoch') END),
    strftime('%Y-%m-%dT%H:%M:%S', CASE typeof((value ->> '$.prStartTimeLocal')) WHEN 'text' THEN (value ->> '$.prStartTimeLocal') ELSE datetime((value ->> '$.prStartTimeLocal') / 1000, 'unixepoch') END),
    value ->> '$.status'
FROM json_each(:body)
WHERE type = 'object' AND value ->> '$.id' IS NOT NULL;
