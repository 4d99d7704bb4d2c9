//! Answers that are not quite as they were known to be: values that are missing, times in the other form, two items that speak of one day.

use serde_json::{Value, json};

use super::super::archive;
use super::tests::{Shelf, cut, text};
use super::*;
use garminsync_store::GONE;

fn dataset(name: &str) -> &'static Dataset {
    all().unwrap().iter().find(|dataset| dataset.name == name).unwrap()
}

/// Each array and object of a value, by its pointer.
fn containers(value: &Value, at: String, found: &mut Vec<String>) {
    let escaped = |key: &String| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Array(values) => {
            (0..).zip(values).for_each(|(key, value): (usize, _)| containers(value, format!("{at}/{key}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| containers(value, format!("{at}/{}", escaped(key)), found));
        }
        _ => return,
    }
    found.push(at);
}

/// Wherever Garmin writes null for what it has not, or has a member that is none: an answer is none the odder for it, and no row is made of
/// nothing.
#[test]
fn what_is_null_or_no_member_costs_no_answer_and_makes_no_row() {
    for dataset in all().unwrap().iter().filter(|dataset| dataset.kind != Kind::Files) {
        let expected: Value = serde_json::from_str(text(&dataset.name, "expected.json").unwrap()).unwrap();
        for (tier, expected) in expected.as_object().unwrap() {
            let route = if tier == "personal" { dataset.personal.as_ref() } else { dataset.account.as_ref() }.unwrap();
            let example = text(&dataset.name, &format!("example.{tier}.json")).unwrap();
            let example: Value = serde_json::from_str(example).unwrap();
            let mut pointers = Vec::new();
            containers(&example, String::new(), &mut pointers);
            // The name of a part, not a value.
            pointers.retain(|at| route.parts.is_empty() || at.matches('/').count() > 1);
            let mut shelf = Shelf::new();
            for (at, odd) in
                pointers.iter().flat_map(|at| [(at, None), (at, Some(Value::Null)), (at, Some(json!("x")))])
            {
                let mut answer = example.clone();
                match (answer.pointer_mut(at).unwrap(), odd) {
                    (value, None) => *value = Value::Null,
                    (Value::Array(values), Some(odd)) if !values.iter().all(is_plain) => values.insert(0, odd),
                    _ => continue,
                }
                let body = answer.to_string();
                let Ok(rows) = cut(dataset, route, &body, expected) else { continue };
                let items = archive::items(&rows);
                for item in &items {
                    let recorded = shelf.record(&dataset.name, &item.item, item.body).unwrap();
                    assert_eq!(recorded.refused, [], "{} {tier} {at}: {body}", dataset.name);
                }
                for (table, rows) in expected["tables"].as_object().unwrap() {
                    let (found, most) = (shelf.table(table), rows.as_array().unwrap().len());
                    assert!(found.len() <= most, "{table}, {tier} {at}: {found:?}, of {body}");
                }
                for item in &items {
                    shelf.record(&dataset.name, &item.item, GONE).unwrap();
                }
            }
        }
    }
}

fn is_plain(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// As text or in milliseconds: Garmin writes either, and has changed its mind before.
#[test]
fn times_come_as_text_or_in_milliseconds() {
    let fields = [
        ("nap", "personal", "nap", &["napStartTimestampGMT", "napEndTimestampGMT"][..]),
        ("nap", "account", "nap", &["napStartTimestampGMT", "napEndTimestampGMT"]),
        ("training_readiness", "account", "training_readiness", &["timestamp", "timestampLocal"]),
        ("blood_pressure", "account", "blood_pressure", &["measurementTimestampGMT", "measurementTimestampLocal"]),
        ("body_battery", "personal", "body_battery_event", &["eventStartTimeGmt"]),
        ("weight", "personal", "weight", &["timestampGMT", "date"]),
        ("move_iq", "account", "noticed_activity", &["startTimestampGMT", "startTimestampLocal"]),
        ("sleep", "personal", "sleep", &["sleepStartTimestampGMT", "sleepEndTimestampLocal"]),
        ("training_status", "account", "training_status", &["timestamp"]),
        ("steps", "account", "steps_sample", &["startGMT"]),
        ("sleep_detail", "account", "sleep_stage", &["startGMT", "endGMT"]),
        ("sleep_detail", "account", "sleep_movement", &["startGMT", "endGMT"]),
        ("hrv_readings", "account", "hrv_sample", &["startGMT"]),
        ("hrv_readings", "personal", "hrv_sample", &["readingTimeGMT"]),
    ];
    for (name, tier, table, fields) in fields {
        let dataset = dataset(name);
        let route = if tier == "personal" { dataset.personal.as_ref() } else { dataset.account.as_ref() }.unwrap();
        let example = text(name, &format!("example.{tier}.json")).unwrap();
        let expected: Value = serde_json::from_str(text(name, "expected.json").unwrap()).unwrap();
        let expected = &expected[tier];
        let mut answer: Value = serde_json::from_str(example).unwrap();
        let turned = turn(&mut answer, fields);
        assert!(turned > 0, "{name}: none of {fields:?}");
        let body = answer.to_string();
        let mut shelf = Shelf::new();
        for item in archive::items(&cut(dataset, route, &body, expected).unwrap()) {
            let recorded = shelf.record(name, &item.item, item.body).unwrap();
            assert_eq!(recorded.refused, [], "{name}, {tier}: {body}");
        }
        assert_eq!(Value::from(shelf.table(table)), expected["tables"][table], "{name}, {tier}: {body}");
    }
}

/// Gives the times in some members the other form; how many there were.
fn turn(value: &mut Value, fields: &[&str]) -> usize {
    let other = |value: &Value| match value {
        Value::String(time) => {
            let time = time.trim_end_matches('Z').parse::<chrono::NaiveDateTime>().ok()?;
            Some(json!(time.and_utc().timestamp_millis()))
        }
        value => {
            let time = chrono::DateTime::from_timestamp_millis(value.as_i64()?)?;
            Some(json!(time.format("%Y-%m-%dT%H:%M:%S.0").to_string()))
        }
    };
    match value {
        Value::Array(values) => values.iter_mut().map(|value| turn(value, fields)).sum(),
        Value::Object(members) => {
            let one = |(key, value): (&String, &mut Value)| match fields.contains(&key.as_str()).then(|| other(value)) {
                Some(Some(turned)) => {
                    *value = turned;
                    1
                }
                _ => turn(value, fields),
            };
            members.iter_mut().map(one).sum()
        }
        _ => 0,
    }
}

/// What was not measured has a number of its own in some lists; it is no value, and no reason to refuse the day.
#[test]
fn what_was_not_measured_is_no_value() {
    let mut shelf = Shelf::new();
    let floors = r#"{"floorValuesArray":[["2026-10-21T06:00:00.0","2026-10-21T06:15:00.0",-1,2],["2026-10-21T06:15:00.0",
        "2026-10-21T06:30:00.0",3,-1],["2026-10-21T06:30:00.0","2026-10-21T06:45:00.0",-1,-1],["2026-10-21T06:45:00.0","",1,null]]}"#;
    let intensity = r#"{"imValuesArray":[[1792560600000,-1],[1792561500000,4],[1792562400000,null]]}"#;
    for (name, body) in [("floors", floors), ("intensity", intensity)] {
        assert_eq!(shelf.record(name, "2026-10-21", body).unwrap().refused, []);
    }
    let row = |row: &Value, columns: [&str; 2]| columns.map(|column| row[column].clone());
    let floors: Vec<_> = shelf.table("floors_sample").iter().map(|found| row(found, ["up", "down"])).collect();
    assert_eq!(json!(floors), json!([[null, 2.0], [3.0, null], [1.0, null]]));
    let minutes: Vec<_> = shelf.table("intensity_sample").iter().map(|found| row(found, ["at", "minutes"])).collect();
    assert_eq!(json!(minutes), json!([[1_792_561_500, 4]]));
    for name in ["floors", "intensity"] {
        shelf.record(name, "2026-10-21", GONE).unwrap();
        assert_eq!(shelf.table(&format!("{name}_sample")), [Value::Null; 0]);
    }
}

