//! The original files: one request an activity, newest first, after the list is read. The run calls it.

use std::fs::File;

use chrono::Utc;
use garminsync_garmin::Get;
use garminsync_store::{ActivityRef, Mark, OriginalBatch, OriginalRow, Recorded, State, Store};

use super::ahead::AHEAD;
use super::ask::Trouble;
use super::{Login, NotRecorded, Run, Stop};
use crate::sync::datasets::{Dataset, Kind};
use crate::sync::route::{Values, render};
use crate::sync::{originals, plan};

/// Refusals in a row after which the rest is not asked for: it is not this file, it is the person's right to files.
const ENOUGH_REFUSALS: u32 = 3;

impl<S: Login> Run<S> {
    /// Fetches the files that are missing.
    pub(super) async fn files(&mut self) -> Result<(), Stop> {
        let Some(dataset) = self.job.datasets.iter().copied().find(|dataset| dataset.kind == Kind::Files) else {
            return Ok(());
        };
        let account = self.job.account.clone();
        let missing = self.job.store.call(move |store| store.activities_without_original(&account)).await?;
        let missing =
            plan::originals(missing.map_err(super::failed)?, self.ledger.standing(&dataset.name), &self.scope);
        let mut refusals = 0;
        for at in 0..missing.len() {
            refusals = match self.next_file(dataset, &missing[at..]).await {
                Ok(true) => 0,
                Ok(false) => refusals + 1,
                Err(stop) => {
                    self.leaving = true;
                    for more in (at + 1..missing.len()).take(AHEAD) {
                        _ = self.next_file(dataset, &missing[more..]).await;
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
        Ok(())
    }

    /// Fetches the first of the files that are left.
    async fn next_file(&mut self, dataset: &'static Dataset, left: &[ActivityRef]) -> Result<bool, Stop> {
        let Some(activity) = left.first() else { return Ok(true) };
        self.say(format!("{}: {}", dataset.name, words(activity)), left.len(), dataset);
        if let Some(tier) = self.tier_of(dataset) {
            let begins = |next: &ActivityRef| {
                let id = next.activity_id.to_string();
                self.begins_with(dataset, tier, &Values { id: Some(&id), ..Values::default() })
            };
            let coming: Vec<Get> = left.iter().take(AHEAD).flat_map(begins).collect();
            self.ahead.expect(coming);
        }
        self.file(dataset, activity).await
    }

    /// Fetches one file; `false` if the person may not have it.
    async fn file(&mut self, dataset: &'static Dataset, activity: &ActivityRef) -> Result<bool, Stop> {
        let mut tries = 0;
        loop {
            let Some(tier) = self.tier_of(dataset) else { return Ok(true) };
            let id = activity.activity_id.to_string();
            let values = Values { id: Some(&id), ..Values::default() };
            let Some(path) = dataset.route(tier).and_then(|route| render(&route.path, &values)) else {
                return Ok(true);
            };
            let came = self.ask_file(tier, path, true).await?;
            self.was_served(dataset, tier, came.is_ok());
            let (why, allowed) = match came {
                Ok(Some(file)) => match self.keep_file(dataset, activity, file).await? {
                    Ok(()) => return Ok(true),
                    Err(why) => {
                        tries += 1;
                        if let Some(pause) = self.pace(tier, |pace| pace.retry(tries)) {
                            self.rest(pause).await?;
                            continue;
                        }
                        (why, true)
                    }
                },
                Ok(None) | Err(Trouble::Absent) => {
                    let detail = Some("Garmin has no file of it".into());
                    self.mark(dataset, vec![Mark { detail, ..error(activity, State::Empty, "") }]).await?;
                    return Ok(true);
                }
                Err(Trouble::Nobody) => continue, // the other tier, or nobody
                Err(Trouble::Passing(why)) => {
                    self.suspect((dataset, tier), vec![error(activity, State::Error, &why)], why, None)?;
                    return Ok(true);
                }
                Err(Trouble::Closed) => ("Garmin does not allow this account to read it".into(), false),
                Err(Trouble::Refused(status)) => (format!("Garmin refuses this request (HTTP {status})"), true),
                Err(Trouble::Odd(why)) => (why, true),
            };
            self.failed(dataset, vec![error(activity, State::Error, &why)], why).await?;
            return Ok(allowed);
        }
    }

    /// Checks, saves and records a file; else why it is none.
    async fn keep_file(
        &mut self,
        dataset: &Dataset,
        activity: &ActivityRef,
        body: File,
    ) -> Result<Result<(), String>, Stop> {
        let (account, run, (requests, bytes)) = (self.job.account.clone(), self.job.run, self.spent());
        let activity = activity.clone();
        let keep = move |store: &mut Store| -> Result<Recorded, NotRecorded> {
            let odd = |broken: originals::Broken| NotRecorded::Odd(broken.to_string());
            let original = originals::unpack(body).map_err(odd)?;
            let format = original.format;
            let path = originals::path(&activity, format);
            let (size, sha256) = original.read(|file| store.originals().save_from(&path, file)).map_err(odd)??;
            let original = OriginalRow {
                activity_id: activity.activity_id,
                path,
                format: format.as_str().into(),
                bytes: size,
                sha256,
                fetched_utc: Utc::now(),
            };
            Ok(store.record_original(&OriginalBatch { account: &account, run, requests, bytes, original })?)
        };
        match self.job.store.call(keep).await? {
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

fn error(activity: &ActivityRef, state: State, why: &str) -> Mark {
    Mark { item: activity.activity_id.to_string(), state, detail: Some(why.into()) }
}

fn words(activity: &ActivityRef) -> String {
    let day = activity.start_local.as_deref().and_then(|start| start.get(..10));
    [day, activity.name.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
