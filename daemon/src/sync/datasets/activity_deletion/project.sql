-- The item is ours: Garmin's answer is 404. Without a moment the activity has come back.
INSERT OR REPLACE INTO activity_tombstone (account, activity_id, deleted_utc)
VALUES (:account, CAST(:item AS INTEGER), :body ->> '$.deletedUtc');
UPDATE activity
SET deleted_utc = :body ->> '$.deletedUtc'
WHERE account = :account AND activity_id = CAST(:item AS INTEGER);
