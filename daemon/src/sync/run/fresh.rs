//! Whether there is anything new at all: one request, the cheapest that tells when a device last uploaded. A run that the clock started
//! begins with it, and ends there if nothing moved since the last good one. It must not know what else the run does.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::Utc;
use garminsync_garmin::{Accept, Answer, Tier};
use garminsync_store::{Batch, Mark, State, Store};
use serde_json::Value;

use super::{Login, Run, Stop};
use crate::sync::datasets::Dataset;
use crate::sync::known::tier_name;
use crate::sync::plan;
use crate::sync::zone::Zone;

/// Under this name the ledger remembers what was heard last. It is no dataset.
const FRESHNESS: &str = "freshness";

/// How a note ends if there was more to ask for than the budget of that day allowed.
const MORE: &str = " and more to come";

/// Whether anything is new.
pub(super) enum News {
    /// Something, or nobody can tell.
    Some,
    /// Nothing.
    None,
    /// Nothing, but there is more to come on another day.
    NoneToday,
}

/// What was heard, and of whom: remembered when the run has brought everything.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    tier: Tier,
    detail: String,
}

impl<S: Login> Run<S> {
    /// Asks when a device last uploaded, and whether that is just what the last run of this day that brought all it could heard, for the
    /// same datasets. Any trouble counts as news: the run will meet it too.
    pub(super) async fn news(&mut self) -> Result<News, Stop> {
        let open = |tier: &&Tier| !self.paused.contains_key(*tier);
        let Some(tier) = self.job.tiers.iter().find(open).copied() else { return Ok(News::Some) };
        let (path, pointer) = match tier {
            Tier::Account => ("/device-service/deviceservice/mylastused".to_owned(), "/lastUsedDeviceUploadTime"),
            Tier::Personal => (
                format!("/usersummary-service/usersummary/daily?calendarDate={}", self.scope.today),
                "/lastSyncTimestampGMT",
            ),
        };
        let Ok(answer) = self.ask(tier, path, Accept::Json, false, false).await? else { return Ok(News::Some) };
        let moment = match &answer {
            Answer::Body(body) => {
                let answer: Value = serde_json::from_slice(body).unwrap_or_default();
                // An answer without the place where the moment stands tells nothing.
                let Some(moment) = answer.pointer(pointer).cloned() else { return Ok(News::Some) };
                moment
            }
            Answer::NoData => Value::Null,
        };
        let detail = format!("{moment} {:x}", self.wish());
        let account = self.job.account.clone();
        let heard = self.job.store.call(move |store| store.entries_of(&account, FRESHNESS)).await?;
        let heard = heard
            .map_err(super::failed)?
            .into_iter()
            .find(|entry| entry.item == tier_name(tier) && self.local_day(entry.fetched_utc) == self.scope.today);
        let news = match heard.and_then(|entry| entry.detail).as_deref().and_then(|said| said.strip_prefix(&detail)) {
            Some("") => News::None,
            Some(MORE) => News::NoneToday,
            _ => News::Some,
        };
        self.heard = Some(Heard { tier, detail });
        Ok(news)
    }

    /// Whether the budget of the day leaves nothing for what is old.
    pub(super) fn is_spent(&self) -> bool {
        let today = Zone::Host.day(Utc::now());
        self.job.tiers.iter().any(|tier| self.pace(*tier, |pace| !pace.budget().allows(today, true)))
    }

    /// What this run wants, as a number that changes with the configuration.
    fn wish(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        for dataset in &self.job.datasets {
            dataset.name.hash(&mut hash);
        }
        (self.job.start, &self.job.tiers.len()).hash(&mut hash);
        hash.finish()
    }

    /// Whether something that failed too often to be asked for in this run may be asked for in another on this day.
    pub(super) async fn comes_again_today(&self) -> Result<bool, Stop> {
        if self.heard.is_none() {
            return Ok(false);
        }
        let account = self.job.account.clone();
        let failing = self.job.store.call(move |store| store.failing(&account)).await?.map_err(super::failed)?;
        Ok(failing.iter().any(|entry| {
            let dataset = self.job.datasets.iter().find(|dataset| dataset.name == entry.dataset);
            let is_young = |dataset: &Dataset| {
                plan::day_of(&entry.item).is_none_or(|day| !plan::is_final(day, self.scope.today, dataset.reread_days))
            };
            let until = dataset.and_then(|dataset| plan::rests_until(entry, self.scope.now, is_young(dataset)));
            until.is_some_and(|until| self.local_day(until) == self.scope.today)
        }))
    }

    /// The run has brought everything, or, if there is `more`, what the budget of the day allowed: what it heard at its beginning is what
    /// the next one compares with.
    pub(super) async fn remember(&mut self, more: bool) -> Result<(), Stop> {
        let Some(Heard { tier, mut detail }) = self.heard.take() else { return Ok(()) };
        let (account, run, (requests, bytes)) = (self.job.account.clone(), self.job.run, self.spent());
        if more {
            detail.push_str(MORE);
        }
        // It was heard when the run began: of a day that has begun meanwhile it says nothing.
        let fetched_utc = self.scope.now;
        let record = move |store: &mut Store| {
            let ledger = vec![Mark { item: tier_name(tier).into(), state: State::Ok, detail: Some(detail) }];
            let (items, dataset) = (Vec::new(), FRESHNESS);
            store.record(&Batch { account: &account, run, dataset, fetched_utc, requests, bytes, items, ledger })
        };
        self.job.store.call(record).await?.map(drop).map_err(super::failed)
    }
}
