INSERT OR REPLACE INTO menstrual_cycle (account, start_day, period_days, predicted)
VALUES (:account, :item, :body ->> '$.periodLength', coalesce(:body ->> '$.predictedCycle', 0));
