//! Every table against what the endpoints say: each answer is read by the meanings that Garmin's fields have, and has to give
//! exactly the rows of the truth. The reading here shares nothing with the shapes that write.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate};
use garminsync_test_support::fake::{FakeGarmin, Options};
use garminsync_test_support::people::{Habits, Person, Row, TABLES};
use serde_json::{Value, json};

use crate::client::{ANA, account, personal, personal_token};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Somebody who logs everything, over a year with both clock changes, a journey, and a watch in a drawer.
struct Scene {
    fake: FakeGarmin,
    ana: Person,
    token: String,
    key: String,
    first: NaiveDate,
    last: NaiveDate,
    covered: BTreeMap<&'static str, usize>,
}

impl Scene {
    fn open() -> Scene {
        let fake = FakeGarmin::start_blocking(Options::default()).unwrap();
        fake.add(Person::named(ANA).lived(day("2026-11-10"), 800, 640).habits(Habits::ALL));
        let ana = fake.person(ANA).unwrap();
        let (token, key) = (fake.tokens(ANA).access, personal_token(&fake));
        let (first, last) = (day("2026-03-20"), day("2026-11-10"));
        Scene { fake, ana, token, key, first, last, covered: BTreeMap::new() }
    }

    /// The account tier's answer; nothing for 204 and 404.
    fn get(&self, path: &str) -> Value {
        let path = path.replace("{dn}", &self.ana.display_name);
        let answer = account(&self.fake, &self.token, &path).send();
        match answer.status {
            200 => answer.json(),
            204 | 404 => Value::Null,
            other => panic!("{other}: {path}"),
        }
    }

    fn get_personal(&self, path: &str) -> Value {
        let answer = personal(&self.fake, &self.key, path).send();
        match answer.status {
            200 => answer.json(),
            204 => Value::Null,
            other => panic!("{other}: {path}"),
        }
    }

    /// The pieces of the period, none longer than `cap` days.
    fn pieces(&self, cap: u64) -> Vec<(NaiveDate, NaiveDate)> {
        let mut pieces = Vec::new();
        let mut from = self.first;
        while from <= self.last {
            let to = (from + Days::new(cap - 1)).min(self.last);
            pieces.push((from, to));
            from = to + Days::new(1);
        }
        pieces
    }

    /// The items of each piece's answer; `{s}` and `{e}` are its ends, `at` the list in it.
    fn ranges(&self, path: &str, cap: u64, at: &str) -> Vec<Value> {
        let answers = self
            .pieces(cap)
            .into_iter()
            .map(|(first, last)| self.get(&path.replace("{s}", &first.to_string()).replace("{e}", &last.to_string())));
        answers.flat_map(|answer| answer.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default()).collect()
    }

    /// Each day's answer.
    fn days(&self, path: &str) -> Vec<(NaiveDate, Value)> {
        let days = self.first.iter_days().take_while(|day| *day <= self.last);
        days.map(|day| (day, self.get(&path.replace("{d}", &day.to_string())))).collect()
    }

    /// These rows and no others are what the table has to hold.
    fn holds(&mut self, table: &'static str, rows: impl IntoIterator<Item = Value>) {
        self.holds_without(table, &[], rows);
    }

    /// The same for a route that does not tell these columns.
    fn holds_without(&mut self, table: &'static str, untold: &[&str], rows: impl IntoIterator<Item = Value>) {
        let truth = self.ana.rows(table, self.first, self.last).unwrap();
        let key = TABLES.iter().find(|known| known.name == table).unwrap().key;
        let by_key = |row: &Row| key.iter().map(|column| row[*column].to_string()).collect::<Vec<_>>().join("/");
        let number = |row: Row| -> Row {
            let row = row.into_iter().filter(|(column, _)| !untold.contains(&column.as_str()));
            row.map(|(column, value)| (column, value.as_f64().map_or(value, Value::from))).collect()
        };
        let expected: BTreeMap<_, _> = truth.into_iter().map(number).map(|row| (by_key(&row), row)).collect();
        let found: BTreeMap<_, _> = rows
            .into_iter()
            .map(|row| number(row.as_object().unwrap().clone()))
            .map(|row| (by_key(&row), row))
            .collect();
        for (key, row) in &expected {
            assert_eq!(found.get(key), Some(row), "{table} {key}");
        }
        let more: Vec<_> = found.keys().filter(|key| !expected.contains_key(*key)).collect();
        assert!(more.is_empty(), "{table}: not in the truth: {more:?}");
        assert!(!expected.is_empty(), "{table} is empty");
        *self.covered.entry(table).or_default() += expected.len();
    }
}

