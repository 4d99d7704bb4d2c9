//! Why a dataset is asked for on a day: because another one, which it follows, has data of that day, or because something bears witness that
//! the person lived with Garmin then. The run looks it up before it plans, the room before it tells what is missing. It must not know
//! what becomes of it.

use std::collections::HashMap;

use chrono::NaiveDate;
use garminsync_store::{Error, Store};

use super::datasets::{self, Dataset};
use super::plan::{Grounds, Ledger};

/// The days on which those of `datasets` have reason to ask that follow another. `read`: what this run, or the next one, reads.
pub fn look(
    store: &Store,
    account: &str,
    datasets: &[&'static Dataset],
    read: &[&'static Dataset],
    ledger: &Ledger,
) -> Result<HashMap<String, Grounds>, Error> {
    let mut grounds = HashMap::new();
    for dataset in datasets {
        let Some(follows) = &dataset.follows else { continue };
        let others = read.iter().all(|known| known.name != follows.dataset);
        if others && ledger.standing(&follows.dataset).is_none() {
            continue;
        }
        let followed = datasets::all().unwrap_or_default().iter().find(|known| known.name == follows.dataset);
        let Some(table) = followed.and_then(|followed| followed.tables.first()) else { continue };
        let days = store.days_with_data(account, &follows.dataset, table, follows.column.as_deref())?;
        grounds.insert(dataset.name.clone(), Grounds { days, others });
    }
    Ok(grounds)
}

/// The days to which what has no days bears witness, such as the registration of a device.
pub fn witnesses(store: &Store, account: &str) -> Result<Vec<NaiveDate>, Error> {
    let mut days = Vec::new();
    for dataset in datasets::all().unwrap_or_default() {
        if let (Some(column), Some(table)) = (&dataset.dated, dataset.tables.first()) {
            days.extend(store.dates(account, table, column)?);
        }
    }
    Ok(days)
}
