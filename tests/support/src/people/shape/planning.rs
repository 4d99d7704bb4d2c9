//! Profile, workouts, calendar and challenges in Garmin's shapes.

use serde_json::{Value, json};

use super::gmt;
use crate::people::{CalendarTruth, ChallengeTruth, Life, WorkoutStepTruth, WorkoutTruth, rounded};

/// `userprofile/user-settings`.
pub(crate) fn user_settings(profile_id: i64, life: &Life) -> Value {
    let truth = life.profile();
    let tenths = truth.lactate_threshold_speed_mps.map(|speed| rounded(speed / 10.0, 5));
    json!({
        "id": profile_id,
        "userData": {
            "gender": truth.gender, "weight": truth.weight_g, "height": truth.height_m * 100.0,
            "birthDate": truth.birth_day, "measurementSystem": "metric", "timeFormat": "time_twenty_four_hr",
            "vo2MaxRunning": truth.vo2max_running, "vo2MaxCycling": truth.vo2max_cycling,
            "lactateThresholdSpeed": tenths, "lactateThresholdHeartRate": truth.lactate_threshold_hr_bpm,
            "functionalThresholdPower": truth.ftp_w,
            "availableTrainingDays": truth.training_days.split(',').collect::<Vec<_>>()},
        "userSleep": {"sleepTime": truth.sleep_s, "defaultSleepTime": false, "wakeTime": truth.wake_s,
                      "defaultWakeTime": false},
        "connectDate": null, "sourceType": null,
    })
}

/// One item of `workouts`.
pub(crate) fn workout(truth: &WorkoutTruth) -> Value {
    json!({
        "workoutId": truth.workout_id, "workoutName": truth.name, "description": truth.description,
        "sportType": {"sportTypeId": 1, "sportTypeKey": truth.sport}, "trainingPlanId": null,
        "estimatedDurationInSecs": truth.estimated_s, "estimatedDistanceInMeters": truth.estimated_m,
        "createdDate": gmt(truth.created_utc), "updatedDate": gmt(truth.updated_utc)})
}

/// `workout/{id}`: the steps after a group stand inside it.
pub(crate) fn workout_detail(truth: &WorkoutTruth, steps: &[WorkoutStepTruth]) -> Value {
    let step = |truth: &WorkoutStepTruth| {
        json!({
            "type": if truth.repeats.is_some() { "RepeatGroupDTO" } else { "ExecutableStepDTO" },
            "stepOrder": truth.position, "stepType": {"stepTypeId": 1, "stepTypeKey": truth.kind},
            "numberOfIterations": truth.repeats,
            "endCondition": truth.until.as_ref().map(|until| json!({"conditionTypeId": 2, "conditionTypeKey": until})),
            "endConditionValue": truth.until_value,
            "targetType": truth.target.as_ref().map(|target| json!({"workoutTargetTypeId": 1, "workoutTargetTypeKey": target})),
            "targetValueOne": null, "targetValueTwo": null})
    };
    let mut outer: Vec<Value> = Vec::new();
    for truth in steps {
        match outer.last_mut().filter(|last| last["type"] == "RepeatGroupDTO") {
            Some(group) => match group["workoutSteps"].as_array_mut() {
                Some(inner) => inner.push(step(truth)),
                None => group["workoutSteps"] = json!([step(truth)]),
            },
            None => outer.push(step(truth)),
        }
    }
    let mut item = workout(truth);
    item["workoutSegments"] = json!([{"segmentOrder": 1, "sportType": item["sportType"], "workoutSteps": outer}]);
    item
}

/// One item of a month of the calendar.
pub(crate) fn calendar(truth: &CalendarTruth) -> Value {
    let id: Option<i64> = truth.entry_id.rsplit(' ').next().and_then(|id| id.parse().ok());
    json!({
        "id": id, "groupId": null, "trainingPlanId": null, "itemType": truth.kind, "title": truth.title,
        "date": truth.day, "workoutId": truth.workout_id})
}

/// One item of a list of challenges, each list with names of its own.
pub(crate) fn challenge(truth: &ChallengeTruth) -> Value {
    let at = |day: chrono::NaiveDate| format!("{day}T00:00:00.0");
    let (start, end) = (at(truth.start_day), truth.end_day.map(at));
    match truth.kind.as_str() {
        "completed" => json!({
            "uuid": truth.challenge_id, "badgeChallengeName": truth.name, "startDate": start, "endDate": end,
            "badgeTargetValue": truth.target, "badgeProgressValue": truth.progress, "badgePoints": truth.points,
            "badgeEarnedDate": null}),
        "with_friends" => json!({
            "uuid": truth.challenge_id, "adHocChallengeName": truth.name, "startDate": start, "endDate": end,
            "userRanking": truth.ranking, "players": []}),
        _ => json!({
            "uuid": truth.challenge_id, "virtualChallengeName": truth.name, "startDate": start, "endDate": end,
            "targetValue": truth.target, "progressValue": truth.progress}),
    }
}
