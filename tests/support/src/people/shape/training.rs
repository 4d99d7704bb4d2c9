//! Training metrics in Garmin's shapes.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::{gmt, wall};
use crate::people::{
    AcclimationTruth, EnduranceTruth, HillTruth, LoadBalanceTruth, Person, RaceTruth, ReadinessTruth, ToleranceTruth,
    TrainingStatusTruth, Vo2MaxTruth,
};

/// One item of `trainingreadiness`.
pub(crate) fn readiness(person: &Person, truth: &ReadinessTruth) -> Value {
    json!({
        "userProfilePK": person.profile_id, "calendarDate": truth.day, "timestamp": gmt(truth.measured_utc),
        "timestampLocal": wall(truth.measured_local), "deviceId": truth.device_id, "level": truth.level,
        "score": truth.score, "feedbackShort": truth.feedback, "feedbackLong": truth.feedback,
        "sleepScore": truth.sleep_score, "sleepScoreFactorPercent": truth.sleep_score_factor_pct,
        "sleepScoreFactorFeedback": "GOOD", "recoveryTime": truth.recovery_time_s.map(|seconds| seconds / 60),
        "recoveryTimeFactorPercent": truth.recovery_time_factor_pct, "recoveryTimeFactorFeedback": "GOOD",
        "acuteLoad": truth.acute_load, "acwrFactorPercent": truth.acwr_factor_pct, "acwrFactorFeedback": "GOOD",
        "stressHistoryFactorPercent": truth.stress_history_factor_pct, "stressHistoryFactorFeedback": "GOOD",
        "hrvFactorPercent": truth.hrv_factor_pct, "hrvFactorFeedback": "GOOD",
        "hrvWeeklyAverage": truth.hrv_weekly_avg_ms, "sleepHistoryFactorPercent": truth.sleep_history_factor_pct,
        "sleepHistoryFactorFeedback": "MODERATE", "validSleep": truth.valid_sleep, "inputContext": truth.context,
        "primaryActivityTracker": true, "recoveryTimeChangePhrase": null,
    })
}

/// One row of a device's list in `reportData`.
pub(crate) fn status_row(truth: &TrainingStatusTruth) -> Value {
    json!({
        "calendarDate": truth.day, "deviceId": truth.device_id, "timestamp": truth.measured_utc.timestamp_millis(),
        "trainingStatus": truth.status, "trainingStatusFeedbackPhrase": truth.feedback, "sport": truth.sport,
        "subSport": truth.sub_sport, "fitnessTrend": truth.fitness_trend, "fitnessTrendSport": truth.sport,
        "trainingPaused": truth.paused, "primaryTrainingDevice": truth.primary_device, "weeklyTrainingLoad": null,
        "loadTunnelMin": null, "loadTunnelMax": null, "loadLevelTrend": null, "sinceDate": null,
        "acuteTrainingLoadDTO": truth.acute_load.map(|acute| json!({
            "acwrPercent": truth.acwr_pct, "acwrStatus": truth.acwr_status, "acwrStatusFeedback": "FEEDBACK_2",
            "dailyTrainingLoadAcute": acute, "dailyTrainingLoadChronic": truth.chronic_load,
            "minTrainingLoadChronic": truth.chronic_load_min, "maxTrainingLoadChronic": truth.chronic_load_max,
            "dailyAcuteChronicWorkloadRatio": truth.load_ratio})),
    })
}