/// `….0` without an offset, of UTC.
fn utc(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| json!(text.split('.').next().unwrap().replace(' ', "T") + "Z"))
}

/// The same, of the wall clock.
fn local(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| json!(text.split('.').next().unwrap()))
}

fn of_ms(value: &Value, ending: &str) -> Value {
    let at = value.as_i64().and_then(DateTime::from_timestamp_millis);
    at.map_or(Value::Null, |at| json!(format!("{}{ending}", at.format("%Y-%m-%dT%H:%M:%S"))))
}

fn not_negative(value: &Value) -> Option<f64> {
    value.as_f64().filter(|value| *value >= 0.0)
}

fn flag(value: &Value) -> i64 {
    i64::from(value.as_bool().unwrap())
}

fn flat(days: Vec<(NaiveDate, Value)>, of: impl Fn(NaiveDate, &Value) -> Vec<Value>) -> Vec<Value> {
    days.iter().flat_map(|(day, answer)| of(*day, answer)).collect()
}

fn list<'a>(value: &'a Value, at: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(at).and_then(Value::as_array).into_iter().flatten()
}

/// `[[ms, value]…]`, what was measured.
fn samples(answer: &Value, at: &str, column: &str, level: usize) -> Vec<Value> {
    list(answer, at)
        .filter_map(|pair| Some((pair[0].as_i64()? / 1000, not_negative(&pair[level])?)))
        .map(|(at, value)| json!({"at": at, column: value}))
        .collect()
}

