//! What the ledger tells people: which days, files and items are wanted and missing, and why; what is held of each dataset. The room
//! calls it with what the store knows and what the plan would ask for. It is pure, and must not know how it is shown.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use garminsync_garmin::Tier;
use garminsync_store::{ActivityRef, LedgerEntry, State};

use super::datasets::{Dataset, Kind, Lane};
use super::plan::{self, Fetch, Ledger, Scope, day_of};
use super::run::tier_name;

/// Days in a row, or a number of files or other items, of one dataset that are missing for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The dataset.
    pub dataset: String,
    /// First and last day, where a day is known.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// How many.
    pub missing: u64,
    /// Of what.
    pub unit: Unit,
    /// What the ledger says.
    pub why: Why,
    /// In words.
    pub detail: Option<String>,
    /// Since when; `None` for what was never tried.
    pub since: Option<DateTime<Utc>>,
    /// Failures in a row, the most of any of them.
    pub attempts: u32,
    /// It is not tried before; `None` where the next run may.
    pub rests_until: Option<DateTime<Utc>>,
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Days.
    Day,
    /// Original files.
    File,
    /// Things without a day of their own.
    Item,
}

/// What the ledger says of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Not read yet.
    Unread,
    /// No answer that can be believed.
    Error,
    /// Garmin does not serve it to this account.
    Unavailable,
}

/// What is known of one dataset.
#[derive(Clone, Debug)]
pub struct Held {
    /// The dataset.
    pub dataset: &'static Dataset,
    /// Whether it is mirrored.
    pub on: bool,
    /// The tiers that serve it, the preferred one first.
    pub tiers: Vec<&'static str>,
    /// Whether the account has one of them.
    pub reachable: bool,
    /// Days (or activities, files, items) whose data are held.
    pub held: u64,
    /// The oldest day that holds data.
    pub oldest: Option<NaiveDate>,
    /// The newest.
    pub newest: Option<NaiveDate>,
    /// When Garmin last answered for any of it.
    pub last_read: Option<DateTime<Utc>>,
    /// Days, files or items that are missing.
    pub missing: u64,
}

/// One thing that is missing, before those alike are told as one.
struct One<'a> {
    unit: Unit,
    day: Option<NaiveDate>,
    why: Why,
    entry: Option<&'a LedgerEntry>,
    rests_until: Option<DateTime<Utc>>,
}

/// What is missing of `datasets`, by dataset, newest first. `fetches` is what a run would ask for now, `owed` the activities whose file is
/// not there. Today is not missing yet.
pub fn gaps(
    entries: &[LedgerEntry],
    fetches: &[Fetch],
    owed: &[ActivityRef],
    datasets: &[&Dataset],
    ledger: &Ledger,
    scope: &Scope,
) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for dataset in datasets {
        let of_it: BTreeMap<&str, &LedgerEntry> = entries
            .iter()
            .filter(|entry| entry.dataset == dataset.name)
            .map(|entry| (entry.item.as_str(), entry))
            .collect();
        let mut missing: Vec<One<'_>> = match dataset.kind {
            Kind::Files => owed.iter().map(|activity| file(activity, &of_it, scope)).collect(),
            _ => {
                let real = of_it.values().filter(|entry| !plan::is_note(&entry.item));
                real.filter_map(|entry| failed(dataset, entry, scope)).collect()
            }
        };
        let first = scope.first(ledger);
        let unread: BTreeSet<NaiveDate> = fetches
            .iter()
            .filter(|fetch| fetch.dataset == dataset.name)
            .flat_map(|fetch| fetch.from.unwrap_or(first).iter_days().take_while(|day| *day <= fetch.to))
            .filter(|day| *day < scope.today && !of_it.contains_key(day.to_string().as_str()))
            .collect();
        missing.extend(unread.into_iter().map(|day| One {
            unit: Unit::Day,
            day: Some(day),
            why: Why::Unread,
            entry: None,
            rests_until: None,
        }));
        // Days newest first, then what has none.
        missing.sort_by_key(|one| (one.unit, std::cmp::Reverse(one.day)));
        for one in missing {
            join(&mut gaps, &dataset.name, &one);
        }
    }
    gaps
}

/// A day or an item that the ledger says is missing.
fn failed<'a>(dataset: &Dataset, entry: &'a LedgerEntry, scope: &Scope) -> Option<One<'a>> {
    let why = match entry.state {
        State::Error => Why::Error,
        State::Unavailable => Why::Unavailable,
        State::Ok | State::Empty | State::Provisional => return None,
    };
    let day = day_of(&entry.item);
    let young = day.is_some_and(|day| !plan::is_final(day, scope.today, dataset.reread_days));
    let unit = if day.is_some() { Unit::Day } else { Unit::Item };
    Some(One { unit, day, why, entry: Some(entry), rests_until: plan::rests_until(entry, scope.now, young) })
}

