//! Batches as SQLite keeps them: its columns, its log, its other readers and writers. What every engine must do is in `conformance`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use garminsync_store::{Batch, GONE, Projection, Recorded, State, Store, sha256_hex};

use crate::{activities, at, batch, look, noon, open, rows, steps};

#[test]
fn a_batch_lands_in_archive_table_ledger_and_counters() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let items = [("2026-10-21", r#"{"steps":7000}"#), ("2026-10-20", r#"{"steps":null}"#)];
    let marks = [("2026-10-21", State::Provisional), ("2026-10-20", State::Ok), ("2026-10-19", State::Empty)];
    let recorded = store.record(&batch(run, "steps", &items, &marks)).unwrap();
    assert_eq!(recorded, Recorded { new: 2, changed: 0, unchanged: 0, refused: Vec::new() });

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
fn what_garmin_has_no_more_leaves_its_tables_and_stays_in_the_archive() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let day = "2026-10-21";
    let mut record = |body: &'static str, state| {
        let recorded = store.record(&batch(run, "steps", &[(day, body)], &[(day, state)])).unwrap();
        let people = look(dir.path());
        let look = |sql| rows(&people, sql);
        let rebuilt = store.rebuild("steps", &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
        let table = look("SELECT steps FROM steps");
        assert_eq!(rebuilt.rows as usize, table.len(), "a rebuild makes it otherwise");
        (recorded, table, look("SELECT state FROM ledger"), look("SELECT dataset || ' ' || sha256 FROM answer"))
    };
    let (first, gone) = (r#"{"steps":7000}"#, Recorded { changed: 1, ..Recorded::default() });
    let archived = |dataset: &str, body: &str| format!("{dataset} {}", sha256_hex(body.as_bytes()));
    // What was never there cannot go.
    let (recorded, table, ledger, archive) = record(GONE, State::Empty);
    assert_eq!((recorded, table.len(), archive.len()), (Recorded::default(), 0, 0));
    assert_eq!(ledger, ["empty"]);
    record(first, State::Ok);
    let (recorded, table, ledger, archive) = record(GONE, State::Empty);
    assert_eq!((recorded, table.len(), ledger), (gone, 0, vec!["empty".to_owned()]));
    assert_eq!(archive, [archived("steps", GONE), archived("steps (gone)", first)]);
    let (recorded, ..) = record(GONE, State::Empty);
    assert_eq!(recorded, Recorded { unchanged: 1, ..Recorded::default() });
    // It comes back as it was.
    let (_, table, ledger, _) = record(first, State::Ok);
    assert_eq!((table, ledger), (vec!["7000".to_owned()], vec!["ok".to_owned()]));
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

/// Moments of which two days may tell, with what was measured then.
fn pulse() -> Projection {
    Projection {
        dataset: "pulse".into(),
        tables: vec!["pulse".into()],
        sql_tables: "CREATE TABLE IF NOT EXISTS pulse (account TEXT, at TEXT, bpm INTEGER CHECK (bpm < 200),
            PRIMARY KEY (account, at))"
            .into(),
        sql_project: "INSERT OR REPLACE INTO pulse SELECT :account, key, value FROM json_each(:body)".into(),
        sql_clear: "DELETE FROM pulse WHERE account = :account AND at IN (SELECT key FROM json_each(:body))".into(),
        echo: Vec::new(),
    }
}

/// What Garmin's trouble with a day came to: nothing. The day beside has spoken since, and keeps the last word.
#[test]
fn a_day_that_comes_unchanged_after_a_failure_takes_no_newer_value_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path(), &[pulse()]).unwrap();
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let (day, before) = (r#"{"midnight":51,"noon":60}"#, r#"{"midnight":53}"#);
    let mut come = |hour: u32, item: &str, body: Option<&'static str>, state| {
        let items: Vec<_> = body.map(|body| (item, body)).into_iter().collect();
        let fetched_utc = at(&format!("2026-10-22T{hour:02}:00:00Z"));
        store.record(&Batch { fetched_utc, ..batch(run, "pulse", &items, &[(item, state)]) }).unwrap()
    };
    let table = || rows(&look(dir.path()), "SELECT at, bpm FROM pulse ORDER BY at");
    come(1, "2026-10-21", Some(day), State::Ok);
    come(2, "2026-10-20", Some(before), State::Ok);
    assert_eq!(table(), ["midnight|53", "noon|60"]);
    come(3, "2026-10-21", None, State::Error);
    assert_eq!(come(4, "2026-10-21", Some(day), State::Ok).unchanged, 1);
    assert_eq!(table(), ["midnight|53", "noon|60"]);
    assert_eq!(
        rows(&look(dir.path()), "SELECT item, attempts FROM ledger ORDER BY 1"),
        ["2026-10-20|0", "2026-10-21|0"]
    );
}

/// An answer that a release found unfit is in no table, and the next day's change brings none of it in.
#[test]
fn a_day_beside_that_does_not_fit_fills_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let loose = Projection { sql_tables: pulse().sql_tables.replace("200", "900"), ..pulse() };
    let mut store = Store::open(dir.path(), &[loose]).unwrap();
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let unfit = ("2026-10-20", r#"{"evening":50,"midnight":500}"#);
    store.record(&batch(run, "pulse", &[unfit, ("2026-10-21", r#"{"noon":60}"#)], &[])).unwrap();
    drop(store);
    let mut store = Store::open(dir.path(), &[pulse()]).unwrap();
    let rebuild = |store: &mut Store| store.rebuild("pulse", &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    assert_eq!(rebuild(&mut store).refused, 1);
    store.record(&batch(run, "pulse", &[("2026-10-21", r#"{"noon":61}"#)], &[])).unwrap();
    let table = || rows(&look(dir.path()), "SELECT at, bpm FROM pulse ORDER BY at");
    assert_eq!(table(), ["noon|61"]);
    rebuild(&mut store);
    assert_eq!(table(), ["noon|61"]);
}
