//! What a queue remembers beyond the daemon's life: its pauses in their own table, and in the ledger, as notes, what a 429 taught and what a
//! day has taken. The room reads it when it makes a queue; the run's way out writes it. It must not know what a queue does with it.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use garminsync_garmin::Tier;
use garminsync_store::{Batch, Error, LedgerEntry, Mark, Pause, State, Store};

use super::known::tier_name;
use super::pace::{Lesson, Memory};

/// Under this name the ledger keeps the notes. It is no dataset.
const PACE: &str = "pace";
/// How the item begins that says how many requests a day has taken: the day and the number. The tier follows.
const REQUESTS: &str = "requests ";
/// How the item begins that says which gap the queue keeps since its last 429, in milliseconds. The tier follows.
const GAP: &str = "gap ";

/// What is remembered of a queue.
///
/// # Errors
/// [`Error::Database`].
pub fn read(store: &Store, account: &str, tier: Tier) -> Result<Memory, Error> {
    let pause = store.pauses(account)?.into_iter().find(|pause| pause.tier == tier_name(tier));
    let notes = store.entries_of(account, PACE)?;
    let note = |kind: &str| notes.iter().find(|note| note.item.strip_prefix(kind) == Some(tier_name(tier)));
    let detail = |note: &LedgerEntry| note.detail.clone().unwrap_or_default();
    let lesson = note(GAP).and_then(|note| {
        let gap = detail(note).parse().ok().map(Duration::from_millis)?;
        Some(Lesson { at: note.fetched_utc, gap })
    });
    let spent = note(REQUESTS).and_then(|note| {
        let detail = detail(note);
        let (day, requests) = detail.split_once(' ')?;
        Some((day.parse().ok()?, requests.parse().ok()?))
    });
    let (paused_until, strikes) = pause.map_or((None, 0), |pause| (Some(pause.until_utc), pause.strikes));
    Ok(Memory { paused_until, strikes, lesson, spent })
}

/// Writes what a day has taken so far.
///
/// # Errors
/// [`Error::Database`], [`Error::UnknownRun`].
pub fn spent(
    store: &mut Store,
    account: &str,
    run: i64,
    tier: Tier,
    (day, requests): (NaiveDate, u64),
) -> Result<(), Error> {
    note(store, account, run, format!("{REQUESTS}{}", tier_name(tier)), format!("{day} {requests}"), Utc::now())
}

/// Writes a pause, if there is one, and what the 429 taught.
///
/// # Errors
/// [`Error::Database`], [`Error::UnknownRun`].
pub fn throttled(store: &mut Store, account: &str, run: i64, tier: Tier, memory: Memory) -> Result<(), Error> {
    pause(store, account, tier, memory)?;
    let Some(Lesson { at, gap }) = memory.lesson else { return Ok(()) };
    note(store, account, run, format!("{GAP}{}", tier_name(tier)), gap.as_millis().to_string(), at)
}

/// Writes a pause, if there is one.
///
/// # Errors
/// [`Error::Database`].
pub fn pause(store: &mut Store, account: &str, tier: Tier, memory: Memory) -> Result<(), Error> {
    let Some(until_utc) = memory.paused_until else { return Ok(()) };
    store.set_pause(account, &Pause { tier: tier_name(tier).into(), until_utc, strikes: memory.strikes })
}

fn note(
    store: &mut Store,
    account: &str,
    run: i64,
    item: String,
    detail: String,
    fetched_utc: DateTime<Utc>,
) -> Result<(), Error> {
    let ledger = vec![Mark { item, state: State::Ok, detail: Some(detail) }];
    let (dataset, items) = (PACE, Vec::new());
    store.record(&Batch { account, run, dataset, fetched_utc, requests: 0, bytes: 0, items, ledger }).map(drop)
}
