//! Every dataset folder is whole, and its example becomes the rows that it promises.

use serde_json::{Map, Value};

use super::super::archive;
use super::*;
use garminsync_store::{Batch, GONE, Item, Store};

fn text(folder: &str, file: &str) -> Option<&'static str> {
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
            let rows = cut(dataset, route, example, expected);
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
fn cut<'a>(dataset: &Dataset, route: &'a Route, example: &'a str, expected: &Value) -> Vec<archive::Row<'a>> {
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
        Kind::Days => archive::rows(route, day("day", "2000-01-01"), day("day", "2100-01-01"), &parts).unwrap(),
        Kind::Activities => archive::page(route, example).unwrap().0,
        _ => {
            let item = expected.get("item").and_then(Value::as_str).unwrap_or(archive::ALL);
            archive::one(route, item, &parts).unwrap().into_iter().collect()
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
