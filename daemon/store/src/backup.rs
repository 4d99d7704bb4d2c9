//! Copies of `garmin.db` that are made before a release changes its schema: `data_dir/backups/garmin-<schema>-<date>.db`, whole and
//! compact, the last two. Opening the database calls it. It must not know what a schema holds.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;
use rusqlite::Connection;

use crate::database::{GARMIN, garmin};
use crate::error::Error;
use crate::files::{self, UNFINISHED};

/// Where they are, below the data directory.
const BACKUPS: &str = "backups";
/// So many are kept.
const KEPT: usize = 2;
/// Room that is wanted beside what is computed: for the log, and for others who use the disk.
const SPARE: u64 = 16 << 20;

/// Copies the database before it goes from schema `found` to `known`.
pub(crate) fn make(connection: &Connection, data_dir: &Path, found: i64, known: i64) -> Result<(), Error> {
    let dir = data_dir.join(BACKUPS);
    files::shared_dir(&dir)?;
    for unfinished in named(&dir, |name| name.starts_with(UNFINISHED)) {
        let _ = fs::remove_file(unfinished);
    }
    let pages: i64 = garmin(connection.pragma_query_value(None, "page_count", |row| row.get(0)))?;
    let page: i64 = garmin(connection.pragma_query_value(None, "page_size", |row| row.get(0)))?;
    // Once for the copy, and as much again for what the change may write before it is done.
    let needed = 2 * pages.unsigned_abs() * page.unsigned_abs() + SPARE;
    let free = fs4::available_space(&dir).map_err(Error::file("cannot read", &dir))?;
    if free < needed {
        return Err(Error::NoRoom { file: GARMIN, found, known, dir, needed, free });
    }
    let path = dir.join(format!("garmin-{found}-{}.db", Utc::now().format("%Y-%m-%d")));
    let unfinished = dir.join(format!("{UNFINISHED}{found}.db"));
    files::create_shared(&unfinished)?;
    garmin(connection.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()]))?;
    let written = fs::File::options().write(true).open(&unfinished).and_then(|file| file.sync_all());
    written.map_err(Error::file("cannot write", &unfinished))?;
    fs::rename(&unfinished, &path).map_err(Error::file("cannot write", &path))?;
    files::sync_dir(&dir)?;
    prune(&dir);
    Ok(())
}

/// All copies, whatever their number.
pub(crate) fn all(data_dir: &Path) -> Vec<PathBuf> {
    let is_ours = |path: &PathBuf| schema_of(path).is_some();
    named(&data_dir.join(BACKUPS), |_| true).into_iter().filter(is_ours).collect()
}

/// Best effort: one copy too many harms nobody.
fn prune(dir: &Path) {
    let mut backups: Vec<(i64, PathBuf)> =
        named(dir, |_| true).into_iter().filter_map(|path| Some((schema_of(&path)?, path))).collect();
    // By schema, then by date, which stands behind it in the name.
    backups.sort();
    for (_, path) in backups.iter().rev().skip(KEPT) {
        let _ = fs::remove_file(path);
    }
}

/// The schema number in a copy's name; `None` for what is not ours.
fn schema_of(path: &Path) -> Option<i64> {
    let name = path.file_name()?.to_str()?;
    let (schema, date) = name.strip_prefix("garmin-")?.strip_suffix(".db")?.split_once('-')?;
    date.parse::<chrono::NaiveDate>().ok()?;
    schema.parse().ok()
}

fn named(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| wanted(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
}