/// The mobile gateway's `trainingstatus/weekly`: daily rows by device, and VO2max beside them. With `error` the inner
/// status of the first part says so while the outer one is 200.
pub(crate) fn status(
    rows: &[TrainingStatusTruth],
    vo2max: &[Vo2MaxTruth],
    asked: (NaiveDate, NaiveDate),
    error: Option<u16>,
) -> Value {
    let mut devices: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for truth in rows {
        devices.entry(truth.device_id.to_string()).or_default().push(status_row(truth));
    }
    let recorded: Vec<_> = devices.keys().map(|id| json!({"deviceId": id.parse::<i64>().ok()})).collect();
    let values: Vec<_> = vo2max
        .iter()
        .filter(|truth| truth.sport == "generic")
        .map(|truth| json!({"value": truth.vo2max, "calendarDate": truth.day}))
        .collect();
    let part = |name: &str, code: u16, payload: Value| {
        json!({"requestUrl": format!("/{name}/{}/{}", asked.0, asked.1), "statusCode": code, "successful": code == 200,
               "errorMessage": if code == 200 { Value::Null } else { json!("HTTP Error") }, "payload": payload})
    };
    let status = match error {
        Some(code) => part("metrics-service/metrics/trainingstatus", code, Value::Null),
        None => part(
            "metrics-service/metrics/trainingstatus",
            200,
            json!({"userId": 1, "recordedDevices": recorded, "showSelector": false, "reportData": devices}),
        ),
    };
    json!({
        "vo2MaxWeeklyStatistics":
            part("userstats-service/activity", 200, json!({"allMetrics": {"metricsMap": {"ACTIVITY_VO2_MAX": values}}})),
        "weeklyTrainingStatus": status,
    })
}

/// One item of `maxmet/daily`: both sports of one day.
pub(crate) fn vo2max(person: &Person, truths: &[Vo2MaxTruth]) -> Option<Value> {
    let of = |sport: &str| {
        truths.iter().find(|truth| truth.sport == sport).map(|truth| {
            json!({
                "calendarDate": truth.day, "vo2MaxPreciseValue": truth.vo2max_precise, "vo2MaxValue": truth.vo2max,
                "fitnessAge": truth.fitness_age, "fitnessAgeDescription": null, "maxMetCategory": truth.category})
        })
    };
    (!truths.is_empty()).then(|| {
        json!({
            "userId": person.profile_id, "generic": of("generic"), "cycling": of("cycling"),
            "heatAltitudeAcclimation": {"calendarDate": truths[0].day, "heatAcclimationPercentage": 12,
                                        "altitudeAcclimation": 40}})
    })
}

/// One item of `racepredictions/daily`.
pub(crate) fn race(person: &Person, truth: &RaceTruth) -> Value {
    json!({
        "userId": person.profile_id, "fromCalendarDate": null, "toCalendarDate": null, "calendarDate": truth.day,
        "time5K": truth.time_5k_s, "time10K": truth.time_10k_s, "timeHalfMarathon": truth.time_half_marathon_s,
        "timeMarathon": truth.time_marathon_s})
}

/// `endurancescore/stats`.
pub(crate) fn endurance(person: &Person, truths: &[EnduranceTruth], asked: (NaiveDate, NaiveDate)) -> Value {
    let groups: Map<_, _> = truths
        .iter()
        .map(|truth| {
            let contributors = json!([{"activityTypeId": 1, "group": null, "contribution": 61.5},
                                      {"activityTypeId": null, "group": 0, "contribution": 38.5}]);
            let group = json!({"groupAverage": truth.score, "groupMax": truth.max_score,
                               "enduranceContributorDTOList": contributors});
            (truth.day.to_string(), group)
        })
        .collect();
    let count = truths.len() as i64;
    json!({
        "userProfilePK": person.profile_id, "startDate": asked.0, "endDate": asked.1,
        "avg": (count > 0).then(|| truths.iter().map(|truth| truth.score).sum::<i64>() / count),
        "max": truths.iter().map(|truth| truth.max_score).max(), "groupMap": groups,
        "enduranceScoreDTO": truths.last().map(|truth| endurance_day(person, truth))})
}

