//! Every dataset folder is whole, and its example becomes the rows that it promises.

use serde_json::{Map, Value, json};

use super::super::archive;
use super::*;
use garminsync_store::{AccountRow, Batch, Error, GONE, Item, Recorded, Store};

pub(super) fn text(folder: &str, file: &str) -> Option<&'static str> {
    FOLDERS.get_file(format!("{folder}/{file}"))?.contents_utf8()
}

/// Every folder is read; every example in it is cut, recorded by a real store, and has become exactly the rows it expects. With
/// `UPDATE_GOLDEN=1` what is found is written down instead, to be read with care.
#[test]
fn every_example_becomes_the_rows_it_expects() {
    let datasets = all().unwrap();
    assert_eq!(datasets.len(), FOLDERS.dirs().count());
    let projections: Vec<_> = datasets.iter().filter_map(Dataset::projection).collect();
    for dataset in datasets.iter().filter(|dataset| dataset.kind != Kind::Files) {
        let mut all: Map<String, Value> = serde_json::from_str(text(&dataset.name, "expected.json").unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", dataset.name));
        assert!(!all.is_empty());
        for (tier, expected) in &mut all {
            let route = if tier == "personal" { dataset.personal.as_ref() } else { dataset.account.as_ref() }.unwrap();
            let dir = tempfile::tempdir().unwrap();
            let mut store = Store::open(dir.path(), &projections).unwrap();
            let now = "2026-10-22T12:00:00Z".parse().unwrap();
            let run = store.begin_run("default", "manual", now).unwrap();
            let example = text(&dataset.name, &format!("example.{tier}.json")).unwrap();
            let rows = cut(dataset, route, example, expected).unwrap();
            let (account, name, items) = ("default", dataset.name.as_str(), archive::items(&rows));
            let batch = Batch {
                account,
                run,
                dataset: name,
                fetched_utc: now,
                requests: 1,
                bytes: 0,
                items,
                ledger: Vec::new(),
            };
            store.record(&batch).unwrap();

            let blank: Vec<_> = rows.iter().filter(|row| row.blank).map(|row| row.item.clone()).collect();
            let tables = dataset.tables.iter().map(|table| (table.clone(), Value::from(dump(dir.path(), table))));
            let (blank, tables) = (Value::from(blank), Value::Object(tables.collect()));
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                (expected["empty"], expected["tables"]) = (blank, tables);
                continue;
            }
            assert_eq!(blank, expected["empty"], "{name}, {tier}: days without data");
            assert_eq!(tables, expected["tables"], "{name}, {tier}");
            store.rebuild(name, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
            for (table, expected) in expected["tables"].as_object().unwrap() {
                assert_eq!(&Value::from(dump(dir.path(), table)), expected, "{name}, {tier}: table {table}, rebuilt");
            }
            // What was made of an answer can be taken back.
            let gone: Vec<Item> = rows.iter().map(|row| Item { item: row.item.clone(), body: GONE }).collect();
            store.record(&Batch { items: gone, ..batch.clone() }).unwrap();
            for table in dataset.tables.iter().filter(|_| !dataset.sql_clear.is_empty()) {
                assert_eq!(dump(dir.path(), table), [Value::Null; 0], "{name}, {tier}: table {table}, taken back");
            }
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let file = format!("{}/src/sync/datasets/{}/expected.json", env!("CARGO_MANIFEST_DIR"), dataset.name);
            std::fs::write(file, golden(&Value::Object(all))).unwrap();
        }
    }
}

/// Rows on lines of their own, everything else as short as it is.
fn golden(expected: &Value) -> String {
    let mut text = String::from("{\n");
    for (at, (tier, expected)) in expected.as_object().unwrap().iter().enumerate() {
        text += if at == 0 { "" } else { ",\n" };
        text += &format!("  \"{tier}\": {{\n");
        for (key, value) in expected.as_object().unwrap().iter().filter(|(key, _)| *key != "tables") {
            text += &format!("    \"{key}\": {value},\n");
        }
        let tables = expected["tables"].as_object().unwrap().iter().map(|(table, rows)| {
            let rows: Vec<_> = rows.as_array().unwrap().iter().map(|row| format!("        {row}")).collect();
            let rows = if rows.is_empty() { String::new() } else { format!("\n{}\n      ", rows.join(",\n")) };
            format!("      \"{table}\": [{rows}]")
        });
        text += &format!("    \"tables\": {{\n{}\n    }}\n  }}", tables.collect::<Vec<_>>().join(",\n"));
    }
    text + "\n}\n"
}

/// An example's items. An example of several parts is an object of their answers; `day` and `item` of what is expected say what was
/// asked for, where the answer itself does not.
pub(super) fn cut<'a>(
    dataset: &Dataset,
    route: &'a Route,
    example: &'a str,
    expected: &Value,
) -> Result<Vec<archive::Row<'a>>, archive::Shape> {
    use serde_json::value::RawValue;
    let parts: Vec<archive::Part<'a>> = if route.parts.is_empty() {
        archive::Part::whole(example)
    } else {
        let parts: BTreeMap<&str, &'a RawValue> = serde_json::from_str(example).unwrap();
        assert_eq!(parts.keys().collect::<Vec<_>>(), route.parts.keys().collect::<Vec<_>>(), "{}", dataset.name);
        let (mut names, mut bodies) = (route.parts.keys(), parts.values());
        std::iter::from_fn(|| Some(archive::Part { name: names.next()?, pages: vec![bodies.next()?.get()] })).collect()
    };
    let day = |key: &str, default: &str| expected.get(key).and_then(Value::as_str).unwrap_or(default).parse().unwrap();
    match dataset.kind {
        Kind::Days => archive::rows(route, day("day", "2000-01-01"), day("day", "2100-01-01"), &parts),
        Kind::Activities => Ok(archive::page(route, example)?.0),
        _ => {
            let item = expected.get("item").and_then(Value::as_str).unwrap_or(archive::ALL);
            Ok(archive::one(route, item, &parts)?.into_iter().collect())
        }
    }
}

