//! Samples within a day, and the detail of a night, in Garmin's shapes. What was not measured is null, −1 or −2.

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

use super::{gmt, midnights, sleep};
use crate::people::{Life, NoticedTruth, Person, Sample, Series, moment};

/// `dailyHeartRate`; `None` in the series: not measured.
pub(crate) fn heart_rate(person: &Person, day: NaiveDate, samples: bool) -> Value {
    let truth = person.life.daily(day).filter(|truth| truth.min_hr_bpm.is_some());
    let series = if samples { person.life.heart_rates(day) } else { Vec::new() };
    // Without data the arrays are null; put away, they are empty.
    let values = truth.map(|_| pairs(&series, |_| Value::Null));
    let resting = truth.and_then(|truth| truth.resting_hr_bpm);
    framed(
        person,
        day,
        json!({
            "userProfilePK": person.profile_id, "calendarDate": day,
            "minHeartRate": truth.and_then(|truth| truth.min_hr_bpm),
            "maxHeartRate": truth.and_then(|truth| truth.max_hr_bpm),
            "restingHeartRate": resting, "lastSevenDaysAvgRestingHeartRate": resting,
            "heartRateValueDescriptors": [{"key": "timestamp", "index": 0}, {"key": "heartrate", "index": 1}],
            "heartRateValues": values, "abnormalHRValuesArray": null,
        }),
    )
}

/// `dailyStress`: stress and Body Battery.
pub(crate) fn stress(person: &Person, day: NaiveDate, samples: bool) -> Value {
    let life = &person.life;
    let truth = life.daily(day).filter(|truth| truth.steps.is_some());
    let (levels, batteries) =
        if samples { (life.stress_levels(day), life.body_batteries(day)) } else { (Vec::new(), Vec::new()) };
    // Status and level have changed places before; the descriptors say where they are.
    let (status, level) = if day.day().is_multiple_of(5) { (2, 1) } else { (1, 2) };
    let battery = |(at, value): &(i64, Option<f64>)| {
        let said = json!(if value.is_some() { "MEASURED" } else { "UNKNOWN" });
        let value = value.map_or(Value::Null, whole);
        let (one, two) = if status == 1 { (said, value) } else { (value, said) };
        json!([at * 1000, one, two, 3.0])
    };
    framed(
        person,
        day,
        json!({
            "userProfilePK": person.profile_id, "calendarDate": day,
            "maxStressLevel": truth.and_then(|truth| truth.max_stress),
            "avgStressLevel": truth.and_then(|truth| truth.avg_stress),
            "stressChartValueOffset": 1, "stressChartYAxisOrigin": -1,
            "stressValueDescriptorsDTOList": [{"key": "timestamp", "index": 0}, {"key": "stressLevel", "index": 1}],
            "stressValuesArray": truth.map(|_| pairs(&levels, |at| json!(if at % 360 == 0 { -1 } else { -2 }))),
            "bodyBatteryValueDescriptorsDTOList": [
                {"bodyBatteryValueDescriptorIndex": 0, "bodyBatteryValueDescriptorKey": "timestamp"},
                {"bodyBatteryValueDescriptorIndex": status, "bodyBatteryValueDescriptorKey": "bodyBatteryStatus"},
                {"bodyBatteryValueDescriptorIndex": level, "bodyBatteryValueDescriptorKey": "bodyBatteryLevel"},
                {"bodyBatteryValueDescriptorIndex": 3, "bodyBatteryValueDescriptorKey": "bodyBatteryVersion"}],
            "bodyBatteryValuesArray": truth.map(|_| batteries.iter().map(battery).collect::<Vec<_>>()),
        }),
    )
}

/// `daily/respiration`.
pub(crate) fn respiration(person: &Person, day: NaiveDate, samples: bool) -> Value {
    let series = if samples { person.life.breaths(day) } else { Vec::new() };
    let average = person.life.daily(day).and_then(|truth| truth.avg_respiration_brpm);
    let hours: Vec<_> = series
        .chunks(30)
        .filter_map(|hour| {
            let values: Vec<f64> = hour.iter().filter_map(|(_, value)| *value).collect();
            let high = values.iter().copied().reduce(f64::max)?;
            let low = values.iter().copied().reduce(f64::min)?;
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            Some(json!([(hour.last()?.0 + 120) * 1000, crate::people::rounded(mean, 2), high, low]))
        })
        .collect();
    framed(
        person,
        day,
        json!({
            "userProfilePK": person.profile_id, "calendarDate": day,
            "lowestRespirationValue": average.map(|average| average - 4.0),
            "highestRespirationValue": average.map(|average| average + 6.0),
            "avgWakingRespirationValue": average, "avgTomorrowSleepRespirationValue": null,
            "avgSleepRespirationValue": person.life.sleep(day).and_then(|night| night.avg_respiration_brpm),
            "respirationValueDescriptorsDTOList": [
                {"key": "timestamp", "index": 0}, {"key": "respiration", "index": 1}],
            "respirationValuesArray":
                average.map(|_| pairs(&series, |at| json!(if at % 240 == 0 { -1.0 } else { -2.0 }))),
            "respirationAveragesValuesArray": average.map(|_| hours), "respirationVersion": 200,
        }),
    )
}

