//! Opening the vault: permissions, key, schema, and what happens to a vault that cannot be read. Called once, when the daemon
//! starts. It must never overwrite or throw away what it cannot read.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chrono::Utc;
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use rusqlite_migration::M;

use super::key::{Key, KeySource};
use super::seal::{Sealed, Sealer};
use super::{KeptAside, Opened, VAULT, Vault, vault};
use crate::database::{connect, migrate, refuse_newer, schema_number};
use crate::error::Error;
use crate::files;

/// The schemas of `vault.db`, oldest first. A released one is never edited: add another.
const SCHEMAS: &[M<'_>] = &[M::up(
    "CREATE TABLE secret (
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        nonce BLOB NOT NULL,
        sealed BLOB NOT NULL,
        updated_utc TEXT NOT NULL,
        PRIMARY KEY (account, kind)
    ) STRICT;

    -- Secrets that did not open when they were replaced.
    CREATE TABLE kept (
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        nonce BLOB NOT NULL,
        sealed BLOB NOT NULL,
        updated_utc TEXT NOT NULL,
        kept_utc TEXT NOT NULL
    ) STRICT;

    -- One row, sealed when the vault was made: tells a wrong key at once.
    CREATE TABLE key_check (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        nonce BLOB NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;",
)];

/// How every SQLite database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Whose and what the check row is; no account and no kind of secret is called so.
const CHECK: (&str, &str) = ("", "key check");

impl Vault {
    /// Opens `state_dir/vault.db`, or makes it. The directory is made 0700, the database 0600 from its first byte. A vault that cannot
    /// be read with this key is renamed to `vault.db.unreadable-…`, unharmed, and a fresh one takes its place.
    ///
    /// # Errors
    /// [`Error::Key`] for a missing credential or a malformed key, [`Error::Exposed`] for a key file or directory that others can read,
    /// [`Error::Foreign`] and [`Error::NotAFile`] for what is not ours, [`Error::Newer`] when a newer program wrote the vault,
    /// [`Error::File`], [`Error::Database`]. The vault is not touched then.
    pub fn open(state_dir: &Path, source: KeySource) -> Result<Opened, Error> {
        let mut tightened = Vec::new();
        if files::private_dir(state_dir, &OUR_DIRECTORIES)? {
            tightened.push(state_dir.to_path_buf());
        }
        let path = state_dir.join(VAULT);
        let known = source.read()?;
        let unreadable = unreadable(&path, known.as_ref().map(|(key, _)| key))?;
        let (key, key_origin) = match known {
            Some(known) => known,
            None => source.create()?,
        };
        let kept_aside = match unreadable {
            Some(why) => Some(KeptAside { path: put_aside(&path)?, why: why.into() }),
            None => None,
        };
        if files::private_file(&path)? {
            tightened.push(path.clone());
        }
        let mut connection = vault(connect(&path))?;
        migrate(&mut connection, VAULT, SCHEMAS, |connection| {
            // A rollback journal leaves one file and no old pages beside it. EXTRA is FULL plus the flush of the directory that makes a
            // commit in this mode outlive a power cut.
            connection.pragma_update(None, "journal_mode", "DELETE")?;
            connection.pragma_update(None, "synchronous", "EXTRA")?;
            connection.pragma_update(None, "secure_delete", "ON")
        })?;
        let sealer = Sealer::new(&key);
        let Sealed { nonce, sealed } = sealer.seal(CHECK.0, CHECK.1, &[])?;
        vault(connection.execute(
            "INSERT INTO key_check (id, nonce, sealed) VALUES (1, ?1, ?2) ON CONFLICT (id) DO NOTHING",
            (nonce, sealed),
        ))?;
        Ok(Opened { vault: Self { connection, sealer }, kept_aside, key_origin, tightened })
    }
}

/// Directories that a state directory may hold: the data, where both were put in one place.
const OUR_DIRECTORIES: [&str; 2] = ["data", "activities"];

/// Why the vault at `path` cannot be read with `key`, if that is so. Other trouble, such as a locked or newer database, is an error:
/// it may pass.
fn unreadable(path: &Path, key: Option<&Key>) -> Result<Option<&'static str>, Error> {
    let mut head = Vec::new();
    let file = match files::open_own(path, OpenOptions::new().read(true)) {
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.take(MAGIC.len() as u64).read_to_end(&mut head) {
        Err(e) => return Err(Error::file("cannot read", path)(e)),
        // Its maker was killed before the first write.
        Ok(0) => return Ok(None),
        // Asked before SQLite is: it would clear away what lies beside the file.
        Ok(_) if head != MAGIC => return Ok(Some("the file is damaged")),
        Ok(_) => {}
    }
    let damaged = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(Some("the file is damaged")),
        _ => Err(Error::Database { file: VAULT, source: e }),
    };
    let connection = vault(connect(path))?;
    match schema_number(&connection) {
        Ok(found) => refuse_newer(VAULT, found, SCHEMAS)?,
        Err(e) => return damaged(e),
    }
    examine(&connection, key).or_else(damaged)
}

fn examine(connection: &Connection, key: Option<&Key>) -> rusqlite::Result<Option<&'static str>> {
    let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if sound != "ok" {
        return Ok(Some("the file is damaged"));
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(None);
    }
    if !connection.table_exists(None, "key_check")? || !connection.table_exists(None, "secret")? {
        return Ok(Some("the file is not a vault"));
    }
    let Some(key) = key else { return Ok(Some("its key file is missing")) };
    let check = connection
        .query_row("SELECT nonce, sealed FROM key_check", [], |row| {
            Ok(Sealed { nonce: row.get(0)?, sealed: row.get(1)? })
        })
        .optional()?;
    Ok(match check {
        Some(check) => Sealer::new(key)
            .open(CHECK.0, CHECK.1, &check)
            .is_none()
            .then_some("the key is not the one it was sealed with"),
        // Its maker was killed before the check was written, or somebody removed it.
        None => {
            let secrets: i64 = connection.query_row("SELECT count(*) FROM secret", [], |row| row.get(0))?;
            (secrets > 0).then_some("its key cannot be checked")
        }
    })
}

/// Renames the vault, with what SQLite keeps beside it, to a name that is free.
fn put_aside(path: &Path) -> Result<PathBuf, Error> {
    const BESIDE: [&str; 4] = ["", "-journal", "-wal", "-shm"];
    let name = Utc::now().format(".unreadable-%Y%m%dT%H%M%SZ").to_string();
    let free = (1_u32..)
        .map(|n| files::with_suffix(path, &if n == 1 { name.clone() } else { format!("{name}-{n}") }))
        .find(|aside| BESIDE.iter().all(|suffix| fs::symlink_metadata(files::with_suffix(aside, suffix)).is_err()));
    let aside = free.unwrap_or_else(|| files::with_suffix(path, &name));
    // The database last: as long as it has its name, the next start finds the vault and tries again.
    for suffix in BESIDE.iter().rev() {
        let from = files::with_suffix(path, suffix);
        match fs::rename(&from, files::with_suffix(&aside, suffix)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::file("cannot rename", from)(e)),
            _ => {}
        }
    }
    files::sync_dir(files::parent(path))?;
    Ok(aside)
}
