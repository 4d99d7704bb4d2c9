//! How much of a run is done: requests that were sent against those and the ones that still seem to be needed. The run reckons at its
//! beginning and each time much was learned, and tells it with each step. [`Progress`] is pure.

use std::collections::HashMap;

use chrono::TimeDelta;
use garminsync_garmin::Tier;
use garminsync_store::{Error, Store};

use super::{Login, Run, Stop, items};
use crate::sync::datasets::{Dataset, Kind};
use crate::sync::grounds;
use crate::sync::plan::{self, Ledger, Scope};

/// A horizon that moves by less changes little. It moves with almost every answer of a first sync.
const MUCH: TimeDelta = TimeDelta::days(90);

/// An estimate that never goes back.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Requests that each dataset still seems to need.
    left: HashMap<&'static str, u64>,
    /// What was told last: requests done, and in all.
    told: (u64, u64),
}

impl Progress {
    /// What still seems to be needed, by dataset.
    fn expect(&mut self, left: HashMap<&'static str, u64>) {
        self.left = left;
    }

    /// So many of a dataset's requests are behind us.
    pub fn spent(&mut self, dataset: &str, requests: u32) {
        if let Some(left) = self.left.get_mut(dataset) {
            *left = left.saturating_sub(requests.into());
        }
    }

    /// Nothing more of a dataset is asked for in this run.
    pub fn over(&mut self, dataset: &str) {
        self.left.remove(dataset);
    }

    /// What to tell after so many requests, of which at least `next` more are to come: done, and in all. The share never shrinks: if more
    /// turns out to be needed than was thought, it stands until the requests have caught up. It is never 1: the run's end tells that.
    pub fn tell(&mut self, done: u64, next: u64) -> (u64, u64) {
        let total = done + self.left.values().sum::<u64>().max(next).max(1);
        let (before, of) = self.told;
        let most = done.saturating_mul(of).checked_div(before).unwrap_or(total);
        self.told = (done, total.min(most));
        self.told
    }
}

impl<S: Login> Run<S> {
    /// Counts what is still to be asked for, as far as can be known now.
    pub(super) async fn reckon(&mut self) -> Result<(), Stop> {
        let tier = |dataset: &'static Dataset| Some((dataset, self.tier_of(dataset)?));
        let asked: Vec<_> = self.job.datasets.iter().copied().filter_map(tier).collect();
        self.reckoned_from = self.scope.first(&self.ledger);
        let (account, scope, ledger) = (self.job.account.clone(), self.scope, std::mem::take(&mut self.ledger));
        let (of, read) = (asked.clone(), self.job.datasets.clone());
        let look = move |store: &mut Store| (things_left(store, &account, &of, &read, &ledger, &scope), ledger);
        let (looked, ledger) = self.job.store.call(look).await?;
        let counted = tokio::task::spawn_blocking(move || {
            let left = looked.map(|(left, grounds)| days_left(left, &grounds, &asked, &ledger, &scope));
            (left, ledger)
        });
        let (left, ledger) = counted.await.map_err(|error| Stop::Failed(error.to_string()))?;
        self.ledger = ledger;
        self.progress.expect(left.map_err(super::failed)?);
        Ok(())
    }

    /// Counts again, if the run goes much further back than was thought.
    pub(super) async fn reckon_again(&mut self) -> Result<(), Stop> {
        if self.reckoned_from - self.scope.first(&self.ledger) < MUCH {
            return Ok(());
        }
        self.reckon().await
    }
}

type Left = HashMap<&'static str, u64>;
type AllGrounds = HashMap<String, plan::Grounds>;

