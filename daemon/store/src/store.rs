//! The [`Store`]: opening `garmin.db`, and what sync and accounts ask of it besides recording. One thread owns it. It must not know
//! which datasets there are, except that activities, where they exist, have originals.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::types::{FromSqlError, Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::database::{self, GARMIN, garmin};
use crate::error::Error;
use crate::files;
use crate::ledger::{LedgerEntry, State};
use crate::originals::Originals;
use crate::projection::Projection;
use crate::rebuild::bring_up_to_date;

/// The owner of `garmin.db`: Garmin's answers as they came, the tables made of them, the ledger and the runs. No secret enters it.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) projections: Vec<Projection>,
    pub(crate) outdated: BTreeSet<String>,
    originals: Originals,
}

/// A row of the `account` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// The account's name here.
    pub name: String,
    /// Garmin's number of the person.
    pub profile_id: Option<i64>,
    /// Garmin's name of the person in paths.
    pub display_name: Option<String>,
    /// The person's own name.
    pub full_name: Option<String>,
    /// `garmin.com` or `garmin.cn`.
    pub domain: String,
    /// IANA name.
    pub time_zone: Option<String>,
}

/// An activity whose original file is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityRef {
    /// Garmin's number of the activity.
    pub activity_id: i64,
    /// As the person named it.
    pub name: Option<String>,
    /// Garmin's word, such as `running`.
    pub activity_type: Option<String>,
    /// ISO 8601, the person's local time.
    pub start_local: Option<String>,
}

impl Store {
    /// Opens `data_dir/garmin.db` and makes what is missing: the directory (0750, masked by the umask; one that exists is left as it
    /// is), the database (0640, masked by the umask, so that a group may read it), our tables and those of `datasets`. A database of an
    /// older schema is copied to `data_dir/backups/` before it is changed. Datasets whose SQL has changed since their tables were made are
    /// [`Store::outdated`] then. Runs that never ended become `interrupted`.
    ///
    /// # Errors
    /// [`Error::Newer`] when a newer program wrote the database, [`Error::NoRoom`] when there is none for the copy, [`Error::Dataset`] when
    /// a declaration is wrong, [`Error::File`], [`Error::Database`].
    pub fn open(data_dir: &Path, datasets: &[Projection]) -> Result<Self, Error> {
        let originals = Originals::new(data_dir)?;
        files::create_shared(&data_dir.join(GARMIN))?;
        let mut connection = database::open_garmin(data_dir)?;
        let outdated = bring_up_to_date(&mut connection, datasets)?;
        // The end is not known, so `ended_utc` stays NULL.
        garmin(connection.execute("UPDATE sync_run SET outcome = 'interrupted' WHERE outcome IS NULL", []))?;
        Ok(Self { connection, projections: datasets.to_vec(), outdated, originals })
    }

    /// The writer of original files beside the database.
    #[must_use]
    pub fn originals(&self) -> &Originals {
        &self.originals
    }

