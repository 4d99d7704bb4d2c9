//! Why something is asked for: what the tables and the archive know of days and things. Sync calls it before it plans. It must not know
//! which datasets there are: the questions come with them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{OptionalExtension, Row};

use crate::database::garmin;
use crate::error::Error;
use crate::originals::sha256_hex;
use crate::projection::GONE;
use crate::rebuild::Unpacker;
use crate::store::{Store, time_column};

/// A thing that other tables name: an activity, a gear item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// What identifies it.
    pub item: String,
    /// Its day or local time, if it has one.
    pub day: Option<String>,
    /// When what is known of it last changed, UTC.
    pub changed_utc: Option<DateTime<Utc>>,
}

impl Store {
    /// The answer that is held of an item, as Garmin sent it; none where Garmin has it no more.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Stored`] where it cannot be unpacked.
    pub fn answer(&self, account: &str, dataset: &str, item: &str) -> Result<Option<String>, Error> {
        let mut statement = garmin(
            self.connection.prepare_cached("SELECT body FROM answer WHERE account = ?1 AND dataset = ?2 AND item = ?3"),
        )?;
        let body: Option<Vec<u8>> = garmin(statement.query_row((account, dataset, item), |row| row.get(0)).optional())?;
        let body = body.map(|body| Unpacker::new()?.unpack(dataset, item, &body)).transpose()?;
        Ok(body.filter(|body| body != GONE))
    }

    /// The days from `first` to `last` of which `dataset` has an answer; `true`: Garmin has the day no more.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn days_held(
        &self,
        account: &str,
        dataset: &str,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<BTreeMap<NaiveDate, bool>, Error> {
        let mut statement = garmin(self.connection.prepare_cached(
            "SELECT item, sha256 = ?5 FROM answer WHERE account = ?1 AND dataset = ?2 AND item BETWEEN ?3 AND ?4",
        ))?;
        let range = (account, dataset, first.to_string(), last.to_string(), sha256_hex(GONE.as_bytes()));
        let day = |row: &Row<'_>| Ok(row.get_ref(0)?.as_str()?.parse().ok().zip(Some(row.get(1)?)));
        let rows = garmin(statement.query_map(range, day))?;
        garmin(rows.filter_map(Result::transpose).collect())
    }

    /// The days before `before` of which the ledger says that `dataset` has nothing although `column` of `table` says otherwise, and what it
    /// says beside.
    ///
    /// # Errors
    /// [`Error::Database`], also for a table or column that is not there.
    pub fn empty_days(
        &self,
        account: &str,
        dataset: &str,
        table: &str,
        column: &str,
        before: NaiveDate,
    ) -> Result<Vec<(NaiveDate, Option<String>)>, Error> {
        let mut statement = garmin(self.connection.prepare_cached(&format!(
            "SELECT item, detail FROM ledger WHERE account = ?1 AND dataset = ?2 AND state = 'empty' AND item < ?3
                 AND EXISTS (SELECT 1 FROM \"{table}\" AS t
                     WHERE t.account = ledger.account AND t.day = ledger.item AND t.\"{column}\" IS NOT NULL)"
        )))?;
        let day = |row: &Row<'_>| Ok(row.get_ref(0)?.as_str()?.parse().ok().zip(Some(row.get(1)?)));
        let rows = garmin(statement.query_map((account, dataset, before.to_string()), day))?;
        garmin(rows.filter_map(Result::transpose).collect())
    }

    /// The things of which `dataset` has an answer, without those that Garmin has no more.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn things_held(&self, account: &str, dataset: &str) -> Result<Vec<String>, Error> {
        let mut statement = garmin(
            self.connection
                .prepare_cached("SELECT item FROM answer WHERE account = ?1 AND dataset = ?2 AND sha256 <> ?3"),
        )?;
        let rows = garmin(statement.query_map((account, dataset, sha256_hex(GONE.as_bytes())), |row| row.get(0)))?;
        garmin(rows.collect())
    }

