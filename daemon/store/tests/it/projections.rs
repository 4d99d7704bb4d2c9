//! Opening the store: schemas, dataset tables, and their rebuild from the archive.

use std::fs;
use std::ops::ControlFlow;

use garminsync_store::{Error, Projection, Rebuilt, State, Step, Store};

use crate::{activities, batch, look, noon, open, rows, steps};

const TABLES: [&str; 3] =
    ["SELECT * FROM steps ORDER BY 1, 2", "SELECT * FROM activity ORDER BY 1, 2", "SELECT * FROM lap ORDER BY 1, 2, 3"];

/// Hears the steps of a rebuild and lets it go on.
fn all(_: Step) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn filled(dir: &std::path::Path) {
    let mut store = open(dir);
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let days = [("2026-10-20", r#"{"steps":20,"goal":5}"#), ("2026-10-21", r#"{"steps":21,"goal":6}"#)];
    store.record(&batch(run, "steps", &days, &[("2026-10-20", State::Ok)])).unwrap();
    let mut other = batch(run, "steps", &days[..1], &[]);
    other.account = "other";
    store.record(&other).unwrap();
    let old = [("7", r#"{"name":"Run","laps":[1,2,3]}"#)];
    store.record(&batch(run, "activities", &old, &[])).unwrap();
    let edited = [("7", r#"{"name":"Morning run","laps":[1,2]}"#)];
    store.record(&batch(run, "activities", &edited, &[])).unwrap();
}

fn tables(dir: &std::path::Path) -> [Vec<String>; 3] {
    let people = look(dir);
    TABLES.map(|sql| rows(&people, sql))
}

#[test]
fn a_rebuild_from_the_archive_gives_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let before = tables(dir.path());
    assert_eq!(before[1], ["default|7|Morning run|NULL|NULL|NULL"]);
    assert_eq!(before[2], ["default|7|1", "default|7|2"]);
    // Damage shows that the rebuild really starts from nothing.
    look(dir.path())
        .execute_batch("UPDATE steps SET steps = 0; DELETE FROM lap; INSERT INTO steps VALUES ('x', 'y', 1)")
        .unwrap();

    let mut store = open(dir.path());
    assert!(store.outdated().is_empty());
    let mut told = Vec::new();
    let mut tell = |step: Step| {
        told.push((step.done, step.total));
        ControlFlow::Continue(())
    };
    assert_eq!(store.rebuild("steps", &mut tell).unwrap(), Rebuilt { answers: 3, rows: 3, refused: 0 });
    assert_eq!(told, [(0, 3), (3, 3)]);
    assert_eq!(store.rebuild("activities", &mut all).unwrap(), Rebuilt { answers: 1, rows: 3, refused: 0 });
    assert_eq!(tables(dir.path()), before);
    assert!(matches!(store.rebuild("nonsense", &mut all), Err(Error::Dataset { .. })));
}

#[test]
fn changed_sql_makes_a_dataset_outdated_until_it_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let before = tables(dir.path());
    let goals = Projection {
        sql_project: "INSERT INTO steps VALUES (:account, :item, :body ->> '$.goal') ON CONFLICT DO UPDATE SET
            steps = excluded.steps"
            .into(),
        ..steps()
    };
    let mut store = Store::open(dir.path(), &[goals.clone(), activities()]).unwrap();
    assert_eq!(store.outdated().iter().collect::<Vec<_>>(), ["steps"]);
    assert_eq!(tables(dir.path()), before, "nothing is lost meanwhile");

    // An answer that comes before the rebuild is kept, and is in the tables after it.
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let late = [("2026-10-22", r#"{"steps":22,"goal":7}"#)];
    store.record(&batch(run, "steps", &late, &[("2026-10-22", State::Ok)])).unwrap();
    assert_eq!(tables(dir.path()), before);
    drop(store);

    let mut store = Store::open(dir.path(), &[goals.clone(), activities()]).unwrap();
    store.rebuild("steps", &mut all).unwrap();
    assert!(store.outdated().is_empty());
    let now = rows(&look(dir.path()), TABLES[0]);
    assert_eq!(now, ["default|2026-10-20|5", "default|2026-10-21|6", "default|2026-10-22|7", "other|2026-10-20|5"]);
    drop(store);
    assert!(Store::open(dir.path(), &[goals, activities()]).unwrap().outdated().is_empty());
}

#[test]
fn the_old_table_is_read_until_the_new_one_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let before = tables(dir.path());
    look(dir.path()).execute_batch("UPDATE steps SET steps = 0").unwrap();
    let people = look(dir.path());
    let damaged = rows(&people, TABLES[0]);
    let mut store = open(dir.path());
    let mut seen = 0;
    let mut looks = |_| {
        assert_eq!(rows(&people, TABLES[0]), damaged);
        seen += 1;
        ControlFlow::Continue(())
    };
    store.rebuild("steps", &mut looks).unwrap();
    assert_eq!(seen, 2);
    assert_eq!(rows(&people, TABLES[0]), before[0]);
}

#[test]
fn a_rebuild_that_is_broken_off_leaves_the_old_tables() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    look(dir.path()).execute_batch("UPDATE steps SET steps = 0").unwrap();
    let damaged = tables(dir.path());
    let mut store = open(dir.path());
    for last in [0, 3] {
        let mut until = |step: Step| if step.done == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        assert!(matches!(store.rebuild("steps", &mut until), Err(Error::Stopped)));
        assert_eq!(tables(dir.path()), damaged);
    }
}

#[test]
fn of_two_answers_about_one_thing_the_later_has_the_last_word_after_a_rebuild_too() {
    let dir = tempfile::tempdir().unwrap();
    let last = Projection {
        dataset: "last".into(),
        tables: vec!["last".into()],
        sql_tables: "CREATE TABLE IF NOT EXISTS last (account TEXT PRIMARY KEY, item TEXT, at TEXT)".into(),
        sql_project: "INSERT OR REPLACE INTO last VALUES (:account, :item, :fetched_utc)".into(),
        sql_clear: String::new(),
        echo: Vec::new(),
    };
    let mut store = Store::open(dir.path(), &[last]).unwrap();
    let run = store.begin_run("default", "manual", noon()).unwrap();
    // Newest first, as a sync goes, within one second; then an old item is edited.
    for item in ["c", "b", "a"] {
        store.record(&batch(run, "last", &[(item, "{}")], &[])).unwrap();
    }
    let people = look(dir.path());
    let said = |people: &rusqlite::Connection| rows(people, "SELECT item, at FROM last");
    assert_eq!(said(&people), ["a|2026-10-21T12:00:00Z"]);
    store.rebuild("last", &mut all).unwrap();
    assert_eq!(said(&people), ["a|2026-10-21T12:00:00Z"]);
    let mut edited = batch(run, "last", &[("b", "[]")], &[]);
    edited.fetched_utc = crate::at("2026-10-21T12:00:01Z");
    store.record(&edited).unwrap();
    assert_eq!(said(&people), ["b|2026-10-21T12:00:01Z"]);
    store.rebuild("last", &mut all).unwrap();
    assert_eq!(said(&people), ["b|2026-10-21T12:00:01Z"]);
}

#[test]
fn a_table_of_a_persons_own_is_not_dropped() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    look(dir.path()).execute_batch("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')").unwrap();
    let greedy = Projection {
        tables: vec!["steps".into(), "notes".into()],
        sql_tables: steps().sql_tables + "CREATE TABLE IF NOT EXISTS notes (account TEXT PRIMARY KEY)",
        ..steps()
    };
    let mut store = Store::open(dir.path(), &[greedy, activities()]).unwrap();
    let error = store.rebuild("steps", &mut all).unwrap_err().to_string();
    assert!(error.contains("a table notes that garminsyncd did not make"), "{error}");
    assert_eq!(rows(&look(dir.path()), "SELECT * FROM notes"), ["mine"]);
    assert_eq!(rows(&look(dir.path()), "SELECT count(*) FROM steps"), ["3"]);
}

#[test]
fn what_did_not_change_is_left_alone_and_a_lost_table_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let before = tables(dir.path());
    look(dir.path()).execute_batch("UPDATE steps SET steps = 99; DROP TABLE lap").unwrap();
    let mut store = open(dir.path());
    assert_eq!(store.outdated().iter().collect::<Vec<_>>(), ["activities"]);
    store.rebuild("activities", &mut all).unwrap();
    assert_eq!(rows(&look(dir.path()), "SELECT DISTINCT steps FROM steps"), ["99"]);
    assert_eq!(tables(dir.path())[1..], before[1..]);
}

#[test]
fn changed_sql_brings_new_columns_and_drops_tables_that_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let before = tables(dir.path());
    let goals = Projection {
        dataset: "steps".into(),
        // The table `lap` moves here from the other dataset.
        tables: vec!["daily".into(), "lap".into()],
        sql_tables:
            "CREATE TABLE IF NOT EXISTS daily (account TEXT, day TEXT, goal INTEGER, PRIMARY KEY (account, day));
            CREATE TABLE IF NOT EXISTS lap (account TEXT, day TEXT, PRIMARY KEY (account, day));"
                .into(),
        sql_project: "INSERT INTO daily VALUES (:account, :item, :body ->> '$.goal') ON CONFLICT DO NOTHING;
            INSERT INTO lap VALUES (:account, :item) ON CONFLICT DO NOTHING;"
            .into(),
        sql_clear: String::new(),
        echo: Vec::new(),
    };
    let plain = Projection {
        tables: vec!["activity".into()],
        sql_tables: "CREATE TABLE IF NOT EXISTS activity (account TEXT, name TEXT, PRIMARY KEY (account, name))".into(),
        sql_project: "INSERT INTO activity VALUES (:account, :body ->> '$.name') ON CONFLICT DO NOTHING".into(),
        sql_clear: String::new(),
        echo: Vec::new(),
        ..activities()
    };
    for order in [["steps", "activities"], ["activities", "steps"]] {
        filled(dir.path());
        let mut store = Store::open(dir.path(), &[goals.clone(), plain.clone()]).unwrap();
        for dataset in order {
            store.rebuild(dataset, &mut all).unwrap();
        }
        assert!(Store::open(dir.path(), &[goals.clone(), plain.clone()]).unwrap().outdated().is_empty());
        let people = look(dir.path());
        assert_eq!(
            rows(&people, "SELECT * FROM daily ORDER BY 1, 2"),
            ["default|2026-10-20|5", "default|2026-10-21|6", "other|2026-10-20|5"]
        );
        assert_eq!(rows(&people, "SELECT count(*) FROM lap"), ["3"]);
        assert_eq!(rows(&people, "SELECT name FROM activity"), ["Morning run"]);
        assert_eq!(rows(&people, "SELECT count(*) FROM sqlite_schema WHERE name = 'steps'"), ["0"]);
        drop(store);
        // And back again.
        let mut store = open(dir.path());
        for dataset in order {
            store.rebuild(dataset, &mut all).unwrap();
        }
        assert_eq!(tables(dir.path()), before);
    }
}

#[test]
fn a_rebuild_that_fails_leaves_the_old_tables() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let before = tables(dir.path());
    let garbled = Projection { sql_project: "INSERT INTO steps VALUES (:account, :day)".into(), ..steps() };
    let mut store = Store::open(dir.path(), &[garbled, activities()]).unwrap();
    match store.rebuild("steps", &mut all).unwrap_err() {
        Error::Dataset { dataset, .. } => assert_eq!(dataset, "steps"),
        other => panic!("{other}"),
    }
    assert_eq!(tables(dir.path()), before);
    assert_eq!(store.outdated().len(), 1);
    drop(store);
    assert!(open(dir.path()).outdated().is_empty());
}

