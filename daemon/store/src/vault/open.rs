//! Opening the vault: permissions, key, schema, and what happens to a vault that cannot be read. Called once, when the daemon
//! starts. It must never overwrite or throw away what it cannot read.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chrono::Utc;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use rusqlite_migration::M;

use super::key::{Chosen, Key, KeySource, Keys};
use super::seal::{Sealed, Sealer};
use super::{KeptAside, Opened, VAULT, Vault, vault};
use crate::database::{connect, migrate, refuse_newer, schema_number};
use crate::error::Error;
use crate::files;

/// The schemas of `vault.db`, oldest first. A released one is never edited: add another.
const SCHEMAS: &[M<'_>] = &[
    M::up(
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
    ),
    M::up(
        "-- One row: where the key is that opens this vault (a word of the configuration), and its name in the keyring.
        CREATE TABLE key_source (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            source TEXT NOT NULL,
            entry TEXT
        ) STRICT;",
    ),
];

/// How every SQLite database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// What is put behind the name of a vault that is kept because it cannot be read; then comes the moment.
const UNREADABLE: &str = ".unreadable-";

/// The database, and what SQLite keeps beside it.
const BESIDE: [&str; 4] = ["", "-journal", "-wal", "-shm"];

/// Why a file cannot be read that SQLite cannot read.
const DAMAGED: &str = "the file is damaged";

/// Whose and what the check row is; no account and no kind of secret is called so.
pub(super) const CHECK: (&str, &str) = ("", "key check");

impl Vault {
    /// Opens `state_dir/vault.db`, or makes it. The directory is made 0700, the database 0600 from its first byte. The vault remembers
    /// where its key is and opens with that, whatever is preferred by now; then the key is moved, if it is wished elsewhere. A vault
    /// that cannot be read with any key there is gets renamed to `vault.db.unreadable-…`, unharmed, and a fresh one takes its place.
    ///
    /// # Errors
    /// [`Error::KeyringClosed`] and [`Error::NoCredential`] for a key that cannot be had now, [`Error::Key`] for a malformed one,
    /// [`Error::Exposed`] for a key file or directory that others can read, [`Error::Foreign`] and [`Error::NotAFile`] for what is not
    /// ours, [`Error::Newer`] when a newer program wrote the vault, [`Error::File`], [`Error::Database`]. The vault is not touched then.
    pub fn open(state_dir: &Path, keys: &Keys) -> Result<Opened, Error> {
        let mut tightened = Vec::new();
        if files::private_dir(state_dir, &OUR_DIRECTORIES)? {
            tightened.push(state_dir.to_path_buf());
        }
        let path = state_dir.join(VAULT);
        let (chosen, unreadable) = match look(&path, keys)? {
            Found::Opens(chosen) => (chosen, None),
            Found::Nothing => (keys.for_new_vault()?, None),
            Found::Unreadable(why) => (keys.for_new_vault()?, Some(why)),
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
        let mut opened = Self { connection, sealer: Sealer::new(&chosen.key) };
        opened.remember(&chosen)?;
        let (key, moved_from, not_moved) = match keys.wish {
            Some(wish) if wish != chosen.source => match keys.obtain(wish).and_then(|new| opened.reseal(&new)) {
                Ok(()) => (wish, Some(chosen.source), None),
                Err(why) => (chosen.source, None, Some(why)),
            },
            _ => (chosen.source, None, None),
        };
        Ok(Opened { vault: opened, kept_aside, key, moved_from, not_moved, tightened })
    }

    /// The vaults that earlier starts could not read and that still lie in this directory, oldest first.
    pub fn kept_before(state_dir: &Path) -> Vec<PathBuf> {
        let is_vault = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let rest = name.strip_prefix(VAULT).and_then(|rest| rest.strip_prefix(UNREADABLE));
            rest.is_some_and(|rest| !BESIDE.iter().any(|beside| !beside.is_empty() && rest.ends_with(beside)))
        };
        let entries = fs::read_dir(state_dir).into_iter().flatten().filter_map(Result::ok);
        let mut kept: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_vault).collect();
        kept.sort();
        kept
    }

    /// Where the key of the vault in this directory is; nothing if there is no vault, or one that does not say. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Database`], for what is no vault too.
    pub fn sealed_with(state_dir: &Path) -> Result<Option<KeySource>, Error> {
        let path = state_dir.join(VAULT);
        if !path.exists() {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = vault(Connection::open_with_flags(path, flags))?;
        vault(label(&connection)).map(|label| label.map(|(source, _)| source))
    }
}

/// Directories that a state directory may hold: the data, where both were put in one place.
const OUR_DIRECTORIES: [&str; 2] = ["data", "activities"];

