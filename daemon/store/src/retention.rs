//! Making room: samples and original files that are older than somebody wants to keep them. What is let go stays `ok` in the ledger, so
//! that it is not fetched again. The daemon calls it where `[retention]` says so. It must not know why, or which datasets hold samples.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use rusqlite::{Transaction, TransactionBehavior};

use crate::database::{garmin, utc_text};
use crate::error::Error;
use crate::projection::{Prepared, Projection};
use crate::rebuild::{Unpacker, accounts};
use crate::store::Store;

/// Days that are let go in one transaction: others wait while it lasts.
const PORTION: Days = Days::new(31);
/// No local day is further from the UTC day of the same name.
const OFFSET: Days = Days::new(2);

/// What one call let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thinned {
    /// Archived answers.
    pub answers: u64,
    /// Rows of tables.
    pub rows: u64,
    /// There is more: call again.
    pub more: bool,
}

/// An original file that is old enough to be let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldOriginal {
    /// The account.
    pub account: String,
    /// The activity.
    pub activity_id: i64,
    /// Relative to the data directory.
    pub path: String,
}

impl Store {
    /// Lets go of what `dataset` holds of days before `before`, answers and rows, a month at a time. Afterwards its tables are what a
    /// rebuild would make of the answers that are left. Tables without a column `day` or `at` (epoch seconds) are left alone.
    ///
    /// # Errors
    /// [`Error::Dataset`] for an unknown dataset, [`Error::Database`]; nothing is changed then.
    pub fn thin(&mut self, dataset: &str, before: NaiveDate) -> Result<Thinned, Error> {
        if self.outdated.contains(dataset) {
            return Ok(Thinned::default()); // after the rebuild
        }
        let Self { connection, projections, .. } = self;
        let projection = projections
            .iter()
            .find(|known| known.dataset == dataset)
            .ok_or_else(|| Error::Dataset { dataset: dataset.into(), what: "there is no such dataset".into() })?;
        let mut thinned = Thinned::default();
        for account in accounts(connection)? {
            // Items that are no days sort behind all days of this millennium.
            let oldest: Option<String> = garmin(connection.query_row(
                "SELECT min(item) FROM answer WHERE account = ?1 AND dataset = ?2 AND item < ?3 AND item GLOB '????-??-??'",
                (&account, dataset, before.to_string()),
                |row| row.get(0),
            ))?;
            let Some(oldest) = oldest.and_then(|day| day.parse::<NaiveDate>().ok()) else { continue };
            let portion = oldest.checked_add_days(PORTION).unwrap_or(before).min(before);
            let transaction = garmin(connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
            let (answers, rows) = let_go(&transaction, projection, &account, portion)?;
            garmin(transaction.commit())?;
            thinned.answers += answers;
            thinned.rows += rows;
            thinned.more |= portion < before;
        }
        Ok(thinned)
    }

    /// Original files of activities that began before `before` (a local day), oldest first; never the newest of an account, and none
    /// that was dropped already.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn old_originals(&self, before: NaiveDate) -> Result<Vec<OldOriginal>, Error> {
        if !garmin(self.connection.table_exists(None, "activity"))? {
            return Ok(Vec::new());
        }
        let mut statement = garmin(self.connection.prepare_cached(
            "SELECT account, activity_id, path FROM (
                 SELECT account, activity_id, path, start_local,
                        row_number() OVER (PARTITION BY account ORDER BY start_local DESC, activity_id DESC) AS age
                 FROM original JOIN activity USING (account, activity_id)
                 WHERE dropped_utc IS NULL AND start_local IS NOT NULL)
             WHERE age > 1 AND start_local < ?1 ORDER BY start_local, activity_id",
        ))?;
        let rows = garmin(statement.query_map([before.to_string()], |row| {
            Ok(OldOriginal { account: row.get(0)?, activity_id: row.get(1)?, path: row.get(2)? })
        }))?;
        garmin(rows.collect())
    }

    /// Removes an original file and says so in its row. The file goes first: a crash in between is made good by the next call.
    ///
    /// # Errors
    /// [`Error::Path`], [`Error::File`], [`Error::Database`].
    pub fn drop_original(&mut self, old: &OldOriginal, at: DateTime<Utc>) -> Result<(), Error> {
        self.originals().remove(&old.path)?;
        garmin(self.connection.execute(
            "UPDATE original SET dropped_utc = ?3 WHERE account = ?1 AND activity_id = ?2",
            (&old.account, old.activity_id, utc_text(at)),
        ))?;
        Ok(())
    }

    /// Gives the room of what was let go back to the disk.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn give_room_back(&self) -> Result<(), Error> {
        // It frees a page a step.
        let mut statement = garmin(self.connection.prepare("PRAGMA incremental_vacuum"))?;
        let mut steps = garmin(statement.query([]))?;
        while garmin(steps.next())?.is_some() {}
        drop(steps);
        drop(statement);
        self.settle()
    }
}

fn let_go(
    transaction: &Transaction<'_>,
    projection: &Projection,
    account: &str,
    before: NaiveDate,
) -> Result<(u64, u64), Error> {
    let dataset = projection.dataset.as_str();
    let answers = garmin(transaction.execute(
        "DELETE FROM answer WHERE account = ?1 AND dataset IN (?2, ?2 || ' (gone)') AND item < ?3 AND item GLOB '????-??-??'",
        (account, dataset, before.to_string()),
    ))?;
    let until = before.checked_add_days(OFFSET).unwrap_or(before);
    let mut rows = 0;
    for table in &projection.tables {
        let columns = columns(transaction, table)?;
        let gone = if columns.contains("day") {
            let sql = format!("DELETE FROM \"{table}\" WHERE account = ?1 AND day < ?2");
            transaction.execute(&sql, (account, before.to_string()))
        } else if columns.contains("at") {
            let sql = format!("DELETE FROM \"{table}\" WHERE account = ?1 AND at < ?2");
            transaction.execute(&sql, (account, until.and_time(NaiveTime::MIN).and_utc().timestamp()))
        } else {
            Ok(0)
        };
        rows += garmin(gone)? as u64;
    }
    // Which moments a local day has is in its answer only: those of the first days that stay are put back.
    let (mut prepared, mut unpacker) = (Prepared::new(transaction, projection)?, Unpacker::new()?);
    let mut staying = garmin(transaction.prepare_cached(
        "SELECT item, fetched_utc, body FROM answer WHERE account = ?1 AND dataset = ?2 AND item BETWEEN ?3 AND ?4
         ORDER BY fetched_utc, rowid",
    ))?;
    let last = until.checked_add_days(OFFSET).unwrap_or(until);
    let mut found = garmin(staying.query((account, dataset, before.to_string(), last.to_string())))?;
    while let Some(row) = garmin(found.next())? {
        let (item, fetched_utc, body): (String, String, Vec<u8>) =
            (garmin(row.get(0))?, garmin(row.get(1))?, garmin(row.get(2))?);
        // What does not fit is in no table, and the ledger has said so since it came.
        let body = unpacker.unpack(dataset, &item, &body)?;
        prepared.run(account, &item, (None, &body), &fetched_utc)?;
    }
    Ok((answers as u64, rows))
}

fn columns(transaction: &Transaction<'_>, table: &str) -> Result<BTreeSet<String>, Error> {
    let mut statement = garmin(transaction.prepare_cached("SELECT name FROM pragma_table_info(?1)"))?;
    let names = garmin(statement.query_map([table], |row| row.get(0)))?;
    garmin(names.collect())
}
