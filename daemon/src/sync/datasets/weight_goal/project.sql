-- The first day is all that tells one goal from another.
INSERT OR REPLACE INTO weight_goal (account, start_day, end_day, target_g)
SELECT :account, date(value ->> '$.startDate'), date(value ->> '$.endDate'), value ->> '$.goalValue'
FROM json_each(:body)
WHERE type = 'object' AND value ->> '$.startDate' IS NOT NULL;
