//! Days in the shapes of the lists for one measure, and heart rate zones.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{gmt, wall};
use crate::people::{DailyTruth, Person};

/// One item of `stats/steps/daily`; none for a day without steps.
pub(crate) fn steps(_: &Person, truth: &DailyTruth) -> Option<Value> {
    let steps = truth.steps?;
    Some(json!({
        "calendarDate": truth.day, "totalSteps": steps, "totalDistance": truth.distance_m, "stepGoal": truth.step_goal}))
}

/// One item of `stats/stress/daily`; a negative level says that the watch was worn too little.
pub(crate) fn stress(_: &Person, truth: &DailyTruth) -> Option<Value> {
    truth.rest_stress_s?;
    Some(json!({"calendarDate": truth.day, "values": {
        "overallStressLevel": truth.avg_stress.unwrap_or(-1), "restStressDuration": truth.rest_stress_s,
        "lowStressDuration": truth.low_stress_s, "mediumStressDuration": truth.medium_stress_s,
        "highStressDuration": truth.high_stress_s}}))
}

/// One item of `stats/hydration/daily`; none for a day on which nothing was logged.
pub(crate) fn hydration(person: &Person, truth: &DailyTruth) -> Option<Value> {
    let drunk = truth.hydration_ml?;
    Some(json!({
        "userId": person.profile_id, "calendarDate": truth.day, "valueInML": drunk, "goalInML": 2500.0,
        "sweatLossInML": null, "activityIntakeInML": null, "lastEntryTimestampLocal": null}))
}

/// One item of `bodyBattery/reports/daily`. Its columns are named beside it.
pub(crate) fn body_battery(person: &Person, truth: &DailyTruth) -> Value {
    let (begin, end) = ends(person, truth.day);
    let points = [(&begin, truth.body_battery_max), (&end, truth.body_battery_min)];
    let values: Vec<_> =
        points.iter().filter_map(|(at, level)| Some(json!([at.timestamp_millis(), (*level)?]))).collect();
    json!({
        "date": truth.day, "charged": truth.body_battery_charged, "drained": truth.body_battery_drained,
        "startTimestampGMT": gmt(begin), "endTimestampGMT": gmt(end),
        "startTimestampLocal": midnight(truth.day), "endTimestampLocal": midnight(truth.day + chrono::Days::new(1)),
        "bodyBatteryValuesArray": values,
        "bodyBatteryValueDescriptorDTOList": [
            {"bodyBatteryValueDescriptorIndex": 0, "bodyBatteryValueDescriptorKey": "timestamp"},
            {"bodyBatteryValueDescriptorIndex": 1, "bodyBatteryValueDescriptorKey": "bodyBatteryLevel"}],
        "bodyBatteryActivityEvent": [],
    })
}

/// `dailyHeartRate`: a few of the day's values, and nulls for a day without any.
pub(crate) fn heart_rate(person: &Person, day: NaiveDate, truth: Option<&DailyTruth>) -> Value {
    let (begin, end) = ends(person, day);
    let (min, max) = truth.map(|truth| (truth.min_hr_bpm, truth.max_hr_bpm)).unwrap_or_default();
    let values = min.zip(max).map(|(min, max)| {
        json!([
            [begin.timestamp_millis(), min],
            [begin.timestamp_millis() + 120_000, null],
            [begin.timestamp_millis() + 240_000, max]
        ])
    });
    json!({
        "userProfilePK": person.profile_id, "calendarDate": day, "minHeartRate": min, "maxHeartRate": max,
        "restingHeartRate": truth.and_then(|truth| truth.resting_hr_bpm),
        "lastSevenDaysAvgRestingHeartRate": truth.and_then(|truth| truth.resting_hr_bpm),
        "startTimestampGMT": gmt(begin), "endTimestampGMT": gmt(end),
        "startTimestampLocal": midnight(day), "endTimestampLocal": midnight(day + chrono::Days::new(1)),
        "heartRateValueDescriptors": [{"key": "timestamp", "index": 0}, {"key": "heartrate", "index": 1}],
        "heartRateValues": values, "abnormalHRValuesArray": null,
    })
}

/// `heartRateZones/v2`.
pub(crate) fn zones() -> Value {
    json!([{
        "trainingMethod": "HR_MAX", "sport": "DEFAULT", "maxHeartRateUsed": 184, "restingHeartRateUsed": null,
        "lactateThresholdHeartRateUsed": null, "restingHrAutoUpdateUsed": false, "changeState": "UNCHANGED",
        "zone1Floor": 92, "zone2Floor": 110, "zone3Floor": 129, "zone4Floor": 147, "zone5Floor": 166}])
}

fn ends(person: &Person, day: NaiveDate) -> (chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>) {
    let plan = person.life.plan();
    (plan.begin(day), plan.end(day))
}

fn midnight(day: NaiveDate) -> String {
    wall(day.and_time(chrono::NaiveTime::MIN))
}
