//! Samples, and the stages of a night.

use chrono::DateTime;
use serde_json::{Value, json};

use super::{Scene, day, flat, list, of_ms, samples, utc};

pub fn read(scene: &mut Scene) {
    // Some weeks with a clock change and the journey's end are enough.
    (scene.first, scene.last) = (day("2026-09-20"), day("2026-11-10"));
    let hearts = scene.days("/wellness-service/wellness/dailyHeartRate/{dn}?date={d}");
    scene.holds("heart_rate_sample", flat(hearts, |_, it| samples(it, "/heartRateValues", "bpm", 1)));
    let stress = scene.days("/wellness-service/wellness/dailyStress/{d}");
    scene.holds("stress_sample", flat(stress.clone(), |_, it| samples(it, "/stressValuesArray", "level", 1)));
    let battery = |_, it: &Value| {
        let columns = list(it, "/bodyBatteryValueDescriptorsDTOList");
        let level = columns.into_iter().find(|it| it["bodyBatteryValueDescriptorKey"] == "bodyBatteryLevel").unwrap();
        let level = level["bodyBatteryValueDescriptorIndex"].as_u64().unwrap() as usize;
        samples(it, "/bodyBatteryValuesArray", "level", level)
    };
    scene.holds("body_battery_sample", flat(stress, battery));
    let breath = scene.days("/wellness-service/wellness/daily/respiration/{d}");
    scene.holds("respiration_sample", flat(breath, |_, it| samples(it, "/respirationValuesArray", "brpm", 1)));
    for path in ["/wellness-service/wellness/daily/spo2/{d}", "/wellness-service/wellness/daily/spo2acclimation/{d}"] {
        let oxygen = scene.days(path);
        scene.holds("spo2_sample", flat(oxygen, |_, it| samples(it, "/spO2HourlyAverages", "pct", 1)));
    }
    let seconds = |value: &Value| {
        let at: DateTime<chrono::Utc> = utc(value).as_str().unwrap().parse().unwrap();
        at.timestamp()
    };
    let hrv = scene.days("/hrv-service/hrv/{d}");
    scene.holds(
        "hrv_sample",
        flat(hrv, |_, it| {
            let readings = list(it, "/hrvReadings");
            readings.map(|it| json!({"at": seconds(&it["readingTimeGMT"]), "ms": it["hrvValue"]})).collect()
        }),
    );
    let steps = scene.days("/wellness-service/wellness/dailySummaryChart/{dn}?date={d}");
    scene.holds(
        "steps_sample",
        flat(steps, |_, it| {
            list(it, "").map(|it| json!({"at": seconds(&it["startGMT"]), "steps": it["steps"]})).collect()
        }),
    );
    let floors = scene.days("/wellness-service/wellness/floorsChartData/daily/{d}");
    scene.holds(
        "floors_sample",
        flat(floors, |_, it| {
            let quarters = list(it, "/floorValuesArray");
            quarters.map(|it| json!({"at": seconds(&it[0]), "up": it[2], "down": it[3]})).collect()
        }),
    );
    let minutes = scene.days("/wellness-service/wellness/daily/im/{d}");
    scene.holds("intensity_sample", flat(minutes, |_, it| samples(it, "/imValuesArray", "minutes", 1)));

    let nights = scene.days("/wellness-service/wellness/dailySleepData/{dn}?date={d}&nonSleepBufferMinutes=60");
    let names = ["deep", "light", "rem", "awake"];
    scene.holds(
        "sleep_stage",
        flat(nights.clone(), |day, it| {
            let stages = list(it, "/sleepLevels");
            stages
                .map(|it| {
                    json!({"start_utc": utc(&it["startGMT"]), "end_utc": utc(&it["endGMT"]), "day": day,
                       "stage": names[it["activityLevel"].as_f64().unwrap() as usize]})
                })
                .collect()
        }),
    );
    let nap = |it: &Value| {
        let start = utc(&it["napStartTimestampGMT"]);
        let at: DateTime<chrono::Utc> = start.as_str().unwrap().parse().unwrap();
        let wall = at.timestamp_millis() + it["napStartTimeOffset"].as_i64().unwrap() * 60_000;
        json!({"start_utc": start, "day": it["calendarDate"], "end_utc": utc(&it["napEndTimestampGMT"]),
               "start_local": of_ms(&json!(wall), ""), "duration_s": it["napTimeSec"], "source": it["napSource"],
               "feedback": it["napFeedback"]})
    };
    scene.holds("nap", flat(nights.clone(), |_, it| list(it, "/dailySleepDTO/dailyNapDTOS").map(nap).collect()));
    scene.holds(
        "sleep_movement",
        flat(nights.clone(), |_, it| {
            let minutes = list(it, "/sleepMovement");
            minutes.map(|it| json!({"at": seconds(&it["startGMT"]), "level": it["activityLevel"]})).collect()
        }),
    );
    scene.holds(
        "hrv_sample",
        flat(nights, |_, it| {
            let readings = list(it, "/hrvData");
            readings.map(|it| json!({"at": it["startGMT"].as_i64().unwrap() / 1000, "ms": it["value"]})).collect()
        }),
    );
}
