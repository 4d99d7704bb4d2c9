//! Daily summaries in Garmin's two shapes: `v2/dailysummaries` (grouped) and v1 `usersummary/daily` (flat).

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

use super::{gmt, wall, written};
use crate::people::{DailyTruth, Person, hash};

/// One item of `{"data": […]}`.
pub(crate) fn v2(person: &Person, truth: &DailyTruth) -> Value {
    let plan = person.life.plan();
    let (begin, end) = (plan.begin(truth.day), plan.end(truth.day));
    let shaped = |group: Value| written(truth.day, group);
    json!({
        "uuid": uuid(person, truth.day),
        "userProfilePk": person.profile_id,
        "calendarDate": truth.day,
        "source": "GARMIN",
        "includesWellnessData": true,
        "includesActivityData": person.life.active_on(truth.day),
        "wellnessChronology": {
            "startTimestampGmt": gmt(begin),
            "startTimestampLocal": wall(truth.day.and_time(chrono::NaiveTime::MIN)),
            "endTimestampGmt": gmt(end),
            "endTimestampLocal": wall((truth.day + chrono::Days::new(1)).and_time(chrono::NaiveTime::MIN)),
            "totalDurationInMillis": (end - begin).num_milliseconds(),
        },
        "movement": {
            "steps": shaped(json!({
                "goal": truth.step_goal, "value": truth.steps, "distanceInMeters": truth.distance_m})),
            "pushes": {"goal": null, "value": null, "distanceInMeters": null},
            "floorsAscended": shaped(json!({
                "goal": 10, "value": truth.floors_up, "distanceInMeters": truth.floors_up.map(metres)})),
            "floorsDescended": shaped(json!({
                "goal": null, "value": truth.floors_down, "distanceInMeters": truth.floors_down.map(metres)})),
        },
        "calories": shaped(json!({
            "burnedResting": truth.resting_kcal, "burnedActive": truth.active_kcal, "burnedTotal": truth.total_kcal,
            "consumedGoal": null, "consumedValue": null, "consumedRemaining": null})),
        "heartRate": shaped(json!({
            "minValue": truth.min_hr_bpm, "maxValue": truth.max_hr_bpm, "restingValue": resting(truth),
            "alertCount": 0})),
        "intensityMinutes": shaped(json!({
            "goal": 150, "moderate": truth.moderate_min, "vigorous": truth.vigorous_min})),
        "stress": shaped(json!({
            // Too little worn for an average: a negative number, if anything was measured at all.
            "avgLevel": truth.avg_stress.or(truth.rest_stress_s.map(|_| -1)),
            "maxLevel": truth.max_stress.or(truth.rest_stress_s.map(|_| -1)),
            "restDurationInMillis": truth.rest_stress_s.map(ms),
            "lowStressDurationInMillis": truth.low_stress_s.map(ms),
            "mediumStressDurationInMillis": truth.medium_stress_s.map(ms),
            "highStressDurationInMillis": truth.high_stress_s.map(ms),
            "activityDurationInMillis": truth.rest_stress_s.map(|_| 5_400_000),
            "uncategorizedDurationInMillis": truth.rest_stress_s.map(|_| 600_000),
            "qualifier": "BALANCED"})),
        "bodyBattery": shaped(json!({
            "minValue": truth.body_battery_min, "maxValue": truth.body_battery_max,
            "chargedValue": truth.body_battery_charged, "drainedValue": truth.body_battery_drained,
            "latestValue": truth.body_battery_max, "endOfDayValue": null, "featureVersion": "3.0",
            "activityEvents": []})),
        "hydration": shaped(json!({
            // 0 or null means that nothing was logged.
            "goalInMl": 2500, "consumedInMl": truth.hydration_ml.or(truth.day.day().is_multiple_of(3).then_some(0.0)),
            "consumedInFractionalMl": truth.hydration_ml})),
        "respiration": shaped(json!({
            "avgValue": truth.avg_respiration_brpm.or(truth.rest_stress_s.map(|_| -1.0)),
            "maxValue": truth.avg_respiration_brpm.map(|avg| avg + 6.0),
            "minValue": truth.avg_respiration_brpm.map(|avg| avg - 4.0),
            "latestTimestampGmt": truth.avg_respiration_brpm.map(|_| gmt(end)), "algorithmVersion": 200})),
        "pulseOx": shaped(json!({
            "avgValue": truth.avg_spo2_pct, "minValue": truth.min_spo2_pct, "latestValue": truth.avg_spo2_pct,
            "latestTimestampGmt": null, "latestTimestampLocal": null, "avgAltitudeInMeters": 40.0})),
        "jetLag": null,
        "undocumentedScore": {"version": 1, "value": truth.day.ordinal()},
    })
}

