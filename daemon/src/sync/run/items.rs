//! What has no days: inventories, which are read whole, and things that are asked for one by one because other tables name them. The run
//! calls it after the days are read.

use std::collections::HashSet;

use chrono::{Days, Utc};
use garminsync_garmin::Get;
use garminsync_store::{Batch, Error, GONE, Item, Mark, Recorded, State, Store, Thing};

use super::ahead::AHEAD;
use super::ask::Trouble;
use super::fetch::{Lacking, Whole};
use super::person::SETTINGS;
use super::{Job, Login, NotRecorded, Run, Stop};
use crate::sync::archive::{self, ALL};
use crate::sync::datasets::{Dataset, Kind};
use crate::sync::known::NOT_SERVED;
use crate::sync::parts;
use crate::sync::plan::{self, Candidate};
use crate::sync::route::{Route, Values};

/// A year, with today.
const LAST_YEAR: Days = Days::new(364);
/// Refusals in a row after which the rest is not asked for: it is not this thing, it is the person's right to such things.
const ENOUGH_REFUSALS: u32 = 3;

/// Of what is gone with the thing it belonged to.
const NOT_NAMED: &str = "what it belongs to is gone";

/// What became of one request for a thing.
#[derive(PartialEq)]
pub(super) enum Came {
    Something,
    Refused,
    /// Nobody is there to ask.
    Nobody,
}

/// The things that a dataset may be asked for, by the tables that name them, as far as they are `wanted`.
pub fn candidates(
    store: &Store,
    account: &str,
    dataset: &Dataset,
    wanted: impl Fn(&Candidate) -> bool,
) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::new();
    store.each_thing(account, &dataset.sql_each, |Thing { item, day, changed_utc }| {
        let candidate = Candidate { item, day: day.as_deref().and_then(plan::day_of), changed_utc };
        candidates.extend(Some(candidate).filter(&wanted));
    })?;
    Ok(candidates)
}

impl<S: Login> Run<S> {
    /// Reads the inventories that are due.
    pub(super) async fn inventories(&mut self) -> Result<(), Stop> {
        for dataset in self.of_kind(Kind::Inventory) {
            let known = self.knows_settings && dataset.name == SETTINGS;
            if !known && plan::inventory(dataset, self.ledger.standing(&dataset.name), &self.scope) {
                self.say(dataset.name.clone(), 1, dataset);
                self.thing(dataset, ALL).await?;
            }
            self.progress.over(&dataset.name);
        }
        Ok(())
    }

    /// Asks for the things that are due, dataset by dataset.
    pub(super) async fn items(&mut self) -> Result<(), Stop> {
        for dataset in self.of_kind(Kind::Items) {
            if self.tier_of(dataset).is_none() {
                self.progress.over(&dataset.name);
                continue;
            }
            let account = self.job.account.clone();
            let known = self.job.store.call(move |store| candidates(store, &account, dataset, |_| true)).await?;
            let known = known.map_err(super::failed)?;
            if dataset.drops {
                self.drop_things(dataset, &known).await?;
            }
            let wanted = plan::items(dataset, known, self.ledger.standing(&dataset.name), &self.scope);
            let mut refusals = 0;
            for at in 0..wanted.len() {
                refusals = match self.next_thing(dataset, &wanted[at..]).await {
                    Ok(Came::Something) => 0,
                    Ok(Came::Refused) => refusals + 1,
                    Ok(Came::Nobody) => break,
                    Err(stop) => {
                        self.leaving = true;
                        for more in (at + 1..wanted.len()).take(AHEAD) {
                            _ = self.next_thing(dataset, &wanted[more..]).await;
                        }
                        return Err(stop);
                    }
                };
                if refusals == ENOUGH_REFUSALS {
                    break;
                }
                self.passed(dataset);
            }
            self.progress.over(&dataset.name);
        }
        Ok(())
    }

    /// Reads the first of the things that are left.
    async fn next_thing(&mut self, dataset: &'static Dataset, left: &[Candidate]) -> Result<Came, Stop> {
        let Some(candidate) = left.first() else { return Ok(Came::Nobody) };
        self.say(format!("{}: {}", dataset.name, candidate.item), left.len(), dataset);
        if let Some(tier) = self.tier_of(dataset) {
            let job = self.job.clone();
            let begins = |next: &Candidate| self.begins_with(dataset, tier, &self.values_of(&job, &next.item));
            let coming: Vec<Get> = left.iter().take(AHEAD).flat_map(begins).collect();
            self.ahead.expect(coming);
        }
        self.thing(dataset, &candidate.item).await
    }

    fn values_of<'a>(&self, job: &'a Job<S>, item: &'a str) -> Values<'a> {
        // Where an inventory wants a range, what holds in the last year is of interest.
        let from = plan::earlier(self.scope.today, LAST_YEAR);
        Values { from: Some(from), to: Some(self.scope.today), id: Some(item), ..self.values(job) }
    }

