//! What to ask Garmin for: ledger, today and the datasets' rules in, a list of fetches out, newest first. The runner calls it before
//! every fetch, as what a fetch brings may move the horizon. It is pure: no clock, no store, no network.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use garminsync_garmin::Tier;
use garminsync_store::{ActivityRef, State};

use super::archive::ALL;
use super::calendar::Calendar;
use super::datasets::{Dataset, Kind};
use super::known::AREA_CLOSED;
pub use super::known::{Known, Ledger, Standing, WHOLE_LIST, closed_item, is_note, pages_item, rests_until};
use super::route::{Points, Route};

/// Nothing is wanted from before this day: Garmin Connect is younger, and a watch whose clock was never set says 1989-12-31.
pub const EARLIEST: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// With `start = "auto"` the mirror goes back until a whole year brought nothing.
pub(super) const SILENT_YEAR: Days = Days::new(365);
/// What a range of a month brings for one request is read again each week, ...
const MONTH: u32 = 31;
/// ... and what a range of a year brings, each month. So an entry that somebody makes for a day long past is found.
const YEAR: u32 = 365;
/// An activity that was uploaded late stands deep in the list: it is read to its beginning again after so many days.
const RELIST: u64 = 7;

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
    /// What was read so shortly ago is not read again, nor what was read within its dataset's `rest_hours`. `None`: a person asked.
    pub rest: Option<TimeDelta>,
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
    fn takes(&self, known: Option<Known>) -> bool {
        !self.missing || known.is_none_or(|known| matches!(known.state, State::Error | State::Unavailable))
    }

    /// Whether the mirror goes back to the beginning, wherever that is.
    fn is_open(&self) -> bool {
        self.since.is_none() && self.start.is_none()
    }
}

/// Days on which there is reason to ask.
#[derive(Clone, Debug, Default)]
pub struct Grounds {
    /// Each with the moment when the reason last changed.
    pub days: Calendar<DateTime<Utc>>,
    /// Whether days that the dataset that gives the reasons has never read are asked for, too: nobody is about to read them.
    pub others: bool,
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
/// for a dataset, or nobody. A dataset that is named in `grounds` is asked for these days only.
pub fn plan<'a>(
    datasets: impl IntoIterator<Item = &'a Dataset>,
    ledger: &Ledger,
    scope: &Scope,
    tier: impl Fn(&Dataset) -> Option<Tier>,
    grounds: &HashMap<String, Grounds>,
) -> Vec<Fetch> {
    let mut fetches = Vec::new();
    for dataset in datasets {
        let Some((tier, route)) = tier(dataset).and_then(|tier| Some((tier, dataset.route(tier)?))) else { continue };
        let ranges = match dataset.kind {
            Kind::Days if route.within.is_empty() => days(dataset, route, ledger, scope, grounds.get(&dataset.name)),
            Kind::Activities => list(dataset, route, ledger, scope),
            _ => continue,
        };
        let name = &dataset.name;
        fetches.extend(ranges.into_iter().map(|(from, to)| Fetch { dataset: name.clone(), tier, from, to }));
    }
    // Stable: where two datasets end on the same day, the first in the list goes first.
    fetches.sort_by_key(|fetch| Reverse(fetch.to));
    fetches
}

/// The ranges of a dataset of days.
fn days(
    dataset: &Dataset,
    route: &Route,
    ledger: &Ledger,
    scope: &Scope,
    grounds: Option<&Grounds>,
) -> Vec<(Option<NaiveDate>, NaiveDate)> {
    let nothing = Standing::default();
    let standing = ledger.standing(&dataset.name).unwrap_or(&nothing);
    let mut first = scope.first(ledger);
    if scope.is_open() {
        // One request may as well reach as far back as it is allowed to.
        let reach = Days::new(u64::from(route.cap_days).saturating_sub(1).min(u64::from(u16::MAX)));
        first = match grounds {
            Some(Grounds { days, others: false }) => days.first().unwrap_or(scope.today),
            _ => first.min(earlier(scope.last(), reach)).max(EARLIEST),
        };
    }
    let parent = dataset.follows.as_ref().and_then(|follows| ledger.standing(&follows.dataset));
    // Where the other dataset could not be read, nobody can tell, and the day is asked for.
    let unclear = |day: NaiveDate, others: bool| match parent.and_then(|parent| parent.days.get(&day)) {
        Some(known) => matches!(known.state, State::Error | State::Unavailable),
        None => others,
    };
    let ground = |day: NaiveDate| match grounds {
        None => Some(DateTime::<Utc>::MIN_UTC),
        Some(Grounds { days, others }) => {
            days.get(&day).or_else(|| unclear(day, *others).then_some(DateTime::<Utc>::MIN_UTC))
        }
    };
    let wanted = wanted(dataset, route, standing, first, scope, ground);
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
}

