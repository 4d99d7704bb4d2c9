//! The body in Garmin's shapes: Body Battery, weight, blood pressure, health status, fitness age, snapshots, goals.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{gmt, midnights, wall, wall_ms};
use crate::people::{
    BloodPressureTruth, BodyBatteryEventTruth, FitnessAgeTruth, HealthStatusTruth, Person, SnapshotTruth,
    WeightGoalTruth, WeightTruth, rounded,
};

/// One item of `bodyBattery/reports/daily`: a few turning points. Its columns are named beside it.
pub(crate) fn battery(person: &Person, day: NaiveDate) -> Option<Value> {
    let truth = person.life.body_battery(day)?;
    let plan = person.life.plan();
    let (begin, end) = (plan.begin(day), plan.end(day));
    let quarter = (end - begin) / 4;
    let points = [(begin, truth.lowest), (begin + quarter, truth.highest), (begin + quarter * 3, truth.lowest)];
    let values: Vec<_> =
        points.iter().filter_map(|(at, level)| Some(json!([at.timestamp_millis(), (*level)?]))).collect();
    let (first, last) = midnights(day);
    let events: Vec<_> = person.life.body_battery_events(day).iter().map(event).collect();
    Some(json!({
        "date": day, "charged": truth.charged, "drained": truth.drained,
        "startTimestampGMT": gmt(begin), "endTimestampGMT": gmt(end),
        "startTimestampLocal": first, "endTimestampLocal": last,
        "bodyBatteryValuesArray": values,
        "bodyBatteryValueDescriptorDTOList": [
            {"bodyBatteryValueDescriptorIndex": 0, "bodyBatteryValueDescriptorKey": "timestamp"},
            {"bodyBatteryValueDescriptorIndex": 1, "bodyBatteryValueDescriptorKey": "bodyBatteryLevel"}],
        "bodyBatteryActivityEvent": events, "bodyBatteryDynamicFeedbackEvent": null,
        "endOfDayBodyBatteryDynamicFeedbackEvent": null,
    }))
}

fn event(truth: &BodyBatteryEventTruth) -> Value {
    let offset = (truth.start_local - truth.start_utc.naive_utc()).num_milliseconds();
    json!({
        "eventType": truth.kind, "eventStartTimeGmt": gmt(truth.start_utc), "timezoneOffset": offset,
        "durationInMilliseconds": truth.duration_s * 1000, "bodyBatteryImpact": truth.impact,
        "feedbackType": truth.feedback, "shortFeedback": truth.feedback})
}

/// `bodyBattery/events`.
pub(crate) fn battery_events(person: &Person, day: NaiveDate) -> Value {
    let item = |truth: &BodyBatteryEventTruth| {
        let activity = person.life.activities_on(day).find(|it| it.start_utc == truth.start_utc);
        json!({
            "event": event(truth), "activityName": activity.map(|it| it.name.clone()),
            "activityType": activity.map(|it| it.kind.clone()), "activityId": activity.map(|it| it.activity_id),
            "averageStress": null, "stressValuesArray": [], "bodyBatteryValuesArray": []})
    };
    Value::Array(person.life.body_battery_events(day).iter().map(item).collect())
}

/// One entry of `allWeightMetrics`.
pub(crate) fn weight(truth: &WeightTruth) -> Value {
    json!({
        "samplePk": truth.sample_pk, "date": wall_ms(truth.measured_local), "calendarDate": truth.day,
        "weight": truth.weight_g, "bmi": truth.bmi, "bodyFat": truth.body_fat_pct, "bodyWater": truth.body_water_pct,
        "boneMass": truth.bone_mass_g, "muscleMass": truth.muscle_mass_g, "physiqueRating": truth.physique_rating,
        "visceralFat": truth.visceral_fat, "metabolicAge": truth.metabolic_age, "sourceType": truth.source,
        "timestampGMT": truth.measured_utc.timestamp_millis(), "weightDelta": 0.0})
}

