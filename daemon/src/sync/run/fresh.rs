//! Whether there is anything new at all: one request, the cheapest that tells when a device last uploaded. A run that the clock started
//! begins with it, and ends there if nothing moved since the last good one. It must not know what else the run does.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::Utc;
use garminsync_garmin::{Accept, Answer, Tier};
use garminsync_store::{Batch, LedgerEntry, Mark, State, Store};
use serde_json::Value;

use super::tier_name;
use super::{Login, Run, Stop};

/// Under this name the ledger remembers what was heard last. It is no dataset.
const FRESHNESS: &str = "freshness";

/// What was heard, and of whom: remembered when the run has brought everything.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    tier: Tier,
    detail: String,
}

impl<S: Login> Run<S> {
    /// Asks when a device last uploaded. `true`: just as the last good run of this day heard, for the same datasets; nothing is new.
    /// Any trouble counts as news: the run will meet it too.
    pub(super) async fn nothing_new(&mut self) -> Result<bool, Stop> {
        let open = |tier: &&Tier| !self.paused.contains_key(*tier);
        let Some(tier) = self.job.tiers.iter().find(open).copied() else { return Ok(false) };
        let (path, pointer) = match tier {
            Tier::Account => ("/device-service/deviceservice/mylastused".to_owned(), "/lastUsedDeviceUploadTime"),
            Tier::Personal => (
                format!("/usersummary-service/usersummary/daily?calendarDate={}", self.scope.today),
                "/lastSyncTimestampGMT",
            ),
        };
        let Ok(answer) = self.ask(tier, path, Accept::Json, false, false).await? else { return Ok(false) };
        let moment = match &answer {
            Answer::Body(body) => {
                let answer: Value = serde_json::from_slice(body).unwrap_or_default();
                // An answer without the place where the moment stands tells nothing.
                let Some(moment) = answer.pointer(pointer).cloned() else { return Ok(false) };
                moment
            }
            Answer::NoData => Value::Null,
        };
        let detail = format!("{moment} {:x}", self.wish());
        let as_before = |entry: &LedgerEntry| {
            entry.item == tier_name(tier)
                && entry.detail.as_deref() == Some(&detail)
                && self.local_day(entry.fetched_utc) == self.scope.today
        };
        let account = self.job.account.clone();
        let heard = self.job.store.call(move |store| store.entries_of(&account, FRESHNESS)).await?;
        let nothing = heard.map_err(super::failed)?.iter().any(as_before);
        self.heard = Some(Heard { tier, detail });
        Ok(nothing)
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

    /// The run has brought everything: what it heard at its beginning is what the next one compares with.
    pub(super) async fn remember(&mut self) -> Result<(), Stop> {
        let Some(Heard { tier, detail }) = self.heard.take() else { return Ok(()) };
        let (account, run, (requests, bytes)) = (self.job.account.clone(), self.job.run, self.spent());
        let record = move |store: &mut Store| {
            let ledger = vec![Mark { item: tier_name(tier).into(), state: State::Ok, detail: Some(detail) }];
            let (fetched_utc, items, dataset) = (Utc::now(), Vec::new(), FRESHNESS);
            store.record(&Batch { account: &account, run, dataset, fetched_utc, requests, bytes, items, ledger })
        };
        self.job.store.call(record).await?.map(drop).map_err(super::failed)
    }
}
