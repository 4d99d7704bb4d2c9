//! What the ledger tells people: which days, files and items are wanted and missing, and why. The look at the mirror calls it with what the
//! store knows and what the plan would ask for. It is pure, and must not know how it is shown.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use garminsync_store::{LedgerEntry, State};

use super::datasets::{Dataset, Kind};
use super::known::NOT_SERVED;
use super::plan::{self, Candidate, Fetch, Ledger, Scope, day_of};

/// Why something was never read, where nothing stands in the way.
const UNREAD: &str = "not read yet";
/// Of a failure of which nothing is written down.
const NO_REASON: &str = "it could not be read";

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
    pub detail: String,
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

/// Whether any tier of the account may be asked for a dataset.
#[derive(Clone, Debug)]
pub enum Reach {
    /// One may; where that is not the preferred one, in words.
    Open(Option<String>),
    /// All that serve it have refused. The first of them is asked again then.
    Shut(DateTime<Utc>),
}

/// One thing that is missing, before those alike are told as one.
struct One<'a> {
    unit: Unit,
    day: Option<NaiveDate>,
    why: Why,
    entry: Option<&'a LedgerEntry>,
    rests_until: Option<DateTime<Utc>>,
}

/// What is missing of `datasets`, by dataset, newest first. `troubled` is what the ledger says could not be read, `fetches` what a run would
/// ask for now, `things` what there is of files and items by dataset. Today is not missing yet. What has a tier open is unread, or failed; what
/// has none is unavailable until one is asked again.
pub fn gaps(
    troubled: &[LedgerEntry],
    fetches: &[Fetch],
    things: &HashMap<&str, Vec<Candidate>>,
    datasets: &[&Dataset],
    ledger: &Ledger,
    scope: &Scope,
    reach: impl Fn(&Dataset) -> Reach,
) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for dataset in datasets {
        let of_it: HashMap<&str, &LedgerEntry> = troubled
            .iter()
            .filter(|entry| entry.dataset == dataset.name)
            .map(|entry| (entry.item.as_str(), entry))
            .collect();
        let mut missing: Vec<One<'_>> = match things.get(dataset.name.as_str()) {
            Some(things) => things.iter().filter_map(|thing| one_of(dataset, thing, &of_it, ledger, scope)).collect(),
            None => days(dataset, &of_it, fetches, ledger, scope),
        };
        let detail = match reach(dataset) {
            Reach::Open(None) => UNREAD.into(),
            // What one tier refused has not been asked of the other yet.
            Reach::Open(Some(why)) => {
                for one in missing.iter_mut().filter(|one| one.why == Why::Unavailable) {
                    *one = never_read(one.unit, one.day);
                }
                why
            }
            Reach::Shut(until) => {
                for one in missing.iter_mut().filter(|one| one.why != Why::Error) {
                    (one.why, one.rests_until) = (Why::Unavailable, Some(until));
                }
                NOT_SERVED.into()
            }
        };
        // Days newest first, then what has none.
        missing.sort_by_key(|one| (one.unit, std::cmp::Reverse(one.day)));
        let mut of_dataset = Vec::new();
        for one in &missing {
            join(&mut of_dataset, &dataset.name, one, &detail);
        }
        gaps.append(&mut of_dataset);
    }
    gaps
}

