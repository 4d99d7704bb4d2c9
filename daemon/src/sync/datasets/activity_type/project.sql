INSERT OR REPLACE INTO activity_type (account, type_id, type_key, parent_type_id)
SELECT :account, value ->> '$.typeId', value ->> '$.typeKey', value ->> '$.parentTypeId'
FROM json_each(:body)
WHERE type = 'object' AND value ->> '$.typeId' IS NOT NULL;
