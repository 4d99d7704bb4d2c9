INSERT OR REPLACE INTO goal (account, goal_id, type, name, status, start_day, end_day, target, progress)
SELECT
    :account,
    goal.value ->> '$.id',
    goal.value ->> '$.goalType',
    goal.value ->> '$.goalName',
    part.key,
    date(goal.value ->> '$.startDate'),
    date(goal.value ->> '$.endDate'),
    goal.value ->> '$.goalValue',
    goal.value ->> '$.progress'
FROM json_each(:body) AS part, json_each(part.value) AS goal
WHERE goal.type = 'object' AND goal.value ->> '$.id' IS NOT NULL;
