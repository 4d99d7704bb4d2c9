//! What `status` shows of a mirror, looked up after each run so that `status` itself never waits. The room calls it on the store's
//! thread. It must not know the board.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use garminsync_garmin::Tier;
use garminsync_store::{Error, State, Store};

use super::datasets::{Dataset, Kind, Lane};
use super::gaps::{Gap, Why};
use super::known::tier_name;
use super::look::{self, Looked};
use super::pace::Pace;
use super::plan::{Ledger, Standing, earlier};
use super::route::Points;
use super::run::{Paces, lock};
use super::zone::Zone;

/// What an account's mirror looks like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// A run is under way.
    pub running: bool,
    /// Share of the run that is done, 0 to 1; absent when idle.
    pub progress: Option<f64>,
    /// What is being read; absent when idle.
    pub dataset: Option<String>,
    /// End of the last run that brought everything.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// What the last run complained about.
    pub last_error: Option<String>,
    /// The queues, by tier.
    pub queues: BTreeMap<&'static str, Queue>,
    /// From this day on, up to yesterday at least, no day of any dataset is unread.
    pub complete_from: Option<NaiveDate>,
    /// The newest day with data.
    pub newest_day: Option<NaiveDate>,
    /// Days, files and items that are wanted and missing; as `gaps` tells them.
    pub gaps: u64,
    /// How many of them are of datasets that Garmin does not serve to this account for now, by dataset.
    pub not_served: BTreeMap<String, u64>,
    /// Nothing is asked before.
    pub paused_until: Option<DateTime<Utc>>,
}

/// The numbers of one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Queue {
    /// Data requests sent on this day of the machine's.
    pub requests_today: u64,
    /// Requests that this day still allows; absent: no limit.
    pub budget_left: Option<u64>,
    /// Least time between the starts of two requests, as it is now.
    pub gap: Duration,
    /// Nothing is asked before.
    pub paused_until: Option<DateTime<Utc>>,
    /// When Garmin last asked to slow down.
    pub throttled_at: Option<DateTime<Utc>>,
}

/// The numbers of an account's queues.
pub fn queues(paces: &Paces, now: DateTime<Utc>) -> BTreeMap<&'static str, Queue> {
    let today = Zone::Host.day(now);
    let numbers = |(tier, pace): (&Tier, &Pace)| {
        let queue = Queue {
            requests_today: pace.budget().spent_on(today),
            budget_left: pace.budget().left_on(today),
            gap: pace.gap(),
            paused_until: pace.paused_until(now),
            throttled_at: pace.memory().lesson.map(|lesson| lesson.at),
        };
        (tier_name(*tier), queue)
    };
    lock(paces).iter().map(numbers).collect()
}