/// The runs of days of the activity list. To its beginning it is read once, and again each week: an activity that is uploaded late
/// stands at its start.
fn list(dataset: &Dataset, route: &Route, ledger: &Ledger, scope: &Scope) -> Vec<(Option<NaiveDate>, NaiveDate)> {
    let nothing = Standing::default();
    let standing = ledger.standing(&dataset.name).unwrap_or(&nothing);
    let mut first = scope.first(ledger);
    let whole = standing.whole_list();
    if scope.is_open() && whole.is_some() {
        first = standing.days.first().unwrap_or(first);
    }
    let wanted = wanted(dataset, route, standing, first, scope, |_| Some(DateTime::<Utc>::MIN_UTC));
    let mut runs: Vec<_> = runs(&wanted).into_iter().map(|(from, to)| (Some(from), to)).collect();
    if standing.asked_down_from.is_some() {
        return runs;
    }
    if !scope.is_open() {
        // As far down as the mirror goes; its oldest day tells when that was last done.
        let oldest = standing.days.get(&first).filter(|_| scope.since.is_none() && !standing.asked.contains(&first));
        let old =
            oldest.is_some_and(|known| known.attempts == 0 && later(known.read_on, Days::new(RELIST)) <= scope.today);
        if old && scope.takes(oldest) && first <= scope.last() {
            runs = vec![(Some(first), scope.last())];
        }
        return runs;
    }
    match whole {
        Some(whole) if later(whole.read_on, Days::new(RELIST)) > scope.today => {}
        // The same pages bring the newest days, too.
        Some(_) => runs = vec![(None, scope.last())],
        None => match runs.last_mut() {
            Some((from, _)) if *from == Some(first) => *from = None,
            _ => runs.push((None, first.min(scope.last()))),
        },
    }
    runs
}

/// The days to read: never read, read before they were final, failed and due again, or due because such things change late.
fn wanted(
    dataset: &Dataset,
    route: &Route,
    standing: &Standing,
    first: NaiveDate,
    scope: &Scope,
    ground: impl Fn(NaiveDate) -> Option<DateTime<Utc>>,
) -> BTreeSet<NaiveDate> {
    let closed = |known: Known| known.state == State::Unavailable && known.is_within(AREA_CLOSED, scope.now);
    if standing.days.values().any(closed) {
        return BTreeSet::new();
    }
    let reread = dataset.reread_days;
    let rest = TimeDelta::hours(dataset.rest_hours.into());
    let due = |day: NaiveDate| {
        let Some(changed) = ground(day) else { return false };
        let Some(known) = standing.days.get(&day) else { return true };
        if known.rests(scope.now, !is_final(day, scope.today, reread)) {
            return false;
        }
        if matches!(known.state, State::Error | State::Unavailable) || known.attempts > 0 {
            return true;
        }
        if scope.rest.is_some_and(|least| known.is_within(rest.max(least), scope.now)) {
            return false;
        }
        known.fetched_utc < changed || !is_final(day, known.read_on, reread) || is_due_again(day, &known, route, scope)
    };
    let asked =
        |day: NaiveDate| standing.asked.contains(&day) || standing.asked_down_from.is_some_and(|top| day <= top);
    let last = scope.last();
    let days = first.iter_days().take_while(|day| *day <= last);
    let due = |day: NaiveDate| scope.takes(standing.days.get(&day)) && due(day);
    days.filter(|day| is_point(route.points, *day, scope.today) && !asked(*day) && due(*day)).collect()
}

