//! A look at `garmin.db` from outside, on a connection of its own that cannot write: whether the file is sound. `doctor` asks, beside a running
//! store. It must not change anything, and takes no longer than it may.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::database::{GARMIN, garmin};
use crate::error::Error;

/// What the look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examined {
    /// Sound.
    Sound,
    /// Damaged; SQLite's first words about it.
    Damaged(String),
    /// Too large to be looked at in that time.
    Unfinished,
}

/// Looks whether `data_dir/garmin.db` is sound, for at most `limit`.
///
/// # Errors
/// [`Error::Database`] when it cannot be opened.
pub fn examine(data_dir: &Path, limit: Duration) -> Result<Examined, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = garmin(Connection::open_with_flags(data_dir.join(GARMIN), flags))?;
    let stop = connection.get_interrupt_handle();
    let (done, waits) = mpsc::channel::<()>();
    let timer = thread::spawn(move || {
        if waits.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            stop.interrupt();
        }
    });
    let said = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    drop(done);
    let _ = timer.join();
    match said {
        Ok(said) if said == "ok" => Ok(Examined::Sound),
        Ok(said) => Ok(Examined::Damaged(said)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Ok(Examined::Unfinished),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(Examined::Damaged(error.to_string())),
            _ => garmin(Err(error)),
        },
    }
}