/// `weight/range`: days, newest first.
pub(crate) fn weights(person: &Person, (first, last): (NaiveDate, NaiveDate), all: bool) -> Value {
    let mut days: Vec<(NaiveDate, Vec<&WeightTruth>)> = Vec::new();
    for entry in person.life.weights_between(first, last) {
        match days.last_mut() {
            Some((day, entries)) if *day == entry.day => entries.push(entry),
            _ => days.push((entry.day, vec![entry])),
        }
    }
    days.sort_by_key(|(day, _)| std::cmp::Reverse(*day));
    let item = |(day, entries): &(NaiveDate, Vec<&WeightTruth>)| {
        let grams = || entries.iter().map(|entry| entry.weight_g);
        let latest = entries.iter().max_by_key(|entry| entry.measured_utc);
        json!({
            "summaryDate": day, "numOfWeightEntries": entries.len(), "minWeight": grams().reduce(f64::min),
            "maxWeight": grams().reduce(f64::max), "latestWeight": latest.map(|entry| weight(entry)),
            "allWeightMetrics":
                if all { entries.iter().map(|entry| weight(entry)).collect::<Vec<_>>() } else { Vec::new() }})
    };
    let grams: Vec<_> = person.life.weights_between(first, last).map(|entry| entry.weight_g).collect();
    let mean = (!grams.is_empty()).then(|| rounded(grams.iter().sum::<f64>() / grams.len() as f64, 1));
    json!({
        "dailyWeightSummaries": days.iter().map(item).collect::<Vec<_>>(),
        "totalAverage": {"from": wall_ms(first.and_time(chrono::NaiveTime::MIN)),
                         "until": wall_ms(last.and_time(chrono::NaiveTime::MIN)), "weight": mean, "bmi": null},
        "previousDateWeight": {"samplePk": null, "weight": null}, "nextDateWeight": {"samplePk": null, "weight": null}})
}

/// `weight/dateRange` and `weight/dayview`: the latest of each day, or all of one.
pub(crate) fn weight_list(first: NaiveDate, last: NaiveDate, entries: Vec<&WeightTruth>) -> Value {
    json!({
        "startDate": first, "endDate": last, "dateWeightList": entries.into_iter().map(weight).collect::<Vec<_>>(),
        "totalAverage": null})
}

/// `bloodpressure/range`.
pub(crate) fn blood_pressures(person: &Person, (first, last): (NaiveDate, NaiveDate)) -> Value {
    let mut days: Vec<Vec<&BloodPressureTruth>> = Vec::new();
    for entry in person.life.blood_pressures(first, last).rev() {
        match days.last_mut() {
            Some(entries) if entries[0].day == entry.day => entries.push(entry),
            _ => days.push(vec![entry]),
        }
    }
    let item = |entry: &&BloodPressureTruth| {
        json!({
            "version": entry.version, "systolic": entry.systolic_mmhg, "diastolic": entry.diastolic_mmhg,
            "pulse": entry.pulse_bpm, "measurementTimestampGMT": gmt(entry.measured_utc),
            "measurementTimestampLocal": wall(entry.measured_local), "sourceType": entry.source,
            "notes": entry.notes, "category": entry.category, "multiMeasurement": false})
    };
    let summary = |entries: &Vec<&BloodPressureTruth>| {
        let upper = || entries.iter().map(|entry| entry.systolic_mmhg);
        let lower = || entries.iter().map(|entry| entry.diastolic_mmhg);
        json!({
            "startDate": entries[0].day, "endDate": entries[0].day, "highSystolic": upper().max(),
            "lowSystolic": upper().min(), "highDiastolic": lower().max(), "lowDiastolic": lower().min(),
            "numOfMeasurements": entries.len(), "measurements": entries.iter().map(item).collect::<Vec<_>>()})
    };
    json!({
        "from": first, "until": last, "measurementSummaries": days.iter().map(summary).collect::<Vec<_>>(),
        "categoryStats": null})
}

/// One item of `healthstatus/summary`.
pub(crate) fn health_status(person: &Person, truth: &HealthStatusTruth) -> Value {
    let woke = person.life.sleep(truth.day).map(|night| gmt(night.end_utc));
    let mut metrics: Vec<_> = truth
        .vitals()
        .into_iter()
        .map(|(_, _, kind, vital)| {
            json!({
                "type": kind, "value": vital.value, "status": vital.status, "baselineLowerLimit": vital.low,
                "baselineUpperLimit": vital.high, "percentage": null, "feedbackKey": null})
        })
        .collect();
    let skin = &truth.skin_temp;
    let fahrenheit = |celsius: Option<f64>| celsius.map(|it| rounded(it * 1.8, 1));
    metrics.push(json!({
        "type": "SKIN_TEMP_F", "value": fahrenheit(skin.value), "status": skin.status,
        "baselineLowerLimit": fahrenheit(skin.low), "baselineUpperLimit": fahrenheit(skin.high),
        "percentage": null, "feedbackKey": null}));
    json!({
        "calendarDate": truth.day, "outliersCount": truth.outliers, "createTimestampUTC": woke,
        "updateTimestampUTC": woke, "metrics": metrics})
}

