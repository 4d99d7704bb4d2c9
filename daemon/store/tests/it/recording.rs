//! Batches, the ledger, runs and accounts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use garminsync_store::{
    AccountRow, ActivityRef, Error, LastRuns, LedgerEntry, OriginalBatch, OriginalRow, Recorded, State, Store,
    sha256_hex,
};

use crate::{activities, at, batch, look, noon, open, rows, steps};

const EVERYTHING: [&str; 7] = [
    "SELECT * FROM account",
    "SELECT account, dataset, item, fetched_utc, sha256, body FROM answer",
    "SELECT * FROM ledger",
    "SELECT * FROM sync_run",
    "SELECT * FROM steps",
    "SELECT * FROM activity",
    "SELECT * FROM lap",
];

#[test]
fn a_batch_lands_in_archive_table_ledger_and_counters() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let items = [("2026-10-21", r#"{"steps":7000}"#), ("2026-10-20", r#"{"steps":null}"#)];
    let marks = [("2026-10-21", State::Provisional), ("2026-10-20", State::Ok), ("2026-10-19", State::Empty)];
    let recorded = store.record(&batch(run, "steps", &items, &marks)).unwrap();
    assert_eq!(recorded, Recorded { new: 2, changed: 0, unchanged: 0 });

    let people = look(dir.path());
    assert_eq!(
        rows(&people, "SELECT * FROM steps ORDER BY day"),
        ["default|2026-10-20|NULL", "default|2026-10-21|7000"]
    );
    assert_eq!(
        rows(
            &people,
            "SELECT account, dataset, item, day, state, fetched_utc, attempts, detail FROM ledger ORDER BY item DESC"
        ),
        [
            "default|steps|2026-10-21|2026-10-21|provisional|2026-10-21T12:00:00Z|0|NULL",
            "default|steps|2026-10-20|2026-10-20|ok|2026-10-21T12:00:00Z|0|NULL",
            "default|steps|2026-10-19|2026-10-19|empty|2026-10-21T12:00:00Z|0|NULL",
        ]
    );
    assert_eq!(
        rows(&people, "SELECT id, requests, bytes, new_items, changed_items, outcome FROM sync_run"),
        ["1|1|100|2|0|NULL"]
    );
    let (sha256, body): (String, Vec<u8>) = people
        .query_row("SELECT sha256, body FROM answer WHERE item = '2026-10-21'", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(sha256, sha256_hex(br#"{"steps":7000}"#));
    assert_eq!(zstd::decode_all(body.as_slice()).unwrap(), br#"{"steps":7000}"#);
    assert_eq!(rows(&people, "PRAGMA journal_mode"), ["wal"]);
    assert_eq!(store.newest_day("default").unwrap(), Some("2026-10-21".parse().unwrap()));
    assert_eq!(store.newest_day("other").unwrap(), None);
}

#[test]
fn an_answer_that_came_before_is_not_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let first = batch(run, "steps", &[("2026-10-21", r#"{"steps":1}"#)], &[]);
    store.record(&first).unwrap();
    // Somebody else's mark in the rows shows whether they are written.
    let people = look(dir.path());
    people.execute_batch("UPDATE answer SET fetched_utc = 'untouched'; UPDATE steps SET steps = 99").unwrap();

    let again = store.record(&first).unwrap();
    assert_eq!(again, Recorded { unchanged: 1, ..Recorded::default() });
    assert_eq!(rows(&people, "SELECT fetched_utc FROM answer"), ["untouched"]);
    assert_eq!(rows(&people, "SELECT steps FROM steps"), ["99"]);

    let changed = store.record(&batch(run, "steps", &[("2026-10-21", r#"{"steps":2}"#)], &[])).unwrap();
    assert_eq!(changed, Recorded { changed: 1, ..Recorded::default() });
    assert_eq!(rows(&people, "SELECT fetched_utc FROM answer"), ["2026-10-21T12:00:00Z"]);
    assert_eq!(rows(&people, "SELECT steps FROM steps"), ["2"]);
    assert_eq!(rows(&people, "SELECT requests, bytes, new_items, changed_items FROM sync_run"), ["3|300|1|1"]);
}

#[test]
fn a_batch_that_fails_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    store.record(&batch(run, "steps", &[("2026-10-20", r#"{"steps":1}"#)], &[("2026-10-20", State::Ok)])).unwrap();
    let people = look(dir.path());
    let state = || EVERYTHING.map(|sql| rows(&people, sql));
    let before = state();

    let items = [("2026-10-20", r#"{"steps":2}"#), ("2026-10-21", r#"{"steps":"#)];
    let marks = [("2026-10-20", State::Ok), ("2026-10-21", State::Ok)];
    match store.record(&batch(run, "steps", &items, &marks)).unwrap_err() {
        Error::Projection { dataset, item, .. } => {
            assert_eq!((dataset.as_str(), item.as_str()), ("steps", "2026-10-21"))
        }
        other => panic!("{other}"),
    }
    assert_eq!(state(), before);

    let of_no_run = store.record(&batch(run + 1, "steps", &[("2026-10-21", r#"{"steps":1}"#)], &marks));
    assert!(matches!(of_no_run, Err(Error::UnknownRun(_))));
    assert_eq!(state(), before);

    let of_no_dataset = store.record(&batch(run, "naps", &[("2026-10-21", "{}")], &marks));
    assert!(matches!(of_no_dataset, Err(Error::Dataset { .. })));
    assert_eq!(state(), before);

    store.record(&batch(run, "steps", &[("2026-10-21", r#"{"steps":3}"#)], &[])).unwrap();
    assert_ne!(state(), before);
}

#[test]
fn requests_that_brought_nothing_are_counted_and_marked() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let run = store.begin_run("default", "schedule", noon()).unwrap();
    for _ in 0..2 {
        store.record(&batch(run, "steps", &[], &[("2026-10-21", State::Error)])).unwrap();
    }
    let entry = LedgerEntry {
        dataset: "steps".into(),
        item: "2026-10-21".into(),
        state: State::Error,
        fetched_utc: noon(),
        attempts: 2,
        since_utc: Some(noon()),
        detail: None,
    };
    assert_eq!(store.ledger("default").unwrap(), [entry]);
    assert_eq!(store.ledger("other").unwrap(), []);
    assert_eq!(store.requests_since("default", noon()).unwrap(), 2);
    assert_eq!(store.requests_since("default", at("2026-10-21T12:00:01Z")).unwrap(), 0);
    assert_eq!(store.requests_since("other", noon()).unwrap(), 0);
}

#[test]
fn whether_a_provisional_day_has_data_is_read_from_the_archive() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let both = [("2026-10-20", State::Provisional), ("2026-10-21", State::Provisional)];
    store.record(&batch(run, "steps", &[("2026-10-20", r#"{"steps":1}"#)], &both)).unwrap();
    store.record(&batch(run, "steps", &[], &both.map(|(day, _)| (day, State::Empty)))).unwrap();
    let states: Vec<_> = store.ledger("default").unwrap().into_iter().map(|entry| entry.state).collect();
    assert_eq!(states, [State::Provisional, State::Empty]);
}

#[test]
fn runs_are_remembered_and_the_unfinished_are_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    assert_eq!(store.last_runs("default").unwrap(), LastRuns::default());
    let first = store.begin_run("default", "schedule", at("2026-10-21T10:00:00Z")).unwrap();
    store.end_run(first, "ok", None, at("2026-10-21T10:05:00Z")).unwrap();
    let second = store.begin_run("default", "manual", at("2026-10-21T11:00:00Z")).unwrap();
    store.end_run(second, "failed", Some("Garmin cannot be reached"), at("2026-10-21T11:00:30Z")).unwrap();
    store.begin_run("other", "schedule", noon()).unwrap();
    let runs = LastRuns {
        last_started: Some(at("2026-10-21T11:00:00Z")),
        newest_is_over: true,
        last_ok_ended: Some(at("2026-10-21T10:05:00Z")),
        last_error: Some("Garmin cannot be reached".into()),
    };
    assert_eq!(store.last_runs("default").unwrap(), runs);
    assert!(matches!(store.end_run(99, "ok", None, noon()), Err(Error::UnknownRun(99))));

    drop(store);
    let mut store = open(dir.path());
    assert_eq!(
        rows(&look(dir.path()), "SELECT account, outcome, ended_utc FROM sync_run ORDER BY id"),
        ["default|ok|2026-10-21T10:05:00Z", "default|failed|2026-10-21T11:00:30Z", "other|interrupted|NULL"]
    );
    let third = store.begin_run("default", "manual", noon()).unwrap();
    store.end_run(third, "ok", None, noon()).unwrap();
    let runs = store.last_runs("default").unwrap();
    assert_eq!((runs.last_ok_ended, runs.last_error), (Some(noon()), None));
}

#[test]
fn what_is_not_known_of_a_person_keeps_what_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut row = AccountRow {
        name: "default".into(),
        profile_id: Some(7),
        display_name: Some("abc".into()),
        full_name: None,
        domain: "garmin.com".into(),
        time_zone: Some("Europe/Berlin".into()),
    };
    store.upsert_account(&row).unwrap();
    row = AccountRow {
        profile_id: None,
        full_name: Some("A Person".into()),
        time_zone: None,
        domain: "garmin.cn".into(),
        ..row
    };
    store.upsert_account(&row).unwrap();
    assert_eq!(rows(&look(dir.path()), "SELECT * FROM account"), ["default|7|abc|A Person|garmin.cn|Europe/Berlin"]);
}

#[test]
fn activities_wait_for_their_originals_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let body = |day: u32| format!(r#"{{"name":"Run {day}","type":"running","start":"2026-10-{day}T08:00:00"}}"#);
    let bodies: Vec<_> = (11..=16).map(body).collect();
    let items: Vec<_> =
        ["11", "12", "13", "14", "15", "16"].into_iter().zip(bodies.iter().map(String::as_str)).collect();
    store.record(&batch(run, "activities", &items, &[])).unwrap();
    let wanted = |store: &Store| -> Vec<i64> {
        store.activities_without_original("default").unwrap().iter().map(|activity| activity.activity_id).collect()
    };
    assert_eq!(wanted(&store), [16, 15, 14, 13, 12, 11]);
    let newest = ActivityRef {
        activity_id: 16,
        name: Some("Run 16".into()),
        activity_type: Some("running".into()),
        start_local: Some("2026-10-16T08:00:00".into()),
    };
    assert_eq!(store.activities_without_original("default").unwrap()[0], newest);
    assert_eq!(store.activities_without_original("other").unwrap(), []);

    look(dir.path())
        .execute("UPDATE activity SET deleted_utc = '2026-10-21T00:00:00Z' WHERE activity_id = 15", [])
        .unwrap();
    let marks = [("14", State::Empty), ("13", State::Error), ("12", State::Unavailable)];
    store.record(&batch(run, "original", &[], &marks)).unwrap();
    let mut saved = OriginalBatch {
        account: "default",
        run,
        requests: 1,
        bytes: 900,
        original: OriginalRow {
            activity_id: 11,
            path: "activities/2026/x.fit".into(),
            format: "fit".into(),
            bytes: 1000,
            sha256: sha256_hex(b"one"),
            fetched_utc: noon(),
        },
    };
    assert_eq!(store.record_original(&saved).unwrap().new, 1);
    assert_eq!(wanted(&store), [16, 13]);
    saved.original.sha256 = sha256_hex(b"two");
    assert_eq!(store.record_original(&saved).unwrap().changed, 1);

    let people = look(dir.path());
    assert_eq!(
        rows(&people, "SELECT * FROM original"),
        [format!("default|11|activities/2026/x.fit|fit|1000|{}|2026-10-21T12:00:00Z|NULL", sha256_hex(b"two"))]
    );
    assert_eq!(rows(&people, "SELECT day, state FROM ledger WHERE dataset = 'original' AND item = '11'"), ["NULL|ok"]);
    assert_eq!(rows(&people, "SELECT requests, bytes, new_items, changed_items FROM sync_run"), ["4|2000|7|1"]);

    saved.run = 99;
    saved.original.path = "elsewhere".into();
    assert!(matches!(store.record_original(&saved), Err(Error::UnknownRun(99))));
    assert_eq!(rows(&people, "SELECT path FROM original"), ["activities/2026/x.fit"]);
}

#[test]
fn without_activities_no_originals_are_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &[steps()]).unwrap();
    assert_eq!(store.activities_without_original("default").unwrap(), []);
}

#[test]
fn people_read_whole_batches_while_we_write() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path(), &[steps(), activities()]).unwrap();
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let people = look(dir.path());
            let mut seen = std::collections::BTreeSet::new();
            loop {
                let last = done.load(Ordering::Acquire);
                let counts: (i64, i64, i64, i64) = people
                    .query_row(
                        "SELECT (SELECT count(*) FROM answer), (SELECT count(*) FROM steps), (SELECT count(*) FROM ledger),
                             (SELECT new_items FROM sync_run)",
                        [],
                        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
                    )
                    .unwrap();
                assert_eq!((counts.0, counts.0, counts.0), (counts.1, counts.2, counts.3));
                assert_eq!(counts.0 % 3, 0);
                seen.insert(counts.0);
                if last {
                    return seen;
                }
            }
        });
        for n in 0..200 {
            let days = [0, 1, 2].map(|i| format!("day {n} {i}"));
            let items: Vec<_> = days.iter().map(|day| (day.as_str(), r#"{"steps":1}"#)).collect();
            let marks: Vec<_> = days.iter().map(|day| (day.as_str(), State::Ok)).collect();
            store.record(&batch(run, "steps", &items, &marks)).unwrap();
        }
        done.store(true, Ordering::Release);
        assert_eq!(reader.join().unwrap().last(), Some(&600));
    });
}

#[test]
fn somebody_elses_write_makes_us_wait_not_fail() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let people = look(dir.path());
    people.execute_batch("CREATE TABLE notes (text TEXT); BEGIN IMMEDIATE; INSERT INTO notes VALUES ('mine')").unwrap();
    let ours = thread::spawn(move || {
        store.record(&batch(run, "steps", &[("2026-10-21", r#"{"steps":1}"#)], &[("2026-10-21", State::Ok)]))
    });
    // Proves nothing by itself: it only lets our write arrive while theirs is open.
    thread::sleep(std::time::Duration::from_millis(200));
    people.execute_batch("COMMIT").unwrap();
    assert_eq!(ours.join().unwrap().unwrap().new, 1);
    assert_eq!(rows(&people, "SELECT text, steps FROM notes, steps"), ["mine|1"]);
}
