//! Recording: what one request brought goes into archive, tables, ledger and the run's counters in one transaction, or not at all.
//! Sync calls it once per request. It must not know what an answer means.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior};

use crate::database::{GARMIN, garmin, integer, utc_text};
use crate::error::Error;
use crate::ledger::{Mark, Standing, State, merge};
use crate::originals::sha256_hex;
use crate::projection::{GONE, Prepared, Projection};
use crate::rebuild::Unpacker;
use crate::store::{Store, maybe_time_column, time_column};

/// How hard answers are compressed: zstd's default, as higher levels cost more time than they save room on small JSON.
const ZSTD_LEVEL: i32 = 3;

/// The dataset name under which original files stand in the ledger.
const ORIGINAL: &str = "original";

/// What one request (or a few that belong together) brought. Items may be empty: requests that failed are counted and marked too.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// The account.
    pub account: &'a str,
    /// The run, from [`Store::begin_run`].
    pub run: i64,
    /// The dataset; where there are items, one that the store was opened with.
    pub dataset: &'a str,
    /// When the answer came, UTC.
    pub fetched_utc: DateTime<Utc>,
    /// Requests sent, counting repetitions.
    pub requests: u32,
    /// Bytes received.
    pub bytes: u64,
    /// The answers.
    pub items: Vec<Item<'a>>,
    /// What the ledger learns.
    pub ledger: Vec<Mark>,
}

/// One element of an answer.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// A day (`2026-10-21`) or an activity id.
    pub item: String,
    /// The element exactly as Garmin sent it, JSON; [`GONE`] where Garmin has it no more.
    pub body: &'a str,
}

/// What a batch changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Items that were not in the archive.
    pub new: u64,
    /// Items whose answer differs from the archived one.
    pub changed: u64,
    /// Items that came as they were known; nothing was written for them.
    pub unchanged: u64,
    /// Items whose answer does not fit the tables: what was held of them stays, and this is what the ledger learns instead.
    pub refused: Vec<Mark>,
}

/// An original file that was saved, and the requests it took.
#[derive(Clone, Debug)]
pub struct OriginalBatch<'a> {
    /// The account.
    pub account: &'a str,
    /// The run, from [`Store::begin_run`].
    pub run: i64,
    /// Requests sent, counting repetitions.
    pub requests: u32,
    /// Bytes received.
    pub bytes: u64,
    /// The file.
    pub original: OriginalRow,
}

/// A row of the `original` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRow {
    /// The activity.
    pub activity_id: i64,
    /// Relative to the data directory, with `/`.
    pub path: String,
    /// `fit`, `tcx`, `gpx`, …
    pub format: String,
    /// Size of the file.
    pub bytes: u64,
    /// Of the file, as lower-case hex digits.
    pub sha256: String,
    /// When it was fetched, UTC.
    pub fetched_utc: DateTime<Utc>,
}