/// Looks up what the store knows; the rest is as if idle. `tiers`: of the account; `None` where it is not known at all.
pub fn look(
    store: &Store,
    account: &str,
    datasets: &[&'static Dataset],
    tiers: Option<&[Tier]>,
    start: Option<NaiveDate>,
) -> Result<View, Error> {
    let now = Utc::now();
    let Some(tiers) = tiers else { return Ok(View::default()) };
    let Looked { ledger, gaps, today } = look::look(store, account, datasets, tiers, start, now)?;
    let runs = store.last_runs(account)?;
    Ok(View {
        last_ok_at: runs.last_ok_ended,
        last_error: runs.last_error,
        complete_from: complete_from(&ledger, datasets, today),
        newest_day: store.newest_day(account)?,
        gaps: gaps.iter().map(|gap| gap.missing).sum(),
        not_served: not_served(&gaps),
        ..View::default()
    })
}

/// What no tier serves rests until one of them is asked again; what one refused and another may serve does not.
fn not_served(gaps: &[Gap]) -> BTreeMap<String, u64> {
    let mut by_dataset = BTreeMap::new();
    for gap in gaps.iter().filter(|gap| gap.why == Why::Unavailable && gap.rests_until.is_some()) {
        *by_dataset.entry(gap.dataset.clone()).or_default() += gap.missing;
    }
    by_dataset
}

/// The earliest day from which on every dataset was read without a gap. Today counts only once it was read: after midnight nothing is
/// missing yet.
fn complete_from(ledger: &Ledger, datasets: &[&Dataset], today: NaiveDate) -> Option<NaiveDate> {
    let nothing = Standing::default();
    let mut whole = None;
    let mut complete: Option<NaiveDate> = None;
    for dataset in datasets.iter().filter(|dataset| has_every_day(dataset)) {
        let standing = ledger.standing(&dataset.name).unwrap_or(&nothing);
        let parent = dataset.follows.as_ref().and_then(|follows| ledger.standing(&follows.dataset));
        let is_empty = |day: &NaiveDate| {
            parent.and_then(|parent| parent.days.get(day)).is_some_and(|known| known.state == State::Empty)
        };
        let read = |day: &NaiveDate| match standing.days.get(day) {
            Some(known) => known.state != State::Error,
            // Nothing is asked for where the dataset that it follows has nothing.
            None => is_empty(day),
        };
        let last = if read(&today) { today } else { earlier(today, Days::new(1)) };
        let first = last.iter_days().rev().take_while(read).last()?;
        // A list that was read to its beginning holds back nobody.
        if standing.whole_list().is_some() && standing.days.first() == Some(first) {
            whole = Some(first);
        } else {
            complete = complete.max(Some(first));
        }
    }
    complete.or(whole)
}

/// Whether a dataset is to hold each day: samples and what lies in their answers, single points and things without a day are not.
fn has_every_day(dataset: &Dataset) -> bool {
    let mut routes = dataset.tiers().filter_map(|tier| dataset.route(tier));
    let whole = routes.all(|route| route.points == Points::Days && route.within.is_empty());
    dataset.lane == Lane::Day && matches!(dataset.kind, Kind::Days | Kind::Activities) && whole
}

#[cfg(test)]
mod tests {
    use garminsync_store::LedgerEntry;

    use super::super::datasets;
    use super::*;

    fn today() -> NaiveDate {
        "2026-10-21".parse().unwrap()
    }

    fn back(days: u64) -> NaiveDate {
        today() - Days::new(days)
    }

    fn entry(dataset: &str, item: impl ToString, state: State) -> LedgerEntry {
        let fetched_utc = "2026-10-21T12:00:00Z".parse().unwrap();
        LedgerEntry {
            dataset: dataset.into(),
            item: item.to_string(),
            state,
            fetched_utc,
            attempts: 0,
            since_utc: None,
            detail: None,
        }
    }

    fn complete(entries: &[LedgerEntry], names: &[&str]) -> Option<NaiveDate> {
        let datasets: Vec<_> = datasets::all().unwrap().iter().filter(|d| names.contains(&d.name.as_str())).collect();
        let now = "2026-10-21T12:00:00Z".parse().unwrap();
        complete_from(&Ledger::new(entries, now, |at| at.date_naive()), &datasets, today())
    }

    #[test]
    fn complete_is_what_every_dataset_has() {
        let mut entries: Vec<_> = (0..100).map(|n| entry("hrv", back(n), State::Ok)).collect();
        assert_eq!(complete(&entries, &["hrv"]), Some(back(99)));
        assert_eq!(complete(&entries, &["hrv", "sleep"]), None, "sleep was never read");
        entries.extend((0..50).map(|n| entry("sleep", back(n), State::Empty)));
        assert_eq!(complete(&entries, &["hrv", "sleep"]), Some(back(49)));
        entries.push(entry("hrv", back(20), State::Error));
        assert_eq!(complete(&entries, &["hrv", "sleep"]), Some(back(19)));
    }

    #[test]
    fn today_may_not_be_read_yet() {
        let yesterday: Vec<_> = (1..10).map(|n| entry("hrv", back(n), State::Ok)).collect();
        assert_eq!(complete(&yesterday, &["hrv"]), Some(back(9)));
        assert_eq!(complete(&yesterday[1..], &["hrv"]), None);
    }

    #[test]
    fn a_list_that_was_read_to_its_beginning_holds_back_nobody() {
        let mut entries: Vec<_> = (0..100).map(|n| entry("hrv", back(n), State::Ok)).collect();
        entries.extend((0..40).map(|n| entry("activities", back(n), State::Ok)));
        assert_eq!(complete(&entries, &["hrv", "activities"]), Some(back(39)));
        entries.push(entry("activities", "all", State::Ok));
        assert_eq!(complete(&entries, &["hrv", "activities"]), Some(back(99)));
        assert_eq!(complete(&entries, &["activities"]), Some(back(39)));
    }
}