/// The days that are missing: those that failed, and those that nobody has asked for.
fn days<'a>(
    dataset: &Dataset,
    troubled: &HashMap<&str, &'a LedgerEntry>,
    fetches: &[Fetch],
    ledger: &Ledger,
    scope: &Scope,
) -> Vec<One<'a>> {
    // What lies before the mirror begins, as the configuration says now, is not wanted any more; today may yet come.
    let is_wanted = |day: NaiveDate| day < scope.today && scope.start.is_none_or(|start| day >= start);
    let wanted = |entry: &&LedgerEntry| day_of(&entry.item).is_some_and(is_wanted);
    let failed = troubled.values().copied().filter(wanted);
    let mut missing: Vec<_> = failed.filter_map(|entry| one(dataset, entry, day_of(&entry.item), scope)).collect();
    let (first, standing) = (scope.first(ledger), ledger.standing(&dataset.name));
    let days_of = |name: &str| -> BTreeSet<NaiveDate> {
        let of_it = fetches.iter().filter(|fetch| fetch.dataset == name);
        let ranges = of_it.map(|fetch| (fetch.from.unwrap_or(first), fetch.to));
        ranges.flat_map(|(from, to)| from.iter_days().take_while(move |day| *day <= to)).collect()
    };
    let asked = days_of(&dataset.name);
    let outer =
        dataset.tiers().filter_map(|tier| Some(dataset.route(tier)?.within.as_str())).find(|name| !name.is_empty());
    let within = outer.map(days_of);
    // What there is no reason any more to ask for is not tried again: such a day had no samples to give. Of what came within another answer,
    // and cannot be read, that says nothing.
    missing.retain(|one| {
        let is_asked = one.day.is_some_and(|day| asked.contains(&day) || within.iter().any(|days| days.contains(&day)));
        is_asked || one.rests_until.is_some() || (one.why == Why::Error && within.is_some())
    });
    let is_known = |day: &NaiveDate| {
        standing.is_some_and(|standing| standing.days.contains(day)) || troubled.contains_key(day.to_string().as_str())
    };
    let unread = asked.into_iter().filter(|day| *day < scope.today && !is_known(day));
    missing.extend(unread.map(|day| never_read(Unit::Day, Some(day))));
    missing
}

/// A file or an item, if it is missing.
fn one_of<'a>(
    dataset: &Dataset,
    thing: &Candidate,
    troubled: &HashMap<&str, &'a LedgerEntry>,
    ledger: &Ledger,
    scope: &Scope,
) -> Option<One<'a>> {
    if let Some(entry) = troubled.get(thing.item.as_str()) {
        return one(dataset, entry, thing.day, scope);
    }
    let known = ledger.standing(&dataset.name).and_then(|standing| standing.items.get(&thing.item));
    known.is_none().then(|| never_read(unit(dataset), thing.day))
}

fn unit(dataset: &Dataset) -> Unit {
    match dataset.kind {
        Kind::Days | Kind::Activities => Unit::Day,
        Kind::Files => Unit::File,
        Kind::Items | Kind::Inventory | Kind::Deletions => Unit::Item,
    }
}

fn never_read<'a>(unit: Unit, day: Option<NaiveDate>) -> One<'a> {
    One { unit, day, why: Why::Unread, entry: None, rests_until: None }
}

/// What the ledger says is missing.
fn one<'a>(dataset: &Dataset, entry: &'a LedgerEntry, day: Option<NaiveDate>, scope: &Scope) -> Option<One<'a>> {
    let why = match entry.state {
        State::Error => Why::Error,
        State::Unavailable => Why::Unavailable,
        State::Ok | State::Empty | State::Provisional => return None,
    };
    let unit = unit(dataset);
    let young = match dataset.kind {
        // As the plan has it: only a day, and an inventory, may be tried again soon.
        Kind::Files | Kind::Items | Kind::Deletions => false,
        Kind::Inventory => true,
        Kind::Days | Kind::Activities => day.is_some_and(|day| !plan::is_final(day, scope.today, dataset.reread_days)),
    };
    Some(One { unit, day, why, entry: Some(entry), rests_until: plan::rests_until(entry, scope.now, young) })
}

/// Puts one thing to the gap it belongs to: days to the one that ends just after them, for the same reason; others to any for the same
/// reason.
fn join(gaps: &mut Vec<Gap>, dataset: &str, one: &One<'_>, unread: &str) {
    let detail = one.entry.map_or(unread, |entry| entry.detail.as_deref().unwrap_or(NO_REASON));
    let since = one.entry.and_then(|entry| entry.since_utc.or(Some(entry.fetched_utc)));
    let attempts = one.entry.map_or(0, |entry| entry.attempts);
    let alike = |gap: &&mut Gap| gap.unit == one.unit && gap.why == one.why && gap.detail == detail;
    let joined = match one.unit {
        Unit::Day => {
            let next = one.day.and_then(|day| day.succ_opt());
            gaps.last_mut().filter(|gap| gap.days.is_some_and(|(from, _)| Some(from) == next)).filter(alike)
        }
        Unit::File | Unit::Item => gaps.iter_mut().find(alike),
    };
    if let Some(gap) = joined {
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
        detail: detail.into(),
        since,
        attempts,
        rests_until: one.rests_until,
    });
}

#[cfg(test)]
#[path = "gaps_test.rs"]
mod tests;
