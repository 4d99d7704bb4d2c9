//! What is let go: only what is older, only where it is said; nothing that is let go is wanted again.

use std::fs;
use std::ops::ControlFlow;

use garminsync_store::{OriginalBatch, OriginalRow, Projection, State, Store, Thinned, sha256_hex};

use crate::{activities, batch, look, noon, rows};

/// Two samples a day of a person in Auckland: the first of each local day is of the UTC day before. One table by `at`, one by `day`.
fn samples() -> Projection {
    Projection {
        dataset: "pulse".into(),
        tables: vec!["sample".into(), "stage".into()],
        sql_tables: "CREATE TABLE IF NOT EXISTS sample (account TEXT, at INTEGER, bpm INTEGER, PRIMARY KEY (account, at)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS stage (account TEXT, day TEXT, PRIMARY KEY (account, day)) WITHOUT ROWID;"
            .into(),
        sql_project: "INSERT OR REPLACE INTO sample SELECT :account, unixepoch(:item) + value, 50 FROM json_each(:body);
            INSERT OR REPLACE INTO stage VALUES (:account, :item);"
            .into(),
        sql_clear: String::new(),
        echo: Vec::new(),
    }
}

fn filled(dir: &std::path::Path) -> Store {
    let mut store = Store::open(dir, &[samples(), activities()]).unwrap();
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let first: chrono::NaiveDate = "2025-01-01".parse().unwrap();
    for day in first.iter_days().take(300) {
        let day = day.to_string();
        let items = [(day.as_str(), "[-43200, 3600]")];
        store.record(&batch(run, "pulse", &items, &[(&day, State::Ok)])).unwrap();
    }
    let mut other = batch(run, "pulse", &[("2020-02-29", "[0]")], &[]);
    other.account = "eva";
    store.record(&other).unwrap();
    store
}

#[test]
fn old_samples_go_with_their_answers_and_are_not_wanted_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(dir.path());
    let people = look(dir.path());
    let ledger = crate::ledger(&store, "default");
    let before = "2025-07-15".parse().unwrap();
    let (mut calls, mut total) = (0, Thinned::default());
    loop {
        let thinned = store.thin("pulse", before).unwrap();
        (calls, total.answers, total.rows) = (calls + 1, total.answers + thinned.answers, total.rows + thinned.rows);
        if !thinned.more {
            break;
        }
    }
    assert_eq!((calls, total.answers), (7, 195 + 1), "a month at a time; another account's too");
    assert_eq!(rows(&people, "SELECT min(item), count(*) FROM answer WHERE dataset = 'pulse'"), ["2025-07-15|105"]);
    assert_eq!(rows(&people, "SELECT min(day), count(*) FROM stage"), ["2025-07-15|105"]);
    // The first sample of the first day that stays lies in the UTC day before.
    assert_eq!(
        rows(&people, "SELECT datetime(min(at), 'unixepoch'), count(*) FROM sample"),
        ["2025-07-14 12:00:00|210"]
    );
    assert_eq!(crate::ledger(&store, "default"), ledger, "nothing becomes wanted");

    let tables = ["SELECT * FROM sample", "SELECT * FROM stage"].map(|sql| rows(&people, sql));
    store.rebuild("pulse", &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(["SELECT * FROM sample", "SELECT * FROM stage"].map(|sql| rows(&people, sql)), tables);
    assert_eq!(store.thin("pulse", before).unwrap(), Thinned::default(), "once");
}

#[test]
fn the_room_goes_back_to_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(dir.path());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let long = format!("[{}]", (0..20_000).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    store.record(&batch(run, "pulse", &[("2024-01-01", &long)], &[])).unwrap();
    store.settle().unwrap();
    let size = || fs::metadata(dir.path().join("garmin.db")).unwrap().len();
    let full = size();
    while store.thin("pulse", "2025-01-01".parse().unwrap()).unwrap().more {}
    store.give_room_back().unwrap();
    assert!(size() < full / 2, "{full} -> {}", size());
    assert_eq!(rows(&look(dir.path()), "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn old_files_go_and_their_rows_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path(), &[activities()]).unwrap();
    let run = store.begin_run("default", "manual", noon()).unwrap();
    for id in 1..=4 {
        let body = format!(r#"{{"name":"Run","type":"running","start":"202{id}-05-01T08:00:00"}}"#);
        store.record(&batch(run, "activities", &[(&id.to_string(), &body)], &[])).unwrap();
        let path = format!("activities/202{id}/{id}.fit");
        store.originals().save_from(&path, &mut &b"file"[..]).unwrap();
        let (format, bytes, sha256, fetched_utc) = ("fit".into(), 4, sha256_hex(b"file"), noon());
        let original = OriginalRow { activity_id: id, path, format, bytes, sha256, fetched_utc };
        let account = "default";
        store.record_original(&OriginalBatch { account, run, requests: 1, bytes: 4, original }).unwrap();
    }
    let ids = |store: &Store, before: &str| -> Vec<i64> {
        store.old_originals(before.parse().unwrap()).unwrap().iter().map(|old| old.activity_id).collect()
    };
    assert_eq!(ids(&store, "2023-05-01"), [1, 2]);
    assert_eq!(ids(&store, "2030-01-01"), [1, 2, 3], "never the newest");
    for old in store.old_originals("2023-05-01".parse().unwrap()).unwrap() {
        if old.activity_id == 2 {
            fs::remove_file(dir.path().join(&old.path)).unwrap(); // as after a crash between file and row
        }
        store.drop_original(&old, noon()).unwrap();
    }
    assert_eq!(ids(&store, "2030-01-01"), [3]);
    let people = look(dir.path());
    assert_eq!(
        rows(&people, "SELECT activity_id, dropped_utc FROM original"),
        ["1|2026-10-21T12:00:00Z", "2|2026-10-21T12:00:00Z", "3|NULL", "4|NULL"]
    );
    let there = |id: i64| dir.path().join(format!("activities/202{id}/{id}.fit")).exists();
    assert_eq!([1, 2, 3, 4].map(there), [false, false, true, true]);
    assert_eq!(store.activities_without_original("default").unwrap(), [], "none is fetched again");
}
