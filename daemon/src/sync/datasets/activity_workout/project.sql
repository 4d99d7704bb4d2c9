INSERT OR REPLACE INTO activity_workout_step (
    account, activity_id, workout, position, name, sport, intensity, until, until_value, target, target_low, target_high
)
SELECT
    :account,
    CAST(:item AS INTEGER),
    coalesce(workout.value ->> '$.index', workout.key),
    coalesce(step.value ->> '$.stepIndex', step.key),
    workout.value ->> '$.workoutName',
    workout.value ->> '$.sport',
    step.value ->> '$.intensity',
    step.value ->> '$.durationType',
    step.value ->> '$.durationValue',
    step.value ->> '$.targetType',
    step.value ->> '$.targetValueLow',
    step.value ->> '$.targetValueHigh'
FROM json_each(:body) AS workout, json_each(workout.value, '$.steps') AS step
WHERE workout.type = 'object' AND step.type = 'object';
