//! What a run is to bring, and whether one that is under way brings it: else the next begins when that is over. The room asks. It is pure.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::NaiveDate;
use garminsync_garmin::Tier;
use tokio::sync::watch;

use super::datasets::Dataset;
use super::request::{Live, Refused, Report, Request, Started, Trigger};

/// More runs than this need not wait for one another.
const MOST_WAITING: usize = 16;

/// What a run brings, or what somebody wants of one.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    login: bool,
    /// What was read a moment ago is read again.
    anew: bool,
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
            anew: request.trigger == Trigger::Manual,
            tiers: tiers.to_vec(),
            datasets: datasets.iter().map(|dataset| dataset.name.as_str()).collect(),
            // Where nobody says how far back, only today is certain: what is before it is read as far as there are signs of life.
            first: request.since.or(start).unwrap_or(today),
            until: request.until,
            bounded: request.since.is_some(),
            missing: request.missing,
        }
    }

    /// Of a run before which nothing was read: whatever it reads is new.
    pub fn is_the_first(&mut self) {
        self.anew = true;
    }

    /// Whether a run for this one brings what `other` wants. A login that came after it began may hold what it has not. A person who asks
    /// wants to see what is new; a run that nobody asked for may have found that nothing is.
    fn covers(&self, other: &Self) -> bool {
        let range = if other.bounded { self.first <= other.first } else { !self.bounded };
        !other.login
            && (self.anew || !other.anew)
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

/// Joins `wish` to the run under way that was `started` for `brings` (nothing, if it is being stopped), or to one that waits, which then
/// reads as a person wants it if one asks; else it waits from now on, unless too many do.
pub(super) fn join(
    started: &Started,
    brings: Option<&Wish>,
    waiting: &mut VecDeque<Waiting>,
    request: Request,
    wish: Wish,
) -> Result<Started, Refused> {
    if brings.is_some_and(|brings| brings.covers(&wish)) {
        return Ok(Started { joined: true, ..started.clone() });
    }
    // It takes the tiers that there are when it begins, and reads as it is then asked to.
    let then = Wish { login: false, anew: false, tiers: Vec::new(), ..wish.clone() };
    let full = waiting.len() >= MOST_WAITING;
    let live = match waiting.iter_mut().find(|known| known.wish.covers(&then)) {
        Some(known) => {
            if wish.anew {
                (known.request.trigger, known.wish.anew) = (Trigger::Manual, true);
            }
            known.live.subscribe()
        }
        None if full => return Err(Refused::TooManyWait),
        None => {
            let (live, hears) = watch::channel(Live::default());
            waiting.push_back(Waiting { request, live: Arc::new(live), wish });
            hears
        }
    };
    Ok(Started { run: started.run, joined: false, follows: true, live })
}

#[cfg(test)]
mod tests {
    use chrono::Days;

    use super::super::datasets;
    use super::*;

    fn today() -> NaiveDate {
        "2026-10-21".parse().unwrap()
    }

    fn request() -> Request {
        let (account, trigger) = ("ana".into(), Trigger::Manual);
        Request { account, trigger, since: None, until: None, datasets: Vec::new(), missing: false }
    }

    fn wish(change: impl FnOnce(&mut Request), names: &[&str], tiers: &[Tier]) -> Wish {
        let mut request = request();
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
        let by_itself = wish(|request| request.trigger = Trigger::Schedule, &["hrv", "sleep"], &both);
        let mut first = wish(|request| request.trigger = Trigger::Login, &["hrv", "sleep"], &both);
        first.is_the_first();
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
            (&whole, &by_itself, true),
            (&by_itself, &whole, false),
            (&by_itself, &by_itself, true),
            (&first, &whole, true),
        ] {
            assert_eq!(one.covers(other), covers, "{one:?} {other:?}");
        }
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let live = watch::channel(Live::default()).1;
        let started = Started { run: 7, joined: false, follows: false, live };
        let mut waiting = VecDeque::new();
        let until = |days| {
            let until = Some(today() - Days::new(days));
            (Request { until, ..request() }, wish(|request| request.until = until, &["hrv"], &[]))
        };
        // Each wants more than those before it.
        for days in (1..=MOST_WAITING as u64).rev() {
            let (request, wish) = until(days);
            assert!(join(&started, None, &mut waiting, request, wish).unwrap().follows);
        }
        let (request, wish) = until(0);
        let refused = join(&started, None, &mut waiting, request, wish).unwrap_err();
        assert_eq!((refused, waiting.len()), (Refused::TooManyWait, MOST_WAITING));
        let (request, wish) = until(1);
        assert!(join(&started, None, &mut waiting, request, wish).unwrap().follows, "one of those brings it");
    }

    /// What waits for the clock or a login reads as a person wants it, once one asks.
    #[test]
    fn a_person_joins_what_waits_and_changes_it() {
        let live = watch::channel(Live::default()).1;
        let started = Started { run: 7, joined: false, follows: false, live };
        let mut waiting = VecDeque::new();
        for trigger in [Trigger::Login, Trigger::Manual, Trigger::Schedule] {
            let wish = wish(|request| request.trigger = trigger, &["hrv"], &[]);
            join(&started, None, &mut waiting, Request { trigger, ..request() }, wish).unwrap();
            let expected = if trigger == Trigger::Login { Trigger::Login } else { Trigger::Manual };
            assert_eq!((waiting.len(), waiting[0].request.trigger), (1, expected), "{trigger:?}");
        }
    }
}
