-- What the account tier tells only with the night's detail stands in sleep_night.
-- Garmin's local times are wall clock written as if it were UTC: formatted as UTC, without the zone. Times come in milliseconds or as text.
-- On garmin.cn they may be shifted twice: no clock is more than 14 hours ahead, so one that seems to be is half as far ahead.
INSERT OR REPLACE INTO sleep (
    account, day, start_utc, end_utc, start_local, end_local, asleep_s, deep_s, light_s, rem_s, awake_s, nap_s, score, avg_hr_bpm,
    avg_stress, avg_spo2_pct, avg_respiration_brpm, confirmation, untold
)
SELECT
    :account,
    :item,
    strftime('%Y-%m-%dT%H:%M:%SZ', start_at, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%SZ', end_at, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%S', iif(start_wall - start_at > 14 * 3600, (start_at + start_wall) / 2, start_wall), 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%S', iif(end_wall - end_at > 14 * 3600, (end_at + end_wall) / 2, end_wall), 'unixepoch'),
    coalesce(:body ->> '$.sleepTimeSeconds', :body ->> '$.values.totalSleepTimeInSeconds'),
    coalesce(:body ->> '$.deepSleepSeconds', :body ->> '$.values.deepTime'),
    coalesce(:body ->> '$.lightSleepSeconds', :body ->> '$.values.lightTime'),
    coalesce(:body ->> '$.remSleepSeconds', :body ->> '$.values.remTime'),
    coalesce(:body ->> '$.awakeSleepSeconds', :body ->> '$.values.awakeTime'),
    coalesce(own.nap_s, night.nap_s),
    coalesce(:body ->> '$.sleepScores.overall.value', :body ->> '$.values.sleepScore'),
    nullif(coalesce(:body ->> '$.avgHeartRate', :body ->> '$.values.avgHeartRate'), 0),
    coalesce(own.stress, night.avg_stress),
    nullif(coalesce(:body ->> '$.averageSpO2Value', :body ->> '$.values.spO2'), 0),
    CASE WHEN respiration >= 0 THEN respiration END,
    coalesce(own.confirmation, night.confirmation),
    (own.nap_s IS NULL) + 2 * (own.stress IS NULL) + 4 * (own.confirmation IS NULL)
FROM (
    SELECT
        unixepoch(iif(typeof(start_gmt) = 'text', start_gmt, start_gmt / 1000), 'auto') AS start_at,
        unixepoch(iif(typeof(end_gmt) = 'text', end_gmt, end_gmt / 1000), 'auto') AS end_at,
        unixepoch(iif(typeof(start_local) = 'text', start_local, start_local / 1000), 'auto') AS start_wall,
        unixepoch(iif(typeof(end_local) = 'text', end_local, end_local / 1000), 'auto') AS end_wall,
        :body ->> '$.napTimeSeconds' AS nap_s,
        CASE WHEN :body ->> '$.avgSleepStress' >= 0 THEN :body ->> '$.avgSleepStress' END AS stress,
        :body ->> '$.sleepWindowConfirmationType' AS confirmation,
        coalesce(:body ->> '$.averageRespirationValue', :body ->> '$.values.respiration') AS respiration
    FROM (
        SELECT
            coalesce(:body ->> '$.sleepStartTimestampGMT', :body ->> '$.values.gmtSleepStartTimeInMillis') AS start_gmt,
            coalesce(:body ->> '$.sleepEndTimestampGMT', :body ->> '$.values.gmtSleepEndTimeInMillis') AS end_gmt,
            coalesce(:body ->> '$.sleepStartTimestampLocal', :body ->> '$.values.localSleepStartTimeInMillis') AS start_local,
            coalesce(:body ->> '$.sleepEndTimestampLocal', :body ->> '$.values.localSleepEndTimeInMillis') AS end_local
    )
) AS own
LEFT JOIN sleep_night AS night ON night.account = :account AND night.day = :item;