/// `daily/spo2` and `daily/spo2acclimation`; everything is null where Pulse Ox was off.
pub(crate) fn spo2(person: &Person, day: NaiveDate, samples: bool) -> Value {
    let truth = person.life.daily(day).filter(|truth| truth.avg_spo2_pct.is_some());
    let series = if samples { person.life.oxygen(day) } else { Vec::new() };
    let hours = |series: &Series| {
        let measured = series.iter().filter_map(|(at, value)| Some(json!([at * 1000, whole((*value)?), 0])));
        measured.collect::<Vec<_>>()
    };
    let average = truth.and_then(|truth| truth.avg_spo2_pct);
    framed(
        person,
        day,
        json!({
            "userProfilePK": person.profile_id, "calendarDate": day, "averageSpO2": average,
            "lowestSpO2": truth.and_then(|truth| truth.min_spo2_pct), "lastSevenDaysAvgSpO2": average,
            "latestSpO2": average, "avgSleepSpO2": person.life.sleep(day).and_then(|night| night.avg_spo2_pct),
            "avgTomorrowSleepSpO2": null, "tomorrowSleepStartTimestampGMT": null, "tomorrowSleepEndTimestampGMT": null,
            "spO2ValueDescriptorsDTOList": truth.map(|_| json!([
                {"spo2ValueDescriptorIndex": 0, "spo2ValueDescriptorKey": "timestamp"},
                {"spo2ValueDescriptorIndex": 1, "spo2ValueDescriptorKey": "spo2Reading"},
                {"spo2ValueDescriptorIndex": 2, "spo2ValueDescriptorKey": "singleReadingPlottable"}])),
            "spO2HourlyAverages": truth.map(|_| hours(&series)), "spO2SingleValues": null,
            "continuousReadingDTOList": null, "monitoringEnvironmentValues": null,
        }),
    )
}

/// `dailySummaryChart`: steps of each quarter.
pub(crate) fn steps(life: &Life, day: NaiveDate, samples: bool) -> Value {
    let samples = if samples { life.steps_samples(day) } else { Vec::new() };
    let item = |sample: &Sample| {
        json!({
            "startGMT": gmt(moment(sample.at)), "endGMT": gmt(moment(sample.at + 900)), "steps": whole(sample.value),
            "pushes": 0, "primaryActivityLevel": if sample.value > 500.0 { "active" } else { "sedentary" },
            "activityLevelConstant": sample.value == 0.0})
    };
    Value::Array(samples.iter().map(item).collect())
}

/// `floorsChartData`.
pub(crate) fn floors(person: &Person, day: NaiveDate, samples: bool) -> Value {
    let floors = if samples { person.life.floors(day) } else { Vec::new() };
    let item = |(at, up, down): &(i64, i64, i64)| json!([gmt(moment(*at)), gmt(moment(at + 900)), up, down]);
    framed(
        person,
        day,
        json!({
            "floorsValueDescriptorDTOList": [
                {"key": "startTimeGMT", "index": 0}, {"key": "endTimeGMT", "index": 1},
                {"key": "floorsAscended", "index": 2}, {"key": "floorsDescended", "index": 3}],
            "floorValuesArray": floors.iter().map(item).collect::<Vec<_>>(),
        }),
    )
}

/// `daily/im`: the array is null when there was none.
pub(crate) fn intensity(person: &Person, day: NaiveDate, samples: bool) -> Value {
    let truth = person.life.daily(day);
    let minutes = if samples { person.life.intensity_samples(day) } else { Vec::new() };
    let values: Vec<_> = minutes.iter().map(|sample| json!([sample.at * 1000, whole(sample.value)])).collect();
    framed(
        person,
        day,
        json!({
            "userProfilePK": person.profile_id, "calendarDate": day, "weekGoal": 150,
            "moderateMinutes": truth.and_then(|truth| truth.moderate_min),
            "vigorousMinutes": truth.and_then(|truth| truth.vigorous_min), "startDayMinutes": 0,
            "endDayMinutes": null, "imValuesArray": (!values.is_empty()).then_some(values),
        }),
    )
}

