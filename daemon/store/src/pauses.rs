//! Pauses that Garmin asked for, kept so that a restart of the daemon does not forget them. Sync calls it. It must not know what a pause
//! is for or when it ends.

use chrono::{DateTime, Utc};

use crate::database::{garmin, utc_text};
use crate::error::Error;
use crate::store::{Store, time_column};

/// A pause of one queue of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Which queue of the account.
    pub tier: String,
    /// Nothing is asked before.
    pub until_utc: DateTime<Utc>,
    /// Pauses in a row, this one included.
    pub strikes: u32,
}

impl Store {
    /// Writes a pause over the one before it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_pause(&mut self, account: &str, pause: &Pause) -> Result<(), Error> {
        garmin(self.connection.execute(
            "INSERT INTO pause (account, tier, until_utc, strikes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (account, tier) DO UPDATE SET until_utc = excluded.until_utc, strikes = excluded.strikes",
            (account, &pause.tier, utc_text(pause.until_utc), pause.strikes),
        ))?;
        Ok(())
    }

    /// The newest pause of each queue of `account`, whether it is over or not.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn pauses(&self, account: &str) -> Result<Vec<Pause>, Error> {
        let mut statement = garmin(
            self.connection
                .prepare_cached("SELECT tier, until_utc, strikes FROM pause WHERE account = ?1 ORDER BY tier"),
        )?;
        let rows = garmin(statement.query_map([account], |row| {
            Ok(Pause { tier: row.get(0)?, until_utc: time_column(row, 1)?, strikes: row.get(2)? })
        }))?;
        garmin(rows.collect())
    }
}
