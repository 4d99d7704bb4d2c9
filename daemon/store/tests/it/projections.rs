//! Opening the store: schemas, dataset tables, and their rebuild from the archive.

use std::fs;

use garminsync_store::{Error, Projection, State, Store};

use crate::{activities, batch, look, noon, open, rows, steps};

const TABLES: [&str; 3] =
    ["SELECT * FROM steps ORDER BY 1, 2", "SELECT * FROM activity ORDER BY 1, 2", "SELECT * FROM lap ORDER BY 1, 2, 3"];

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

    let again =
        |projection: Projection| Projection { sql_project: projection.sql_project + " -- as before", ..projection };
    drop(Store::open(dir.path(), &[again(steps()), again(activities())]).unwrap());
    assert_eq!(tables(dir.path()), before);
}

#[test]
fn what_did_not_change_is_left_alone_and_a_lost_table_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let before = tables(dir.path());
    look(dir.path()).execute_batch("UPDATE steps SET steps = 99; DROP TABLE lap").unwrap();
    drop(open(dir.path()));
    assert_eq!(rows(&look(dir.path()), "SELECT DISTINCT steps FROM steps"), ["99"]);
    assert_eq!(tables(dir.path())[1..], before[1..]);
}

#[test]
fn changed_sql_brings_new_columns_and_drops_tables_that_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
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
    };
    let plain = Projection {
        tables: vec!["activity".into()],
        sql_tables: "CREATE TABLE IF NOT EXISTS activity (account TEXT, name TEXT, PRIMARY KEY (account, name))".into(),
        sql_project: "INSERT INTO activity VALUES (:account, :body ->> '$.name') ON CONFLICT DO NOTHING".into(),
        ..activities()
    };
    drop(Store::open(dir.path(), &[goals, plain]).unwrap());
    let people = look(dir.path());
    assert_eq!(
        rows(&people, "SELECT * FROM daily ORDER BY 1, 2"),
        ["default|2026-10-20|5", "default|2026-10-21|6", "other|2026-10-20|5"]
    );
    assert_eq!(rows(&people, "SELECT count(*) FROM lap"), ["3"]);
    assert_eq!(rows(&people, "SELECT name FROM activity"), ["Morning run"]);
    assert_eq!(rows(&people, "SELECT count(*) FROM sqlite_schema WHERE name = 'steps'"), ["0"]);
}

#[test]
fn a_rebuild_that_fails_leaves_the_old_tables() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let before = tables(dir.path());
    let narrow = Projection {
        sql_tables: "CREATE TABLE IF NOT EXISTS steps (account TEXT, day TEXT, steps INTEGER CHECK (steps > 20))"
            .into(),
        ..steps()
    };
    match Store::open(dir.path(), &[narrow, activities()]).unwrap_err() {
        Error::Projection { dataset, item, .. } => {
            assert_eq!((dataset.as_str(), item.as_str()), ("steps", "2026-10-20"))
        }
        other => panic!("{other}"),
    }
    assert_eq!(tables(dir.path()), before);
    drop(open(dir.path()));
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
    assert!(matches!(error, Error::Newer { file: "garmin.db", found: 77, known: 1 }));
    assert!(
        error.to_string().starts_with("garmin.db has schema 77, this garminsyncd knows schemas up to 1"),
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