/// The flat object of one day. Hydration is not in it.
pub(crate) fn v1(person: &Person, truth: &DailyTruth) -> Value {
    let plan = person.life.plan();
    let (begin, end) = (plan.begin(truth.day), plan.end(truth.day));
    let synced = (truth.day == plan.today).then(|| gmt(person.life.last_sync()));
    json!({
        "calendarDate": truth.day, "userProfileId": person.profile_id, "userDailySummaryId": person.profile_id,
        "uuid": uuid(person, truth.day), "source": "GARMIN", "rule": {"typeId": 2, "typeKey": "private"},
        "totalKilocalories": truth.total_kcal, "activeKilocalories": truth.active_kcal,
        "bmrKilocalories": truth.resting_kcal, "wellnessKilocalories": truth.total_kcal,
        "consumedKilocalories": null, "remainingKilocalories": null,
        "totalSteps": truth.steps, "dailyStepGoal": truth.step_goal, "totalDistanceMeters": truth.distance_m,
        // v1 counts parts of floors.
        "floorsAscended": truth.floors_up.map(|floors| floors as f64 + 0.31),
        "floorsAscendedInMeters": truth.floors_up.map(metres),
        "floorsDescended": truth.floors_down.map(|floors| floors as f64 + 0.62),
        "floorsDescendedInMeters": truth.floors_down.map(metres), "userFloorsAscendedGoal": 10,
        "moderateIntensityMinutes": truth.moderate_min, "vigorousIntensityMinutes": truth.vigorous_min,
        "intensityMinutesGoal": 150,
        "minHeartRate": truth.min_hr_bpm, "maxHeartRate": truth.max_hr_bpm, "restingHeartRate": resting(truth),
        "lastSevenDaysAvgRestingHeartRate": truth.resting_hr_bpm, "abnormalHeartRateAlertsCount": null,
        "averageStressLevel": truth.avg_stress.or(truth.rest_stress_s.map(|_| -1)),
        "maxStressLevel": truth.max_stress.or(truth.rest_stress_s.map(|_| -1)),
        "stressQualifier": "BALANCED", "restStressDuration": truth.rest_stress_s,
        "lowStressDuration": truth.low_stress_s, "mediumStressDuration": truth.medium_stress_s,
        "highStressDuration": truth.high_stress_s,
        "bodyBatteryChargedValue": truth.body_battery_charged, "bodyBatteryDrainedValue": truth.body_battery_drained,
        "bodyBatteryHighestValue": truth.body_battery_max, "bodyBatteryLowestValue": truth.body_battery_min,
        "averageSpo2": truth.avg_spo2_pct, "lowestSpo2": truth.min_spo2_pct, "latestSpo2": truth.avg_spo2_pct,
        "avgWakingRespirationValue": truth.avg_respiration_brpm.or(truth.rest_stress_s.map(|_| -1.0)),
        "lastSyncTimestampGMT": synced,
        "wellnessStartTimeGmt": gmt(begin), "wellnessEndTimeGmt": gmt(end),
        "wellnessStartTimeLocal": wall(truth.day.and_time(chrono::NaiveTime::MIN)),
        "wellnessEndTimeLocal": wall((truth.day + chrono::Days::new(1)).and_time(chrono::NaiveTime::MIN)),
        "durationInMilliseconds": (end - begin).num_milliseconds(),
        "includesWellnessData": true, "includesActivityData": person.life.active_on(truth.day),
        "includesCalorieConsumedData": false,
        "privacyProtected": false,
    })
}

/// What v1 says of a day without data: the frame, and nulls.
pub(crate) fn v1_nothing(person: &Person, day: NaiveDate) -> Value {
    // Today tells of the last sync, whether it brought anything of today or not.
    let synced = (day == person.life.plan().today).then(|| gmt(person.life.last_sync()));
    json!({
        "calendarDate": day, "userProfileId": person.profile_id, "uuid": null, "source": null,
        "totalKilocalories": null, "activeKilocalories": null, "bmrKilocalories": null, "totalSteps": null,
        "dailyStepGoal": null, "totalDistanceMeters": null, "minHeartRate": null, "maxHeartRate": null,
        "restingHeartRate": null, "averageStressLevel": null, "maxStressLevel": null, "lastSyncTimestampGMT": synced,
        "includesWellnessData": false, "includesActivityData": false, "includesCalorieConsumedData": false,
        "privacyProtected": false,
    })
}