    /// What is held of things that no table names any more goes. No things at all prove nothing.
    async fn drop_things(&mut self, dataset: &'static Dataset, known: &[Candidate]) -> Result<(), Stop> {
        if known.is_empty() {
            return Ok(());
        }
        let named: HashSet<String> = known.iter().map(|candidate| candidate.item.clone()).collect();
        let (account, run) = (self.job.account.clone(), self.job.run);
        let record = move |store: &mut Store| {
            let mut lost = store.things_held(&account, &dataset.name)?;
            lost.retain(|item| !named.contains(item));
            if lost.is_empty() {
                return Ok(Recorded::default());
            }
            let mark = |item: &String| Mark { item: item.clone(), state: State::Empty, detail: Some(NOT_NAMED.into()) };
            let ledger = lost.iter().map(mark).collect();
            let items = lost.into_iter().map(|item| Item { item, body: GONE }).collect();
            let (dataset, fetched_utc, requests, bytes) = (dataset.name.as_str(), Utc::now(), 0, 0);
            store.record(&Batch { account: &account, run, dataset, fetched_utc, requests, bytes, items, ledger })
        };
        let recorded = self.job.store.call(record).await?.map_err(super::failed)?;
        self.count(dataset, &recorded);
        Ok(())
    }

    fn of_kind(&self, kind: Kind) -> Vec<&'static Dataset> {
        self.job.datasets.iter().copied().filter(|dataset| dataset.kind == kind).collect()
    }

    /// Asks for one thing, or a whole inventory.
    pub(super) async fn thing(&mut self, dataset: &'static Dataset, item: &str) -> Result<Came, Stop> {
        loop {
            let Some(tier) = self.tier_of(dataset) else { return Ok(Came::Nobody) };
            let Some(route) = dataset.route(tier) else { return Ok(Came::Nobody) };
            let job = self.job.clone();
            let values = self.values_of(&job, item);
            let mark = |state, why: &str| vec![Mark { item: item.into(), state, detail: Some(why.into()) }];
            let why = match self.whole(dataset, tier, route, values, true).await? {
                Ok(whole) => match self.keep_thing(dataset, route, item, whole).await? {
                    Ok(()) => return Ok(Came::Something),
                    Err(why) => why,
                },
                Err(Lacking::Trouble(Trouble::Absent)) => {
                    self.mark(dataset, mark(State::Empty, "Garmin has nothing")).await?;
                    return Ok(Came::Something);
                }
                Err(Lacking::Trouble(Trouble::Nobody)) => continue, // the other tier, or nobody
                Err(Lacking::Trouble(Trouble::Closed)) if dataset.kind == Kind::Items => {
                    let why = "Garmin does not allow this account to read it";
                    self.failed(dataset, mark(State::Error, why), why.into()).await?;
                    return Ok(Came::Refused);
                }
                Err(Lacking::NoPath | Lacking::Trouble(Trouble::Closed)) => {
                    self.closed.insert((&dataset.name, tier));
                    self.note_closed(dataset, tier).await?;
                    if self.tier_of(dataset).is_none() {
                        self.mark(dataset, mark(State::Unavailable, NOT_SERVED)).await?;
                    }
                    continue;
                }
                Err(Lacking::Trouble(Trouble::Passing(why))) => {
                    self.suspect((dataset, tier), mark(State::Error, &why), why, None)?;
                    return Ok(Came::Something);
                }
                Err(Lacking::Trouble(Trouble::Refused(status))) => {
                    format!("Garmin refuses this request (HTTP {status})")
                }
                Err(Lacking::Trouble(Trouble::Odd(why))) => why,
            };
            self.failed(dataset, mark(State::Error, &why), why).await?;
            return Ok(Came::Something);
        }
    }

    async fn keep_thing(
        &mut self,
        dataset: &'static Dataset,
        route: &'static Route,
        item: &str,
        whole: Whole,
    ) -> Result<Result<(), String>, Stop> {
        let (account, run, (requests, bytes)) = (self.job.account.clone(), self.job.run, self.spent());
        let (item, fetched_utc) = (item.to_owned(), Utc::now());
        let record = move |store: &mut Store| -> Result<Recorded, NotRecorded> {
            let parts = whole.parts().ok_or_else(|| NotRecorded::Odd("not UTF-8".into()))?;
            let mut row = archive::one(route, &item, &parts)?;
            let missing = parts::missing(route, &parts);
            parts::take_over(store, (&account, &dataset.name), route, &missing, row.as_mut_slice())?;
            let state = if row.is_some() { State::Ok } else { State::Empty };
            let ledger = vec![Mark { item, state, detail: None }];
            let (dataset, items) = (dataset.name.as_str(), archive::items(row.as_slice()));
            Ok(store.record(&Batch { account: &account, run, dataset, fetched_utc, requests, bytes, items, ledger })?)
        };
        match self.job.store.call(record).await? {
            Ok(recorded) => {
                self.count(dataset, &recorded);
                Ok(Ok(()))
            }
            Err(NotRecorded::Odd(why)) => {
                self.unrecorded = (requests, bytes);
                Ok(Err(why))
            }
            Err(NotRecorded::Store(error)) => Err(super::failed(error)),
        }
    }
}
