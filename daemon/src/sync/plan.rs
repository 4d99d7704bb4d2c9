//! What to ask Garmin for: ledger, today and the datasets' rules in, a list of fetches out, newest first. The runner calls it before
//! every fetch, as what a fetch brings may move the horizon. It is pure: no clock, no store, no network.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use garminsync_garmin::Tier;
use garminsync_store::{ActivityRef, LedgerEntry, Mark, State};

use super::datasets::{Dataset, Kind};

/// The ledger's item that says: the activity list was read to its beginning.
pub const WHOLE_LIST: &str = "all";
/// Nothing is wanted from before this day: Garmin Connect is younger, and a watch whose clock was never set says 1989-12-31.
pub const EARLIEST: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// With `start = "auto"` the mirror goes back until a whole year brought nothing.
const SILENT_YEAR: Days = Days::new(365);
/// An area that no tier may read is asked for again after this.
const AREA_CLOSED: TimeDelta = TimeDelta::hours(24);
/// What failed in this many runs rests before it is asked for again: some days are answered with 500 for ever. What is old rests
/// for the longest time. What is young, or was read once, rests an hour first and then twice as long each time: a service of Garmin's
/// that was down for an evening must not cost the week.
const STUBBORN: u32 = 3;
const SHORTEST_REST: TimeDelta = TimeDelta::hours(1);
const LONGEST_REST: TimeDelta = TimeDelta::days(7);
/// What the ledger says is believed if it is not more than this ahead of the clock.
const CLOCK_SLACK: TimeDelta = TimeDelta::days(1);

/// What the ledger knows about one day or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its state.
    pub state: State,
    /// When Garmin last answered for it, or, where it never did, was last asked.
    pub fetched_utc: DateTime<Utc>,
    /// The person's local day at that moment.
    pub read_on: NaiveDate,
    /// Runs in a row that failed to read it.
    pub attempts: u32,
}

impl Known {
    fn has_data(&self) -> bool {
        matches!(self.state, State::Ok | State::Provisional)
    }

    /// How long it rests after its last failure.
    fn rest(&self, young: bool) -> Option<TimeDelta> {
        let more = self.attempts.checked_sub(STUBBORN)?;
        let doubled = (SHORTEST_REST * (1 << more.min(8))).min(LONGEST_REST);
        Some(if young || self.has_data() { doubled } else { LONGEST_REST })
    }

    fn rests(&self, now: DateTime<Utc>, young: bool) -> bool {
        self.rest(young).is_some_and(|rest| self.is_within(rest, now))
    }

    /// Whether it was fetched in the last `span`. What lies ahead was not.
    fn is_within(&self, span: TimeDelta, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..span).contains(&(now - self.fetched_utc))
    }
}

/// What is known about one dataset, and what this run has asked for already.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// By day.
    pub days: BTreeMap<NaiveDate, Known>,
    /// By activity.
    pub files: HashMap<i64, Known>,
    /// The list was read to its beginning, once.
    pub whole_list: bool,
    /// What this run has asked for.
    asked: BTreeSet<NaiveDate>,
    /// This run has asked for this day and all before it.
    asked_down_from: Option<NaiveDate>,
}

/// The ledger of one account, as the plan needs it.
#[derive(Clone, Debug, Default)]
pub struct Ledger(HashMap<String, Standing>);

impl Ledger {
    /// From the store's rows. `local_day` tells the person's day at a moment. What was written while the clock was ahead is left out:
    /// who looked into the future saw empty days, and took for final what was not.
    pub fn new(entries: &[LedgerEntry], now: DateTime<Utc>, local_day: impl Fn(DateTime<Utc>) -> NaiveDate) -> Self {
        let mut ledger = Self::default();
        let believed = entries.iter().filter(|entry| entry.fetched_utc - now <= CLOCK_SLACK);
        for LedgerEntry { dataset, item, state, fetched_utc, attempts, .. } in believed {
            let (state, fetched_utc, attempts) = (*state, *fetched_utc, *attempts);
            let known = Known { state, fetched_utc, read_on: local_day(fetched_utc), attempts };
            let standing = ledger.0.entry(dataset.clone()).or_default();
            if let Some(day) = day_of(item) {
                standing.days.insert(day, known);
            } else if let Ok(id) = item.parse() {
                standing.files.insert(id, known);
            } else if item == WHOLE_LIST {
                standing.whole_list = true;
            }
        }
        ledger
    }

    /// What is known about a dataset.
    pub fn standing(&self, dataset: &str) -> Option<&Standing> {
        self.0.get(dataset)
    }

    /// All datasets that anything is known about.
    pub fn standings(&self) -> impl Iterator<Item = (&str, &Standing)> {
        self.0.iter().map(|(name, standing)| (name.as_str(), standing))
    }

