//! HRV in Garmin's shapes: the summary of the range answer, and one day with its readings.

use serde_json::{Value, json};

use super::{gmt, wall};
use crate::people::{HrvTruth, Person, Sample, moment};

/// One item of `hrvSummaries`.
pub(crate) fn summary(person: &Person, truth: &HrvTruth) -> Value {
    let baseline = truth.baseline_low_ms.map(|low| {
        json!({
            "lowUpper": low, "balancedLow": truth.baseline_balanced_low_ms,
            "balancedUpper": truth.baseline_balanced_high_ms, "markerValue": 0.44})
    });
    json!({
        "calendarDate": truth.day, "weeklyAvg": truth.weekly_avg_ms, "lastNightAvg": truth.last_night_avg_ms,
        "lastNight5MinHigh": truth.last_night_5min_high_ms, "baseline": baseline, "status": truth.status,
        "feedbackPhrase": "HRV_BALANCED_2",
        "createTimeStamp": person.life.sleep(truth.day).map(|sleep| gmt(sleep.end_utc)),
    })
}

/// The answer of one day.
pub(crate) fn day(person: &Person, truth: &HrvTruth, samples: bool) -> Value {
    let night = person.life.sleep(truth.day);
    let reading = |it: &Sample| {
        let at = moment(it.at);
        json!({
            "hrvValue": it.value as i64, "readingTimeGMT": gmt(at),
            "readingTimeLocal": wall(person.life.plan().local(at))})
    };
    let readings = if samples { person.life.hrv_samples(truth.day) } else { Vec::new() };
    let readings: Vec<_> = readings.iter().map(reading).collect();
    json!({
        "userProfilePk": person.profile_id, "hrvSummary": summary(person, truth), "hrvReadings": readings,
        "startTimestampGMT": night.map(|night| gmt(night.start_utc)),
        "endTimestampGMT": night.map(|night| gmt(night.end_utc)),
        "startTimestampLocal": night.map(|night| wall(night.start_local)),
        "endTimestampLocal": night.map(|night| wall(night.end_local)),
        "sleepStartTimestampGMT": night.map(|night| gmt(night.start_utc)),
        "sleepEndTimestampGMT": night.map(|night| gmt(night.end_utc)),
        "sleepStartTimestampLocal": night.map(|night| wall(night.start_local)),
        "sleepEndTimestampLocal": night.map(|night| wall(night.end_local)),
    })
}
