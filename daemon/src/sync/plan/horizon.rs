//! How far back a mirror goes when nobody says so (`start = "auto"`): to the first day that Garmin has anything of, without walking through
//! every empty year before it. The plan of days calls it. It must not know any metric by name; what a dataset's folder says decides.
//!
//! The evidence is every day of which any dataset has data, which the activity list (read to its beginning), HRV, weigh-ins and all else that
//! comes by the year tell for a few requests, and the dates at which devices were registered and badges earned. Days that lie no more than
//! two years apart belong to one *era*, and an era is read without a hole. What may lie before the oldest evidence is looked for:
//!
//! - What comes by the year is read until a year brought nothing.
//! - All else is read until a month brought nothing. The dataset that others follow (`scouts`) goes on from there: one month of each quarter is looked at, two years
//!   back. Whoever wore a watch for three months in these years is found, and from there the search goes on.
//! - Between eras it looks in the same way, and once a year where the silence is longer.
//! - What people type in themselves (`by_hand`) is asked for through all silence, as no other data would tell.

use chrono::{Datelike, Days, NaiveDate};
use garminsync_store::State;

use super::{EARLIEST, Ledger, Scope, Standing, YEAR, earlier, later};
use crate::sync::datasets::Dataset;
use crate::sync::route::Route;

/// First and last day.
pub type Span = (NaiveDate, NaiveDate);

/// The longest silence inside an era, and how far before an era an older one is looked for.
const SILENCE: u64 = 731;
/// A range of as many days comes by the year.
const WIDE: u32 = 300;
/// What is read around an era of which nobody knows yet where it began and ended.
const MARGIN: Days = Days::new(31);
/// What is not by the year is at its beginning when so many days before the first ones brought nothing.
const SILENT_MONTH: u64 = 30;
/// How many days of a quarter are looked at, after its first.
const GLANCE: Days = Days::new(30);

/// The eras, newest first; the newest one always lasts until today.
pub fn eras(ledger: &Ledger, today: NaiveDate) -> Vec<Span> {
    let mut eras: Vec<Span> = Vec::new();
    for day in ledger.alive().filter(|day| *day <= today).chain([today]) {
        match eras.last_mut() {
            Some((_, to)) if day <= later(*to, Days::new(SILENCE)) => *to = day,
            _ => eras.push((day, day)),
        }
    }
    eras.reverse();
    eras
}

/// Whether ranges of so many days at most bring a year for one request or two.
pub fn is_wide(cap_days: u32) -> bool {
    cap_days >= WIDE
}

/// The days that a dataset is to hold, in any order; spans may overlap.
pub fn spans(dataset: &Dataset, route: &Route, standing: &Standing, ledger: &Ledger, scope: &Scope) -> Vec<Span> {
    let last = scope.last();
    if !scope.is_open() {
        return vec![(scope.first(ledger), last)];
    }
    let eras = eras(ledger, scope.today);
    let newest = eras.first().map_or(last, |era| era.0);
    let oldest = eras.last().map_or(last, |era| era.0);
    let silent: u64 = if is_wide(route.cap_days) { YEAR.into() } else { SILENT_MONTH };
    // One request may as well reach as far back as it is allowed to.
    let reach =
        |to: NaiveDate| earlier(to, Days::new(u64::from(route.cap_days.min(u16::MAX.into())).saturating_sub(1)));
    let settled = |day: NaiveDate| {
        let known =
            standing.days.get(&day).is_some_and(|known| !matches!(known.state, State::Error | State::Unavailable));
        known || standing.asked.contains(&day)
    };
    // Before the first sign of life nothing more is asked for than proves the silence: once that day is read, requests as long as they may be.
    let before = |first: NaiveDate| {
        if !settled(first) {
            return first;
        }
        let silence = first.iter_days().rev().skip(1).take(silent as usize);
        silence.take_while(|day| *day >= EARLIEST).find(|day| !settled(*day)).map_or(first, reach)
    };
    let mut spans = vec![(reach(last), last)];
    if dataset.by_hand {
        spans.push((before(oldest), last));
    } else {
        spans.push((before(newest), last));
        spans.extend(eras.iter().skip(1).map(|(from, to)| (earlier(*from, MARGIN), later(*to, MARGIN))));
    }
    // A glance would be wasted where the next month may still bring something.
    if dataset.scouts && settled(newest) && before(newest) == newest {
        spans.extend(glances(&eras));
    }
    spans.into_iter().map(|(from, to)| (from.max(EARLIEST), to.min(last))).filter(|(from, to)| from <= to).collect()
}

/// The first days of quarters in which an older era is looked for.
fn glances(eras: &[Span]) -> Vec<Span> {
    let mut glances = Vec::new();
    for (at, (from, _)) in eras.iter().enumerate() {
        let near = earlier(*from, Days::new(SILENCE));
        let floor = eras.get(at + 1).map_or(near, |(_, to)| later(*to, MARGIN));
        let years = (floor.year()..=from.year()).rev();
        let quarters = years.flat_map(|year| [10, 7, 4, 1].map(|month| NaiveDate::from_ymd_opt(year, month, 1)));
        for first in quarters.flatten().filter(|first| *first >= floor) {
            let to = later(first, GLANCE);
            if to < earlier(*from, MARGIN) && (first >= near || first.month() == 7) {
                glances.push((first, to));
            }
        }
    }
    glances
}

impl Scope {
    /// Where the eras begin, as far as is known: when it moves, a plan is an old one.
    pub fn horizon(&self, ledger: &Ledger) -> Vec<NaiveDate> {
        if self.is_open() {
            eras(ledger, self.today).into_iter().map(|(from, _)| from).collect()
        } else {
            vec![self.first(ledger)]
        }
    }
}

#[cfg(test)]
#[path = "horizon_test.rs"]
mod tests;
