INSERT OR REPLACE INTO gear_activity (account, gear_uuid, activity_id)
SELECT :account, :item, value
FROM json_each(:body)
WHERE value IS NOT NULL;
