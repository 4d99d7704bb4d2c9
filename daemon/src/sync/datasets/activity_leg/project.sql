-- Beside `activity`, not in it: the parent's distance and duration hold theirs already.
INSERT OR REPLACE INTO activity_leg (
    account, activity_id, parent_id, name, type, start_utc, start_local, duration_s, moving_s, elapsed_s, distance_m, elevation_gain_m,
    elevation_loss_m, avg_speed_mps, avg_hr_bpm, max_hr_bpm, avg_power_w, max_power_w, calories_kcal, training_load, start_lat,
    start_lon
)
VALUES (
    :account,
    CAST(:item AS INTEGER),
    (
        SELECT parent.activity_id FROM activity_detail AS parent, json_each(parent.leg_ids) AS leg
        WHERE parent.account = :account AND parent.leg_ids IS NOT NULL AND leg.value = CAST(:item AS INTEGER)
    ),
    :body ->> '$.activityName',
    :body ->> '$.activityTypeDTO.typeKey',
    strftime('%Y-%m-%dT%H:%M:%SZ', :body ->> '$.summaryDTO.startTimeGMT'),
    strftime('%Y-%m-%dT%H:%M:%S', :body ->> '$.summaryDTO.startTimeLocal'),
    :body ->> '$.summaryDTO.duration',
    :body ->> '$.summaryDTO.movingDuration',
    :body ->> '$.summaryDTO.elapsedDuration',
    :body ->> '$.summaryDTO.distance',
    :body ->> '$.summaryDTO.elevationGain',
    :body ->> '$.summaryDTO.elevationLoss',
    :body ->> '$.summaryDTO.averageSpeed',
    nullif(:body ->> '$.summaryDTO.averageHR', 0),
    nullif(:body ->> '$.summaryDTO.maxHR', 0),
    :body ->> '$.summaryDTO.averagePower',
    :body ->> '$.summaryDTO.maxPower',
    :body ->> '$.summaryDTO.calories',
    :body ->> '$.summaryDTO.activityTrainingLoad',
    :body ->> '$.summaryDTO.startLatitude',
    :body ->> '$.summaryDTO.startLongitude'
);