/// The newest balance of two days may be of one and the same; when the later one learns of another, the earlier one keeps what it told.
#[test]
fn a_balance_that_two_days_tell_stays_as_long_as_one_of_them_tells_it() {
    let of = |day: &str| {
        format!(
            r#"{{"metricsTrainingLoadBalanceDTOMap":{{"7":{{"calendarDate":"{day}","deviceId":7,"monthlyLoadAnaerobic":1.0}}}}}}"#
        )
    };
    let mut shelf = Shelf::new();
    let (early, late) = ("2026-10-07", "2026-10-14");
    let days = |shelf: &Shelf| {
        let day = |row: &Value| format!("{} {}", row["asked_day"].as_str().unwrap(), row["day"].as_str().unwrap());
        shelf.table("load_balance").iter().map(day).collect::<Vec<_>>()
    };
    shelf.record("load_balance", early, &of("2026-10-06")).unwrap();
    shelf.record("load_balance", late, &of("2026-10-06")).unwrap();
    shelf.record("load_balance", late, &of("2026-10-13")).unwrap();
    assert_eq!(days(&shelf), ["2026-10-07 2026-10-06", "2026-10-14 2026-10-13"]);
    shelf.record("load_balance", late, GONE).unwrap();
    assert_eq!(days(&shelf), ["2026-10-07 2026-10-06"]);
    shelf.rebuild("load_balance");
    assert_eq!(days(&shelf), ["2026-10-07 2026-10-06"]);
}

