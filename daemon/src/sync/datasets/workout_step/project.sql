-- Steps stand in segments and, where they are repeated, in groups of steps; their order is counted through.
INSERT OR REPLACE INTO workout_step (account, workout_id, position, kind, repeats, until, until_value, target, target_low, target_high)
SELECT
    :account,
    CAST(:item AS INTEGER),
    value ->> '$.stepOrder',
    value ->> '$.stepType.stepTypeKey',
    value ->> '$.numberOfIterations',
    value ->> '$.endCondition.conditionTypeKey',
    value ->> '$.endConditionValue',
    value ->> '$.targetType.workoutTargetTypeKey',
    value ->> '$.targetValueOne',
    value ->> '$.targetValueTwo'
FROM json_tree(:body, '$.workoutSegments')
WHERE type = 'object' AND value ->> '$.stepOrder' IS NOT NULL;
