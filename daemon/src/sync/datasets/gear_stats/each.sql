-- The totals change when an activity comes or changes, or the item itself does.
SELECT
    gear_uuid AS item,
    NULL AS day,
    (
        SELECT max(fetched_utc) FROM answer
        WHERE answer.account = gear.account AND answer.dataset IN ('activities', 'gear')
    ) AS changed_utc
FROM gear
WHERE account = :account
ORDER BY gear_uuid;