/// A release may ask more of an answer than the one that archived it. What does not fit is asked for again, and judged again when it comes.
#[test]
fn an_archived_answer_that_does_not_fit_costs_no_other() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let before = tables(dir.path());
    let strict = |least: u32| Projection {
        sql_tables: format!(
            "CREATE TABLE IF NOT EXISTS steps (account TEXT, day TEXT, steps INTEGER CHECK (steps > {least}),
                PRIMARY KEY (account, day))"
        ),
        ..steps()
    };
    let mut store = Store::open(dir.path(), &[strict(20), activities()]).unwrap();
    assert_eq!(store.rebuild("steps", &mut all).unwrap(), Rebuilt { answers: 3, rows: 1, refused: 2 });
    assert!(store.outdated().is_empty());
    let table = || rows(&look(dir.path()), TABLES[0]);
    let ledger = || rows(&look(dir.path()), "SELECT account, item, state, attempts, detail FROM ledger ORDER BY 1, 2");
    let why = "the answer does not fit its tables (CHECK constraint failed: steps > 20)";
    assert_eq!(table(), ["default|2026-10-21|21"]);
    // Of what the ledger knows nothing, it goes on to know nothing.
    assert_eq!(ledger(), [format!("default|2026-10-20|ok|1|{why}")]);

    let run = store.begin_run("default", "manual", noon()).unwrap();
    let again = [("2026-10-20", r#"{"steps":20,"goal":5}"#), ("2026-10-21", r#"{"steps":21,"goal":6}"#)];
    let again = batch(run, "steps", &again, &[("2026-10-20", State::Ok), ("2026-10-21", State::Ok)]);
    assert_eq!(store.record(&again).unwrap().refused.len(), 1);
    assert_eq!(ledger(), [format!("default|2026-10-20|ok|2|{why}"), "default|2026-10-21|ok|0|NULL".into()]);
    drop(store);

    let mut store = Store::open(dir.path(), &[strict(0), activities()]).unwrap();
    assert_eq!(store.rebuild("steps", &mut all).unwrap(), Rebuilt { answers: 3, rows: 3, refused: 0 });
    assert_eq!(tables(dir.path()), before);
    assert_eq!(store.record(&again).unwrap().unchanged, 2);
    assert_eq!(ledger(), ["default|2026-10-20|ok|0|NULL", "default|2026-10-21|ok|0|NULL"]);
}

/// A dataset without answers whose SQL looks into a table that an older version made: it waits for that one, however often the program starts.
#[test]
fn what_looks_into_an_outdated_table_waits_for_its_rebuild() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let goals = Projection {
        sql_tables: "CREATE TABLE IF NOT EXISTS steps (account TEXT, day TEXT, steps INTEGER, goal INTEGER,
            PRIMARY KEY (account, day))"
            .into(),
        sql_project: "INSERT INTO steps VALUES (:account, :item, :body ->> '$.steps', :body ->> '$.goal')
            ON CONFLICT DO UPDATE SET steps = excluded.steps, goal = excluded.goal"
            .into(),
        ..steps()
    };
    let wish = Projection {
        dataset: "wish".into(),
        tables: vec!["wish".into()],
        sql_tables: "CREATE TABLE IF NOT EXISTS wish (account TEXT PRIMARY KEY)".into(),
        sql_project: "UPDATE steps SET goal = :body WHERE account = :account AND day = :item".into(),
        sql_clear: String::new(),
        echo: Vec::new(),
    };
    let all_of = [goals, wish, activities()];
    for _ in 0..2 {
        let store = Store::open(dir.path(), &all_of).unwrap();
        assert_eq!(store.outdated().iter().collect::<Vec<_>>(), ["steps", "wish"]);
    }
    let mut store = Store::open(dir.path(), &all_of).unwrap();
    let run = store.begin_run("default", "manual", noon()).unwrap();
    store.record(&batch(run, "wish", &[("2026-10-21", "9")], &[])).unwrap();
    for dataset in ["steps", "wish"] {
        store.rebuild(dataset, &mut all).unwrap();
    }
    let goals = rows(&look(dir.path()), "SELECT day, goal FROM steps WHERE account = 'default' ORDER BY day");
    assert_eq!(goals, ["2026-10-20|5", "2026-10-21|9"]);
    drop(store);
    assert!(Store::open(dir.path(), &all_of).unwrap().outdated().is_empty());
}