/// Whether a final day is read again because the request costs the same with it: those of a month each week, those of a year each
/// month. All days come due together, as the calendar's week or month begins.
fn is_due_again(day: NaiveDate, known: &Known, route: &Route, scope: &Scope) -> bool {
    let (today, age) = (scope.today, (scope.today - day).num_days());
    let within = |days: u32| age < i64::from(days.min(route.cap_days));
    let ahead = known.read_on > today;
    let week = |day: NaiveDate| day.iso_week();
    let month = |day: NaiveDate| (day.year(), day.month());
    !ahead
        && route.cap_days >= MONTH.min(28)
        && ((within(MONTH) && week(known.read_on) != week(today))
            || (route.cap_days >= YEAR && within(YEAR) && month(known.read_on) != month(today)))
}

/// Whether a day stands for others, where not all are asked for.
fn is_point(points: Points, day: NaiveDate, today: NaiveDate) -> bool {
    match points {
        Points::Days => true,
        Points::Months if (day.year(), day.month()) == (today.year(), today.month()) => {
            day.day() == today.day() / 7 * 7
        }
        Points::Months => later(day, Days::new(1)).day() == 1,
    }
}

/// A thing that a dataset of items asks for, as the store's tables know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What goes into the path, and into the ledger.
    pub item: String,
    /// Its day; only things of the days that are wanted are asked for.
    pub day: Option<NaiveDate>,
    /// When what it is asked for last changed.
    pub changed_utc: Option<DateTime<Utc>>,
}

/// The things to ask for now, in the order they came: never read, changed since, young and not read today, old enough, or failed and
/// due again.
pub fn items(
    dataset: &Dataset,
    candidates: Vec<Candidate>,
    standing: Option<&Standing>,
    scope: &Scope,
) -> Vec<Candidate> {
    let due = |candidate: &Candidate| {
        let Some(known) = standing.and_then(|standing| standing.items.get(&candidate.item)) else { return true };
        if known.rests(scope.now, false) || !scope.takes(Some(known)) {
            return false;
        }
        if matches!(known.state, State::Error | State::Unavailable) || known.attempts > 0 {
            return true;
        }
        // Times of the ledger are whole seconds: what changed in the same one was read with it.
        if candidate.changed_utc.is_some_and(|changed| known.fetched_utc < changed) {
            return true;
        }
        let young = candidate.day.is_some_and(|day| !is_final(day, scope.today, dataset.reread_days));
        (young && known.read_on < scope.today) || is_old(&known, dataset.every_days, scope)
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.day.is_none_or(|day| scope.holds(day)) && due(candidate))
        .collect()
}

/// Whether an inventory is to be read now.
pub fn inventory(dataset: &Dataset, standing: Option<&Standing>, scope: &Scope) -> bool {
    let Some(known) = standing.and_then(|standing| standing.items.get(ALL)) else { return true };
    if known.rests(scope.now, true) || !scope.takes(Some(known)) {
        return false;
    }
    match known.state {
        State::Unavailable => !known.is_within(AREA_CLOSED, scope.now),
        State::Error => true,
        _ => known.attempts > 0 || is_old(&known, dataset.every_days, scope),
    }
}

fn is_old(known: &Known, every_days: u32, scope: &Scope) -> bool {
    every_days > 0 && later(known.read_on, Days::new(every_days.into())) <= scope.today
}

impl Scope {
    /// Whether a thing of that day is wanted in this run.
    pub(super) fn holds(&self, day: NaiveDate) -> bool {
        self.since.is_none_or(|since| day >= since) && self.until.is_none_or(|until| day <= until)
    }
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
        let known = standing.and_then(|standing| standing.items.get(&id.to_string()));
        known.is_some_and(|known| known.rests(scope.now, false))
    };
    missing
        .into_iter()
        .filter(|activity| !rests(activity.activity_id))
        .filter(|activity| activity.start_local.as_deref().and_then(day_of).is_none_or(|day| scope.holds(day)))
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
