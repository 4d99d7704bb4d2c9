//! What a run is to bring, and whether one that is under way brings it: else the next begins when that is over. The room asks. It is pure.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::NaiveDate;
use garminsync_garmin::Tier;
use tokio::sync::watch;

use super::datasets::Dataset;
use super::request::{Live, Report, Request, Started, Trigger};

/// More runs than this need not wait for one another: whoever asks for yet another joins the last of them.
const MOST_WAITING: usize = 16;

/// What a run brings, or what somebody wants of one.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    login: bool,
    tiers: Vec<Tier>,
    datasets: Vec<&'static str>,
    first: NaiveDate,
    until: Option<NaiveDate>,
    bounded: bool,
    missing: bool,
}

impl Wish {
    /// What a request wants of these datasets from these tiers, when the mirror begins at `start`.
    pub fn new(
        request: &Request,
        datasets: &[&'static Dataset],
        tiers: &[Tier],
        start: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Self {
        Self {
            login: request.trigger == Trigger::Login,
            tiers: tiers.to_vec(),
            datasets: datasets.iter().map(|dataset| dataset.name.as_str()).collect(),
            // Where nobody says how far back, only today is certain: what is before it is read as far as there are signs of life.
            first: request.since.or(start).unwrap_or(today),
            until: request.until,
            bounded: request.since.is_some(),
            missing: request.missing,
        }
    }

    /// Whether a run for this one brings what `other` wants. A login that came after it began may hold what it has not.
    fn covers(&self, other: &Self) -> bool {
        let range = if other.bounded { self.first <= other.first } else { !self.bounded };
        !other.login
            && range
            && self.until.is_none_or(|until| other.until.is_some_and(|wanted| wanted <= until))
            && (!self.missing || other.missing)
            && other.tiers.iter().all(|tier| self.tiers.contains(tier))
            && other.datasets.iter().all(|name| self.datasets.contains(name))
    }
}

/// A run that begins when those before it are over.
pub(super) struct Waiting {
    pub request: Request,
    pub live: Arc<watch::Sender<Live>>,
    wish: Wish,
}

impl Waiting {
    /// It does not take place: somebody stopped it.
    pub fn cancelled(&self) {
        self.live.send_modify(|live| live.report = Some(Report::cancelled()));
    }
}

/// Joins `wish` to the run under way that was `started` for `brings`, or to one that waits; else it waits from now on.
pub(super) fn join(
    started: &Started,
    brings: &Wish,
    waiting: &mut VecDeque<Waiting>,
    request: Request,
    wish: Wish,
) -> Started {
    if brings.covers(&wish) {
        return Started { joined: true, ..started.clone() };
    }
    let known = {
        // It takes the tiers that there are when it begins.
        let then = Wish { login: false, tiers: Vec::new(), ..wish.clone() };
        waiting.iter().find(|known| known.wish.covers(&then))
    };
    let known = known.or(waiting.back().filter(|_| waiting.len() >= MOST_WAITING));
    let live = known.map(|known| known.live.clone()).unwrap_or_else(|| {
        let live = Arc::new(watch::channel(Live::default()).0);
        waiting.push_back(Waiting { request, live: live.clone(), wish });
        live
    });
    Started { run: started.run, joined: false, follows: true, live: live.subscribe() }
}

#[cfg(test)]
mod tests {
    use chrono::Days;

    use super::super::datasets;
    use super::*;

    fn today() -> NaiveDate {
        "2026-10-21".parse().unwrap()
    }

    fn wish(change: impl FnOnce(&mut Request), names: &[&str], tiers: &[Tier]) -> Wish {
        let (account, trigger) = ("ana".into(), Trigger::Manual);
        let mut request = Request { account, trigger, since: None, until: None, datasets: Vec::new(), missing: false };
        change(&mut request);
        let datasets: Vec<_> = datasets::all().unwrap().iter().filter(|d| names.contains(&d.name.as_str())).collect();
        Wish::new(&request, &datasets, tiers, None, today())
    }

    #[test]
    fn a_run_brings_what_is_no_more_than_it_was_made_for() {
        let (both, key) = ([Tier::Personal, Tier::Account], [Tier::Personal]);
        let whole = wish(|_| {}, &["hrv", "sleep"], &both);
        let back = |days| Some(today() - Days::new(days));
        let recent = wish(|request| request.since = back(30), &["hrv", "sleep"], &both);
        let old = wish(|request| request.since = back(900), &["hrv", "sleep"], &both);
        let until = wish(|request| request.until = back(3), &["hrv", "sleep"], &both);
        let missing = wish(|request| request.missing = true, &["hrv", "sleep"], &both);
        for (one, other, covers) in [
            (&whole, &whole, true),
            (&whole, &recent, false),
            (&whole, &old, false),
            (&recent, &whole, false),
            (&old, &recent, true),
            (&whole, &until, true),
            (&until, &whole, false),
            (&until, &until, true),
            (&whole, &missing, true),
            (&missing, &whole, false),
            (&missing, &missing, true),
            (&whole, &wish(|_| {}, &["hrv"], &key), true),
            (&wish(|_| {}, &["hrv"], &both), &whole, false),
            (&wish(|_| {}, &["hrv", "sleep"], &key), &whole, false),
            (&whole, &wish(|request| request.trigger = Trigger::Login, &["hrv"], &key), false),
        ] {
            assert_eq!(one.covers(other), covers, "{one:?} {other:?}");
        }
    }
}
