//! Training metrics and thresholds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Scene, flag, list, local, of_ms, utc};

pub fn read(scene: &mut Scene) {
    let rows = scene.ranges("/metrics-service/metrics/trainingreadiness/{s}/{e}", 366, "");
    let row = |it: &Value| {
        json!({"measured_utc": utc(&it["timestamp"]), "measured_local": local(&it["timestampLocal"]),
               "day": it["calendarDate"], "device_id": it["deviceId"], "score": it["score"], "level": it["level"],
               "feedback": it["feedbackShort"], "sleep_score": it["sleepScore"],
               "sleep_score_factor_pct": it["sleepScoreFactorPercent"],
               "recovery_time_s": it["recoveryTime"].as_i64().map(|minutes| minutes * 60),
               "recovery_time_factor_pct": it["recoveryTimeFactorPercent"], "acute_load": it["acuteLoad"],
               "acwr_factor_pct": it["acwrFactorPercent"],
               "stress_history_factor_pct": it["stressHistoryFactorPercent"],
               "hrv_factor_pct": it["hrvFactorPercent"], "hrv_weekly_avg_ms": it["hrvWeeklyAverage"],
               "sleep_history_factor_pct": it["sleepHistoryFactorPercent"],
               "valid_sleep": flag(&it["validSleep"]), "context": it["inputContext"]})
    };
    scene.holds("training_readiness", rows.iter().map(row));

    let (first, last) = (scene.first, scene.last);
    let status = scene.get(&format!("/mobile-gateway/usersummary/trainingstatus/weekly/{first}/{last}"));
    let devices = status.pointer("/weeklyTrainingStatus/payload/reportData").unwrap().as_object().unwrap();
    let row = |it: &Value| {
        let load = &it["acuteTrainingLoadDTO"];
        json!({"day": it["calendarDate"], "device_id": it["deviceId"], "measured_utc": of_ms(&it["timestamp"], "Z"),
               "status": it["trainingStatus"], "feedback": it["trainingStatusFeedbackPhrase"], "sport": it["sport"],
               "sub_sport": it["subSport"], "fitness_trend": it["fitnessTrend"],
               "paused": flag(&it["trainingPaused"]), "primary_device": flag(&it["primaryTrainingDevice"]),
               "acute_load": load["dailyTrainingLoadAcute"], "chronic_load": load["dailyTrainingLoadChronic"],
               "chronic_load_min": load["minTrainingLoadChronic"],
               "chronic_load_max": load["maxTrainingLoadChronic"],
               "load_ratio": load["dailyAcuteChronicWorkloadRatio"], "acwr_pct": load["acwrPercent"],
               "acwr_status": load["acwrStatus"]})
    };
    scene.holds("training_status", devices.values().flat_map(|rows| list(rows, "").map(row)));

    let items = scene.ranges("/metrics-service/metrics/maxmet/daily/{s}/{e}", 366, "");
    let rows = items.iter().flat_map(|item| {
        ["generic", "cycling"].into_iter().filter(|sport| !item[*sport].is_null()).map(|sport| {
            let it = &item[sport];
            json!({"day": it["calendarDate"], "sport": sport, "vo2max": it["vo2MaxValue"],
                   "vo2max_precise": it["vo2MaxPreciseValue"], "fitness_age": it["fitnessAge"],
                   "category": it["maxMetCategory"]})
        })
    });
    scene.holds("vo2max", rows);

    let path = "/metrics-service/metrics/racepredictions/daily/{dn}?fromCalendarDate={s}&toCalendarDate={e}";
    let items = scene.ranges(path, 366, "");
    let row = |it: &Value| {
        json!({"day": it["calendarDate"], "time_5k_s": it["time5K"], "time_10k_s": it["time10K"],
               "time_half_marathon_s": it["timeHalfMarathon"], "time_marathon_s": it["timeMarathon"]})
    };
    scene.holds("race_prediction", items.iter().map(row));

    let mut rows = Vec::new();
    for (first, last) in scene.pieces(84) {
        let path = "/metrics-service/metrics/endurancescore/stats";
        let answer = scene.get(&format!("{path}?startDate={first}&endDate={last}&aggregation=daily"));
        let groups = answer["groupMap"].as_object().unwrap();
        rows.extend(
            groups.iter().map(
                |(day, group)| json!({"day": day, "score": group["groupAverage"], "max_score": group["groupMax"]}),
            ),
        );
    }
    scene.holds("endurance_score", rows);

    let path = "/metrics-service/metrics/hillscore/stats?startDate={s}&endDate={e}&aggregation=daily";
    let items = scene.ranges(path, 366, "/hillScoreDTOList");
    let row = |it: &Value| {
        json!({"day": it["calendarDate"], "score": it["overallScore"], "strength_score": it["strengthScore"],
               "endurance_score": it["enduranceScore"], "classification": it["hillScoreClassificationId"],
               "feedback": it["hillScoreFeedbackPhraseId"], "vo2max": it["vo2Max"],
               "vo2max_precise": it["vo2MaxPreciseValue"]})
    };
    scene.holds("hill_score", items.iter().map(row));

    let path = "/metrics-service/metrics/runningtolerance/stats?startDate={s}&endDate={e}&aggregation=daily";
    let items = scene.ranges(path, 28, "");
    let row = |it: &Value| {
        json!({"day": it["calendarDate"], "acute_impact_load": it["acuteImpactLoad"],
               "acute_distance_m": it["acuteDistance"], "acute_tolerance": it["acuteTolerance"],
               "feedback": it["runningToleranceFeedBackPhrase"]})
    };
    scene.holds("running_tolerance", items.iter().map(row));

    let series = |scene: &Scene, series: &str, sport: &str| {
        let path = format!(
            "/biometric-service/stats/{series}/range/{{s}}/{{e}}?sport={sport}&aggregation=daily&aggregationStrategy=LATEST"
        );
        scene.ranges(&path, 366, "")
    };
    let mut merged: BTreeMap<String, Value> = BTreeMap::new();
    for (name, column, factor) in
        [("lactateThresholdSpeed", "speed_mps", 10.0), ("lactateThresholdHeartRate", "hr_bpm", 1.0)]
    {
        for item in series(scene, name, "RUNNING") {
            let day = item["from"].as_str().unwrap().to_owned();
            let row =
                merged.entry(day).or_insert_with(|| json!({"day": item["from"], "speed_mps": null, "hr_bpm": null}));
            row[column] = json!((item["value"].as_f64().unwrap() * factor * 1000.0).round() / 1000.0);
        }
    }
    scene.holds("lactate_threshold", merged.into_values());
    let mut rows = Vec::new();
    for sport in ["CYCLING", "RUNNING"] {
        let items = series(scene, "functionalThresholdPower", sport);
        rows.extend(
            items.iter().map(|it| json!({"day": it["from"], "sport": sport.to_lowercase(), "power_w": it["value"]})),
        );
    }
    scene.holds("ftp", rows);

    // The newest there is: days without a value of their own tell an older one again.
    let days = scene.days("/metrics-service/metrics/trainingloadbalance/latest/{d}");
    let row = |(device, it): (&String, &Value)| {
        assert_eq!(it["deviceId"].to_string(), *device);
        json!({"day": it["calendarDate"], "device_id": it["deviceId"], "aerobic_low": it["monthlyLoadAerobicLow"],
               "aerobic_low_min": it["monthlyLoadAerobicLowTargetMin"],
               "aerobic_low_max": it["monthlyLoadAerobicLowTargetMax"],
               "aerobic_high": it["monthlyLoadAerobicHigh"],
               "aerobic_high_min": it["monthlyLoadAerobicHighTargetMin"],
               "aerobic_high_max": it["monthlyLoadAerobicHighTargetMax"],
               "anaerobic": it["monthlyLoadAnaerobic"], "anaerobic_min": it["monthlyLoadAnaerobicTargetMin"],
               "anaerobic_max": it["monthlyLoadAnaerobicTargetMax"], "feedback": it["trainingBalanceFeedbackPhrase"],
               "primary_device": flag(&it["primaryTrainingDevice"])})
    };
    let (first, by_device) = (scene.first.to_string(), "metricsTrainingLoadBalanceDTOMap");
    let rows = days.iter().filter_map(|(_, it)| it[by_device].as_object()).flatten().map(row);
    scene.holds("load_balance", rows.filter(|row| row["day"].as_str() >= Some(first.as_str())).collect::<Vec<_>>());
}
