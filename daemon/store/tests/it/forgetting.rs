//! Forgetting an account: all that is its own goes, in steps that may be cut off anywhere, and nothing else.

use std::fs;
use std::path::Path;

use garminsync_store::{Holdings, OriginalBatch, OriginalRow, Pause, State, Store};

use crate::{at, batch, look, noon, open, rows};

/// An account with days, activities, files, a pause and a run.
fn live(store: &mut Store, account: &str, days: usize, first_activity: i64) {
    let run = store.begin_run(account, "manual", noon()).unwrap();
    let items: Vec<(String, String)> =
        (0..days).map(|n| (format!("d{n:05}"), format!("{{\"steps\": {n}, \"of\": \"{account}\"}}"))).collect();
    let items: Vec<(&str, &str)> = items.iter().map(|(item, body)| (item.as_str(), body.as_str())).collect();
    let marks: Vec<(&str, State)> = items.iter().map(|(item, _)| (*item, State::Ok)).collect();
    store.record(&garminsync_store::Batch { account, ..batch(run, "steps", &items, &marks) }).unwrap();
    for id in first_activity..first_activity + 3 {
        let (item, path) = (id.to_string(), format!("activities/{account}/{id}.fit"));
        let body = "{\"name\": \"Run\", \"laps\": [1, 2]}";
        store
            .record(&garminsync_store::Batch {
                account,
                ..batch(run, "activities", &[(&item, body)], &[(&item, State::Ok)])
            })
            .unwrap();
        file(store, account, run, id, &path);
    }
    store.set_pause(account, &Pause { tier: "account".into(), until_utc: noon(), strikes: 1 }).unwrap();
    store.end_run(run, "ok", None, at("2026-10-21T13:00:00Z")).unwrap();
    store
        .upsert_account(&garminsync_store::AccountRow {
            name: account.into(),
            profile_id: None,
            display_name: None,
            full_name: None,
            domain: "garmin.com".into(),
            time_zone: None,
        })
        .unwrap();
}

fn file(store: &mut Store, account: &str, run: i64, activity_id: i64, path: &str) {
    store.originals().save_from(path, &mut &b"FIT"[..]).unwrap();
    let original = OriginalRow {
        activity_id,
        path: path.into(),
        format: "fit".into(),
        bytes: 3,
        sha256: "00".into(),
        fetched_utc: noon(),
    };
    store.record_original(&OriginalBatch { account, run, requests: 1, bytes: 3, original }).unwrap();
}

/// What all tables hold of an account, as text.
fn all_of(dir: &Path, account: &str) -> Vec<String> {
    let connection = look(dir);
    let tables = rows(
        &connection,
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'account' WHERE m.type = 'table' ORDER BY 1",
    );
    assert!(tables.len() >= 8, "{tables:?}");
    let of = |table: &String| {
        rows(&connection, &format!("SELECT '{table}', * FROM \"{table}\" WHERE account = '{account}'"))
    };
    let mut all: Vec<String> = tables.iter().flat_map(of).collect();
    all.extend(rows(&connection, &format!("SELECT * FROM account WHERE name = '{account}'")));
    all
}

#[test]
fn all_of_one_account_goes_and_nothing_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    live(&mut store, "ana", 4500, 1);
    live(&mut store, "eva", 20, 11);
    assert_eq!(store.accounts().unwrap(), ["ana", "eva"]);
    let eva = all_of(dir.path(), "eva");
    let held = store.holdings("ana").unwrap();
    assert_eq!((held.files, held.rows), (3, all_of(dir.path(), "ana").len() as u64));
    assert!(held.bytes > 9, "{held:?}");

    let (mut gone, mut steps) = (Holdings::default(), 0);
    while let Some(some) = store.forget_some("ana").unwrap() {
        gone = gone.and(some);
        steps += 1;
        // A daemon that is killed here goes on where it was.
        drop(store);
        store = open(dir.path());
    }
    assert_eq!((gone.rows, gone.files), (held.rows, held.files));
    assert!(steps > 10, "no step holds others up for long: {steps}");
    assert_eq!(all_of(dir.path(), "ana"), [""; 0]);
    assert_eq!(all_of(dir.path(), "eva"), eva);
    assert_eq!(store.accounts().unwrap(), ["eva"]);
    assert!(!dir.path().join("activities/ana").exists(), "nor an empty directory");
    assert_eq!(fs::read_dir(dir.path().join("activities/eva")).unwrap().count(), 3);
    assert_eq!(store.forget_some("ana").unwrap(), None);
    assert_eq!(store.holdings("ana").unwrap(), Holdings::default());
    // Not even in the free pages, or in the log.
    for name in ["garmin.db", "garmin.db-wal"] {
        let bytes = fs::read(dir.path().join(name)).unwrap_or_default();
        assert!(!bytes.windows(14).any(|window| window == b"activities/ana"), "{name}");
    }
}

#[test]
fn a_file_that_another_account_has_too_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    live(&mut store, "ana", 1, 1);
    live(&mut store, "eva", 1, 11);
    let run = store.begin_run("eva", "manual", noon()).unwrap();
    file(&mut store, "eva", run, 1, "activities/ana/1.fit");
    while store.forget_some("ana").unwrap().is_some() {}
    assert_eq!(fs::read_dir(dir.path().join("activities/ana")).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_gone_already_holds_up_nothing_and_one_that_cannot_be_removed_keeps_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    live(&mut store, "ana", 1, 1);
    fs::remove_file(dir.path().join("activities/ana/2.fit")).unwrap();
    let stuck = dir.path().join("activities/ana/3.fit");
    fs::remove_file(&stuck).unwrap();
    fs::create_dir(&stuck).unwrap();
    assert!(store.forget_some("ana").is_err());
    assert_eq!(store.holdings("ana").unwrap().files, 3);
    fs::remove_dir(&stuck).unwrap();
    while store.forget_some("ana").unwrap().is_some() {}
    assert!(!dir.path().join("activities").exists());
}

/// Whoever can write into the data directory cannot make us remove what is elsewhere.
#[cfg(unix)]
#[test]
fn no_link_leads_to_a_file_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    live(&mut store, "ana", 1, 1);
    fs::rename(dir.path().join("activities/ana"), elsewhere.path().join("ana")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("ana"), dir.path().join("activities/ana")).unwrap();
    assert!(store.forget_some("ana").is_err());
    assert_eq!(fs::read_dir(elsewhere.path().join("ana")).unwrap().count(), 3);
}

#[test]
fn copies_from_before_an_update_forget_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    live(&mut store, "ana", 30, 1);
    live(&mut store, "eva", 30, 11);
    store.settle().unwrap();
    fs::create_dir(dir.path().join("backups")).unwrap();
    let copy = dir.path().join("backups/garmin-1-2026-10-21.db");
    fs::copy(dir.path().join("garmin.db"), &copy).unwrap();
    fs::write(dir.path().join("backups/my notes.txt"), "a person's").unwrap();
    while store.forget_some("ana").unwrap().is_some() {}
    let copy = rusqlite::Connection::open(copy).unwrap();
    assert_eq!(rows(&copy, "SELECT DISTINCT account FROM answer"), ["eva"]);
    assert_eq!(rows(&copy, "SELECT name FROM account"), ["eva"]);
}
