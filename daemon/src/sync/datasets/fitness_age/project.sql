INSERT OR REPLACE INTO fitness_age (
    account, day, chronological_age, fitness_age, achievable_fitness_age, resting_hr_bpm, bmi, body_fat_pct, vigorous_days_avg,
    vigorous_minutes_avg
)
VALUES (
    :account,
    :item,
    :body ->> '$.chronologicalAge',
    coalesce(:body ->> '$.fitnessAge', :body ->> '$.values.fitnessAge'),
    coalesce(:body ->> '$.achievableFitnessAge', :body ->> '$.values.achievableFitnessAge'),
    nullif(coalesce(:body ->> '$.components.rhr.value', :body ->> '$.values.rhr'), 0),
    coalesce(:body ->> '$.components.bmi.value', :body ->> '$.values.bmi'),
    :body ->> '$.components.bodyFat.value',
    coalesce(:body ->> '$.components.vigorousDaysAvg.value', :body ->> '$.values.vigorousDaysAvg'),
    :body ->> '$.components.vigorousMinutesAvg.value'
);