/// What the night says itself is its own, also where its detail says the very same.
#[test]
fn a_detail_that_is_taken_back_takes_nothing_of_the_night_s_own() {
    let day = "2026-10-21";
    let night = r#"{"calendarDate":"2026-10-21","sleepTimeSeconds":26400,"napTimeSeconds":1500,"avgSleepStress":null}"#;
    let detail = r#"{"id":1,"napTimeSeconds":1500,"avgSleepStress":14.0,"sleepWindowConfirmationType":"confirmed"}"#;
    let told = |shelf: &Shelf| {
        let row = shelf.table("sleep").remove(0);
        json!(["nap_s", "avg_stress", "confirmation"].map(|column| row[column].clone()))
    };
    for order in [[("sleep", night), ("sleep_night", detail)], [("sleep_night", detail), ("sleep", night)]] {
        for anew in [None, Some("sleep"), Some("sleep_night")] {
            let mut shelf = Shelf::new();
            for (dataset, body) in order {
                shelf.record(dataset, day, body).unwrap();
            }
            anew.iter().for_each(|dataset| shelf.rebuild(dataset));
            assert_eq!(told(&shelf), json!([1500, 14.0, "confirmed"]), "{anew:?}");
            shelf.record("sleep_night", day, GONE).unwrap();
            assert_eq!(told(&shelf), json!([1500, null, null]), "{anew:?}");
        }
    }
}

/// The answers of two days of a month each tell all of it: what the newest leaves out, the day beside does not bring back.
#[test]
fn a_month_is_what_the_newest_of_its_days_tells() {
    let month = |entries: &[u32]| {
        let entry = |id: &u32| json!({"id": id, "itemType": "workout", "date": "2026-10-30", "title": "Run"});
        json!({"year": 2026, "month": 9, "calendarItems": entries.iter().map(entry).collect::<Vec<_>>()}).to_string()
    };
    let mut shelf = Shelf::new();
    for (day, entries) in [("2026-10-20", [1, 2].as_slice()), ("2026-10-21", &[1, 2, 3]), ("2026-10-21", &[3])] {
        shelf.record("calendar", day, &month(entries)).unwrap();
    }
    let now = shelf.table("calendar_entry");
    assert_eq!(now.iter().map(|row| row["entry_id"].clone()).collect::<Vec<_>>(), ["workout 3"]);
    shelf.rebuild("calendar");
    assert_eq!(shelf.table("calendar_entry"), now);
}
