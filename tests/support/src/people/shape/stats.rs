//! Days in the shapes of the lists for one measure. A day without that measure is left out.

use chrono::{Datelike, Days, NaiveDate};
use serde_json::{Value, json};

use super::wall;
use crate::people::Person;

/// One item of `stats/{kind}/daily`; `None`: the day is left out, or there is no such kind.
pub(crate) fn daily(person: &Person, kind: &str, day: NaiveDate) -> Option<Value> {
    if kind == "hydration" {
        return hydration(person, day);
    }
    let truth = person.life.daily(day)?;
    let values = match kind {
        "steps" => {
            return Some(json!({
                "calendarDate": day, "totalSteps": truth.steps?, "totalDistance": truth.distance_m,
                "stepGoal": truth.step_goal}));
        }
        "im" => {
            return Some(json!({
                "calendarDate": day, "weeklyGoal": 150, "moderateValue": truth.moderate_min?,
                "vigorousValue": truth.vigorous_min}));
        }
        "respiration" => {
            let night = person.life.sleep(day).and_then(|night| night.avg_respiration_brpm);
            return Some(json!({
                "calendarDate": day, "avgWakingRespiration": truth.avg_respiration_brpm?,
                "avgSleepRespiration": night}));
        }
        // A negative level says that the watch was worn too little.
        "stress" => json!({
            "overallStressLevel": truth.avg_stress.unwrap_or(-1), "restStressDuration": truth.rest_stress_s?,
            "lowStressDuration": truth.low_stress_s, "mediumStressDuration": truth.medium_stress_s,
            "highStressDuration": truth.high_stress_s}),
        "bodybattery" => {
            json!({"highBodyBattery": truth.body_battery_max?, "lowBodyBattery": truth.body_battery_min})
        }
        "heartRate" => json!({
            "restingHR": truth.resting_hr_bpm, "wellnessMaxAvgHR": truth.max_hr_bpm?,
            "wellnessMinAvgHR": truth.min_hr_bpm}),
        "floors" => json!({
            "wellnessFloorsAscended": truth.floors_up?, "wellnessFloorsDescended": truth.floors_down,
            "wellnessUserFloorsAscendedGoal": 10}),
        _ => return None,
    };
    Some(json!({"calendarDate": day, "values": values}))
}

/// 0 ml: nothing was drunk, or nobody wrote it down.
fn hydration(person: &Person, day: NaiveDate) -> Option<Value> {
    let truth = person.life.hydration(day)?;
    Some(json!({
        "userId": person.profile_id, "calendarDate": day, "valueInML": truth.consumed_ml.unwrap_or(0.0),
        "goalInML": truth.goal_ml, "sweatLossInML": truth.sweat_loss_ml,
        "activityIntakeInML": truth.activity_intake_ml, "lastEntryTimestampLocal": truth.last_entry_local.map(wall)}))
}

/// One item of `stats/{kind}/weekly`: the seven days from this one on.
pub(crate) fn weekly(person: &Person, kind: &str, first: NaiveDate) -> Option<Value> {
    let days = || first.iter_days().take(7).filter_map(|day| person.life.daily(day));
    let mean = |of: fn(&crate::people::DailyTruth) -> Option<i64>| {
        let values: Vec<i64> = days().filter_map(of).collect();
        (!values.is_empty()).then(|| (values.iter().sum::<i64>(), values.len() as i64))
    };
    let (sum, count) = mean(match kind {
        "steps" => |truth| truth.steps,
        "stress" => |truth| truth.avg_stress,
        "im" => |truth| Some(truth.moderate_min? + 2 * truth.vigorous_min?),
        _ => |truth| truth.resting_hr_bpm,
    })?;
    let metres: f64 = days().filter_map(|truth| truth.distance_m).sum();
    Some(match kind {
        "stress" => json!({"calendarDate": first, "value": sum / count}),
        "steps" => json!({"calendarDate": first, "values": {
            "totalSteps": sum, "averageSteps": sum / count, "totalDistance": metres,
            "averageDistance": metres / count as f64, "wellnessDataDaysCount": count}}),
        "im" => {
            let total = |of: fn(&crate::people::DailyTruth) -> Option<i64>| mean(of).map_or(0, |(sum, _)| sum);
            json!({"calendarDate": first, "weeklyGoal": 150, "moderateValue": total(|truth| truth.moderate_min),
                   "vigorousValue": total(|truth| truth.vigorous_min)})
        }
        _ => json!({"calendarDate": first, "values": {"avgRestingHR": sum / count}}),
    })
}

/// The first day of the week that a day is in; the profile's begins on Monday.
pub(crate) fn monday(day: NaiveDate) -> NaiveDate {
    day - Days::new(day.weekday().num_days_from_monday().into())
}

/// `stats/daily/acclimation`: one average for each day with Pulse Ox.
pub(crate) fn acclimation(person: &Person, days: impl Iterator<Item = NaiveDate>) -> Value {
    let row = |day: NaiveDate| Some(json!([day, person.life.daily(day)?.avg_spo2_pct?]));
    json!({
        "userProfilePK": person.profile_id, "spo2DailyAverageArray": days.filter_map(row).collect::<Vec<_>>(),
        "spo2HourlyAverageArray": null, "elevationArray": null})
}

/// `userstats-service/wellness/daily`: by `metricId`, 60 resting heart rate, 22 active and 23 resting calories.
pub(crate) fn metrics(person: &Person, ids: &[&str], (first, last): (NaiveDate, NaiveDate)) -> Value {
    let mut map = serde_json::Map::new();
    for id in ids {
        let (name, of): (_, fn(&crate::people::DailyTruth) -> Option<f64>) = match *id {
            "60" => ("WELLNESS_RESTING_HEART_RATE", |truth| truth.resting_hr_bpm.map(|bpm| bpm as f64)),
            "22" => ("COMMON_ACTIVE_CALORIES", |truth| truth.active_kcal),
            "23" => ("WELLNESS_BMR_CALORIES", |truth| truth.resting_kcal),
            _ => continue,
        };
        let days = first.iter_days().take_while(|day| *day <= last).filter_map(|day| person.life.daily(day));
        let values: Vec<_> =
            days.filter_map(|truth| Some(json!({"value": of(truth)?, "calendarDate": truth.day}))).collect();
        map.insert(name.into(), json!(values));
    }
    json!({
        "userProfileId": person.profile_id, "statisticsStartDate": first, "statisticsEndDate": last,
        "allMetrics": {"metricsMap": map}, "groupedMetrics": null})
}
