//! Working off what the plan wants of days: the newest first, those that others wait for before them. The run calls it lane by lane.

use std::collections::HashMap;

use chrono::NaiveDate;
use garminsync_garmin::{Get, Tier};
use garminsync_store::Store;

use super::ahead::AHEAD;
use super::days::Piece;
use super::{Login, Run, Stop};
use crate::sync::datasets::{Dataset, Kind, Lane};
use crate::sync::grounds;
use crate::sync::plan::{self, Fetch, Grounds};
use crate::sync::route::Values;

impl<S: Login> Run<S> {
    /// Reads what is wanted of a lane: ranges that end on `recent` or later, or all. A dataset that follows another comes after it.
    pub(super) async fn ranges(&mut self, lane: Lane, recent: Option<NaiveDate>) -> Result<(), Stop> {
        let of_lane =
            |dataset: &&'static Dataset| dataset.lane == lane && matches!(dataset.kind, Kind::Days | Kind::Activities);
        let datasets: Vec<&'static Dataset> = self.job.datasets.iter().copied().filter(of_lane).collect();
        if lane == Lane::Intraday {
            return self.ranges_of(&datasets, recent).await;
        }
        let (mut followers, first): (Vec<_>, Vec<_>) =
            datasets.into_iter().partition(|dataset| dataset.follows.is_some());
        if recent.is_some() {
            // One whose requests reach further back than what it follows is known of would be asked twice.
            followers.retain(|dataset| self.cap(dataset) <= self.cap_of_followed(dataset));
            self.ranges_of(&first, recent).await?;
            return self.ranges_of(&followers, recent).await;
        }
        // What comes by the year tells for few requests how far back there is anything.
        let (wide, narrow): (Vec<_>, Vec<_>) =
            first.into_iter().partition(|dataset| dataset.kind == Kind::Activities || plan::is_wide(self.cap(dataset)));
        self.ranges_of(&wide, None).await?;
        self.ranges_of(&narrow, None).await?;
        self.ranges_of(&followers, None).await
    }

    /// The longest range of a dataset, by the tier that is asked for it.
    fn cap(&self, dataset: &'static Dataset) -> u32 {
        self.tier_of(dataset).and_then(|tier| dataset.route(tier)).map_or(0, |route| route.cap_days)
    }

    fn cap_of_followed(&self, dataset: &Dataset) -> u32 {
        let followed = dataset.follows.as_ref().map(|follows| &follows.dataset);
        let followed = followed.and_then(|name| self.job.datasets.iter().copied().find(|known| known.name == *name));
        followed.map_or(u32::MAX, |followed| self.cap(followed))
    }