fn dump(dir: &Path, table: &str) -> Vec<Value> {
    use rusqlite::types::ValueRef;
    let database = rusqlite::Connection::open(dir.join("garmin.db")).unwrap();
    let mut statement = database.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
    let columns: Vec<String> = statement.column_names().into_iter().map(String::from).collect();
    let row = |row: &rusqlite::Row<'_>| {
        let value = |(at, name): (usize, &String)| {
            let value = match row.get_ref(at).unwrap() {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => number.into(),
                ValueRef::Real(number) => number.into(),
                other => other.as_str().unwrap().into(),
            };
            (name.clone(), value)
        };
        Ok(Value::Object(columns.iter().enumerate().map(value).collect()))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// A store with a run, into which answers come one by one.
pub(super) struct Shelf {
    dir: tempfile::TempDir,
    store: Store,
    run: i64,
    /// Each answer comes a second after the one before it.
    now: chrono::DateTime<chrono::Utc>,
}

impl Shelf {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let projections: Vec<_> = all().unwrap().iter().filter_map(Dataset::projection).collect();
        let mut store = Store::open(dir.path(), &projections).unwrap();
        let now = "2026-10-22T12:00:00Z".parse().unwrap();
        let run = store.begin_run("default", "manual", now).unwrap();
        Self { dir, store, run, now }
    }

    pub(super) fn record(&mut self, dataset: &str, item: &str, body: &str) -> Result<Recorded, Error> {
        self.now += chrono::TimeDelta::seconds(1);
        self.store.record(&Batch {
            account: "default",
            run: self.run,
            dataset,
            fetched_utc: self.now,
            requests: 1,
            bytes: 0,
            items: vec![Item { item: item.into(), body }],
            ledger: Vec::new(),
        })
    }

    pub(super) fn table(&self, table: &str) -> Vec<Value> {
        dump(self.dir.path(), table)
    }

    pub(super) fn rebuild(&mut self, dataset: &str) {
        self.store.rebuild(dataset, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    }
}

/// Whatever the order of the columns, where Garmin says which is which; where it does not, as they are known to stand. And where they stand
/// otherwise without a word, the answer is refused.
#[test]
fn columns_are_read_by_their_names() {
    let lists = [
        ("heart_rate", "heartRateValues", "heartRateValueDescriptors", ""),
        ("stress", "stressValuesArray", "stressValueDescriptorsDTOList", ""),
        ("stress", "bodyBatteryValuesArray", "bodyBatteryValueDescriptorsDTOList", "bodyBatteryValueDescriptor"),
        ("respiration", "respirationValuesArray", "respirationValueDescriptorsDTOList", ""),
        ("spo2", "spO2HourlyAverages", "spO2ValueDescriptorsDTOList", "spo2ValueDescriptor"),
        ("floors", "floorValuesArray", "floorsValueDescriptorDTOList", ""),
        ("intensity", "imValuesArray", "imValueDescriptorsDTOList", ""),
    ];
    for (name, values, columns, prefix) in lists {
        let dataset = all().unwrap().iter().find(|dataset| dataset.name == name).unwrap();
        let tier = if dataset.personal.is_some() { "personal" } else { "account" };
        let example: Value = serde_json::from_str(text(name, &format!("example.{tier}.json")).unwrap()).unwrap();
        let expected: Value = serde_json::from_str(text(name, "expected.json").unwrap()).unwrap();
        let expected = expected[tier]["tables"].as_object().unwrap();
        let index = if prefix.is_empty() { "index".into() } else { format!("{prefix}Index") };
        let turned = |named: bool| {
            let mut answer = example.clone();
            let width = answer[values][0].as_array().unwrap().len();
            for row in answer[values].as_array_mut().unwrap() {
                row.as_array_mut().unwrap().reverse();
            }
            for column in answer[columns].as_array_mut().unwrap() {
                column[&index] = (width as u64 - 1 - column[&index].as_u64().unwrap()).into();
            }
            if !named {
                answer[columns] = Value::Null;
            }
            answer.to_string()
        };
        let mut unnamed = example.clone();
        assert!(unnamed[columns].take().is_array(), "{name}: the example names no columns");
        for answer in [turned(true), unnamed.to_string()] {
            let mut shelf = Shelf::new();
            shelf.record(name, "2026-10-21", &answer).unwrap();
            for (table, rows) in expected {
                assert_eq!(&Value::from(shelf.table(table)), rows, "{name}: {answer}");
            }
            shelf.record(name, "2026-10-21", GONE).unwrap();
            for table in expected.keys() {
                assert_eq!(shelf.table(table), [Value::Null; 0], "{name}, taken back: {answer}");
            }
        }
        let mut shelf = Shelf::new();
        let recorded = shelf.record(name, "2026-10-21", &turned(false)).unwrap();
        assert_eq!((recorded.new, recorded.refused.len()), (0, 1), "{name}: {recorded:?}");
        for table in expected.keys() {
            assert_eq!(shelf.table(table), [Value::Null; 0], "{name}");
        }
    }
}

/// Garmin's days end with the midnight that the next one begins with. One of them may say nothing of it, and either may be read again.
#[test]
fn a_midnight_belongs_to_both_days() {
    let day = |values: &str| format!(r#"{{"heartRateValues":[{values}]}}"#);
    let (before, midnight, after) = (1_792_533_480_000_i64, 1_792_533_600_000_i64, 1_792_533_720_000_i64);
    let mut shelf = Shelf::new();
    let mut read = |item: &str, values: String| {
        shelf.record("heart_rate", item, &day(&values)).unwrap();
        let now = shelf.table("heart_rate_sample");
        shelf.rebuild("heart_rate");
        assert_eq!(shelf.table("heart_rate_sample"), now, "{item} {values}: made anew");
        let at = |row: &Value| (row["at"].as_i64().unwrap() * 1000, row["bpm"].as_i64().unwrap());
        now.iter().map(at).collect::<Vec<_>>()
    };
    let all = vec![(before, 50), (midnight, 51), (after, 52)];
    read("2026-10-22", format!("[{midnight},null],[{after},52]"));
    assert_eq!(read("2026-10-21", format!("[{before},50],[{midnight},51]")), all);
    // The next day again, which still says nothing of it; then the other way round.
    assert_eq!(read("2026-10-22", format!("[{midnight},null],[{after},52],[{after},null]")), all);
    read("2026-10-21", format!("[{before},50],[{midnight},null]"));
    assert_eq!(read("2026-10-22", format!("[{midnight},51],[{after},52]")), all);
    assert_eq!(read("2026-10-21", format!("[{before},49],[{midnight},null]")), [(before, 49), all[1], all[2]]);
    // Both tell of it, and one of them takes it back; the newest of two that differ counts.
    assert_eq!(read("2026-10-21", format!("[{before},50],[{midnight},53]")), [all[0], (midnight, 53), all[2]]);
    assert_eq!(read("2026-10-21", format!("[{before},50],[{midnight},null]")), all);
    assert_eq!(read("2026-10-22", format!("[{midnight},54],[{after},52]")), [all[0], (midnight, 54), all[2]]);
    assert_eq!(read("2026-10-21", format!("[{before},50],[{midnight},51]")), all);
    assert_eq!(read("2026-10-22", format!("[{midnight},55],[{after},52]")), [all[0], (midnight, 55), all[2]]);
    // A third day, which has nothing to say of that midnight, whichever of the two is newer.
    let third = midnight + 129_600_000;
    read("2026-10-23", format!("[{third},60]"));
    read("2026-10-21", format!("[{before},50],[{midnight},53]"));
    let changed = read("2026-10-23", format!("[{third},61]"));
    assert_eq!(changed, [all[0], (midnight, 53), all[2], (third, 61)]);
    read("2026-10-22", format!("[{midnight},51],[{after},52]"));
    read("2026-10-21", format!("[{before},50],[{midnight},51]"));
    shelf.record("heart_rate", "2026-10-23", GONE).unwrap();
    shelf.record("heart_rate", "2026-10-22", GONE).unwrap();
    let now = shelf.table("heart_rate_sample");
    assert_eq!(now.iter().map(|row| row["bpm"].as_i64().unwrap()).collect::<Vec<_>>(), [50, 51]);
    shelf.rebuild("heart_rate");
    assert_eq!(shelf.table("heart_rate_sample"), now);
}

/// The account tier tells some of a night with its detail only. Whichever is read first, and again, and made anew: the night is the same.
#[test]
fn a_night_is_filled_up_by_its_detail() {
    let day = "2026-10-21";
    let range = r#"{"calendarDate":"2026-10-21","values":{"totalSleepTimeInSeconds":26400}}"#;
    let again = r#"{"calendarDate":"2026-10-21","values":{"totalSleepTimeInSeconds":26460}}"#;
    let whole = r#"{"calendarDate":"2026-10-21","sleepTimeSeconds":26400,"napTimeSeconds":600}"#;
    let detail =
        r#"{"id":1,"napTimeSeconds":1500,"avgSleepStress":14.0,"sleepWindowConfirmationType":"auto_confirmed"}"#;
    let later =
        r#"{"id":1,"napTimeSeconds":null,"avgSleepStress":-1,"sleepWindowConfirmationType":"manually_confirmed"}"#;
    let night = |shelf: &Shelf| {
        let rows = shelf.table("sleep");
        assert_eq!(rows.len(), 1);
        Value::from(["asleep_s", "nap_s", "avg_stress", "confirmation"].map(|column| rows[0][column].clone()).to_vec())
    };
    let all = json!([26_400, 1_500, 14.0, "auto_confirmed"]);
    for order in [[("sleep", range), ("sleep_night", detail)], [("sleep_night", detail), ("sleep", range)]] {
        let mut shelf = Shelf::new();
        for (dataset, body) in order {
            shelf.record(dataset, day, body).unwrap();
        }
        assert_eq!(night(&shelf), all);
        for dataset in ["sleep", "sleep_night"] {
            shelf.rebuild(dataset);
            assert_eq!(night(&shelf), all, "{dataset} made anew");
        }
        shelf.record("sleep", day, again).unwrap();
        assert_eq!(night(&shelf), json!([26_460, 1_500, 14.0, "auto_confirmed"]));
        shelf.record("sleep_night", day, later).unwrap();
        assert_eq!(night(&shelf), json!([26_460, null, null, "manually_confirmed"]));
        shelf.record("sleep_night", day, GONE).unwrap();
        assert_eq!(night(&shelf), json!([26_460, null, null, null]));
        // What the night itself says counts.
        shelf.record("sleep_night", day, detail).unwrap();
        shelf.record("sleep", day, whole).unwrap();
        assert_eq!(night(&shelf), json!([26_400, 600, 14.0, "auto_confirmed"]));
    }
}

/// A database from before two entries could be of one second gets those that were hidden, at the next start and without Garmin.
#[test]
fn a_wider_key_brings_back_what_the_narrow_one_hid() {
    let today: Vec<_> = all().unwrap().iter().filter_map(Dataset::projection).collect();
    let mut before = today.clone();
    for (dataset, number) in [("weight", "sample_pk"), ("blood_pressure", "version")] {
        let known = before.iter_mut().find(|known| known.dataset == dataset).unwrap();
        known.sql_tables = known.sql_tables.replace(&format!("measured_utc, {number})"), "measured_utc)");
    }
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &before).unwrap();
    let mut shelf = Shelf { dir, store, run: 0, now: "2026-10-22T12:00:00Z".parse().unwrap() };
    shelf.run = shelf.store.begin_run("default", "manual", shelf.now).unwrap();
    let entry = |pk: u32| format!(r#"{{"samplePk":{pk},"timestampGMT":1792540000000,"weight":{pk}}}"#);
    shelf.record("weight", "2026-10-21", &format!(r#"{{"allWeightMetrics":[{},{}]}}"#, entry(7), entry(8))).unwrap();
    let entry = |version: u32| format!(r#"{{"version":{version},"measurementTimestampGMT":"2026-10-21T06:10:00.0"}}"#);
    let pressures = format!(r#"{{"measurements":[{},{}]}}"#, entry(7), entry(8));
    shelf.record("blood_pressure", "2026-10-21", &pressures).unwrap();
    let Shelf { dir, store, run, now } = shelf;
    drop(store);

    let store = Store::open(dir.path(), &today).unwrap();
    let mut shelf = Shelf { dir, store, run, now };
    let outdated: Vec<_> = shelf.store.outdated().iter().cloned().collect();
    assert_eq!(outdated, ["blood_pressure", "weight"]);
    for (table, number) in [("weight", "sample_pk"), ("blood_pressure", "version")] {
        assert_eq!(shelf.table(table).len(), 1, "{table}");
        shelf.rebuild(table);
        let numbers: Vec<_> = shelf.table(table).iter().map(|row| row[number].clone()).collect();
        assert_eq!(numbers, [7, 8], "{table}");
    }
}

/// With a key alone nobody else tells it.
#[test]
fn the_settings_tell_a_display_name_that_is_not_known() {
    for known in [None, Some("0a1b")] {
        let mut shelf = Shelf::new();
        let owned = |text: &str| Some(text.to_owned());
        let (name, domain, display_name) = ("default".into(), "garmin.com".into(), known.and_then(owned));
        let row = AccountRow { name, domain, display_name, profile_id: None, full_name: None, time_zone: None };
        shelf.store.upsert_account(&row).unwrap();
        let settings = text("settings", "example.personal.json").unwrap();
        shelf.record("settings", archive::ALL, settings).unwrap();
        let row = shelf.store.account("default").unwrap().unwrap();
        assert_eq!((row.display_name, row.time_zone), (owned(known.unwrap_or("ana")), owned("Europe/Berlin")));
    }
}

#[test]
fn each_tier_s_own_shape_has_an_example() {
    for dataset in all().unwrap().iter().filter(|dataset| dataset.kind != Kind::Files) {
        let has = |tier: &str| text(&dataset.name, &format!("example.{tier}.json")).is_some();
        let shape = |route: &Option<Route>| {
            route.as_ref().map(|r| (r.rows.clone(), r.evidence.clone(), r.within.clone(), r.parts.clone()))
        };
        let (personal, account) = (shape(&dataset.personal), shape(&dataset.account));
        assert!(has("personal") || personal.is_none(), "{}", dataset.name);
        assert!(has("account") || account.is_none() || personal == account, "{}", dataset.name);
    }
}

#[test]
fn a_folder_that_is_wrong_is_told() {
    let sql = || [("table.sql", ""), ("project.sql", "")];
    let read = |toml: &str| {
        let files = sql().into_iter().chain([("dataset.toml", toml)]);
        Dataset::read(&files.map(|(name, text)| (name.into(), text.into())).collect(), "x").map_err(|e| e.what)
    };
    let head = "name = \"x\"\nabout = \"\"\nkind = \"days\"\nlane = \"day\"\ntables = []\n";
    let good = format!("{head}[account]\npath = \"/x\"\ncap_days = 7\nday = \"/d\"\n");
    assert!(read(&good).is_ok());
    for bad in [
        "",
        head,
        &good.replace("cap_days = 7", "cap_days = 0"),
        &good.replace("cap_days = 7", ""),
        &good.replace("day = \"/d\"", ""),
        &good.replace("name = \"x\"", "name = \"y\""),
        &good.replace("\"days\"", "\"activities\""),
        &good.replace("\"days\"", "\"files\""),
        &good.replace("about", "abuot"),
        &good.replace("day = \"/d\"", "day = \"/d\"\npages = [20]"),
        &good.replace("day = \"/d\"", "day = \"/d\"\nparts = { a = \"/y\" }"),
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
    assert!(Dataset::read(&BTreeMap::from([("dataset.toml".into(), good)]), "x").is_err(), "SQL is missing");
}