fn body(scene: &mut Scene) {
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
        json!({"goal_id": goal["id"], "start_day": goal["startDate"], "end_day": goal["endDate"],
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

fn habits(scene: &mut Scene) {
    let cycles = scene.ranges("/periodichealth-service/menstrualcycle/calendar/{s}/{e}", 91, "/cycleSummaries");
    let row = |item: &Value| {
        json!({"start_day": item["startDate"], "period_days": item["periodLength"],
               "predicted": flag(&item["predictedCycle"])})
    };
    scene.holds("menstrual_cycle", cycles.iter().map(row));
    let days = scene.days("/periodichealth-service/menstrualcycle/dayview/{d}");
    let rows = flat(days, |day, item| {
        let of = &item["daySummary"];
        vec![json!({"day": day, "start_day": of["startDate"], "day_in_cycle": of["dayInCycle"],
                    "phase": of["currentPhase"], "period_days": of["periodLength"],
                    "predicted": flag(&of["predictedCycle"]), "flow": item.pointer("/dayLog/flow"),
                    "notes": item.pointer("/dayLog/notes")})]
    });
    scene.holds("menstrual_day", rows);

    let logs: Vec<_> =
        scene.days("/nutrition-service/food/logs/{d}").into_iter().filter(|(_, log)| !log.is_null()).collect();
    let total = |item: &Value| {
        let of = &item["dailyNutritionContent"];
        json!({"day": item["mealDate"], "calories_kcal": of["calories"], "carbs_g": of["carbs"],
               "protein_g": of["protein"], "fat_g": of["fat"], "goal_kcal": item["dailyNutritionGoals"]["calories"]})
    };
    scene.holds("nutrition", logs.iter().map(|(_, log)| total(log)));
    let foods = flat(logs, |_, log| {
        let meals = list(log, "/mealDetails");
        let of = |meal: &Value, food: &Value| {
            let content = &food["nutritionContent"];
            json!({"log_id": food["logId"], "day": log["mealDate"], "meal": meal["meal"]["mealName"],
                   "name": food["foodMetaData"]["foodName"], "logged_utc": utc(&food["logTimestamp"]),
                   "servings": food["servingQty"], "calories_kcal": content["calories"],
                   "carbs_g": content["carbs"], "protein_g": content["protein"], "fat_g": content["fat"]})
        };
        meals.flat_map(|meal| list(meal, "/loggedFoods").map(move |food| of(meal, food))).collect()
    });
    scene.holds("food", foods);

    let logs = scene.days("/lifestylelogging-service/dailyLog/{d}");
    let rows = flat(logs, |day, log| {
        let row = |item: &Value, detail: Option<&Value>| {
            json!({"day": day, "behaviour_id": item["behaviourId"], "name": item["name"],
                   "category": item["category"], "status": item["logStatus"],
                   "measurement": item["measurementType"],
                   "detail": detail.map_or(json!(""), |it| it["subTypeName"].clone()),
                   "amount": detail.map(|it| it["amount"].clone())})
        };
        let items = list(log, "/dailyLogsReport");
        items
            .flat_map(|item| {
                let details: Vec<_> = list(item, "/details").map(|detail| row(item, Some(detail))).collect();
                if details.is_empty() { vec![row(item, None)] } else { details }
            })
            .collect()
    });
    scene.holds("lifestyle", rows);
}

fn training(scene: &mut Scene) {
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
}

fn things(scene: &mut Scene) {
    let items = scene.get("/personalrecord-service/personalrecord/prs/{dn}");
    let row = |it: &Value| {
        json!({"record_id": it["id"], "type_id": it["typeId"], "value": it["value"],
               "activity_id": it["activityId"], "activity_name": it["activityName"],
               "activity_type": it["activityType"], "achieved_utc": of_ms(&it["prStartTimeGmt"], "Z"),
               "achieved_local": of_ms(&it["prStartTimeLocal"], ""), "status": it["status"]})
    };
    scene.holds("personal_record", list(&items, "").map(row).collect::<Vec<_>>());

    let items = scene.get("/device-service/deviceregistration/devices");
    let row = |it: &Value| {
        json!({"device_id": it["deviceId"], "name": it["productDisplayName"], "application_key": it["applicationKey"],
               "serial_number": it["serialNumber"], "firmware": it["currentFirmwareVersion"],
               "registered_utc": of_ms(&it["registeredDate"], "Z"), "primary_device": flag(&it["primary"])})
    };
    scene.holds("device", list(&items, "").map(row).collect::<Vec<_>>());

    let items = scene.get(&format!("/gear-service/gear/filterGear?userProfilePk={}", scene.ana.profile_id));
    let (mut rows, mut links) = (Vec::new(), Vec::new());
    for it in list(&items, "") {
        let uuid = it["uuid"].as_str().unwrap();
        let stats = scene.get(&format!("/gear-service/gear/stats/{uuid}"));
        let date = |value: &Value| value.as_str().map(|text| text[..10].to_owned());
        rows.push(json!({
            "gear_uuid": uuid, "gear_pk": it["gearPk"], "name": it["displayName"], "make": it["gearMakeName"],
            "model": it["customMakeModel"], "type": it["gearTypeName"], "status": it["gearStatusName"],
            "begin_day": date(&it["dateBegin"]), "end_day": date(&it["dateEnd"]),
            "max_distance_m": it["maximumMeters"], "total_distance_m": stats["totalDistance"],
            "total_activities": stats["totalActivities"]}));
        for start in (0..).step_by(100) {
            let page = scene.get(&format!("/activitylist-service/activities/{uuid}/gear?start={start}&limit=100"));
            links.extend(list(&page, "").map(|it| json!({"gear_uuid": uuid, "activity_id": it["activityId"]})));
            if page.as_array().unwrap().len() < 100 {
                break;
            }
        }
    }
    scene.holds("gear", rows);
    scene.holds("gear_activity", links);

    let items = scene.get("/badge-service/badge/earned");
    let row = |it: &Value| {
        json!({"badge_id": it["badgeId"], "badge_key": it["badgeKey"], "name": it["badgeName"],
               "category_id": it["badgeCategoryId"], "points": it["badgePoints"],
               "earned_utc": utc(&it["badgeEarnedDate"]), "times_earned": it["badgeEarnedNumber"]})
    };
    scene.holds("badge", list(&items, "").map(row).collect::<Vec<_>>());

    let mut rows = Vec::new();
    for status in ["active", "future", "past"] {
        let path = format!("/connectapi/goal-service/goal/goals?status={status}&start=1&limit=30&sortOrder=asc");
        let call = account(&scene.fake, &scene.token, "").path(&path).header("sec-fetch-site", "same-origin");
        let answer = call.send().json();
        rows.extend(list(&answer, "").map(|it| {
            json!({"goal_id": it["id"], "type": it["goalType"], "name": it["goalName"], "status": status,
                   "start_day": it["startDate"], "end_day": it["endDate"], "target": it["goalValue"],
                   "progress": it["progress"]})
        }));
    }
    scene.holds("goal", rows);

    let items = scene.get("/activity-service/activity/activityTypes");
    let row =
        |it: &Value| json!({"type_id": it["typeId"], "type_key": it["typeKey"], "parent_type_id": it["parentTypeId"]});
    scene.holds("activity_type", list(&items, "").map(row).collect::<Vec<_>>());
    let items = scene.get_personal("/biometric-service/heartRateZones/v2?generateDefaults=true");
    let row = |it: &Value| {
        let mut row = json!({"sport": it["sport"], "method": it["trainingMethod"],
                             "max_hr_bpm": it["maxHeartRateUsed"], "resting_hr_bpm": it["restingHeartRateUsed"],
                             "lactate_threshold_hr_bpm": it["lactateThresholdHeartRateUsed"]});
        for zone in 1..=5 {
            row[format!("zone{zone}_bpm")] = it[format!("zone{zone}Floor")].clone();
        }
        row
    };
    scene.holds("hr_zone", list(&items, "").map(row).collect::<Vec<_>>());
    let items = scene.get("/biometric-service/powerZones/sports/all");
    let row = |it: &Value| {
        let mut row = json!({"sport": it["sport"], "ftp_w": it["functionalThresholdPower"]});
        for zone in 1..=7 {
            row[format!("zone{zone}_w")] = it[format!("zone{zone}Floor")].clone();
        }
        row
    };
    scene.holds("power_zone", list(&items, "").map(row).collect::<Vec<_>>());
}

fn activities(scene: &mut Scene) {
    let (first, last) = (scene.first, scene.last);
    let path = "/activitylist-service/activities/search/activities?start=0&limit=1000";
    let items = scene.get(&format!("{path}&startDate={first}&endDate={last}"));
    let ids: Vec<_> = list(&items, "").map(|item| item["activityId"].as_i64().unwrap()).collect();
    let of = |scene: &Scene, what: &str| -> Vec<(i64, Value)> {
        ids.iter().map(|id| (*id, scene.get(&format!("/activity-service/activity/{id}{what}")))).collect()
    };
    let changed: BTreeMap<_, _> = of(scene, "").into_iter().collect();
    let row = |it: &Value| {
        let detail = &changed[&it["activityId"].as_i64().unwrap()];
        json!({"activity_id": it["activityId"], "name": it["activityName"], "description": it["description"],
               "type": it["activityType"]["typeKey"], "start_utc": utc(&it["startTimeGMT"]),
               "start_local": local(&json!(it["startTimeLocal"].as_str().unwrap().replace(' ', "T"))),
               "duration_s": it["duration"], "moving_s": it["movingDuration"], "elapsed_s": it["elapsedDuration"],
               "distance_m": it["distance"], "elevation_gain_m": it["elevationGain"],
               "elevation_loss_m": it["elevationLoss"], "avg_speed_mps": it["averageSpeed"],
               "avg_hr_bpm": it["averageHR"], "max_hr_bpm": it["maxHR"], "avg_power_w": it["avgPower"],
               "max_power_w": it["maxPower"], "calories_kcal": it["calories"],
               "training_effect": it["aerobicTrainingEffect"], "anaerobic_effect": it["anaerobicTrainingEffect"],
               "training_load": it["activityTrainingLoad"], "start_lat": it["startLatitude"],
               "start_lon": it["startLongitude"], "device_id": it["deviceId"],
               "updated_utc": utc(&detail["metadataDTO"]["lastUpdateDate"])})
    };
    scene.holds("activity", list(&items, "").map(row).collect::<Vec<_>>());

    let laps = of(scene, "/splits");
    let row = |id: i64, it: &Value| {
        json!({"activity_id": id, "lap": it["lapIndex"], "start_utc": utc(&it["startTimeGMT"]),
               "distance_m": it["distance"], "duration_s": it["duration"], "avg_hr_bpm": it["averageHR"],
               "max_hr_bpm": it["maxHR"], "avg_speed_mps": it["averageSpeed"], "intensity": it["intensityType"]})
    };
    scene.holds("activity_lap", laps.iter().flat_map(|(id, it)| list(it, "/lapDTOs").map(|lap| row(*id, lap))));

    let celsius = |it: &Value| ((it.as_f64().unwrap() - 32.0) * 5.0 / 9.0 * 100.0).round() / 100.0;
    let weather = of(scene, "/weather");
    let row = |(id, it): &(i64, Value)| {
        json!({"activity_id": id, "observed_utc": utc(&it["issueDate"]), "temperature_c": celsius(&it["temp"]),
               "apparent_c": celsius(&it["apparentTemp"]), "dew_point_c": celsius(&it["dewPoint"]),
               "humidity_pct": it["relativeHumidity"], "wind_direction": it["windDirection"],
               "wind_speed": it["windSpeed"], "wind_gust": it["windGust"],
               "description": it["weatherTypeDTO"]["desc"]})
    };
    scene.holds("activity_weather", weather.iter().filter(|(_, it)| !it.is_null()).map(row));

    let sets = of(scene, "/exerciseSets");
    let row = |id: i64, it: &Value| {
        let likely = list(it, "/exercises").max_by(|one, other| {
            one["probability"].as_f64().unwrap().total_cmp(&other["probability"].as_f64().unwrap())
        });
        json!({"activity_id": id, "position": it["messageIndex"], "kind": it["setType"],
               "start_utc": utc(&it["startTime"]), "duration_s": it["duration"],
               "repetitions": it["repetitionCount"], "weight_g": it["weight"].as_f64().filter(|grams| *grams > 0.0),
               "exercise": likely.map(|it| it["category"].clone())})
    };
    scene.holds("activity_set", sets.iter().flat_map(|(id, it)| list(it, "/exerciseSets").map(|set| row(*id, set))));

    let zones = of(scene, "/hrTimeInZones");
    let row = |id: i64, it: &Value| json!({"activity_id": id, "zone": it["zoneNumber"], "time_s": it["secsInZone"], "low_bpm": it["zoneLowBoundary"]});
    scene.holds("activity_hr_zone", zones.iter().flat_map(|(id, it)| list(it, "").map(|zone| row(*id, zone))));
}

fn within_days(scene: &mut Scene) {
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

#[test]
fn the_endpoints_say_what_the_tables_hold() {
    let mut scene = Scene::open();
    body(&mut scene);
    habits(&mut scene);
    training(&mut scene);
    things(&mut scene);
    activities(&mut scene);
    within_days(&mut scene);
    // These three have tests of their own, beside the shapes that write them.
    let elsewhere = ["daily_summary", "sleep", "hrv"];
    let missing = TABLES.iter().filter(|it| !elsewhere.contains(&it.name) && !scene.covered.contains_key(it.name));
    assert_eq!(missing.map(|table| table.name).collect::<Vec<_>>(), Vec::<&str>::new());
}