#[test]
fn a_wrong_declaration_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |projections: &[Projection]| match Store::open(dir.path(), projections).unwrap_err() {
        Error::Dataset { dataset, what } => format!("{dataset}: {what}"),
        other => panic!("{other}"),
    };
    let twice = Projection { dataset: "twice".into(), ..steps() };
    assert_eq!(refused(&[steps(), twice]), "twice: table steps belongs to dataset steps already");
    let greedy = Projection { tables: vec!["ledger".into()], ..steps() };
    assert_eq!(refused(&[greedy]), r#"steps: it cannot own a table named "ledger""#);
    let forgetful = Projection { sql_tables: String::new(), ..steps() };
    assert_eq!(refused(&[forgetful]), "steps: its SQL does not create table steps");
    let garbled = Projection { sql_project: "INSERT INTO nowhere VALUES (1)".into(), ..steps() };
    assert!(refused(&[garbled]).starts_with("steps: its projection is wrong: no such table: nowhere"));
}

#[test]
fn a_newer_database_is_refused_by_name_and_number_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let newer = look(dir.path());
    newer.execute_batch("PRAGMA user_version = 77; PRAGMA journal_mode = DELETE").unwrap();
    drop(newer);
    let before = fs::read(dir.path().join("garmin.db")).unwrap();
    let error = Store::open(dir.path(), &[steps()]).unwrap_err();
    assert!(matches!(error, Error::Newer { file: "garmin.db", found: 77, known: 2 }));
    assert!(
        error.to_string().starts_with("garmin.db has schema 77, this garminsyncd knows schemas up to 2"),
        "{error}"
    );
    assert_eq!(fs::read(dir.path().join("garmin.db")).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_told_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("garmin.db");
    fs::write(&path, "my holiday notes, quite long ones, more than a header").unwrap();
    let error = Store::open(dir.path(), &[]).unwrap_err();
    assert!(error.to_string().starts_with("garmin.db: file is not a database"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"my holiday notes, quite long ones, more than a header");
}

#[test]
fn account_is_in_every_primary_key_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), &[]).unwrap());
    let keys =
        "SELECT schema.name FROM sqlite_schema AS schema WHERE schema.type = 'table' AND schema.name NOT LIKE 'sqlite%'
        AND NOT EXISTS (SELECT 1 FROM pragma_table_info(schema.name) AS info WHERE info.pk > 0 AND
            (info.name = 'account' OR (schema.name = 'account' AND info.name = 'name')))";
    assert_eq!(rows(&look(dir.path()), keys), ["projection"], "which is about programs, not people");
}
