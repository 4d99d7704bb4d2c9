INSERT OR REPLACE INTO endurance_score (account, day, score, max_score)
VALUES (:account, :item, :body ->> '$.groupAverage', :body ->> '$.groupMax');
