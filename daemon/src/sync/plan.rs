//! What to ask Garmin for: ledger, today and the datasets' rules in, a list of fetches out, newest first. The runner calls it before
//! every fetch, as what a fetch brings may move the horizon. It is pure: no clock, no store, no network.

mod cover;
mod days;
mod horizon;
mod list;
mod things;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use garminsync_garmin::Tier;
use garminsync_store::State;

use self::days::days;
pub use self::horizon::is_wide;
use self::list::list;
pub use self::things::{Candidate, inventory, items, originals};
use super::calendar::Calendar;
use super::datasets::{Dataset, Kind};
pub use super::known::{COUNT, Known, Ledger, Standing, WHOLE_LIST, closed_item, is_note, pages_item, rests_until};

/// Nothing is wanted from before this day: Garmin Connect is younger, and a watch whose clock was never set says 1989-12-31.
pub const EARLIEST: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// With `start = "auto"` what comes by the year goes back until a whole year brought nothing.
const SILENT_YEAR: Days = Days::new(365);
/// What a range of a month brings for one request is read again each week, ...
const MONTH: u32 = 31;
/// ... and what a range of a year brings, each month. So an entry that somebody makes for a day long past is found.
const YEAR: u32 = 365;

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
    /// This run found an activity that was not known.
    pub new_activities: bool,
}

impl Scope {
    fn last(&self) -> NaiveDate {
        self.until.unwrap_or(self.today).min(self.today)
    }

    /// Nothing is wanted from before this day, which is never before [`EARLIEST`]. Where the mirror goes back to the beginning, that is a year
    /// before the oldest day of which anything is known.
    pub fn first(&self, ledger: &Ledger) -> NaiveDate {
        let first = match (self.since, self.start) {
            (Some(day), _) | (None, Some(day)) => day,
            (None, None) => earlier(ledger.oldest_sign().unwrap_or(self.today).min(self.today), SILENT_YEAR),
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

/// [`plan`], as far as the day's budget goes: of each tier as many fetches, the newest first, as the requests that are `left` pay for, and
/// the tiers of which something has to wait for another day. A tier that is not in `left` has no limit. A list may have more pages than
/// the one that is counted here, and anything may have to be tried again: the queue has the last word.
pub fn plan_within(
    datasets: &[&Dataset],
    ledger: &Ledger,
    scope: &Scope,
    tier: impl Fn(&Dataset) -> Option<Tier>,
    grounds: &HashMap<String, Grounds>,
    left: &HashMap<Tier, u64>,
) -> (Vec<Fetch>, HashSet<Tier>) {
    let cost = |fetch: &Fetch| {
        let dataset = datasets.iter().find(|dataset| dataset.name == fetch.dataset);
        dataset.and_then(|dataset| dataset.route(fetch.tier)).map_or(0, |route| u64::from(route.requests()))
    };
    let (mut left, mut cut) = (left.clone(), HashSet::new());
    let mut fetches = plan(datasets.iter().copied(), ledger, scope, tier, grounds);
    fetches.retain(|fetch| {
        let paid = match left.get_mut(&fetch.tier) {
            // What comes after something that has to wait is no newer, and waits too.
            Some(left) if !cut.contains(&fetch.tier) => {
                left.checked_sub(cost(fetch)).map(|rest| *left = rest).is_some()
            }
            Some(_) => false,
            None => true,
        };
        if !paid {
            cut.insert(fetch.tier);
        }
        paid
    });
    (fetches, cut)
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
mod properties;
#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
