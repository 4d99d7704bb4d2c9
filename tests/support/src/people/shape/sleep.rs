//! Nights in Garmin's shapes: `stats/sleep/daily` values (account tier) and the flat sleep object (both tiers).

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{wall_ms, written};
use crate::people::{HrvTruth, NapTruth, SleepTruth};

/// One item of `individualStats`.
pub(crate) fn stats(truth: &SleepTruth, hrv: Option<&HrvTruth>, skin_temp_c: Option<f64>) -> Value {
    let values = json!({
        "sleepScore": truth.score,
        "sleepScoreQuality": truth.score.map(quality),
        "totalSleepTimeInSeconds": truth.asleep_s,
        "deepTime": truth.deep_s, "lightTime": truth.light_s, "remTime": truth.rem_s, "awakeTime": truth.awake_s,
        "avgHeartRate": truth.avg_hr_bpm, "restingHeartRate": 51, "bodyBatteryChange": 55,
        "respiration": truth.avg_respiration_brpm, "spO2": truth.avg_spo2_pct,
        "skinTempC": skin_temp_c, "skinTempF": skin_temp_c.map(|it| crate::people::rounded(it * 1.8, 1)),
        "avgOvernightHrv": hrv.and_then(|hrv| hrv.last_night_avg_ms),
        "hrv7dAverage": hrv.and_then(|hrv| hrv.weekly_avg_ms),
        "hrvStatus": hrv.and_then(|hrv| hrv.status.clone()),
        "sleepNeed": 480,
        "gmtSleepStartTimeInMillis": truth.start_utc.timestamp_millis(),
        "gmtSleepEndTimeInMillis": truth.end_utc.timestamp_millis(),
        "localSleepStartTimeInMillis": wall_ms(truth.start_local),
        "localSleepEndTimeInMillis": wall_ms(truth.end_local),
        "undocumented": [],
    });
    json!({"calendarDate": truth.day, "values": written(truth.day, values)})
}

/// The flat object of `dailySleep` and `dailySleepSummariesByDate`.
pub(crate) fn flat(profile_id: i64, truth: &SleepTruth, naps: Option<NapTruth>) -> Value {
    let object = json!({
        "id": truth.start_utc.timestamp_millis(), "userProfilePK": profile_id, "calendarDate": truth.day,
        "sleepTimeSeconds": truth.asleep_s, "napTimeSeconds": truth.nap_s,
        "sleepWindowConfirmed": true, "sleepWindowConfirmationType": truth.confirmation,
        "sleepStartTimestampGMT": truth.start_utc.timestamp_millis(),
        "sleepEndTimestampGMT": truth.end_utc.timestamp_millis(),
        "sleepStartTimestampLocal": wall_ms(truth.start_local), "sleepEndTimestampLocal": wall_ms(truth.end_local),
        "autoSleepStartTimestampGMT": null, "autoSleepEndTimestampGMT": null,
        "deepSleepSeconds": truth.deep_s, "lightSleepSeconds": truth.light_s, "remSleepSeconds": truth.rem_s,
        "awakeSleepSeconds": truth.awake_s, "unmeasurableSleepSeconds": 0,
        "averageSpO2Value": truth.avg_spo2_pct, "lowestSpO2Value": truth.avg_spo2_pct.map(|avg| avg - 6.0),
        "averageRespirationValue": truth.avg_respiration_brpm, "awakeCount": 1,
        "avgSleepStress": truth.avg_stress, "avgHeartRate": truth.avg_hr_bpm,
        "sleepScoreFeedback": "POSITIVE_DEEP", "sleepScoreInsight": "NONE",
        "sleepScores": truth.score.map(|score| json!({
            "overall": {"value": score, "qualifierKey": quality(score)},
            "stress": {"qualifierKey": "FAIR", "optimalStart": 0.0, "optimalEnd": 15.0}})),
        "sleepNeed": {"baseline": 480, "actual": 480, "feedback": "NO_CHANGE_BALANCED"},
        "dailyNapDTOS": naps.map(|it| json!([nap(&it)])), "retro": false, "sleepFromDevice": true, "deviceRemCapable": true,
        "sleepVersion": 2,
    });
    written(truth.day, object)
}

