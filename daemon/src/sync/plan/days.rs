//! Datasets of days: which days are wanted now, and in which ranges they are asked for. It is pure, as the rest of the plan.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use garminsync_store::State;

use super::cover::cover;
use super::horizon::{Span, spans};
use super::{Grounds, Known, Ledger, MONTH, Scope, Standing, YEAR, is_final, later};
use crate::sync::datasets::Dataset;
use crate::sync::route::{Points, Route};

/// The ranges of a dataset of days.
pub(super) fn days(
    dataset: &Dataset,
    route: &Route,
    ledger: &Ledger,
    scope: &Scope,
    grounds: Option<&Grounds>,
) -> Vec<(Option<NaiveDate>, NaiveDate)> {
    let nothing = Standing::default();
    let standing = ledger.standing(&dataset.name).unwrap_or(&nothing);
    let spans = match grounds {
        Some(Grounds { days, others: false }) if scope.is_open() => {
            vec![(days.first().unwrap_or(scope.today), scope.last())]
        }
        _ => spans(dataset, route, standing, ledger, scope),
    };
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
    let wanted = wanted(dataset, route, standing, &spans, scope, ground);
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

/// The days to read: never read, read before they were final, failed and due again, or due because such things change late.
pub(super) fn wanted(
    dataset: &Dataset,
    route: &Route,
    standing: &Standing,
    spans: &[Span],
    scope: &Scope,
    ground: impl Fn(NaiveDate) -> Option<DateTime<Utc>>,
) -> BTreeSet<NaiveDate> {
    let reread = dataset.reread_days;
    let moved = dataset.after_activities && scope.new_activities;
    let rest = if moved { TimeDelta::zero() } else { TimeDelta::hours(dataset.rest_hours.into()) };
    let age = |day: NaiveDate| (scope.today - day).num_days();
    let is_bare = !standing.days.iter().any(|(day, known)| known.has_data() && age(day) < route.cap_days.into());
    let due = |day: NaiveDate, changed: DateTime<Utc>| {
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
        known.fetched_utc < changed
            || !is_final(day, known.read_on, reread)
            || is_due_again(day, &known, route, scope, is_bare)
    };
    let asked =
        |day: NaiveDate| standing.asked.contains(&day) || standing.asked_down_from.is_some_and(|top| day <= top);
    let wanted = |(day, changed): &(NaiveDate, DateTime<Utc>)| {
        !asked(*day) && scope.takes(standing.days.get(day)) && due(*day, *changed)
    };
    let days = spans.iter().flat_map(|(from, to)| from.iter_days().take_while(move |day| day <= to));
    let days = days.filter_map(|day| Some((day, ground(day)?)));
    match route.points {
        Points::Days => days.filter(wanted).map(|(day, _)| day).collect(),
        Points::Months => {
            let days: Vec<_> = days.collect();
            // A day that stood for its month before a later one did is read once more, when it cannot change any more or has changed.
            let stood = |(day, changed): &(NaiveDate, DateTime<Utc>)| {
                standing.days.get(day).is_some_and(|known| {
                    let was_open = !is_final(*day, known.read_on, reread) && is_final(*day, scope.today, reread);
                    known.has_data() && (was_open || known.fetched_utc < *changed)
                })
            };
            let ends = month_ends(days.iter().copied(), scope);
            ends.chain(days.iter().copied().filter(stood)).filter(wanted).map(|(day, _)| day).collect()
        }
    }
}

/// Whether a final day is read again because the request costs the same with it: those of a month each week, those of a year each
/// month. All days come due together, as the calendar's week or month begins. `is_bare`: the longest range up to today holds nothing. One empty
/// answer may have said so of ten years, and is no proof: that range, too, is read again each week.
fn is_due_again(day: NaiveDate, known: &Known, route: &Route, scope: &Scope, is_bare: bool) -> bool {
    let (today, age) = (scope.today, (scope.today - day).num_days());
    let within = |days: u32| age < i64::from(days.min(route.cap_days));
    let weekly = if is_bare { u32::MAX } else { MONTH };
    let ahead = known.read_on > today;
    let week = |day: NaiveDate| day.iso_week();
    let month = |day: NaiveDate| (day.year(), day.month());
    !ahead
        && route.cap_days >= MONTH.min(28)
        && ((within(weekly) && week(known.read_on) != week(today))
            || (route.cap_days >= YEAR && within(YEAR) && month(known.read_on) != month(today)))
}

/// The days that are asked for, where one stands for others: the last of each month on which there is reason to ask, and of this month the last
/// one up to the 7th, 14th, 21st or 28th that has begun. A month that goes on after the last day of the run waits for its end.
fn month_ends(
    days: impl Iterator<Item = (NaiveDate, DateTime<Utc>)>,
    scope: &Scope,
) -> impl Iterator<Item = (NaiveDate, DateTime<Utc>)> {
    let month = |day: NaiveDate| (day.year(), day.month());
    let (today, after) = (scope.today, later(scope.last(), Days::new(1)));
    let counts = |day: NaiveDate| match month(day) {
        this if this == month(today) => day.day() <= today.day() / 7 * 7,
        any => any != month(after),
    };
    let mut ends = BTreeMap::new();
    for (day, changed) in days.filter(|(day, _)| counts(*day)) {
        let end = ends.entry(month(day)).or_insert((day, changed));
        *end = (*end).max((day, changed));
    }
    ends.into_values()
}