/// No resting heart rate on a day with the watch on is written as 0.
fn resting(truth: &DailyTruth) -> Option<i64> {
    truth.resting_hr_bpm.or(truth.min_hr_bpm.map(|_| 0))
}

fn metres(floors: i64) -> f64 {
    crate::people::rounded(floors as f64 * 3.048, 3)
}

fn ms(seconds: i64) -> i64 {
    seconds * 1000
}

fn uuid(person: &Person, day: NaiveDate) -> String {
    format!("{:032x}", u128::from(hash(&format!("{}/{day}", person.email))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a v2 item back into the table's columns, by Garmin's documented meaning of absent values.
    fn read_back(item: &Value) -> Value {
        let number = |path: &str| item.pointer(path).cloned().filter(|value| value.is_number());
        let not_negative = |path: &str| number(path).filter(|value| value.as_f64() >= Some(0.0));
        let not_zero = |path: &str| number(path).filter(|value| value.as_f64() > Some(0.0));
        let seconds = |path: &str| number(path).and_then(|value| value.as_i64()).map(|ms| ms / 1000);
        json!({
            "day": item["calendarDate"],
            "steps": number("/movement/steps/value"), "step_goal": number("/movement/steps/goal"),
            "distance_m": number("/movement/steps/distanceInMeters"),
            "floors_up": number("/movement/floorsAscended/value"),
            "floors_down": number("/movement/floorsDescended/value"),
            "active_kcal": number("/calories/burnedActive"), "resting_kcal": number("/calories/burnedResting"),
            "total_kcal": number("/calories/burnedTotal"),
            "resting_hr_bpm": not_zero("/heartRate/restingValue"), "min_hr_bpm": not_zero("/heartRate/minValue"),
            "max_hr_bpm": not_zero("/heartRate/maxValue"),
            "avg_stress": not_negative("/stress/avgLevel"), "max_stress": not_negative("/stress/maxLevel"),
            "rest_stress_s": seconds("/stress/restDurationInMillis"),
            "low_stress_s": seconds("/stress/lowStressDurationInMillis"),
            "medium_stress_s": seconds("/stress/mediumStressDurationInMillis"),
            "high_stress_s": seconds("/stress/highStressDurationInMillis"),
            "body_battery_min": number("/bodyBattery/minValue"), "body_battery_max": number("/bodyBattery/maxValue"),
            "body_battery_charged": number("/bodyBattery/chargedValue"),
            "body_battery_drained": number("/bodyBattery/drainedValue"),
            "moderate_min": number("/intensityMinutes/moderate"), "vigorous_min": number("/intensityMinutes/vigorous"),
            "hydration_ml": not_zero("/hydration/consumedInMl"),
            "avg_respiration_brpm": not_negative("/respiration/avgValue"),
            "avg_spo2_pct": number("/pulseOx/avgValue"), "min_spo2_pct": number("/pulseOx/minValue"),
        })
    }

    #[test]
    fn v2_says_the_truth() {
        let ana = Person::named("ana@example.org");
        let rows: Vec<_> = ana.life.days().filter_map(|(_, day)| day.daily.clone()).collect();
        assert!(rows.len() > 330);
        for truth in &rows {
            assert_eq!(read_back(&v2(&ana, truth)), serde_json::to_value(truth).unwrap());
        }
        let tricks = |of: fn(&DailyTruth) -> bool| rows.iter().filter(|truth| of(truth)).count();
        assert!(tricks(|it| it.avg_stress.is_none() && it.steps.is_some()) > 0, "no day with negative stress");
        assert!(tricks(|it| it.resting_hr_bpm.is_none() && it.steps.is_some()) > 0, "no day with heart rate 0");
        assert!(tricks(|it| it.steps.is_none()) > 0, "the watch was never left off");
    }

    #[test]
    fn v1_and_v2_agree() {
        let ana = Person::named("ana@example.org");
        for (_, day) in ana.life.days() {
            let Some(truth) = &day.daily else { continue };
            let (flat, grouped) = (v1(&ana, truth), v2(&ana, truth));
            assert_eq!(flat["totalSteps"].as_i64(), grouped["movement"]["steps"]["value"].as_i64());
            assert_eq!(flat["averageStressLevel"].as_i64(), grouped["stress"]["avgLevel"].as_i64());
            assert_eq!(flat["restingHeartRate"].as_i64(), grouped["heartRate"]["restingValue"].as_i64());
        }
    }
}