/// What `dailySleep` says of a day without a night: the frame, and nulls.
pub(crate) fn flat_nothing(profile_id: i64, day: NaiveDate) -> Value {
    json!({
        "id": null, "userProfilePK": profile_id, "calendarDate": day, "sleepTimeSeconds": null,
        "napTimeSeconds": null, "sleepWindowConfirmed": null, "sleepWindowConfirmationType": null,
        "sleepStartTimestampGMT": null, "sleepEndTimestampGMT": null, "sleepStartTimestampLocal": null,
        "sleepEndTimestampLocal": null, "deepSleepSeconds": null, "lightSleepSeconds": null,
        "remSleepSeconds": null, "awakeSleepSeconds": null, "sleepScores": null,
    })
}

/// One item of `naps`, also known from `dailyNapDTOS`. Shape unverified where it tells a day of its own, and whether its times are text or
/// milliseconds.
pub(crate) fn nap(truth: &NapTruth) -> Value {
    json!({
        "calendarDate": truth.day, "napTimeSec": truth.duration_s, "napStartTimestampGMT": super::gmt(truth.start_utc),
        "napEndTimestampGMT": super::gmt(truth.end_utc),
        "napStartTimeOffset": (truth.start_local - truth.start_utc.naive_utc()).num_minutes(), "napSource": truth.source,
        "napFeedback": truth.feedback})
}

fn quality(score: i64) -> &'static str {
    match score {
        90.. => "EXCELLENT",
        80..=89 => "GOOD",
        60..=79 => "FAIR",
        _ => "POOR",
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::Map;

    use super::*;
    use crate::people::Person;

    fn text(ms: &Value, ending: &str) -> Value {
        let at = DateTime::from_timestamp_millis(ms.as_i64().unwrap()).unwrap();
        Value::String(format!("{}{ending}", at.format("%Y-%m-%dT%H:%M:%S")))
    }

    #[test]
    fn both_shapes_say_the_truth() {
        let ana = Person::named("ana@example.org");
        let mut before_midnight = 0;
        for (_, day) in ana.life.days() {
            let Some(truth) = &day.sleep else { continue };
            let row = serde_json::to_value(truth).unwrap();
            before_midnight += i32::from(truth.start_local.date() < truth.day);

            let flat = flat(ana.profile_id, truth, None);
            let get = |key: &str| flat.get(key).cloned().unwrap_or(Value::Null);
            let read = json!({
                "day": get("calendarDate"),
                "start_utc": text(&flat["sleepStartTimestampGMT"], "Z"), "end_utc": text(&flat["sleepEndTimestampGMT"], "Z"),
                "start_local": text(&flat["sleepStartTimestampLocal"], ""), "end_local": text(&flat["sleepEndTimestampLocal"], ""),
                "asleep_s": get("sleepTimeSeconds"), "deep_s": get("deepSleepSeconds"), "light_s": get("lightSleepSeconds"),
                "rem_s": get("remSleepSeconds"), "awake_s": get("awakeSleepSeconds"), "nap_s": get("napTimeSeconds"),
                "score": flat.pointer("/sleepScores/overall/value"), "avg_hr_bpm": get("avgHeartRate"),
                "avg_stress": get("avgSleepStress"), "avg_spo2_pct": get("averageSpO2Value"),
                "avg_respiration_brpm": get("averageRespirationValue"), "confirmation": get("sleepWindowConfirmationType"),
            });
            assert_eq!(read, row);

            let item = stats(truth, None, None);
            let get = |key: &str| item["values"].get(key).cloned().unwrap_or(Value::Null);
            let read = json!({
                "day": item["calendarDate"],
                "start_utc": text(&get("gmtSleepStartTimeInMillis"), "Z"), "end_utc": text(&get("gmtSleepEndTimeInMillis"), "Z"),
                "start_local": text(&get("localSleepStartTimeInMillis"), ""), "end_local": text(&get("localSleepEndTimeInMillis"), ""),
                "asleep_s": get("totalSleepTimeInSeconds"), "deep_s": get("deepTime"), "light_s": get("lightTime"),
                "rem_s": get("remTime"), "awake_s": get("awakeTime"), "score": get("sleepScore"),
                "avg_hr_bpm": get("avgHeartRate"), "avg_spo2_pct": get("spO2"), "avg_respiration_brpm": get("respiration"),
            });
            let mut given: Map<_, _> = row.as_object().unwrap().clone();
            SleepTruth::NOT_IN_STATS.iter().for_each(|column| drop(given.remove(*column)));
            assert_eq!(read, Value::Object(given));
        }
        assert!(before_midnight > 100, "only {before_midnight} nights begin before midnight");
    }
}
