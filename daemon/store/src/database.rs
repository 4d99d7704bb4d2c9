//! What both databases share: connections, schema numbers, and the schema of `garmin.db`. The store and the vault open through it. It
//! must not know datasets or secrets.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use crate::backup;
use crate::error::Error;

/// File name of the database that people query.
pub(crate) const GARMIN: &str = "garmin.db";

/// How long to wait for another program that holds the database: people query `garmin.db` while we write.
const BUSY: Duration = Duration::from_secs(5);

/// SQLite's number for `auto_vacuum = INCREMENTAL`.
const INCREMENTAL: i64 = 2;

/// The schemas of `garmin.db`, oldest first. A released one is never edited: add another.
const SCHEMAS: &[M<'_>] = &[M::up(
    "CREATE TABLE account (
        name TEXT NOT NULL PRIMARY KEY,
        profile_id INTEGER,
        display_name TEXT,
        full_name TEXT,
        domain TEXT NOT NULL,
        time_zone TEXT
    ) STRICT, WITHOUT ROWID;

    -- Garmin's answers as they came: every other table of data can be rebuilt from it.
    CREATE TABLE answer (
        account TEXT NOT NULL,
        dataset TEXT NOT NULL,
        item TEXT NOT NULL,
        fetched_utc TEXT NOT NULL,
        sha256 TEXT NOT NULL, -- of the body before compression
        body BLOB NOT NULL,   -- zstd
        PRIMARY KEY (account, dataset, item)
    ) STRICT;

    CREATE TABLE ledger (
        account TEXT NOT NULL,
        dataset TEXT NOT NULL,
        item TEXT NOT NULL,   -- a day or an activity id
        day TEXT GENERATED ALWAYS AS (CASE WHEN item GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' THEN item END) VIRTUAL,
        state TEXT NOT NULL,
        fetched_utc TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        detail TEXT,
        PRIMARY KEY (account, dataset, item)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE original (
        account TEXT NOT NULL,
        activity_id INTEGER NOT NULL,
        path TEXT NOT NULL,   -- relative to the data directory
        format TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        fetched_utc TEXT NOT NULL,
        PRIMARY KEY (account, activity_id)
    ) STRICT, WITHOUT ROWID;

    -- Pauses that Garmin asked for.
    CREATE TABLE pause (
        account TEXT NOT NULL,
        tier TEXT NOT NULL,
        until_utc TEXT NOT NULL,
        strikes INTEGER NOT NULL,
        PRIMARY KEY (account, tier)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sync_run (
        account TEXT NOT NULL,
        id INTEGER NOT NULL UNIQUE,
        \"trigger\" TEXT NOT NULL,
        started_utc TEXT NOT NULL,
        ended_utc TEXT,
        outcome TEXT,         -- NULL while it runs
        requests INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        new_items INTEGER NOT NULL DEFAULT 0,
        changed_items INTEGER NOT NULL DEFAULT 0,
        error TEXT,
        PRIMARY KEY (account, id)
    ) STRICT;

    -- Which SQL made the tables of a dataset.
    CREATE TABLE projection (
        dataset TEXT NOT NULL PRIMARY KEY,
        sql_sha256 TEXT NOT NULL,
        tables TEXT NOT NULL  -- names, separated by commas
    ) STRICT, WITHOUT ROWID;",
), M::up(
    "-- When the failures in a row began, or since when this account cannot have it.
    ALTER TABLE ledger ADD COLUMN since_utc TEXT;
    -- [retention] removed the file; it is not fetched again.
    ALTER TABLE original ADD COLUMN dropped_utc TEXT;",
)];

/// Opens `garmin.db` and brings its schema up to date, after a copy of what was there.
pub(crate) fn open_garmin(data_dir: &Path) -> Result<Connection, Error> {
    let mut connection = garmin(connect(&data_dir.join(GARMIN)))?;
    let (found, known) = (garmin(schema_number(&connection))?, integer(SCHEMAS.len() as u64));
    if (1..known).contains(&found) {
        backup::make(&connection, data_dir, found, known)?;
    }
    migrate(&mut connection, GARMIN, SCHEMAS, |connection| {
        // Room that retention frees goes back to the disk. A database that is not empty has to be packed once for it, which the copy
        // has just shown there is room for.
        let vacuum: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
        if found < known && vacuum != INCREMENTAL {
            connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
            connection.execute_batch("VACUUM")?;
        }
        // WAL lets people read while we write. NORMAL cannot lose a transaction when our process is killed, nor damage the file; when the
        // machine dies, the newest transactions may be gone, ledger included, and are simply fetched from Garmin again. FULL would
        // cost a disk flush per request.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")
    })?;
    Ok(connection)
}

/// Opens a database file that exists. Changes nothing in it.
pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// Brings a database to the newest of `schemas`, after `settings`. A newer one is refused before anything is touched.
pub(crate) fn migrate(
    connection: &mut Connection,
    file: &'static str,
    schemas: &'static [M<'static>],
    settings: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), Error> {
    let database = |source| Error::Database { file, source };
    let found = schema_number(connection).map_err(database)?;
    refuse_newer(file, found, schemas)?;
    settings(connection).map_err(database)?;
    Migrations::from_slice(schemas).to_latest(connection).map_err(|e| match e {
        rusqlite_migration::Error::RusqliteError { err, .. } => database(err),
        other => Error::Stored { file, what: format!("its schema ({other})") },
    })
}

/// A schema number that `schemas` does not reach was written by a newer program.
pub(crate) fn refuse_newer(file: &'static str, found: i64, schemas: &[M<'_>]) -> Result<(), Error> {
    let known = integer(schemas.len() as u64);
    if found > known { Err(Error::Newer { file, found, known }) } else { Ok(()) }
}

pub(crate) fn schema_number(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Names the database in an error of SQLite's.
pub(crate) fn garmin<T>(result: rusqlite::Result<T>) -> Result<T, Error> {
    result.map_err(|source| Error::Database { file: GARMIN, source })
}

/// ISO 8601 in UTC to the second, as every `…_utc` column has it; such texts sort as the times do.
pub(crate) fn utc_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// SQLite's integers are signed.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
