SELECT
    CAST(activity_id AS TEXT) AS item,
    start_local AS day,
    updated_utc AS changed_utc
FROM activity
WHERE account = :account AND deleted_utc IS NULL
ORDER BY start_local DESC, activity_id DESC;
