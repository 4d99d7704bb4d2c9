//! Whom a run asks for a dataset, and with which requests that begins. The run and its steps call it before they ask, and tell it what was
//! served. It asks nothing itself.

use chrono::Utc;
use garminsync_garmin::{Accept, Get, Tier};

use super::{Job, Login, Run, Stop, ask};
use crate::sync::datasets::{Dataset, Kind};
use crate::sync::pace;
use crate::sync::route::{Values, render};

impl<S: Login> Run<S> {
    /// Whom to ask for a dataset: the first tier that serves it and is open. If that one was in a pause when the run began, or its budget is
    /// used, nobody: neither is dodged through the other door. (A pause that begins meanwhile ends the run.)
    pub(super) fn tier_of(&self, dataset: &'static Dataset) -> Option<Tier> {
        let tier = self.preferred(dataset)?;
        (!self.is_paused(tier) && !self.spent_tiers.contains(&tier)).then_some(tier)
    }

    /// The first tier that serves a dataset and has a login, whether or not it may be asked now.
    pub(super) fn preferred(&self, dataset: &'static Dataset) -> Option<Tier> {
        let open = |tier: &Tier| self.serves(dataset, *tier);
        // What lies within another dataset's answers costs nothing there.
        let within = |tier: &Tier| {
            let outer = dataset.route(*tier).map(|route| &route.within).filter(|outer| !outer.is_empty());
            let outer = outer.and_then(|outer| self.job.datasets.iter().copied().find(|known| known.name == *outer));
            outer.is_some_and(|outer| self.tier_of(outer) == Some(*tier))
        };
        dataset.tiers().find(|tier| open(tier) && within(tier)).or_else(|| dataset.tiers().find(open))
    }

    /// How the run ends if a tier was in a pause: what that one is preferred for was left out, and the rest was read.
    pub(super) fn left_out(&mut self) -> Result<(), Stop> {
        let pause = |dataset: &&'static Dataset| self.paused.get(&self.preferred(dataset)?).copied();
        let until = self.job.datasets.iter().filter_map(pause).min();
        let Some(stop) = self.stalled.take().or(until.map(ask::asked_to_wait)) else { return Ok(()) };
        self.served_in_part = true;
        Err(stop)
    }

    /// Whether a tier may be asked for a dataset, as far as is known.
    pub(super) fn serves(&self, dataset: &Dataset, tier: Tier) -> bool {
        let standing = self.ledger.standing(&dataset.name);
        self.job.tiers.contains(&tier)
            && !self.dead.contains_key(&tier)
            && !self.closed.contains(&(dataset.name.as_str(), tier))
            && !self.silent.contains_key(&(dataset.name.as_str(), tier))
            && !standing.is_some_and(|standing| standing.is_closed(tier, self.scope.now))
    }

    pub(super) fn is_paused(&self, tier: Tier) -> bool {
        self.paused.get(&tier).is_some_and(|until| pace::lasts(*until, Utc::now()))
    }

    /// What paths need to know of the account.
    pub(super) fn values<'a>(&self, job: &'a Job<S>) -> Values<'a> {
        Values { display_name: job.display_name.as_deref(), profile: self.profile, ..Values::default() }
    }

    /// The requests that something of a dataset begins with, as far as can be told before: all parts, or the first page. Nothing where this
    /// person has not been served the dataset yet, or was last told that there is no such thing.
    pub(super) fn begins_with(&self, dataset: &'static Dataset, tier: Tier, values: &Values<'_>) -> Vec<Get> {
        let Some(route) = dataset.route(tier).filter(|_| self.served.contains(&(&dataset.name, tier))) else {
            return Vec::new();
        };
        let page = route.pages.get(self.page_size(dataset, tier)).map(|limit| (route.first, *limit));
        let values = Values { page, ..*values };
        let accept = if route.file || dataset.kind == Kind::Files { Accept::File } else { Accept::Json };
        let paths = route.paths().take(if page.is_some() { 1 } else { usize::MAX });
        paths.filter_map(|(_, path)| Some(Get { tier, path: render(path, &values)?, accept })).collect()
    }

    /// Remembers whether something of a dataset came.
    pub(super) fn was_served(&mut self, dataset: &'static Dataset, tier: Tier, came: bool) {
        if came {
            self.failing.remove(&(dataset.name.as_str(), tier));
            self.served.insert((&dataset.name, tier));
        } else {
            self.served.remove(&(dataset.name.as_str(), tier));
        }
    }
}
