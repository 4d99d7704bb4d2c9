//! Every dataset folder is whole, and its example becomes the rows that it promises.

use serde_json::{Map, Value};

use super::super::archive;
use super::*;
use garminsync_store::{Batch, Store};

fn text(folder: &str, file: &str) -> Option<&'static str> {
    FOLDERS.get_file(format!("{folder}/{file}"))?.contents_utf8()
}

/// Every folder is read; every example in it is cut, recorded by a real store, and has become exactly the rows it expects.
#[test]
fn every_example_becomes_the_rows_it_expects() {
    let datasets = all().unwrap();
    assert_eq!(datasets.len(), FOLDERS.dirs().count());
    let projections: Vec<_> = datasets.iter().filter_map(Dataset::projection).collect();
    for dataset in datasets.iter().filter(|dataset| dataset.kind != Kind::Files) {
        let expected: Map<String, Value> = serde_json::from_str(text(&dataset.name, "expected.json").unwrap()).unwrap();
        assert!(!expected.is_empty());
        for (tier, expected) in expected {
            let route = if tier == "personal" { dataset.personal.as_ref() } else { dataset.account.as_ref() }.unwrap();
            let dir = tempfile::tempdir().unwrap();
            let mut store = Store::open(dir.path(), &projections).unwrap();
            let now = "2026-10-22T12:00:00Z".parse().unwrap();
            let run = store.begin_run("default", "manual", now).unwrap();
            let rows = archive::rows(route, text(&dataset.name, &format!("example.{tier}.json")).unwrap()).unwrap();
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
            assert_eq!(Value::from(blank), expected["empty"], "{name}, {tier}: days without data");
            let tables = expected["tables"].as_object().unwrap();
            assert_eq!(tables.keys().collect::<Vec<_>>(), dataset.tables.iter().collect::<Vec<_>>(), "{name}");
            for (table, expected) in tables {
                assert_eq!(&Value::from(dump(dir.path(), table)), expected, "{name}, {tier}: table {table}");
            }
            store.rebuild(name, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
            for (table, expected) in tables {
                assert_eq!(&Value::from(dump(dir.path(), table)), expected, "{name}, {tier}: table {table}, rebuilt");
            }
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
        assert!(text(&dataset.name, "example.personal.json").is_some(), "{}", dataset.name);
        let shape = |route: &Option<Route>| route.as_ref().map(|r| (r.rows.clone(), r.evidence.clone()));
        if shape(&dataset.personal) != shape(&dataset.account) {
            assert!(text(&dataset.name, "example.account.json").is_some(), "{}", dataset.name);
        }
    }
}

#[test]
fn a_path_leaves_open_parameters_out() {
    let route = |path: &str| Route {
        path: path.into(),
        cap_days: 1,
        pages: vec![],
        rows: String::new(),
        item: String::new(),
        day: String::new(),
        evidence: vec![],
    };
    let list = route("/list?start={start}&limit={limit}&startDate={from}&endDate={to}");
    let mut values = Values { page: Some((20, 10)), ..Values::default() };
    assert_eq!(list.render(&values).unwrap(), "/list?start=20&limit=10");
    values.to = "2026-10-21".parse().ok();
    assert_eq!(list.render(&values).unwrap(), "/list?start=20&limit=10&endDate=2026-10-21");
    assert_eq!(list.render(&Values { page: None, to: None, ..values }).unwrap(), "/list");
    let named = route("/of/{dn}/{to}");
    assert_eq!(named.render(&values), None);
    values.display_name = Some("a/b ö?");
    assert_eq!(named.render(&values).unwrap(), "/of/a%2Fb%20%C3%B6%3F/2026-10-21");
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
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
    assert!(Dataset::read(&BTreeMap::from([("dataset.toml".into(), good)]), "x").is_err(), "SQL is missing");
}
