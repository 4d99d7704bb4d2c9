-- Its activities change when its totals do.
SELECT
    gear_uuid AS item,
    NULL AS day,
    (
        SELECT fetched_utc FROM answer
        WHERE answer.account = gear.account AND answer.dataset = 'gear_stats' AND answer.item = gear.gear_uuid
    ) AS changed_utc
FROM gear
WHERE account = :account
ORDER BY gear_uuid;
