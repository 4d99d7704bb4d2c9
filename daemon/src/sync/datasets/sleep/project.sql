-- What the account tier tells only with the night's detail stands in sleep_night.
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
    coalesce(:body ->> '$.napTimeSeconds', night.nap_s),
    coalesce(:body ->> '$.sleepScores.overall.value', :body ->> '$.values.sleepScore'),
    nullif(coalesce(:body ->> '$.avgHeartRate', :body ->> '$.values.avgHeartRate'), 0),
    coalesce(CASE WHEN stress >= 0 THEN stress END, night.avg_stress),
    nullif(coalesce(:body ->> '$.averageSpO2Value', :body ->> '$.values.spO2'), 0),
    CASE WHEN respiration >= 0 THEN respiration END,
    coalesce(:body ->> '$.sleepWindowConfirmationType', night.confirmation)
FROM (
    SELECT
        coalesce(:body ->> '$.sleepStartTimestampGMT', :body ->> '$.values.gmtSleepStartTimeInMillis') AS start_gmt,
        coalesce(:body ->> '$.sleepEndTimestampGMT', :body ->> '$.values.gmtSleepEndTimeInMillis') AS end_gmt,
        coalesce(:body ->> '$.sleepStartTimestampLocal', :body ->> '$.values.localSleepStartTimeInMillis') AS start_wall,
        coalesce(:body ->> '$.sleepEndTimestampLocal', :body ->> '$.values.localSleepEndTimeInMillis') AS end_wall,
        :body ->> '$.avgSleepStress' AS stress,
        coalesce(:body ->> '$.averageRespirationValue', :body ->> '$.values.respiration') AS respiration
)
LEFT JOIN sleep_night AS night ON night.account = :account AND night.day = :item;