    /// The days for which `dataset` has an answer, and when it last changed. With `column`, only days where that column of `table` holds
    /// something.
    ///
    /// # Errors
    /// [`Error::Database`], also for a table or column that is not there.
    pub fn days_with_data<D: FromIterator<(NaiveDate, DateTime<Utc>)>>(
        &self,
        account: &str,
        dataset: &str,
        table: &str,
        column: Option<&str>,
    ) -> Result<D, Error> {
        let holds = column.map_or(String::new(), |column| {
            format!(
                " AND EXISTS (SELECT 1 FROM \"{table}\" AS t WHERE t.account = answer.account AND t.day = answer.item
                     AND t.\"{column}\" IS NOT NULL)"
            )
        });
        let sql = format!("SELECT item, fetched_utc FROM answer WHERE account = ?1 AND dataset = ?2{holds}");
        let mut statement = garmin(self.connection.prepare_cached(&sql))?;
        let day = |row: &Row<'_>| Ok(row.get_ref(0)?.as_str()?.parse().ok().zip(Some(time_column(row, 1)?)));
        let rows = garmin(statement.query_map((account, dataset), day))?;
        // What is no day has no reason to be here.
        garmin(rows.filter_map(Result::transpose).collect())
    }

    /// The days (UTC) in a column of moments or days.
    ///
    /// # Errors
    /// [`Error::Database`], also for a table or column that is not there.
    pub fn dates(&self, account: &str, table: &str, column: &str) -> Result<Vec<NaiveDate>, Error> {
        let sql = format!("SELECT DISTINCT date(\"{column}\") FROM \"{table}\" WHERE account = ?1");
        let mut statement = garmin(self.connection.prepare_cached(&sql))?;
        let rows = garmin(statement.query_map([account], |row| row.get::<_, Option<String>>(0)))?;
        let days: Vec<Option<String>> = garmin(rows.collect())?;
        Ok(days.into_iter().flatten().filter_map(|day| day.parse().ok()).collect())
    }

    /// How many activities are held that are not marked as deleted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn activities_held(&self, account: &str) -> Result<u64, Error> {
        if !garmin(self.connection.table_exists(None, "activity"))? {
            return Ok(0);
        }
        let sql = "SELECT count(*) FROM activity WHERE account = ?1 AND deleted_utc IS NULL";
        let held: i64 = garmin(self.connection.query_row(sql, [account], |row| row.get(0)))?;
        Ok(held.unsigned_abs())
    }

    /// What a dataset's own query finds, one by one and in its order: columns `item`, `day` and `changed_utc`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn each_thing(&self, account: &str, sql: &str, mut take: impl FnMut(Thing)) -> Result<(), Error> {
        let mut statement = garmin(self.connection.prepare_cached(sql))?;
        let mut rows = garmin(statement.query_map([account], |row| {
            let changed_utc: Option<String> = row.get(2)?;
            let changed_utc = changed_utc.and_then(|text| text.parse().ok());
            Ok(Thing { item: row.get(0)?, day: row.get(1)?, changed_utc })
        }))?;
        rows.try_for_each(|thing| garmin(thing).map(&mut take))
    }

    /// The activities that started on these local days, and whether each is marked as deleted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn activities_between(
        &self,
        account: &str,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<(i64, bool)>, Error> {
        let mut statement = garmin(self.connection.prepare_cached(
            "SELECT activity_id, deleted_utc IS NOT NULL FROM activity
             WHERE account = ?1 AND substr(start_local, 1, 10) BETWEEN ?2 AND ?3 ORDER BY start_local DESC",
        ))?;
        let days = (account, first.to_string(), last.to_string());
        let rows = garmin(statement.query_map(days, |row| Ok((row.get(0)?, row.get(1)?))))?;
        garmin(rows.collect())
    }
}
