-- Garmin writes "none" as 0 (heart rate, SpO2, a day's drinks) or as a negative number (stress, respiration).
INSERT OR REPLACE INTO daily_summary (
    account, day, steps, step_goal, distance_m, floors_up, floors_down, active_kcal, resting_kcal, total_kcal, resting_hr_bpm,
    min_hr_bpm, max_hr_bpm, avg_stress, max_stress, rest_stress_s, low_stress_s, medium_stress_s, high_stress_s, body_battery_min,
    body_battery_max, body_battery_charged, body_battery_drained, moderate_min, vigorous_min, hydration_ml, avg_respiration_brpm,
    avg_spo2_pct, min_spo2_pct
)
VALUES (
    :account,
    :item,
    :body ->> '$.movement.steps.value',
    :body ->> '$.movement.steps.goal',
    :body ->> '$.movement.steps.distanceInMeters',
    :body ->> '$.movement.floorsAscended.value',
    :body ->> '$.movement.floorsDescended.value',
    :body ->> '$.calories.burnedActive',
    :body ->> '$.calories.burnedResting',
    :body ->> '$.calories.burnedTotal',
    nullif(:body ->> '$.heartRate.restingValue', 0),
    nullif(:body ->> '$.heartRate.minValue', 0),
    nullif(:body ->> '$.heartRate.maxValue', 0),
    CASE WHEN :body ->> '$.stress.avgLevel' >= 0 THEN :body ->> '$.stress.avgLevel' END,
    CASE WHEN :body ->> '$.stress.maxLevel' >= 0 THEN :body ->> '$.stress.maxLevel' END,
    :body ->> '$.stress.restDurationInMillis' / 1000,
    :body ->> '$.stress.lowStressDurationInMillis' / 1000,
    :body ->> '$.stress.mediumStressDurationInMillis' / 1000,
    :body ->> '$.stress.highStressDurationInMillis' / 1000,
    :body ->> '$.bodyBattery.minValue',
    :body ->> '$.bodyBattery.maxValue',
    :body ->> '$.bodyBattery.chargedValue',
    :body ->> '$.bodyBattery.drainedValue',
    :body ->> '$.intensityMinutes.moderate',
    :body ->> '$.intensityMinutes.vigorous',
    nullif(coalesce(:body ->> '$.hydration.consumedInMl', :body ->> '$.hydration.consumedInFractionalMl'), 0),
    CASE WHEN :body ->> '$.respiration.avgValue' >= 0 THEN :body ->> '$.respiration.avgValue' END,
    nullif(:body ->> '$.pulseOx.avgValue', 0),
    nullif(:body ->> '$.pulseOx.minValue', 0)
);
