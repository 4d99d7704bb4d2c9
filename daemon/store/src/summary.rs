//! The ledger summed up: what is held of each dataset, and what is missing. Whoever tells people of it calls here, as the ledger of ten years
//! is too long to be read for a few numbers. It must not know which datasets there are.

use chrono::{DateTime, NaiveDate, Utc};

use crate::database::garmin;
use crate::error::Error;
use crate::ledger::LedgerEntry;
use crate::store::{ENTRIES, Store, entry, maybe_time_column};

/// What the ledger of an account says of one dataset as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The dataset.
    pub dataset: String,
    /// Days that hold data.
    pub days: u64,
    /// Items that hold data and are no days.
    pub items: u64,
    /// The oldest day that holds data.
    pub oldest: Option<NaiveDate>,
    /// The newest.
    pub newest: Option<NaiveDate>,
    /// When Garmin last answered for any of it, UTC.
    pub last_read: Option<DateTime<Utc>>,
}

impl Store {
    /// What there is of each dataset of `account`, by name.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn summaries(&self, account: &str) -> Result<Vec<Summary>, Error> {
        let mut statement = garmin(self.connection.prepare_cached(
            "SELECT dataset, count(day) FILTER (WHERE held), count(*) FILTER (WHERE held AND day IS NULL),
                    min(day) FILTER (WHERE held), max(day) FILTER (WHERE held), max(fetched_utc) FILTER (WHERE state <> 'error')
             FROM (SELECT dataset, day, fetched_utc, state, state IN ('ok', 'provisional') AS held FROM ledger WHERE account = ?1)
             GROUP BY dataset ORDER BY dataset",
        ))?;
        let rows = garmin(statement.query_map([account], |row| {
            let count = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
            let day = |at| row.get::<_, Option<String>>(at).map(|day| day.and_then(|day| day.parse().ok()));
            Ok(Summary {
                dataset: row.get(0)?,
                days: count(1)?,
                items: count(2)?,
                oldest: day(3)?,
                newest: day(4)?,
                last_read: maybe_time_column(row, 5)?,
            })
        }))?;
        garmin(rows.collect())
    }

    /// What could never be read, or may not be, by dataset and item.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn missing(&self, account: &str) -> Result<Vec<LedgerEntry>, Error> {
        self.entries_where(account, "state IN ('error', 'unavailable')")
    }

    /// What could not be read when it was last asked for, whether or not it was before, by dataset and item.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn failing(&self, account: &str) -> Result<Vec<LedgerEntry>, Error> {
        self.entries_where(account, "attempts > 0")
    }

    fn entries_where(&self, account: &str, condition: &str) -> Result<Vec<LedgerEntry>, Error> {
        let sql = format!("{ENTRIES} WHERE account = ?1 AND {condition} ORDER BY dataset, item");
        let mut statement = garmin(self.connection.prepare_cached(&sql))?;
        let rows = garmin(statement.query_map([account], entry))?;
        garmin(rows.collect())
    }
}