    /// These days were asked for, whatever the answer: this run does not ask again. No `from` is the beginning of the list.
    pub fn ask(&mut self, dataset: &str, from: Option<NaiveDate>, to: NaiveDate) {
        let standing = self.0.entry(dataset.into()).or_default();
        match from {
            Some(from) => standing.asked.extend(from.iter_days().take_while(|day| *day <= to)),
            None => standing.asked_down_from = standing.asked_down_from.max(Some(to)),
        }
    }

    /// These days have data. Only the horizon of this run depends on it; the store keeps the ledger itself.
    pub fn found(&mut self, dataset: &str, marks: &[Mark], fetched_utc: DateTime<Utc>, read_on: NaiveDate) {
        let standing = self.0.entry(dataset.into()).or_default();
        for mark in marks {
            if let (State::Ok | State::Provisional, Some(day)) = (mark.state, day_of(&mark.item)) {
                standing.days.insert(day, Known { state: mark.state, fetched_utc, read_on, attempts: 0 });
            }
        }
    }

    fn oldest_data(&self) -> Option<NaiveDate> {
        let oldest =
            |standing: &Standing| standing.days.iter().find(|(_, known)| known.has_data()).map(|(day, _)| *day);
        self.0.values().filter_map(oldest).min()
    }
}

/// Until when something that could not be read rests; `None` where the next run may try it.
pub fn rests_until(entry: &LedgerEntry, now: DateTime<Utc>, young: bool) -> Option<DateTime<Utc>> {
    let LedgerEntry { state, fetched_utc, attempts, .. } = *entry;
    let known = Known { state, fetched_utc, read_on: fetched_utc.date_naive(), attempts };
    let rest = if state == State::Unavailable { Some(AREA_CLOSED) } else { known.rest(young) };
    rest.filter(|rest| known.is_within(*rest, now)).map(|rest| fetched_utc + rest)
}

/// Whether a day that was read on `read_on` will not change any more.
pub fn is_final(day: NaiveDate, read_on: NaiveDate, reread_days: u32) -> bool {
    read_on > later(day, Days::new(reread_days.into()))
}

/// So many days before, or as far back as there are days.
pub fn earlier(day: NaiveDate, days: Days) -> NaiveDate {
    day.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
}

/// So many days after, or as far as there are days.
pub fn later(day: NaiveDate, days: Days) -> NaiveDate {
    day.checked_add_days(days).unwrap_or(NaiveDate::MAX)
}

/// What a run is to cover.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Now.
    pub now: DateTime<Utc>,
    /// The person's local day.
    pub today: NaiveDate,
    /// How far back the mirror goes; `None`: to the first day that has data.
    pub start: Option<NaiveDate>,
    /// Only days from this one on, though the mirror may go further back, or not as far.
    pub since: Option<NaiveDate>,
    /// Only days up to this one.
    pub until: Option<NaiveDate>,
    /// Only what is missing: nothing that is held is read again.
    pub missing: bool,
}

impl Scope {
    fn last(&self) -> NaiveDate {
        self.until.unwrap_or(self.today).min(self.today)
    }

    /// The oldest day that is wanted; none is before [`EARLIEST`].
    pub fn first(&self, ledger: &Ledger) -> NaiveDate {
        let first = match (self.since, self.start) {
            (Some(day), _) | (None, Some(day)) => day,
            (None, None) => earlier(ledger.oldest_data().unwrap_or(self.today).min(self.today), SILENT_YEAR),
        };
        first.max(EARLIEST)
    }

    /// Whether something of which so much is known is wanted at all.
    fn takes(&self, known: Option<&Known>) -> bool {
        !self.missing || known.is_none_or(|known| matches!(known.state, State::Error | State::Unavailable))
    }

    /// Whether the activity list is wanted to its very beginning, which costs no more than a part of it.
    fn wants_whole_list(&self) -> bool {
        self.since.is_none() && self.start.is_none()
    }
}

/// Days to ask one tier for: in one request, or, for the activity list, in as many pages as it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The dataset.
    pub dataset: String,
    /// Whom to ask.
    pub tier: Tier,
    /// First day; `None`: the list to its beginning.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: NaiveDate,
}

