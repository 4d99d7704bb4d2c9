//! The runs of sync, one row each in `sync_run`: begun, counted by every batch, ended once. Sync calls it; the clock and `status` live
//! on what it remembers. It must not know why a run was wanted.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row};

use crate::database::{garmin, utc_text};
use crate::error::Error;
use crate::store::{Store, maybe_time_column, time_column};

/// What the runs of an account say, all times UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastRuns {
    /// Start of the newest run, whatever its trigger.
    pub last_started: Option<DateTime<Utc>>,
    /// Whether the newest run came to an end of its own: there is one, and nothing stopped or killed the daemon under it.
    pub newest_is_over: bool,
    /// End of the newest run with outcome `ok`.
    pub last_ok_ended: Option<DateTime<Utc>>,
    /// What the newest run that is over complained about; nothing if it did not.
    pub last_error: Option<String>,
}

/// A row of the `sync_run` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub id: i64,
    /// Why it was wanted.
    pub trigger: String,
    /// Its beginning.
    pub started_utc: DateTime<Utc>,
    /// Its end; not known where the daemon was killed under it.
    pub ended_utc: Option<DateTime<Utc>>,
    /// How it ended; `None` while it runs.
    pub outcome: Option<String>,
    /// Requests sent.
    pub requests: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Items that were new.
    pub new_items: u64,
    /// Items that had changed.
    pub changed_items: u64,
    /// Why it did not end well.
    pub error: Option<String>,
}

impl Store {
    /// Writes the start of a run and returns its number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn begin_run(&mut self, account: &str, trigger: &str, at: DateTime<Utc>) -> Result<i64, Error> {
        garmin(self.connection.query_row(
            "INSERT INTO sync_run (account, id, \"trigger\", started_utc)
             VALUES (?1, (SELECT coalesce(max(id), 0) + 1 FROM sync_run), ?2, ?3) RETURNING id",
            (account, trigger, utc_text(at)),
            |row| row.get(0),
        ))
    }

    /// Writes how a run ended.
    ///
    /// # Errors
    /// [`Error::UnknownRun`], [`Error::Database`].
    pub fn end_run(&mut self, run: i64, outcome: &str, error: Option<&str>, at: DateTime<Utc>) -> Result<(), Error> {
        let found = garmin(self.connection.execute(
            "UPDATE sync_run SET outcome = ?2, error = ?3, ended_utc = ?4 WHERE id = ?1",
            (run, outcome, error, utc_text(at)),
        ))?;
        if found != 1 {
            return Err(Error::UnknownRun(run));
        }
        self.settle()
    }

    /// Moves what is in the write-ahead log into `garmin.db` itself, so that a copy of the one file is whole, and gives memory back.
    /// The log's files stay: a reader who may not write could not open the database without them.
    ///
    /// # Errors
    /// [`Error::Database`]. A reader in the middle of something is none: then it is done after the next run.
    pub fn settle(&self) -> Result<(), Error> {
        garmin(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))?;
        garmin(self.connection.execute_batch("PRAGMA shrink_memory"))
    }

    /// What the runs of `account` say.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn last_runs(&self, account: &str) -> Result<LastRuns, Error> {
        let newest = |sql: &str| {
            let time = self.connection.query_row(sql, [account], |row| time_column(row, 0)).optional();
            garmin(time)
        };
        Ok(LastRuns {
            last_started: newest("SELECT started_utc FROM sync_run WHERE account = ?1 ORDER BY id DESC LIMIT 1")?,
            newest_is_over: garmin(
                self.connection
                    .query_row(
                        "SELECT outcome IS NOT NULL AND outcome <> 'interrupted' FROM sync_run \
                         WHERE account = ?1 ORDER BY id DESC LIMIT 1",
                        [account],
                        |row| row.get(0),
                    )
                    .optional(),
            )?
            .unwrap_or(false),
            last_ok_ended: newest(
                "SELECT ended_utc FROM sync_run WHERE account = ?1 AND outcome = 'ok' ORDER BY id DESC LIMIT 1",
            )?,
            last_error: garmin(
                self.connection
                    .query_row(
                        "SELECT error FROM sync_run WHERE account = ?1 AND outcome IS NOT NULL ORDER BY id DESC LIMIT 1",
                        [account],
                        |row| row.get(0),
                    )
                    .optional(),
            )?
            .flatten(),
        })
    }

    /// The newest `last` runs of `account`, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn runs(&self, account: &str, last: u32) -> Result<Vec<RunRow>, Error> {
        let mut statement = garmin(self.connection.prepare_cached(
            "SELECT id, \"trigger\", started_utc, ended_utc, outcome, requests, bytes, new_items, changed_items, error
             FROM sync_run WHERE account = ?1 ORDER BY id DESC LIMIT ?2",
        ))?;
        let count = |row: &Row<'_>, index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        let rows = garmin(statement.query_map((account, last), |row| {
            Ok(RunRow {
                id: row.get(0)?,
                trigger: row.get(1)?,
                started_utc: time_column(row, 2)?,
                ended_utc: maybe_time_column(row, 3)?,
                outcome: row.get(4)?,
                requests: count(row, 5)?,
                bytes: count(row, 6)?,
                new_items: count(row, 7)?,
                changed_items: count(row, 8)?,
                error: row.get(9)?,
            })
        }))?;
        garmin(rows.collect())
    }
}
