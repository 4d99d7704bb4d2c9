SELECT
    CAST(leg.value AS TEXT) AS item,
    activity.start_local AS day,
    parent.updated_utc AS changed_utc
FROM activity_detail AS parent
INNER JOIN activity ON activity.account = parent.account AND activity.activity_id = parent.activity_id
INNER JOIN json_each(parent.leg_ids) AS leg
WHERE parent.account = :account AND parent.leg_ids IS NOT NULL AND activity.deleted_utc IS NULL
ORDER BY activity.start_local DESC, leg.key;
