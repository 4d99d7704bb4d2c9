//! Body Battery, water, fitness age, health status, weight, blood pressure, snapshots.

use chrono::DateTime;
use serde_json::{Value, json};

use super::{Scene, list, local, of_ms, utc};

pub fn read(scene: &mut Scene) {
    let reports = "/wellness-service/wellness/bodyBattery/reports/daily?startDate={s}&endDate={e}";
    let reports = scene.ranges(reports, 28, "");
    let level = |item: &Value, most: bool| {
        let levels = list(item, "/bodyBatteryValuesArray").filter_map(|pair| pair[1].as_i64());
        if most { levels.max() } else { levels.min() }
    };
    let row = |item: &Value| {
        json!({"day": item["date"], "charged": item["charged"], "drained": item["drained"],
               "lowest": level(item, false), "highest": level(item, true)})
    };
    scene.holds("body_battery", reports.iter().map(row));
    let events = reports.iter().flat_map(|item| {
        list(item, "/bodyBatteryActivityEvent").map(|event| {
            let start = utc(&event["eventStartTimeGmt"]);
            let at: DateTime<chrono::Utc> = start.as_str().unwrap().parse().unwrap();
            let wall = at.timestamp_millis() + event["timezoneOffset"].as_i64().unwrap();
            json!({"start_utc": start, "type": event["eventType"], "day": item["date"],
                   "start_local": of_ms(&json!(wall), ""),
                   "duration_s": event["durationInMilliseconds"].as_i64().unwrap() / 1000,
                   "impact": event["bodyBatteryImpact"], "feedback": event["feedbackType"]})
        })
    });
    scene.holds("body_battery_event", events.collect::<Vec<_>>());

    let water = scene.ranges("/usersummary-service/stats/hydration/daily/{s}/{e}", 28, "");
    let row = |item: &Value| {
        json!({"day": item["calendarDate"], "consumed_ml": item["valueInML"].as_f64().filter(|ml| *ml > 0.0),
               "goal_ml": item["goalInML"], "sweat_loss_ml": item["sweatLossInML"],
               "activity_intake_ml": item["activityIntakeInML"],
               "last_entry_local": local(&item["lastEntryTimestampLocal"])})
    };
    scene.holds("hydration", water.iter().map(row));

    let ages = scene.ranges("/fitnessage-service/stats/daily/{s}/{e}", 29, "");
    let row = |item: &Value| {
        let values = &item["values"];
        json!({"day": item["calendarDate"], "fitness_age": values["fitnessAge"],
               "achievable_fitness_age": values["achievableFitnessAge"], "resting_hr_bpm": values["rhr"],
               "bmi": values["bmi"], "vigorous_days_avg": values["vigorousDaysAvg"]})
    };
    scene.holds_without(
        "fitness_age",
        &["chronological_age", "body_fat_pct", "vigorous_minutes_avg"],
        ages.iter().map(row),
    );
    // The Personal tier by single days; on one without a value it looks back, and says so.
    let whole = scene.first.iter_days().take_while(|day| *day <= scene.last).map(|day| {
        let item = scene.get_personal(&format!("/fitnessage-service/fitnessage/v2/{day}?fullHistoryScan=false"));
        let part = |name: &str| item.pointer(&format!("/components/{name}/value")).cloned().unwrap_or_default();
        json!({"day": item["lastUpdated"].as_str().unwrap()[..10], "chronological_age": item["chronologicalAge"],
               "fitness_age": item["fitnessAge"], "achievable_fitness_age": item["achievableFitnessAge"],
               "resting_hr_bpm": part("rhr"), "bmi": part("bmi"), "body_fat_pct": part("bodyFat"),
               "vigorous_days_avg": part("vigorousDaysAvg"), "vigorous_minutes_avg": part("vigorousMinutesAvg")})
    });
    let whole: Vec<_> = whole.collect();
    scene.holds("fitness_age", whole);

    let status = scene.ranges("/healthstatus-service/healthstatus/summary/{s}/{e}", 1_000, "");
    let row = |item: &Value| {
        let mut row = json!({"day": item["calendarDate"], "outliers": item["outliersCount"]});
        for (kind, name, unit) in [
            ("HR", "hr", "bpm"),
            ("HRV", "hrv", "ms"),
            ("RESPIRATION", "respiration", "brpm"),
            ("SKIN_TEMP_C", "skin_temp", "c"),
            ("SPO2", "spo2", "pct"),
        ] {
            let metric = list(item, "/metrics").find(|metric| metric["type"] == kind).unwrap();
            row[format!("{name}_{unit}")] = metric["value"].clone();
            row[format!("{name}_status")] = metric["status"].clone();
            row[format!("{name}_low_{unit}")] = metric["baselineLowerLimit"].clone();
            row[format!("{name}_high_{unit}")] = metric["baselineUpperLimit"].clone();
        }
        row
    };
    scene.holds("health_status", status.iter().map(row));

    let weights = scene.ranges("/weight-service/weight/range/{s}/{e}?includeAll=true", 1_000, "/dailyWeightSummaries");
    let entries = weights.iter().flat_map(|day| list(day, "/allWeightMetrics")).map(|entry| {
        json!({"measured_utc": of_ms(&entry["timestampGMT"], "Z"), "measured_local": of_ms(&entry["date"], ""),
               "day": entry["calendarDate"], "sample_pk": entry["samplePk"], "weight_g": entry["weight"],
               "bmi": entry["bmi"], "body_fat_pct": entry["bodyFat"], "body_water_pct": entry["bodyWater"],
               "bone_mass_g": entry["boneMass"], "muscle_mass_g": entry["muscleMass"],
               "physique_rating": entry["physiqueRating"], "visceral_fat": entry["visceralFat"],
               "metabolic_age": entry["metabolicAge"], "source": entry["sourceType"]})
    });
    scene.holds("weight", entries.collect::<Vec<_>>());
    let goals = scene.get("/goal-service/goal/user/effective/weightgoal/2020-01-01/2026-11-10");
    let goals = list(&goals, "/userGoals").map(|goal| {
        json!({"start_day": goal["startDate"], "end_day": goal["endDate"],
               "target_g": goal["goalValue"]})
    });
    scene.holds("weight_goal", goals.collect::<Vec<_>>());

    let pressures = "/bloodpressure-service/bloodpressure/range/{s}/{e}?includeAll=true";
    let pressures = scene.ranges(pressures, 1_000, "/measurementSummaries");
    let entries = pressures.iter().flat_map(|day| list(day, "/measurements")).map(|entry| {
        let wall = local(&entry["measurementTimestampLocal"]);
        json!({"measured_utc": utc(&entry["measurementTimestampGMT"]), "day": wall.as_str().unwrap()[..10],
               "measured_local": wall, "version": entry["version"], "systolic_mmhg": entry["systolic"],
               "diastolic_mmhg": entry["diastolic"], "pulse_bpm": entry["pulse"], "source": entry["sourceType"],
               "category": entry["category"], "notes": entry["notes"]})
    });
    scene.holds("blood_pressure", entries.collect::<Vec<_>>());

    let pieces = scene.pieces(31);
    let ranged = pieces.iter().flat_map(|(first, last)| {
        let answer = scene.get_personal(&format!("/wellnessactivity-service/activity/summary/range/{first}/{last}"));
        answer.as_array().unwrap().clone()
    });
    let ranged: Vec<_> = ranged.collect();
    let mut listed = Vec::new();
    for start in (1..).step_by(20) {
        let path = "/wellnessactivity-service/activity/summary/list?limit=20";
        let page = scene.get(&format!("{path}&start={start}&until={}", scene.last));
        let page = page.as_array().unwrap().clone();
        let whole = page.len() == 20;
        listed.extend(
            page.into_iter().filter(|it| it["calendarDate"].as_str().unwrap() >= scene.first.to_string().as_str()),
        );
        if !whole {
            break;
        }
    }
    let row = |item: Value| {
        let of = |kind: &str, what: &str| {
            list(&item, "/summaryTypeDataList").find(|it| it["summaryType"] == kind).map(|it| it[what].clone())
        };
        let id = item["activityUuid"].get("uuid").unwrap_or(&item["activityUuid"]);
        json!({"snapshot_id": id, "day": item["calendarDate"],
               "start_utc": utc(&item["startTimestampGMT"]), "end_utc": utc(&item["endTimestampGMT"]),
               "start_local": local(&item["startTimestampLocal"]), "avg_hr_bpm": of("HEART_RATE", "avgValue"),
               "min_hr_bpm": of("HEART_RATE", "minValue"), "max_hr_bpm": of("HEART_RATE", "maxValue"),
               "avg_stress": of("STRESS", "avgValue"), "avg_respiration_brpm": of("RESPIRATION", "avgValue"),
               "avg_spo2_pct": of("SPO2", "avgValue"), "rmssd_ms": of("RMSSD_HRV", "avgValue"),
               "sdrr_ms": of("SDRR_HRV", "avgValue")})
    };
    scene.holds("health_snapshot", ranged.into_iter().map(row));
    scene.holds("health_snapshot", listed.into_iter().map(row));
}