    /// The whole ledger of `account`, by dataset and item, row by row: ten years are more than anybody wants in memory at once.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn each_entry(&self, account: &str, mut take: impl FnMut(LedgerEntry)) -> Result<(), Error> {
        let sql = format!("{ENTRIES} WHERE account = ?1 ORDER BY dataset, item");
        let mut statement = garmin(self.connection.prepare_cached(&sql))?;
        let rows = garmin(statement.query_map([account], entry))?;
        rows.into_iter().try_for_each(|row| garmin(row).map(&mut take))
    }

    /// What the ledger of `account` says of one dataset, by item.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn entries_of(&self, account: &str, dataset: &str) -> Result<Vec<LedgerEntry>, Error> {
        let sql = format!("{ENTRIES} WHERE account = ?1 AND dataset = ?2 ORDER BY item");
        let mut statement = garmin(self.connection.prepare_cached(&sql))?;
        let rows = garmin(statement.query_map((account, dataset), entry))?;
        garmin(rows.collect())
    }

    /// Writes what is known of a person, if it is new. What is `None` keeps what was known before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn upsert_account(&mut self, row: &AccountRow) -> Result<(), Error> {
        garmin(self.connection.execute(
            "INSERT INTO account (name, profile_id, display_name, full_name, domain, time_zone) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO UPDATE SET profile_id = coalesce(excluded.profile_id, profile_id),
                 display_name = coalesce(excluded.display_name, display_name),
                 full_name = coalesce(excluded.full_name, full_name), domain = excluded.domain,
                 time_zone = coalesce(excluded.time_zone, time_zone)
             WHERE (profile_id, display_name, full_name, domain, time_zone) IS NOT (coalesce(excluded.profile_id, profile_id),
                 coalesce(excluded.display_name, display_name), coalesce(excluded.full_name, full_name), excluded.domain,
                 coalesce(excluded.time_zone, time_zone))",
            (&row.name, row.profile_id, &row.display_name, &row.full_name, &row.domain, &row.time_zone),
        ))?;
        Ok(())
    }

    /// Whose data stand under the name `account`, as Garmin knows them; nobody's if there is no such row.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn account(&self, account: &str) -> Result<Option<AccountRow>, Error> {
        let mut statement = garmin(self.connection.prepare_cached(
            "SELECT name, profile_id, display_name, full_name, domain, time_zone FROM account WHERE name = ?1",
        ))?;
        garmin(
            statement
                .query_row([account], |row| {
                    Ok(AccountRow {
                        name: row.get(0)?,
                        profile_id: row.get(1)?,
                        display_name: row.get(2)?,
                        full_name: row.get(3)?,
                        domain: row.get(4)?,
                        time_zone: row.get(5)?,
                    })
                })
                .optional(),
        )
    }

    /// Whether anything was ever recorded of `account`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn knows(&self, account: &str) -> Result<bool, Error> {
        garmin(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM sync_run WHERE account = ?1)",
            [account],
            |row| row.get(0),
        ))
    }

    /// The activities, newest first, that are not deleted and whose original is not yet `ok`, `empty` or `unavailable` in the ledger.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn activities_without_original(&self, account: &str) -> Result<Vec<ActivityRef>, Error> {
        if !garmin(self.connection.table_exists(None, "activity"))? {
            return Ok(Vec::new());
        }
        let mut statement = garmin(self.connection.prepare_cached(
            "SELECT activity_id, name, type, start_local FROM activity WHERE account = ?1 AND deleted_utc IS NULL
             AND NOT EXISTS (SELECT 1 FROM ledger WHERE ledger.account = activity.account AND dataset = 'original'
                 AND item = CAST(activity_id AS TEXT) AND state IN ('ok', 'empty', 'unavailable'))
             ORDER BY start_local DESC, activity_id DESC",
        ))?;
        let rows = garmin(statement.query_map([account], |row| {
            Ok(ActivityRef {
                activity_id: row.get(0)?,
                name: row.get(1)?,
                activity_type: row.get(2)?,
                start_local: row.get(3)?,
            })
        }))?;
        garmin(rows.collect())
    }

    /// The newest day of `account` for which any dataset has data.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn newest_day(&self, account: &str) -> Result<Option<NaiveDate>, Error> {
        let day: Option<String> = garmin(self.connection.query_row(
            "SELECT max(day) FROM ledger WHERE account = ?1 AND state IN ('ok', 'provisional')",
            [account],
            |row| row.get(0),
        ))?;
        Ok(day.and_then(|day| day.parse().ok()))
    }
}

/// The columns that [`entry`] reads.
pub(crate) const ENTRIES: &str = "SELECT dataset, item, state, fetched_utc, attempts, since_utc, detail FROM ledger";

pub(crate) fn entry(row: &Row<'_>) -> rusqlite::Result<LedgerEntry> {
    Ok(LedgerEntry {
        dataset: row.get(0)?,
        item: row.get(1)?,
        state: state_column(row, 2)?,
        fetched_utc: time_column(row, 3)?,
        attempts: row.get(4)?,
        since_utc: maybe_time_column(row, 5)?,
        detail: row.get(6)?,
    })
}

/// A time as [`database::utc_text`] writes it.
pub(crate) fn time_column(row: &Row<'_>, index: usize) -> rusqlite::Result<DateTime<Utc>> {
    parsed_column(row, index)
}

pub(crate) fn maybe_time_column(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<DateTime<Utc>>> {
    if row.get_ref(index)? == ValueRef::Null { Ok(None) } else { time_column(row, index).map(Some) }
}

pub(crate) fn state_column(row: &Row<'_>, index: usize) -> rusqlite::Result<State> {
    parsed_column(row, index)
}

fn parsed_column<T: FromStr<Err: ToString>>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    row.get_ref(index)?.as_str()?.parse().map_err(|e: T::Err| {
        rusqlite::Error::FromSqlConversionFailure(
            index,
            Type::Text,
            Box::new(FromSqlError::Other(e.to_string().into())),
        )
    })
}