impl Store {
    /// Writes a batch in one transaction. An item whose answer is archived already, byte by byte or but for what it echoes, is neither archived nor projected again.
    /// What an item's old answer was made into is taken back first. Where the dataset's tables are outdated, the answer is archived only:
    /// the rebuild that is due projects it. An answer that does not fit its tables is left out, and the ledger's row of its item is marked as an
    /// error, but it costs no other. An item that is [`GONE`] loses its rows and becomes `empty` in the ledger; the last answer that
    /// had it stays in the archive, under the dataset's name and ` (gone)`.
    ///
    /// # Errors
    /// [`Error::UnknownRun`], [`Error::Dataset`] for items of an unknown dataset, [`Error::Database`]. Nothing of the batch is written then, counters included.
    pub fn record(&mut self, batch: &Batch<'_>) -> Result<Recorded, Error> {
        let transaction = garmin(self.connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
        let recorded = archive(&transaction, &self.projections, &self.outdated, batch)?;
        for mark in &batch.ledger {
            let mark = recorded.refused.iter().find(|refused| refused.item == mark.item).unwrap_or(mark);
            mark_item(&transaction, batch.account, batch.dataset, mark, batch.fetched_utc)?;
        }
        count(&transaction, batch.run, batch.requests, batch.bytes, &recorded)?;
        garmin(transaction.commit())?;
        Ok(recorded)
    }

    /// Writes the row of an original file that was saved, and `ok` in the ledger under `original`, in one transaction.
    ///
    /// # Errors
    /// [`Error::UnknownRun`], [`Error::Database`]; nothing is written then.
    pub fn record_original(&mut self, batch: &OriginalBatch<'_>) -> Result<Recorded, Error> {
        let original = &batch.original;
        let transaction = garmin(self.connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
        let known: Option<String> = garmin(
            transaction
                .query_row(
                    "SELECT sha256 FROM original WHERE account = ?1 AND activity_id = ?2",
                    (batch.account, original.activity_id),
                    |row| row.get(0),
                )
                .optional(),
        )?;
        let recorded = judge(known.as_deref(), &original.sha256);
        garmin(transaction.execute(
            "INSERT INTO original (account, activity_id, path, format, bytes, sha256, fetched_utc)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (account, activity_id) DO UPDATE SET path = excluded.path, format = excluded.format,
                 bytes = excluded.bytes, sha256 = excluded.sha256, fetched_utc = excluded.fetched_utc, dropped_utc = NULL",
            (
                batch.account,
                original.activity_id,
                &original.path,
                &original.format,
                integer(original.bytes),
                &original.sha256,
                utc_text(original.fetched_utc),
            ),
        ))?;
        let mark = Mark { item: original.activity_id.to_string(), state: State::Ok, detail: None };
        mark_item(&transaction, batch.account, ORIGINAL, &mark, original.fetched_utc)?;
        count(&transaction, batch.run, batch.requests, batch.bytes, &recorded)?;
        garmin(transaction.commit())?;
        Ok(recorded)
    }
}

fn judge(known: Option<&str>, sha256: &str) -> Recorded {
    match known {
        None => Recorded { new: 1, ..Recorded::default() },
        Some(known) if known == sha256 => Recorded { unchanged: 1, ..Recorded::default() },
        Some(_) => Recorded { changed: 1, ..Recorded::default() },
    }
}

/// What the archive has of an item.
struct Held {
    sha256: String,
    body: Vec<u8>,
    fetched_utc: String,
    /// The last that was heard of it was a failure.
    fails: bool,
}

fn held(row: &Row<'_>) -> rusqlite::Result<Held> {
    Ok(Held { sha256: row.get(0)?, body: row.get(1)?, fetched_utc: row.get(2)?, fails: row.get(3)? })
}

/// The days before and after a day; none of what is no day.
fn beside(item: &str) -> impl Iterator<Item = String> {
    let day = item.parse::<NaiveDate>().ok();
    let days = [day.and_then(|day| day.pred_opt()), day.and_then(|day| day.succ_opt())];
    days.into_iter().flatten().map(|day| day.to_string())
}

fn archive(
    transaction: &Transaction<'_>,
    projections: &[Projection],
    outdated: &BTreeSet<String>,
    batch: &Batch<'_>,
) -> Result<Recorded, Error> {
    let mut total = Recorded::default();
    if batch.items.is_empty() {
        return Ok(total);
    }
    let known_as = projections
        .iter()
        .find(|known| known.dataset == batch.dataset)
        .ok_or_else(|| Error::Dataset { dataset: batch.dataset.into(), what: "it has no projection".into() })?;
    let mut projection =
        if outdated.contains(batch.dataset) { None } else { Some(Prepared::new(transaction, known_as)?) };
    let mut known = garmin(transaction.prepare_cached(
        "SELECT sha256, body, fetched_utc, EXISTS (SELECT 1 FROM ledger WHERE account = ?1 AND dataset = ?2 AND item = ?3 AND attempts > 0)
         FROM answer WHERE account = ?1 AND dataset = ?2 AND item = ?3",
    ))?;
    let mut write = garmin(transaction.prepare_cached(
        "INSERT INTO answer (account, dataset, item, fetched_utc, sha256, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (account, dataset, item) DO UPDATE SET
             fetched_utc = excluded.fetched_utc, sha256 = excluded.sha256, body = excluded.body",
    ))?;
    let fetched_utc = utc_text(batch.fetched_utc);
    for Item { item, body } in &batch.items {
        let key = (batch.account, batch.dataset, item);
        let old: Option<Held> = garmin(known.query_row(key, held).optional())?;
        let sha256 = sha256_hex(body.as_bytes());
        if *body == GONE && old.is_none() {
            continue;
        }
        let mut one = judge(old.as_ref().map(|old| old.sha256.as_str()), &sha256);
        let text = match &old {
            Some(old) if one.unchanged == 0 => Some(Unpacker::new()?.unpack(batch.dataset, item, &old.body)?),
            _ => None,
        };
        if text.as_ref().is_some_and(|old| known_as.is_alike(old, body)) {
            one = Recorded { unchanged: 1, ..Recorded::default() };
        }
        let unfit = match (&mut projection, &old) {
            // What could not be made into rows when the tables were made anew is no better for having come again.
            (Some(projection), Some(old)) if one.unchanged == 1 && old.fails => {
                projection.judge(batch.account, item, text.as_deref().unwrap_or(body), &old.fetched_utc)?
            }
            (Some(projection), _) if one.unchanged == 0 => {
                projection.run(batch.account, item, (text.as_deref(), body), &fetched_utc)?
            }
            _ => None,
        };
        if unfit.is_some() {
            total.refused.push(Mark { item: item.clone(), state: State::Error, detail: unfit });
            continue;
        }
        total.new += one.new;
        total.changed += one.changed;
        total.unchanged += one.unchanged;
        if one.unchanged == 1 {
            continue;
        }
        if let (Some(_), Some(projection)) = (&text, &mut projection) {
            // Days share the midnight between them: what is told of it by those beside alone comes back.
            for beside in beside(item) {
                let key = (batch.account, batch.dataset, &beside);
                let Some(held) = garmin(known.query_row(key, held).optional())? else { continue };
                let answer = Unpacker::new()?.unpack(batch.dataset, &beside, &held.body)?;
                projection.fill(batch.account, &beside, &answer, &held.fetched_utc)?;
            }
        }
        if *body == GONE {
            keep_what_is_gone(transaction, key)?;
        }
        let body = zstd::bulk::compress(body.as_bytes(), ZSTD_LEVEL).map_err(|e| Error::Stored {
            file: GARMIN,
            what: format!("the answer of {} {item} ({e})", batch.dataset),
        })?;
        garmin(write.execute((batch.account, batch.dataset, item, &fetched_utc, sha256, body)))?;
    }
    Ok(total)
}

/// The last answer that had it is kept aside, where no table is made of it, and the ledger no longer holds it for data.
fn keep_what_is_gone(transaction: &Transaction<'_>, key: (&str, &str, &String)) -> Result<(), Error> {
    let mut keep = garmin(transaction.prepare_cached(
        "INSERT OR REPLACE INTO answer (account, dataset, item, fetched_utc, sha256, body)
         SELECT account, dataset || ' (gone)', item, fetched_utc, sha256, body FROM answer
         WHERE account = ?1 AND dataset = ?2 AND item = ?3",
    ))?;
    garmin(keep.execute(key))?;
    let mut forget = garmin(
        transaction
            .prepare_cached("UPDATE ledger SET state = 'empty' WHERE account = ?1 AND dataset = ?2 AND item = ?3"),
    )?;
    garmin(forget.execute(key))?;
    Ok(())
}

/// Joins a mark to what the ledger knows.
pub(crate) fn mark_item(
    transaction: &Transaction<'_>,
    account: &str,
    dataset: &str,
    mark: &Mark,
    at: DateTime<Utc>,
) -> Result<(), Error> {
    let key = (account, dataset, &mark.item);
    let mut standing = garmin(transaction.prepare_cached(
        "SELECT state, fetched_utc, attempts, since_utc, detail FROM ledger WHERE account = ?1 AND dataset = ?2 AND item = ?3",
    ))?;
    let mut answered = garmin(
        transaction
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM answer WHERE account = ?1 AND dataset = ?2 AND item = ?3)"),
    )?;
    let mut write = garmin(transaction.prepare_cached(
        "INSERT INTO ledger (account, dataset, item, state, fetched_utc, attempts, since_utc, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (account, dataset, item) DO UPDATE SET state = excluded.state, fetched_utc = excluded.fetched_utc,
             attempts = excluded.attempts, since_utc = excluded.since_utc, detail = excluded.detail",
    ))?;
    let old = garmin(
        standing
            .query_row(key, |row| {
                Ok(Standing {
                    state: crate::store::state_column(row, 0)?,
                    fetched_utc: time_column(row, 1)?,
                    attempts: row.get(2)?,
                    since_utc: maybe_time_column(row, 3)?,
                    detail: row.get(4)?,
                })
            })
            .optional(),
    )?;
    let has_answer = garmin(answered.query_row(key, |row| row.get(0)))?;
    let new = merge(old, has_answer, mark, at);
    garmin(write.execute((
        account,
        dataset,
        &mark.item,
        new.state.as_str(),
        utc_text(new.fetched_utc),
        new.attempts,
        new.since_utc.map(utc_text),
        new.detail,
    )))?;
    Ok(())
}

fn count(transaction: &Transaction<'_>, run: i64, requests: u32, bytes: u64, recorded: &Recorded) -> Result<(), Error> {
    let found = garmin(transaction.execute(
        "UPDATE sync_run SET requests = requests + ?2, bytes = bytes + ?3,
             new_items = new_items + ?4, changed_items = changed_items + ?5 WHERE id = ?1",
        (run, requests, integer(bytes), integer(recorded.new), integer(recorded.changed)),
    ))?;
    if found == 1 { Ok(()) } else { Err(Error::UnknownRun(run)) }
}
