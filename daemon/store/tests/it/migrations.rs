//! Databases of every schema there ever was, kept in `tests/golden`: each comes to the newest one whole, with a copy of itself beside it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use garminsync_store::{Error, Store};
use rusqlite::Connection;

use crate::{look, rows};

/// The golden databases, by schema.
fn golden() -> BTreeMap<i64, Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let schema = |name: &str| name.strip_prefix("garmin-")?.strip_suffix(".db.zst")?.parse().ok();
    let found = entries.filter_map(|entry| {
        let schema = schema(entry.file_name().to_str()?)?;
        Some((schema, zstd::decode_all(fs::read(entry.path()).unwrap().as_slice()).unwrap()))
    });
    found.collect()
}

fn schema(database: &Connection) -> i64 {
    database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// Every row of every table, without the columns that later schemas add.
fn everything(database: &Connection, columns: &BTreeMap<String, String>) -> Vec<String> {
    columns
        .iter()
        .flat_map(|(table, columns)| rows(database, &format!("SELECT {columns} FROM \"{table}\" ORDER BY 1, 2, 3")))
        .collect()
}

/// The tables of a database, and the columns of each.
fn columns(database: &Connection) -> BTreeMap<String, String> {
    let tables = rows(database, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
    let columns = |table: &String| {
        rows(database, &format!("SELECT '\"' || name || '\"' FROM pragma_table_xinfo('{table}')")).join(", ")
    };
    tables.iter().map(|table| (table.clone(), columns(table))).collect()
}

fn backups(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        fs::read_dir(dir.join("backups")).into_iter().flatten().map(|e| e.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn every_schema_comes_to_the_newest_with_every_row_and_a_copy() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), &[]).unwrap());
    let newest = schema(&look(dir.path()));
    assert!(backups(dir.path()).is_empty(), "a new database needs no copy");
    let golden = golden();
    assert_eq!(
        golden.keys().copied().collect::<Vec<_>>(),
        (1..newest).collect::<Vec<_>>(),
        "one for each schema before"
    );

    for (number, bytes) in golden {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("garmin.db"), &bytes).unwrap();
        let old = look(dir.path());
        assert_eq!(schema(&old), number);
        let columns = columns(&old);
        let before = everything(&old, &columns);
        assert!(before.len() > 300);
        drop(old);

        drop(Store::open(dir.path(), &[]).unwrap());
        let now = look(dir.path());
        assert_eq!(schema(&now), newest);
        assert_eq!(everything(&now, &columns), before);
        assert_eq!(rows(&now, "PRAGMA integrity_check"), ["ok"]);
        assert_eq!(rows(&now, "PRAGMA auto_vacuum"), ["2"]);

        let copies = backups(dir.path());
        let [copy] = copies.as_slice() else { panic!("{copies:?}") };
        let name = copy.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("garmin-{number}-20")) && name.ends_with(".db"), "{name}");
        let copy = Connection::open(copy).unwrap();
        assert_eq!((schema(&copy), everything(&copy, &columns)), (number, before));

        // It is made once.
        let made = backups(dir.path());
        drop(Store::open(dir.path(), &[]).unwrap());
        assert_eq!(backups(dir.path()), made);
    }
}

#[test]
fn the_last_two_copies_are_kept_and_nothing_else_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("backups");
    fs::create_dir(&folder).unwrap();
    for name in [
        "garmin-0-2025-01-01.db",
        "garmin-1-2024-12-31.db",
        "garmin-1-my-own.db",
        "notes.txt",
        ".garminsync-unfinished-1.db",
    ] {
        fs::write(folder.join(name), "x").unwrap();
    }
    fs::write(dir.path().join("garmin.db"), &golden()[&1]).unwrap();
    drop(Store::open(dir.path(), &[]).unwrap());
    let names: Vec<_> =
        backups(dir.path()).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names.iter().any(|name| name == "garmin-1-2024-12-31.db"));
    assert!(names.iter().any(|name| name.starts_with("garmin-1-202") && name != "garmin-1-2024-12-31.db"));
    assert!(names.contains(&"garmin-1-my-own.db".into()) && names.contains(&"notes.txt".into()));
}

#[test]
fn without_a_copy_there_is_no_change() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = &golden()[&1];
    fs::write(dir.path().join("garmin.db"), bytes).unwrap();
    fs::write(dir.path().join("backups"), "a file, where the directory should be").unwrap();
    let error = Store::open(dir.path(), &[]).unwrap_err().to_string();
    assert!(error.contains("backups"), "{error}");
    assert_eq!(&fs::read(dir.path().join("garmin.db")).unwrap(), bytes);
}

#[test]
fn without_room_for_the_copy_there_is_no_change() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("garmin.db");
    fs::write(&path, &golden()[&1]).unwrap();
    let (page, free): (u64, _) = (4096, fs4::available_space(dir.path()).unwrap());
    // As large as half of what is free, all of it hole: SQLite goes by the number in the header, and that by the length.
    let pages = u32::try_from(free / 2 / page).unwrap();
    let mut file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(u64::from(pages) * page).unwrap();
    file.seek(SeekFrom::Start(28)).unwrap();
    file.write_all(&pages.to_be_bytes()).unwrap();
    drop(file);
    let head = || {
        let mut head = vec![0; 64 << 10];
        fs::File::open(&path).unwrap().read_exact(&mut head).unwrap();
        head
    };
    let before = head();
    let error = Store::open(dir.path(), &[]).unwrap_err();
    assert!(matches!(error, Error::NoRoom { found: 1, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("nothing was changed: make room and start again"), "{text}");
    assert!(head() == before && backups(dir.path()).is_empty(), "{text}");
}
