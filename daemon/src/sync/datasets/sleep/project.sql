-- Garmin's local times are wall clock written as if it were UTC: formatted as UTC, without the zone.
INSERT OR REPLACE INTO sleep (
    account, day, start_utc, end_utc, start_local, end_local, asleep_s, deep_s, light_s, rem_s, awake_s, nap_s, score, avg_hr_bpm,
    avg_stress, avg_spo2_pct, avg_respiration_brpm, confirmation
)
SELECT
    :account,
    :item,
    strftime('%Y-%m-%dT%H:%M:%SZ', start_gmt / 1000, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%SZ', end_gmt / 1000, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%S', start_wall / 1000, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%S', end_wall / 1000, 'unixepoch'),
    coalesce(:body ->> '$.sleepTimeSeconds', :body ->> '$.values.totalSleepTimeInSeconds'),
    coalesce(:body ->> '$.deepSleepSeconds', :body ->> '$.values.deepTime'),
    coalesce(:body ->> '$.lightSleepSeconds', :body ->> '$.values.lightTime'),
    coalesce(:body ->> '$.remSleepSeconds', :body ->> '$.values.remTime'),
    coalesce(:body ->> '$.awakeSleepSeconds', :body ->> '$.values.awakeTime'),
    :body ->> '$.napTimeSeconds',
    coalesce(:body ->> '$.sleepScores.overall.value', :body ->> '$.values.sleepScore'),
    nullif(coalesce(:body ->> '$.avgHeartRate', :body ->> '$.values.avgHeartRate'), 0),
    CASE WHEN stress >= 0 THEN stress END,
    nullif(coalesce(:body ->> '$.averageSpO2Value', :body ->> '$.values.spO2'), 0),
    CASE WHEN respiration >= 0 THEN respiration END,
    :body ->> '$.sleepWindowConfirmationType'
FROM (
    SELECT
        coalesce(:body ->> '$.sleepStartTimestampGMT', :body ->> '$.values.gmtSleepStartTimeInMillis') AS start_gmt,
        coalesce(:body ->> '$.sleepEndTimestampGMT', :body ->> '$.values.gmtSleepEndTimeInMillis') AS end_gmt,
        coalesce(:body ->> '$.sleepStartTimestampLocal', :body ->> '$.values.localSleepStartTimeInMillis') AS start_wall,
        coalesce(:body ->> '$.sleepEndTimestampLocal', :body ->> '$.values.localSleepEndTimeInMillis') AS end_wall,
        :body ->> '$.avgSleepStress' AS stress,
        coalesce(:body ->> '$.averageRespirationValue', :body ->> '$.values.respiration') AS respiration
);