/// Requests for what has no days, and the reasons to ask for what follows another dataset.
fn things_left(
    store: &Store,
    account: &str,
    asked: &[(&'static Dataset, Tier)],
    read: &[&'static Dataset],
    ledger: &Ledger,
    scope: &Scope,
) -> Result<(Left, AllGrounds), Error> {
    let mut left = Left::new();
    for (dataset, tier) in asked {
        let standing = ledger.standing(&dataset.name);
        let things = match dataset.kind {
            Kind::Inventory => usize::from(plan::inventory(dataset, standing, scope)),
            Kind::Items => {
                plan::items(dataset, items::candidates(store, account, dataset, |_| true)?, standing, scope).len()
            }
            Kind::Files => plan::originals(store.activities_without_original(account)?, standing, scope).len(),
            _ => continue,
        };
        left.insert(&dataset.name, things as u64 * requests(dataset, *tier));
    }
    let datasets: Vec<_> = asked.iter().map(|(dataset, _)| *dataset).collect();
    let mut grounds = grounds::look(store, account, &datasets, read, ledger)?;
    // Of days that are not read yet nobody knows; most days have samples.
    grounds.values_mut().for_each(|grounds| grounds.others = true);
    Ok((left, grounds))
}

/// Requests for days are added.
fn days_left(
    mut left: Left,
    grounds: &AllGrounds,
    asked: &[(&'static Dataset, Tier)],
    ledger: &Ledger,
    scope: &Scope,
) -> Left {
    // What follows another dataset has nothing in the silent year before the first data, which most that are followed are read through.
    let start = scope.start.or_else(|| ledger.oldest_sign());
    let lived = Scope { start, ..*scope };
    for (dataset, tier) in asked {
        let scope = if dataset.follows.is_some() { &lived } else { scope };
        let fetches = plan::plan([*dataset], ledger, scope, |_| Some(*tier), grounds).len() as u64;
        *left.entry(&dataset.name).or_default() += fetches * requests(dataset, *tier);
    }
    left
}

/// Requests that one range or thing costs, if it is one page.
fn requests(dataset: &Dataset, tier: Tier) -> u64 {
    dataset.route(tier).map_or(0, |route| route.requests().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expecting(left: u64) -> Progress {
        Progress { left: [("sleep", left)].into(), ..Progress::default() }
    }

    #[test]
    fn what_is_left_is_what_every_dataset_needs() {
        let mut progress = expecting(90);
        progress.left.insert("hrv", 10);
        assert_eq!(progress.tell(0, 5), (0, 100));
        progress.spent("sleep", 20);
        assert_eq!(progress.tell(20, 5), (20, 100));
        progress.over("hrv");
        assert_eq!(progress.tell(20, 5), (20, 90), "what need not be asked for brings the end nearer");
        progress.over("sleep");
        assert_eq!(progress.tell(21, 5), (21, 26), "the next requests are known for certain");
    }

    #[test]
    fn the_share_stands_while_more_turns_out_to_be_needed() {
        let mut progress = expecting(50);
        progress.tell(0, 0);
        progress.spent("sleep", 25);
        assert_eq!(progress.tell(25, 0), (25, 50));
        progress.expect([("sleep", 175)].into());
        assert_eq!(progress.tell(25, 0), (25, 50));
        progress.spent("sleep", 75);
        assert_eq!(progress.tell(100, 0), (100, 200), "and goes on from there");
        progress.spent("sleep", 50);
        assert_eq!(progress.tell(150, 0), (150, 200));
    }

    #[test]
    fn it_never_goes_back_and_is_never_over_before_the_end() {
        let (mut seed, mut progress, mut done, mut share) = (7_u64, Progress::default(), 0, 0.0);
        for _ in 0..100_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            done += (seed >> 33) % 3;
            if seed >> 60 == 0 {
                progress.expect([("sleep", (seed >> 40) % 3000)].into());
            }
            progress.spent("sleep", 1);
            let (told, total) = progress.tell(done, (seed >> 50) % 4);
            assert_eq!(told, done);
            assert!(told < total, "{told} of {total}");
            assert!(told as f64 / total as f64 >= share, "{told} of {total} after {share}");
            share = told as f64 / total as f64;
        }
    }
}