/// `fitnessage/v2` of one day.
pub(crate) fn fitness_age(truth: &FitnessAgeTruth) -> Value {
    let component = |value: Value| {
        json!({"value": value, "targetValue": null, "improvementValue": null, "potentialAge": null, "priority": 1,
               "stale": false, "lastMeasurementDate": truth.day})
    };
    json!({
        "chronologicalAge": truth.chronological_age, "fitnessAge": truth.fitness_age,
        "achievableFitnessAge": truth.achievable_fitness_age, "previousFitnessAge": truth.fitness_age,
        "components": {
            "vigorousDaysAvg": component(json!(truth.vigorous_days_avg)),
            "vigorousMinutesAvg": component(json!(truth.vigorous_minutes_avg)),
            "rhr": component(json!(truth.resting_hr_bpm)), "bmi": component(json!(truth.bmi)),
            "bodyFat": truth.body_fat_pct.map(|fat| component(json!(fat)))},
        "lastUpdated": format!("{}T05:00:00.0", truth.day), "invalidReason": null})
}

/// One item of `fitnessage-service/stats/daily`.
pub(crate) fn fitness_age_stats(truth: &FitnessAgeTruth) -> Value {
    json!({"calendarDate": truth.day, "values": {
        "fitnessAge": truth.fitness_age, "achievableFitnessAge": truth.achievable_fitness_age,
        "rhr": truth.resting_hr_bpm, "bmi": truth.bmi, "vigorousDaysAvg": truth.vigorous_days_avg}})
}

/// One health snapshot.
pub(crate) fn snapshot(truth: &SnapshotTruth) -> Value {
    let mut summaries = Vec::new();
    let mut add = |kind: &str, low: Option<f64>, high: Option<f64>, average: Option<f64>| {
        if let Some(average) = average {
            summaries.push(json!({
                "summaryType": kind, "minValue": low.unwrap_or(average), "maxValue": high.unwrap_or(average),
                "avgValue": average}));
        }
    };
    add("HEART_RATE", truth.min_hr_bpm, truth.max_hr_bpm, truth.avg_hr_bpm);
    add("STRESS", None, None, truth.avg_stress);
    add("RESPIRATION", None, None, truth.avg_respiration_brpm);
    add("SPO2", None, None, truth.avg_spo2_pct);
    add("RMSSD_HRV", None, None, truth.rmssd_ms);
    add("SDRR_HRV", None, None, truth.sdrr_ms);
    let offset = truth.start_local - truth.start_utc.naive_utc();
    json!({
        "activityUuid": {"uuid": truth.snapshot_id}, "calendarDate": truth.day, "wellnessActivityType": "HEALTH_MONITORING",
        "startTimestampGMT": gmt(truth.start_utc), "startTimestampLocal": wall(truth.start_local),
        "endTimestampGMT": gmt(truth.end_utc), "endTimestampLocal": wall(truth.end_utc.naive_utc() + offset),
        "summaryTypeDataList": summaries,
        "timeInZoneList": [{"zoneNumber": 1, "millisInZone": 120_000, "zoneLowBoundary": 92}], "deviceMetaData": null})
}

/// `effective/weightgoal`.
pub(crate) fn weight_goals(truths: &[WeightGoalTruth]) -> Value {
    let item = |truth: &WeightGoalTruth| {
        json!({
            "userGoalCategory": "WEIGHT", "userGoalType": "MAINTAIN", "goalName": null,
            "startDate": truth.start_day, "endDate": truth.end_day, "goalValue": truth.target_g})
    };
    json!({"userGoals": truths.iter().map(item).collect::<Vec<_>>(), "userGoalRanges": []})
}