/// What is in the vault's place.
enum Found {
    /// A vault, and the key that opens it.
    Opens(Chosen),
    /// No vault, or one whose maker was killed before it was one.
    Nothing,
    /// Something that no key there is opens.
    Unreadable(&'static str),
}

/// Looks at what is in the vault's place and changes nothing. Trouble that may pass, such as a locked or newer database or a key that
/// cannot be had now, is an error.
fn look(path: &Path, keys: &Keys) -> Result<Found, Error> {
    let mut head = Vec::new();
    let file = match files::open_own(path, OpenOptions::new().read(true)) {
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        opened => opened?,
    };
    match file.take(MAGIC.len() as u64).read_to_end(&mut head) {
        Err(e) => return Err(Error::file("cannot read", path)(e)),
        // Its maker was killed before the first write.
        Ok(0) => return Ok(Found::Nothing),
        // Asked before SQLite is: it would clear away what lies beside the file.
        Ok(_) if head != MAGIC => return Ok(Found::Unreadable(DAMAGED)),
        Ok(_) => {}
    }
    let connection = vault(connect(path))?;
    let contents = schema_number(&connection).and_then(|found| Ok((found, examine(&connection)?)));
    let contents = match contents {
        Ok((found, contents)) => {
            refuse_newer(VAULT, found, SCHEMAS)?;
            contents
        }
        Err(e) => match e.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => return Ok(Found::Unreadable(DAMAGED)),
            _ => return Err(Error::Database { file: VAULT, source: e }),
        },
    };
    match contents {
        Contents::Nothing => Ok(Found::Nothing),
        Contents::Unreadable(why) => Ok(Found::Unreadable(why)),
        Contents::Sealed { check, label } => with_a_key(&check, label, keys),
    }
}

/// Finds the key that opens the vault: the one it was sealed with, or else any that is at hand, since a key may have been carried from
/// one place to another.
fn with_a_key(check: &Sealed, label: Option<(KeySource, Option<String>)>, keys: &Keys) -> Result<Found, Error> {
    let opens = |key: &Key| Sealer::new(key).open(CHECK.0, CHECK.1, check).is_some();
    // A vault of the first schema does not say; its key was the credential where there was one.
    let unlabelled = if keys.credential.is_some() { KeySource::Credential } else { KeySource::File };
    let (own, entry) = label.unwrap_or((unlabelled, None));
    let first = keys.read(own, entry.as_deref());
    if let Ok(Some(key)) = first.as_ref().map(Option::as_ref)
        && opens(key)
    {
        return Ok(Found::Opens(Chosen { key: key.clone(), source: own, entry }));
    }
    for source in [KeySource::Credential, KeySource::File] {
        if source != own
            && let Ok(Some(key)) = keys.read(source, None)
            && opens(&key)
        {
            return Ok(Found::Opens(Chosen { key, source, entry: None }));
        }
    }
    match first? {
        Some(_) => Ok(Found::Unreadable("the key is not the one it was sealed with")),
        None => Ok(Found::Unreadable("its key file is missing")),
    }
}

/// What a database in the vault's place holds.
enum Contents {
    Nothing,
    Unreadable(&'static str),
    Sealed { check: Sealed, label: Option<(KeySource, Option<String>)> },
}

fn examine(connection: &Connection) -> rusqlite::Result<Contents> {
    let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if sound != "ok" {
        return Ok(Contents::Unreadable(DAMAGED));
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Contents::Nothing);
    }
    if !connection.table_exists(None, "key_check")? || !connection.table_exists(None, "secret")? {
        return Ok(Contents::Unreadable("the file is not a vault"));
    }
    let check = connection
        .query_row("SELECT nonce, sealed FROM key_check", [], |row| {
            Ok(Sealed { nonce: row.get(0)?, sealed: row.get(1)? })
        })
        .optional()?;
    match check {
        Some(check) => Ok(Contents::Sealed { check, label: label(connection)? }),
        // Its maker was killed before the check was written, or somebody removed it.
        None => {
            let secrets: i64 = connection.query_row("SELECT count(*) FROM secret", [], |row| row.get(0))?;
            Ok(if secrets > 0 { Contents::Unreadable("its key cannot be checked") } else { Contents::Nothing })
        }
    }
}

/// Where the vault says its key is. Nothing from the first schema.
fn label(connection: &Connection) -> rusqlite::Result<Option<(KeySource, Option<String>)>> {
    if !connection.table_exists(None, "key_source")? {
        return Ok(None);
    }
    let row = connection
        .query_row("SELECT source, entry FROM key_source", [], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
        .optional()?;
    Ok(row.and_then(|(word, entry)| Some((KeySource::of(&word)?, entry))))
}

/// Renames the vault, with what SQLite keeps beside it, to a name that is free.
fn put_aside(path: &Path) -> Result<PathBuf, Error> {
    let name = format!("{UNREADABLE}{}", Utc::now().format("%Y%m%dT%H%M%SZ"));
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
