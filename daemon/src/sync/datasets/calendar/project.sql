-- Several answers speak of this month, and the pages of a month show days of its neighbours: the newest says what its own days hold.
DELETE FROM calendar_entry WHERE account = :account AND substr(day, 1, 7) = substr(:item, 1, 7);
INSERT OR REPLACE INTO calendar_entry (account, entry_id, day, type, title, workout_id)
SELECT
    :account,
    coalesce(value ->> '$.itemType', '') || ' ' || (value ->> '$.id'),
    date(value ->> '$.date'),
    value ->> '$.itemType',
    value ->> '$.title',
    value ->> '$.workoutId'
FROM json_each(:body, '$.calendarItems')
WHERE
    type = 'object'
    AND value ->> '$.id' IS NOT NULL
    AND value ->> '$.itemType' IS NOT 'activity'
    AND substr(value ->> '$.date', 1, 7) = substr(:item, 1, 7);
