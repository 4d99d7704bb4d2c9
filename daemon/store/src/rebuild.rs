//! The rebuild: a dataset's tables made anew from the archived answers, without asking Garmin, because the SQL of a release has changed or
//! somebody wants it. One transaction a dataset: whoever reads sees the old tables until the new ones are whole, and a crash leaves the
//! old ones. The store calls it when it opens, the daemon for what the store found outdated. It must not know which datasets there are.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use chrono::Utc;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

use crate::database::{GARMIN, garmin};
use crate::error::Error;
use crate::ledger::{Mark, State};
use crate::projection::{Prepared, Projection, check};
use crate::record::mark_item;
use crate::store::Store;

/// A step is told after so many answers: often enough to stop at once, too seldom to cost anything.
const STEP: u64 = 128;

/// How far the rebuild of one dataset has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Answers projected so far.
    pub done: u64,
    /// Answers in the archive.
    pub total: u64,
}

/// What a rebuild made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Answers that were read.
    pub answers: u64,
    /// Rows in the dataset's tables now.
    pub rows: u64,
    /// Answers that do not fit the tables: nothing was made of them, and the ledger says why.
    pub refused: u64,
}

impl Store {
    /// The datasets whose tables were made by other SQL than today's, or are missing. Until [`Store::rebuild`] has made them anew, their
    /// old tables stay as they are, and new answers are only archived.
    #[must_use]
    pub fn outdated(&self) -> &BTreeSet<String> {
        &self.outdated
    }

    /// Makes the tables of one dataset anew from the archive. An answer that does not fit them costs no other: it stays in the archive, and the
    /// ledger learns why. `step` hears how far it is and may break it off. What it writes is as large as the tables: [`Store::settle`] after the last of several brings it from the log to its place.
    ///
    /// # Errors
    /// [`Error::Dataset`] for an unknown dataset or wrong SQL, [`Error::Stopped`] when `step` said so, [`Error::Database`]. The old tables are untouched then.
    pub fn rebuild(&mut self, dataset: &str, step: &mut dyn FnMut(Step) -> ControlFlow<()>) -> Result<Rebuilt, Error> {
        let Self { connection, projections, .. } = self;
        let projection = projections
            .iter()
            .find(|known| known.dataset == dataset)
            .ok_or_else(|| Error::Dataset { dataset: dataset.into(), what: "there is no such dataset".into() })?;
        let transaction = garmin(connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
        make_tables(&transaction, projections, projection)?;
        let (answers, refused) = fill(&transaction, projection, step)?;
        let mut rows = 0;
        for table in &projection.tables {
            let counted = transaction.query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get(0));
            let counted: i64 = garmin(counted)?;
            rows += counted.unsigned_abs();
        }
        garmin(transaction.commit())?;
        self.outdated.remove(dataset);
        Ok(Rebuilt { answers, rows, refused })
    }
}