/// `endurancescore?calendarDate=`.
pub(crate) fn endurance_day(person: &Person, truth: &EnduranceTruth) -> Value {
    json!({
        "userProfilePK": person.profile_id, "calendarDate": truth.day, "deviceId": 3_400_000_001_i64,
        "overallScore": truth.score, "classification": 3, "feedbackPhrase": 42, "primaryTrainingDevice": true,
        "gaugeLowerLimit": 3_570, "gaugeUpperLimit": 10_500, "classificationLowerLimitIntermediate": 5_100,
        "contributors": [{"activityTypeId": 1, "group": null, "contribution": 61.5}]})
}

/// `hillscore/stats`.
pub(crate) fn hill(person: &Person, truths: &[HillTruth], asked: (NaiveDate, NaiveDate)) -> Value {
    json!({
        "userProfilePK": person.profile_id, "startDate": asked.0, "endDate": asked.1, "periodAvgScore": {},
        "maxScore": truths.iter().map(|truth| truth.score).max(),
        "hillScoreDTOList": truths.iter().map(|truth| hill_day(person, truth)).collect::<Vec<_>>()})
}

/// `hillscore?calendarDate=`.
pub(crate) fn hill_day(person: &Person, truth: &HillTruth) -> Value {
    json!({
        "userProfilePK": person.profile_id, "calendarDate": truth.day, "deviceId": 3_400_000_001_i64,
        "overallScore": truth.score, "strengthScore": truth.strength_score, "enduranceScore": truth.endurance_score,
        "hillScoreClassificationId": truth.classification, "hillScoreFeedbackPhraseId": truth.feedback,
        "vo2Max": truth.vo2max, "vo2MaxPreciseValue": truth.vo2max_precise, "primaryTrainingDevice": true})
}

/// One item of `runningtolerance/stats`, daily.
pub(crate) fn tolerance(truth: &ToleranceTruth) -> Value {
    json!({
        "calendarDate": truth.day, "acuteImpactLoad": truth.acute_impact_load, "acuteDistance": truth.acute_distance_m,
        "acuteTolerance": truth.acute_tolerance, "runningToleranceFeedBackPhrase": truth.feedback})
}

/// One item of a biometric range.
pub(crate) fn biometric(day: NaiveDate, series: &str, value: Value) -> Value {
    json!({"from": day, "until": day, "series": series, "value": value, "updatedDate": day})
}

/// `trainingloadbalance/latest`. Shape unverified where each device's part tells its own day and number.
pub(crate) fn load_balance(person: &Person, truth: &LoadBalanceTruth) -> Value {
    json!({"userId": person.profile_id, "metricsTrainingLoadBalanceDTOMap": {truth.device_id.to_string(): {
        "calendarDate": truth.day, "deviceId": truth.device_id, "monthlyLoadAerobicLow": truth.aerobic_low,
        "monthlyLoadAerobicLowTargetMin": truth.aerobic_low_min, "monthlyLoadAerobicLowTargetMax": truth.aerobic_low_max,
        "monthlyLoadAerobicHigh": truth.aerobic_high, "monthlyLoadAerobicHighTargetMin": truth.aerobic_high_min,
        "monthlyLoadAerobicHighTargetMax": truth.aerobic_high_max, "monthlyLoadAnaerobic": truth.anaerobic,
        "monthlyLoadAnaerobicTargetMin": truth.anaerobic_min, "monthlyLoadAnaerobicTargetMax": truth.anaerobic_max,
        "trainingBalanceFeedbackPhrase": truth.feedback, "primaryTrainingDevice": truth.primary_device}}})
}

/// One item of `heataltitudeacclimation/daily`.
pub(crate) fn acclimation(truth: &AcclimationTruth) -> Value {
    json!({
        "calendarDate": truth.day, "heatAcclimationPercentage": truth.heat_pct, "heatTrend": truth.heat_trend,
        "currentAltitude": truth.altitude_m, "altitudeAcclimation": truth.acclimated_altitude_m,
        "acclimationPercentage": truth.altitude_pct, "altitudeTrend": truth.altitude_trend})
}