    /// Plans, asks, and plans again where what came may have moved the horizon, until nothing is left.
    async fn ranges_of(&mut self, datasets: &[&'static Dataset], recent: Option<NaiveDate>) -> Result<(), Stop> {
        if datasets.is_empty() {
            return Ok(());
        }
        let mut read = self.job.datasets.clone();
        // What waits for a dataset that cannot be had goes on as if nothing were known.
        read.retain(|dataset| dataset.tiers().any(|tier| self.serves(dataset, tier)));
        let of = datasets.to_vec();
        let (account, ledger) = (self.job.account.clone(), std::mem::take(&mut self.ledger));
        let look = move |store: &mut Store| (grounds::look(store, &account, &of, &read, &ledger), ledger);
        let (looked, ledger) = self.job.store.call(look).await?;
        self.ledger = ledger;
        let grounds = looked.map_err(super::failed)?;
        loop {
            let mut plan = self.plan(datasets.to_vec(), grounds.clone()).await?;
            plan.retain(|fetch| recent.is_none_or(|recent| fetch.to >= recent));
            if plan.is_empty() {
                if recent.is_none() {
                    datasets.iter().for_each(|dataset| self.progress.over(&dataset.name));
                }
                return Ok(());
            }
            self.reckon_again().await?;
            let horizon = self.scope.horizon(&self.ledger);
            for at in 0..plan.len() {
                match self.next_range(datasets, &plan[at..], &plan).await {
                    Ok(true) if self.scope.horizon(&self.ledger) == horizon => {}
                    Ok(_) => break,
                    Err(stop) => {
                        self.leaving = true;
                        for more in (at + 1..plan.len()).take(AHEAD) {
                            _ = self.next_range(datasets, &plan[more..], &plan).await;
                        }
                        return Err(stop);
                    }
                }
            }
        }
    }

    /// Reads the first of the ranges that are left; `false` if the plan no longer holds.
    async fn next_range(
        &mut self,
        datasets: &[&'static Dataset],
        left: &[Fetch],
        plan: &[Fetch],
    ) -> Result<bool, Stop> {
        if !self.leaving {
            self.narrow_down(plan).await?;
        }
        let known = |fetch: &Fetch| datasets.iter().copied().find(|known| known.name == fetch.dataset);
        let Some((fetch, dataset)) = left.first().and_then(|fetch| Some((fetch, known(fetch)?))) else {
            return Ok(true);
        };
        if self.tier_of(dataset) != Some(fetch.tier) {
            return Ok(false);
        }
        let from = fetch.from.map_or_else(|| "the beginning".into(), |day| day.to_string());
        self.say(format!("{}: {from} to {}", dataset.name, fetch.to), left.len(), dataset);
        let job = self.job.clone();
        // Before the oldest sign of life it is the answer before that tells whether there is anything to ask for.
        let oldest = self.scope.horizon(&self.ledger).into_iter().min();
        let is_certain = |next: &Fetch| oldest.is_none_or(|oldest| next.to >= oldest);
        let begins = |next: &Fetch| match known(next) {
            Some(dataset) if dataset.kind == Kind::Days && is_certain(next) => {
                let piece = piece(dataset, next);
                let values = Values { from: Some(piece.from), to: Some(piece.to), ..self.values(&job) };
                self.begins_with(dataset, next.tier, &values)
            }
            _ => Vec::new(),
        };
        let coming: Vec<Get> = left.iter().take(AHEAD).flat_map(begins).collect();
        self.ahead.expect(coming);
        match dataset.kind {
            Kind::Activities => self.list(dataset, fetch, left).await?,
            _ => drop(self.days(piece(dataset, fetch), left).await?),
        }
        self.passed(dataset);
        Ok(true)
    }

    /// Asks for the halves of ranges that failed although Garmin answers, until the day to blame stands alone. Where both halves fail it is
    /// not a day. `plan` is what is marked where a part turns out not to be served at all.
    pub(super) async fn narrow_down(&mut self, plan: &[Fetch]) -> Result<(), Stop> {
        while let Some(piece) = self.narrow.pop() {
            if let Some(why) = self.silent.get(&(piece.dataset.name.as_str(), piece.tier)).cloned() {
                self.failed(piece.dataset, piece.errors(&why), why).await?;
                continue;
            }
            let mut failed = Vec::new();
            for half in piece.halves().into_iter().flatten().rev() {
                if self.tier_of(piece.dataset) == Some(piece.tier)
                    && let Some(why) = self.days(Piece { narrowed: true, ..half }, plan).await?
                {
                    failed.push((half, why));
                }
            }
            match failed.as_slice() {
                [(half, _)] if half.from < half.to => self.narrow.push(*half),
                _ => {
                    for (half, why) in failed {
                        self.failed(half.dataset, half.errors(&why), why).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What is to be asked for now, as far as the day's budget goes. A tier that has nothing left for it is not asked any more.
    /// Twenty years of days are counted quickly, but not in no time: elsewhere, so that `status` never waits for it.
    async fn plan(
        &mut self,
        datasets: Vec<&'static Dataset>,
        grounds: HashMap<String, Grounds>,
    ) -> Result<Vec<Fetch>, Stop> {
        let tiers: HashMap<String, Tier> =
            (datasets.iter()).filter_map(|dataset| Some((dataset.name.clone(), self.tier_of(dataset)?))).collect();
        let left = |tier: &Tier| Some((*tier, self.sender.left(*tier)? + self.ahead.paid(*tier)));
        let left = self.job.tiers.iter().filter_map(left).collect();
        let (scope, ledger) = (self.scope, std::mem::take(&mut self.ledger));
        let planned = tokio::task::spawn_blocking(move || {
            let tier = |dataset: &Dataset| tiers.get(&dataset.name).copied();
            (plan::plan_within(&datasets, &ledger, &scope, tier, &grounds, &left), ledger)
        });
        let ((plan, cut), ledger) = planned.await.map_err(|error| Stop::Failed(error.to_string()))?;
        self.ledger = ledger;
        self.spent_tiers.extend(cut.into_iter().filter(|tier| plan.iter().all(|fetch| fetch.tier != *tier)));
        Ok(plan)
    }
}

fn piece(dataset: &'static Dataset, fetch: &Fetch) -> Piece {
    Piece { dataset, tier: fetch.tier, from: fetch.from.unwrap_or(fetch.to), to: fetch.to, narrowed: false }
}