/// Makes the tables of datasets that are new and have no answers yet, and tells which others do not match their SQL, or cannot be filled before
/// these do.
pub(crate) fn bring_up_to_date(
    connection: &mut Connection,
    projections: &[Projection],
) -> Result<BTreeSet<String>, Error> {
    check(projections)?;
    let mut outdated = BTreeSet::new();
    let mut made = Vec::new();
    let transaction = garmin(connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
    for projection in projections {
        if !is_changed(&transaction, projection)? {
            continue;
        }
        if has_answers(&transaction, &projection.dataset)? {
            outdated.insert(projection.dataset.clone());
        } else {
            make_tables(&transaction, projections, projection)?;
            made.push(projection);
        }
    }
    // All tables first: the SQL of one dataset may look into the table of another. Where that one is still of an older version, both wait for
    // their rebuild, and the next start finds them so.
    for projection in made {
        match Prepared::new(&transaction, projection) {
            Err(Error::Dataset { .. }) if !outdated.is_empty() => {
                let forget = "UPDATE projection SET sql_sha256 = '' WHERE dataset = ?1";
                garmin(transaction.execute(forget, [&projection.dataset]))?;
                outdated.insert(projection.dataset.clone());
            }
            prepared => drop(prepared?),
        }
    }
    garmin(transaction.commit())?;
    Ok(outdated)
}

fn is_changed(transaction: &Transaction<'_>, projection: &Projection) -> Result<bool, Error> {
    let known: Option<String> = garmin(
        transaction
            .query_row("SELECT sql_sha256 FROM projection WHERE dataset = ?1", [&projection.dataset], |row| row.get(0))
            .optional(),
    )?;
    if known != Some(projection.sha256()) {
        return Ok(true);
    }
    for table in &projection.tables {
        if !garmin(transaction.table_exists(None, table.as_str()))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The accounts that have answers, found by skipping from one to the next: the archive is in the order of accounts.
pub(crate) fn accounts(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut next = garmin(connection.prepare_cached("SELECT min(account) FROM answer WHERE account > ?1"))?;
    let mut found: Vec<String> = Vec::new();
    loop {
        let after = found.last().map_or("", String::as_str);
        match garmin(next.query_row([after], |row| row.get(0)))? {
            Some(account) => found.push(account),
            None => return Ok(found),
        }
    }
}

fn has_answers(transaction: &Transaction<'_>, dataset: &str) -> Result<bool, Error> {
    let mut statement =
        garmin(transaction.prepare_cached("SELECT EXISTS (SELECT 1 FROM answer WHERE account = ?1 AND dataset = ?2)"))?;
    for account in accounts(transaction)? {
        if garmin(statement.query_row((account, dataset), |row| row.get(0)))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Drops what the dataset owned and creates what it owns now, empty. A table may have moved here from another dataset, or away: what
/// another dataset owns now is left to that one. A table that no dataset has made is a person's own, and is never dropped.
fn make_tables(
    transaction: &Transaction<'_>,
    projections: &[Projection],
    projection: &Projection,
) -> Result<(), Error> {
    let is_others = |table: &str| {
        let owns = |known: &&Projection| known.tables.iter().any(|own| own == table);
        projections.iter().filter(|known| known.dataset != projection.dataset).any(|known| owns(&known))
    };
    let mut owned = projection.tables.clone();
    for (dataset, table) in made(transaction)? {
        let was_ours = dataset == projection.dataset;
        if was_ours && is_others(&table) {
            owned.push(table); // remembered as made by us, until the other one has made it anew
        } else if was_ours || projection.tables.contains(&table) {
            garmin(transaction.execute_batch(&format!("DROP TABLE IF EXISTS \"{table}\"")))?;
        }
    }
    for table in &projection.tables {
        if garmin(transaction.table_exists(None, table.as_str()))? {
            return Err(projection.wrong(format!(
                "{GARMIN} has a table {table} that garminsyncd did not make; it was not touched: rename it"
            )));
        }
    }
    transaction.execute_batch(&projection.sql_tables).map_err(|e| projection.wrong(format!("its tables: {e}")))?;
    for table in &projection.tables {
        if !garmin(transaction.table_exists(None, table.as_str()))? {
            return Err(projection.wrong(format!("its SQL does not create table {table}")));
        }
    }
    garmin(transaction.execute(
        "INSERT INTO projection (dataset, sql_sha256, tables) VALUES (?1, ?2, ?3)
         ON CONFLICT (dataset) DO UPDATE SET sql_sha256 = excluded.sql_sha256, tables = excluded.tables",
        (&projection.dataset, projection.sha256(), owned.join(",")),
    ))?;
    Ok(())
}

/// Every table that was made for a dataset, with that dataset.
fn made(transaction: &Transaction<'_>) -> Result<Vec<(String, String)>, Error> {
    let mut statement = garmin(transaction.prepare_cached("SELECT dataset, tables FROM projection"))?;
    let rows = garmin(statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))))?;
    let rows: Vec<(String, String)> = garmin(rows.collect())?;
    let each = |(dataset, tables): &(String, String)| {
        let tables = tables.split(',').filter(|table| !table.is_empty());
        tables.map(|table| (dataset.clone(), table.to_owned())).collect::<Vec<_>>()
    };
    Ok(rows.iter().flat_map(each).collect())
}

/// The longest answer that is believed: more is a damaged archive, and no reason to take all the memory there is.
const LONGEST: u64 = 1 << 30;

/// Gives answers back as Garmin sent them. What it needs for one serves the next, too.
pub(crate) struct Unpacker(Decompressor<'static>);

impl Unpacker {
    pub(crate) fn new() -> Result<Self, Error> {
        let failed = |e| Error::Stored { file: GARMIN, what: format!("its answers ({e})") };
        Decompressor::new().map(Self).map_err(failed)
    }

    pub(crate) fn unpack(&mut self, dataset: &str, item: &str, body: &[u8]) -> Result<String, Error> {
        let length = get_frame_content_size(body).ok().flatten().filter(|length| *length <= LONGEST);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let body = length.and_then(|length| self.0.decompress(body, length).ok());
        let body = body.and_then(|body| String::from_utf8(body).ok());
        body.ok_or_else(|| Error::Stored { file: GARMIN, what: format!("the archived answer of {dataset} {item}") })
    }
}

/// Projects the archived answers in the order in which they came, so that of two that speak of one thing the same has the last word. How
/// many there are, and how many of them do not fit.
fn fill(
    transaction: &Transaction<'_>,
    projection: &Projection,
    step: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<(u64, u64), Error> {
    let mut prepared = Prepared::new(transaction, projection)?;
    // Their numbers first, which are small: sorting the answers themselves would hold the whole archive in memory.
    let mut order: Vec<(String, i64)> = Vec::new();
    let mut numbers = garmin(
        transaction.prepare_cached("SELECT fetched_utc, rowid FROM answer WHERE account = ?1 AND dataset = ?2"),
    )?;
    for account in accounts(transaction)? {
        let rows = garmin(numbers.query_map((account, &projection.dataset), |row| Ok((row.get(0)?, row.get(1)?))))?;
        for row in rows {
            order.push(garmin(row)?);
        }
    }
    order.sort_unstable();
    let total = order.len() as u64;
    let (mut unpacker, mut refused) = (Unpacker::new()?, 0);
    let mut known =
        garmin(transaction.prepare_cached("SELECT 1 FROM ledger WHERE account = ?1 AND dataset = ?2 AND item = ?3"))?;
    let mut answer = garmin(transaction.prepare_cached("SELECT account, item, body FROM answer WHERE rowid = ?1"))?;
    for (done, (fetched_utc, number)) in (0..).zip(&order) {
        if done % STEP == 0 && step(Step { done, total }).is_break() {
            return Err(Error::Stopped);
        }
        let (account, item, body): (String, String, Vec<u8>) =
            garmin(answer.query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))?;
        let body = unpacker.unpack(&projection.dataset, &item, &body)?;
        if let Some(unfit) = prepared.run(&account, &item, (None, &body), fetched_utc)? {
            refused += 1;
            if garmin(known.exists((&account, &projection.dataset, &item)))? {
                let mark = Mark { item, state: State::Error, detail: Some(unfit) };
                mark_item(transaction, &account, &projection.dataset, &mark, Utc::now())?;
            }
        }
    }
    match step(Step { done: total, total }) {
        ControlFlow::Continue(()) => Ok((total, refused)),
        ControlFlow::Break(()) => Err(Error::Stopped),
    }
}
