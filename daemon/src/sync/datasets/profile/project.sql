-- Garmin writes the height in centimetres and the speed in tenths of metres a second; bed and rising are seconds after midnight.
INSERT OR REPLACE INTO profile (
    account, gender, birth_day, height_m, weight_g, vo2max_running, vo2max_cycling, lactate_threshold_speed_mps, lactate_threshold_hr_bpm,
    ftp_w, training_days, sleep_s, wake_s
)
VALUES (
    :account,
    :body ->> '$.userData.gender',
    date(:body ->> '$.userData.birthDate'),
    round(nullif(:body ->> '$.userData.height', 0) / 100.0, 4),
    nullif(:body ->> '$.userData.weight', 0),
    nullif(:body ->> '$.userData.vo2MaxRunning', 0),
    nullif(:body ->> '$.userData.vo2MaxCycling', 0),
    round(nullif(:body ->> '$.userData.lactateThresholdSpeed', 0) * 10, 6),
    nullif(:body ->> '$.userData.lactateThresholdHeartRate', 0),
    nullif(:body ->> '$.userData.functionalThresholdPower', 0),
    (SELECT group_concat(value, ',') FROM json_each(:body, '$.userData.availableTrainingDays')),
    :body ->> '$.userSleep.sleepTime',
    :body ->> '$.userSleep.wakeTime'
);