/// `dailySleepData`. Without a buffer the series are null, without a night they are absent.
pub(crate) fn night(person: &Person, day: NaiveDate, buffer_min: Option<i64>, samples: bool) -> Value {
    let life = &person.life;
    let Some(truth) = life.sleep(day) else {
        return json!({
            "dailySleepDTO": sleep::flat_nothing(person.profile_id, day), "remSleepData": false,
            "skinTempDataExists": false, "restingHeartRate": life.daily(day).and_then(|day| day.resting_hr_bpm)});
    };
    let series = |of: &dyn Fn() -> Vec<Value>| {
        // Garmin has put the samples away, or was not asked for them.
        buffer_min.map(|_| if samples { of() } else { Vec::new() })
    };
    let overnight = |of: fn(&Life, NaiveDate) -> Vec<Sample>| {
        series(&|| {
            let values = life.overnight(day, of).into_iter();
            values.map(|it| json!({"value": whole(it.value), "startGMT": it.at * 1000})).collect()
        })
    };
    let level = |stage: &str| match stage {
        "deep" => 0.0,
        "light" => 1.0,
        "rem" => 2.0,
        _ => 3.0,
    };
    let slack = (60 - buffer_min.unwrap_or(60).clamp(0, 60)) * 60;
    let around = truth.start_utc.timestamp() - 3600 + slack..truth.end_utc.timestamp() + 3600 - slack;
    let skin = life.health_status(day).and_then(|status| status.skin_temp.value);
    json!({
        "dailySleepDTO": sleep::flat(person.profile_id, truth, life.nap(day)),
        "sleepLevels": series(&|| {
            let stages = life.sleep_stages(day).into_iter();
            stages.map(|it| json!({"startGMT": gmt(it.start_utc), "endGMT": gmt(it.end_utc),
                                   "activityLevel": level(&it.stage)})).collect()
        }),
        "sleepMovement": series(&|| {
            let minutes = life.sleep_movement(day).into_iter().filter(|it| around.contains(&it.at));
            minutes.map(|it| json!({"startGMT": gmt(moment(it.at)), "endGMT": gmt(moment(it.at + 60)),
                                    "activityLevel": it.value})).collect()
        }),
        "sleepHeartRate": overnight(Life::heart_rate_samples), "sleepStress": overnight(Life::stress_samples),
        "sleepBodyBattery": overnight(Life::body_battery_samples), "hrvData": overnight(Life::hrv_samples),
        "sleepRestlessMoments": series(&|| vec![
            json!({"value": 1, "startGMT": truth.start_utc.timestamp_millis() + 1_260_000})]),
        "wellnessEpochSPO2DataDTOList": series(&|| {
            let values = life.overnight(day, Life::spo2_samples).into_iter();
            values.map(|it| json!({"userProfilePK": person.profile_id, "epochTimestamp": gmt(moment(it.at)),
                                   "calendarDate": day, "epochDuration": 3600, "spo2Reading": whole(it.value),
                                   "readingConfidence": 4})).collect()
        }),
        "wellnessEpochRespirationDataDTOList": series(&|| {
            let values = life.overnight(day, Life::respiration_samples).into_iter();
            values.map(|it| json!({"startTimeGMT": it.at * 1000, "respirationValue": it.value})).collect()
        }),
        "wellnessSpO2SleepSummaryDTO": truth.avg_spo2_pct.map(|average| json!({"averageSPO2": average})),
        "breathingDisruptionData": series(&|| vec![json!({
            "startGMT": truth.start_utc.timestamp_millis(), "endGMT": truth.end_utc.timestamp_millis(), "value": 255})]),
        "avgOvernightHrv": life.hrv(day).and_then(|hrv| hrv.last_night_avg_ms),
        "hrvStatus": life.hrv(day).and_then(|hrv| hrv.status.clone()), "bodyBatteryChange": 55,
        "restingHeartRate": life.daily(day).and_then(|day| day.resting_hr_bpm), "restlessMomentsCount": 1,
        "avgSkinTempDeviationC": skin, "avgSkinTempDeviationF": skin.map(|it| crate::people::rounded(it * 1.8, 1)),
        "skinTempDataExists": skin.is_some(), "remSleepData": truth.rem_s.is_some(),
    })
}

/// `[[epoch ms, value]…]`, with something else where nothing was measured.
fn pairs(series: &Series, otherwise: impl Fn(i64) -> Value) -> Vec<Value> {
    series.iter().map(|(at, value)| json!([at * 1000, value.map_or_else(|| otherwise(*at), whole)])).collect()
}

/// A whole number without `.0`.
fn whole(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

/// With the ends of the day beside it.
fn framed(person: &Person, day: NaiveDate, mut body: Value) -> Value {
    let plan = person.life.plan();
    let (begin, end) = midnights(day);
    body["startTimestampGMT"] = json!(gmt(plan.begin(day)));
    body["endTimestampGMT"] = json!(gmt(plan.end(day)));
    body["startTimestampLocal"] = json!(begin);
    body["endTimestampLocal"] = json!(end);
    body
}

/// One item of `dailyEvents`.
pub(crate) fn noticed(truth: &NoticedTruth) -> Value {
    json!({
        "calendarDate": truth.day, "activityType": truth.kind, "duration": truth.duration_s / 60,
        "startTimestampGMT": gmt(truth.start_utc), "startTimestampLocal": super::wall(truth.start_local)})
}