/// The fetches that bring all days that are wanted, newest first, in the smallest number that the caps allow. `tier` chooses whom to ask
/// for a dataset, or nobody.
pub fn plan<'a>(
    datasets: impl IntoIterator<Item = &'a Dataset>,
    ledger: &Ledger,
    scope: &Scope,
    tier: impl Fn(&Dataset) -> Option<Tier>,
) -> Vec<Fetch> {
    let nothing = Standing::default();
    let mut fetches = Vec::new();
    for dataset in datasets.into_iter().filter(|dataset| dataset.kind != Kind::Files) {
        let standing = ledger.standing(&dataset.name).unwrap_or(&nothing);
        let Some((tier, route)) = tier(dataset).and_then(|tier| Some((tier, dataset.route(tier)?))) else { continue };
        let mut first = scope.first(ledger);
        let is_list = dataset.kind == Kind::Activities;
        if is_list && scope.wants_whole_list() && standing.whole_list {
            first = standing.days.keys().next().copied().unwrap_or(first);
        }
        let wanted = wanted(dataset, standing, first, scope);
        let ranges = if is_list {
            let mut runs: Vec<_> = runs(&wanted).into_iter().map(|(from, to)| (Some(from), to)).collect();
            if scope.wants_whole_list() && !standing.whole_list && standing.asked_down_from.is_none() {
                match runs.last_mut() {
                    Some((from, _)) if *from == Some(first) => *from = None,
                    _ => runs.push((None, first.min(scope.last()))),
                }
            }
            runs
        } else {
            let limit = |day: NaiveDate| match standing.days.get(&day) {
                // A range that failed is asked for in halves by the next run, and so on: the day that is to blame ends up alone.
                Some(known) if known.attempts > 0 => {
                    if wanted.contains(&day) {
                        (route.cap_days >> known.attempts.min(31)).max(1)
                    } else {
                        0
                    }
                }
                _ => route.cap_days,
            };
            cover(&wanted, limit).into_iter().map(|(from, to)| (Some(from), to)).collect()
        };
        let name = &dataset.name;
        fetches.extend(ranges.into_iter().map(|(from, to)| Fetch { dataset: name.clone(), tier, from, to }));
    }
    // Stable: where two datasets end on the same day, the first in the list goes first.
    fetches.sort_by_key(|fetch| Reverse(fetch.to));
    fetches
}

/// The days to read: never read, read before they were final, or failed and due again.
fn wanted(dataset: &Dataset, standing: &Standing, first: NaiveDate, scope: &Scope) -> BTreeSet<NaiveDate> {
    let closed = |known: &Known| known.state == State::Unavailable && known.is_within(AREA_CLOSED, scope.now);
    if standing.days.values().any(closed) {
        return BTreeSet::new();
    }
    let due = |day: NaiveDate| match standing.days.get(&day) {
        None => true,
        Some(known) if known.rests(scope.now, !is_final(day, scope.today, dataset.reread_days)) => false,
        Some(known) if matches!(known.state, State::Error | State::Unavailable) => true,
        Some(known) => !is_final(day, known.read_on, dataset.reread_days),
    };
    let asked =
        |day: NaiveDate| standing.asked.contains(&day) || standing.asked_down_from.is_some_and(|top| day <= top);
    let last = scope.last();
    first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter(|day| !asked(*day) && scope.takes(standing.days.get(day)) && due(*day))
        .collect()
}

/// Covers `wanted` by the smallest number of ranges, newest first: each begins at the newest day that is left and reaches back as far
/// as it may. No range is longer than the `limit` of any day inside it, and none holds a day whose limit is 0. As a part of a range
/// that is allowed is allowed too, nothing can do with fewer.
pub fn cover(wanted: &BTreeSet<NaiveDate>, limit: impl Fn(NaiveDate) -> u32) -> Vec<(NaiveDate, NaiveDate)> {
    let mut ranges: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for &to in wanted.iter().rev() {
        if ranges.last().is_some_and(|(from, _)| *from <= to) {
            continue;
        }
        let (mut from, mut reach) = (to, limit(to));
        for (length, day) in (2..).zip(to.iter_days().rev().skip(1)) {
            reach = reach.min(limit(day));
            if length > reach {
                break;
            }
            if wanted.contains(&day) {
                from = day;
            }
        }
        ranges.push((from, to));
    }
    ranges
}

/// The runs of consecutive days, newest first. A list costs by its length, so it is not read again across days that are known.
fn runs(wanted: &BTreeSet<NaiveDate>) -> Vec<(NaiveDate, NaiveDate)> {
    let mut runs: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for &day in wanted.iter().rev() {
        match runs.last_mut() {
            Some((from, _)) if day.succ_opt() == Some(*from) => *from = day,
            _ => runs.push((day, day)),
        }
    }
    runs
}

/// The activities whose file is to be fetched now, of those that have none, in the order they came (newest first).
pub fn originals(missing: Vec<ActivityRef>, standing: Option<&Standing>, scope: &Scope) -> Vec<ActivityRef> {
    let rests = |id: i64| {
        standing.and_then(|standing| standing.files.get(&id)).is_some_and(|known| known.rests(scope.now, false))
    };
    let inside =
        |day: NaiveDate| scope.since.is_none_or(|since| day >= since) && scope.until.is_none_or(|until| day <= until);
    missing
        .into_iter()
        .filter(|activity| !rests(activity.activity_id))
        .filter(|activity| activity.start_local.as_deref().and_then(day_of).is_none_or(inside))
        .collect()
}

/// The day at the beginning of a date or a local time, `2026-10-21…`. None from before [`EARLIEST`]: an activity may well be dated so by
/// a watch, but it must not move a horizon.
pub fn day_of(text: &str) -> Option<NaiveDate> {
    let digits = |at: std::ops::Range<usize>| text.get(at).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let hyphens = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let day = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    (hyphens && day >= EARLIEST).then_some(day)
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
