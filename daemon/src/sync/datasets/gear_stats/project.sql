INSERT OR REPLACE INTO gear_total (account, gear_uuid, total_distance_m, total_activities)
VALUES (:account, :item, :body ->> '$.totalDistance', :body ->> '$.totalActivities');
UPDATE gear
SET total_distance_m = :body ->> '$.totalDistance', total_activities = :body ->> '$.totalActivities'
WHERE account = :account AND gear_uuid = :item;
