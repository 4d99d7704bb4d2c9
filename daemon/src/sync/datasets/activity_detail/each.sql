SELECT
    CAST(activity_id AS TEXT) AS item,
    start_local AS day,
    (
        SELECT fetched_utc FROM answer
        WHERE answer.account = activity.account AND answer.dataset = 'activities' AND answer.item = CAST(activity_id AS TEXT)
    ) AS changed_utc
FROM activity
WHERE account = :account AND deleted_utc IS NULL
ORDER BY start_local DESC, activity_id DESC;