/// A file that is owed: never asked for, or refused.
fn file<'a>(activity: &ActivityRef, entries: &BTreeMap<&str, &'a LedgerEntry>, scope: &Scope) -> One<'a> {
    let entry = entries.get(activity.activity_id.to_string().as_str()).copied();
    One {
        unit: Unit::File,
        day: activity.start_local.as_deref().and_then(day_of),
        why: if entry.is_some() { Why::Error } else { Why::Unread },
        entry,
        rests_until: entry.and_then(|entry| plan::rests_until(entry, scope.now, false)),
    }
}

/// Puts one thing to the gap it belongs to: days to the one that ends just after them, for the same reason; others to any for the same
/// reason.
fn join(gaps: &mut Vec<Gap>, dataset: &str, one: &One<'_>) {
    let detail = one.entry.and_then(|entry| entry.detail.clone());
    let since = one.entry.and_then(|entry| entry.since_utc.or(Some(entry.fetched_utc)));
    let attempts = one.entry.map_or(0, |entry| entry.attempts);
    let alike = |gap: &&mut Gap| {
        let next = || one.day.and_then(|day| day.succ_opt());
        (gap.dataset == dataset && gap.unit == one.unit && gap.why == one.why && gap.detail == detail)
            && (one.unit != Unit::Day || gap.days.is_some_and(|(from, _)| Some(from) == next()))
    };
    if let Some(gap) = gaps.iter_mut().rev().find(alike) {
        gap.missing += 1;
        gap.days = match (gap.days, one.day) {
            (Some((from, to)), Some(day)) => Some((from.min(day), to.max(day))),
            (known, day) => known.or(day.map(|day| (day, day))),
        };
        gap.since = gap.since.into_iter().chain(since).min();
        gap.attempts = gap.attempts.max(attempts);
        // The first of them that may be tried.
        gap.rests_until = gap.rests_until.zip(one.rests_until).map(|(a, b)| a.min(b));
        return;
    }
    gaps.push(Gap {
        dataset: dataset.into(),
        days: one.day.map(|day| (day, day)),
        missing: 1,
        unit: one.unit,
        why: one.why,
        detail,
        since,
        attempts,
        rests_until: one.rests_until,
    });
}

/// What is held of every dataset. `gaps` are those of all that are on.
pub fn held(
    entries: &[LedgerEntry],
    gaps: &[Gap],
    all: &'static [Dataset],
    on: &[&Dataset],
    tiers: &[Tier],
) -> Vec<Held> {
    let about = |dataset: &'static Dataset| {
        let mut held = Held {
            dataset,
            on: on.iter().any(|known| known.name == dataset.name),
            tiers: dataset.tiers().map(tier_name).collect(),
            reachable: dataset.tiers().any(|tier| tiers.contains(&tier)),
            held: 0,
            oldest: None,
            newest: None,
            last_read: None,
            missing: gaps.iter().filter(|gap| gap.dataset == dataset.name).map(|gap| gap.missing).sum(),
        };
        for entry in entries.iter().filter(|entry| entry.dataset == dataset.name) {
            if entry.state != State::Error {
                held.last_read = held.last_read.max(Some(entry.fetched_utc));
            }
            let day = day_of(&entry.item);
            // A list is marked by its days, and once as a whole; an inventory only as a whole.
            let is_mark = day.is_none() && dataset.kind == Kind::Activities;
            if matches!(entry.state, State::Ok | State::Provisional) && !is_mark {
                held.held += 1;
                held.oldest = held.oldest.into_iter().chain(day).min();
                held.newest = held.newest.max(day);
            }
        }
        held
    };
    all.iter().map(about).collect()
}

impl Held {
    /// Which switch of the configuration it follows.
    pub fn lane(&self) -> &'static str {
        match self.dataset.lane {
            Lane::Day => "day",
            Lane::Intraday => "intraday",
        }
    }

    /// The words that switch it together with others.
    pub fn groups(&self) -> Vec<String> {
        self.dataset.groups.clone()
    }

    /// Requests that a year of it costs by the preferred tier; `None` where it is one for each thing.
    pub fn requests_per_year(&self) -> Option<u32> {
        let tier = self.dataset.tiers().next()?;
        match self.dataset.kind {
            Kind::Days | Kind::Activities | Kind::Inventory => self.dataset.cost_per_year(tier),
            Kind::Files | Kind::Items | Kind::Deletions => None,
        }
    }
}

#[cfg(test)]
#[path = "gaps_test.rs"]
mod tests;
