//! Days whose samples Garmin has put away: their rows say that there was something, their answers hold none. Garmin is asked once to fetch
//! them, and they are read again a while later. The run calls it when all else is read. It must not know what the samples are.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use garminsync_garmin::{Accept, Tier};
use garminsync_store::{Mark, State, Store};

use super::ask::Trouble;
use super::days::Piece;
use super::{Login, Run, Stop};
use crate::sync::datasets::{self, Dataset, Kind, Lane};
use crate::sync::plan::earlier;

/// Garmin puts samples away after about half a year. One source says so, and that they are back some ten seconds after they were asked for.
const AGE: Days = Days::new(180);
const FETCHED_AFTER: Duration = Duration::from_secs(10);
/// Days that are asked for in one run: a month of them is a minute of requests.
const MOST: usize = 31;
/// Days in a row that stay without samples, after which the rest is left for the next run.
const ENOUGH: usize = 3;

/// What the ledger says of such a day: until it is read again, ...
const ASKED: &str = "Garmin was asked to fetch the samples it has put away";
/// ... and when that brought nothing.
const IN_VAIN: &str = "Garmin was asked to fetch the samples it has put away, and has none";

/// Where samples are missing.
type Missing = BTreeMap<NaiveDate, Vec<&'static Dataset>>;

impl<S: Login> Run<S> {
    /// Asks for samples that were put away, and reads their days again; the days that an earlier run asked for come first.
    pub(super) async fn put_away(&mut self) -> Result<(), Stop> {
        let tier = Tier::Account;
        let shut = self.is_paused(tier) || self.dead.contains_key(&tier) || self.spent_tiers.contains(&tier);
        if !self.job.tiers.contains(&tier) || shut || !self.answered {
            return Ok(());
        }
        let (mut asked, missing) = self.without_samples().await?;
        let mut last = None;
        for (day, datasets) in missing.into_iter().rev().take(MOST) {
            let Some(dataset) = datasets.first() else { continue };
            self.say(format!("{}: {day}, put away by Garmin", dataset.name), 1, dataset);
            let path = format!("/wellness-service/wellness/epoch/request/{day}");
            let detail = match self.ask(tier, path, Accept::Fetching, false, false).await? {
                Ok(_) => ASKED,
                Err(Trouble::Refused(_) | Trouble::Absent | Trouble::Closed) => IN_VAIN,
                Err(Trouble::Passing(_) | Trouble::Nobody | Trouble::Odd(_)) => break,
            };
            for dataset in &datasets {
                self.note(dataset, day, detail).await?;
            }
            if detail == ASKED {
                asked.insert(day, datasets);
                last = Some(tokio::time::Instant::now());
            }
        }
        if let Some(last) = last {
            self.rest(FETCHED_AFTER.saturating_sub(last.elapsed())).await?;
        }
        let mut in_vain = 0;
        for (day, datasets) in asked.into_iter().rev() {
            if in_vain == ENOUGH {
                return Ok(());
            }
            in_vain = if self.read_again(day, datasets).await? { 0 } else { in_vain + 1 };
        }
        Ok(())
    }

    /// Whether any dataset has samples of the day now.
    async fn read_again(&mut self, day: NaiveDate, datasets: Vec<&'static Dataset>) -> Result<bool, Stop> {
        let mut found = false;
        for dataset in datasets {
            let Some(tier) = self.tier_of(dataset) else { continue };
            self.say(format!("{}: {day}", dataset.name), 1, dataset);
            let before = self.failures;
            let piece = Piece { dataset, tier, from: day, to: day, narrowed: false };
            let failed = self.days(piece, &[]).await?.is_some() || self.failures > before || !self.unproven.is_empty();
            let account = self.job.account.clone();
            let held = move |store: &mut Store| store.days_held(&account, &dataset.name, day, day);
            let held = self.job.store.call(held).await?.map_err(super::failed)?;
            if held.get(&day) == Some(&false) {
                found = true;
            } else if !failed && self.tier_of(dataset) == Some(tier) {
                self.note(dataset, day, IN_VAIN).await?;
            }
        }
        Ok(found)
    }

    /// The days to read again, and those to ask for: what one dataset proves holds for all samples of the day.
    async fn without_samples(&mut self) -> Result<(Missing, Missing), Stop> {
        let (mut asked, mut missing) = (Missing::new(), Missing::new());
        let before = earlier(self.scope.today, AGE);
        let of_samples = |dataset: &&'static Dataset| dataset.kind == Kind::Days && dataset.lane == Lane::Intraday;
        let mut datasets: Vec<_> = self.job.datasets.iter().copied().filter(of_samples).collect();
        datasets.sort_by_key(|dataset| dataset.proof.is_none());
        for dataset in datasets {
            let Some(follows) = &dataset.follows else { continue };
            let Some(route) = self.tier_of(dataset).and_then(|tier| dataset.route(tier)) else { continue };
            if route.file || !route.within.is_empty() {
                continue;
            }
            let known = datasets::all().unwrap_or_default().iter().find(|known| known.name == follows.dataset);
            let Some(table) = known.and_then(|known| known.tables.first()) else { continue };
            let account = self.job.account.clone();
            let proof = dataset.proof.as_deref().unwrap_or("day");
            let look = move |store: &mut Store| store.empty_days(&account, &dataset.name, table, proof, before);
            for (day, detail) in self.job.store.call(look).await?.map_err(super::failed)? {
                let detail = detail.as_deref();
                if detail == Some(IN_VAIN) || !self.scope.holds(day) {
                    continue;
                }
                let known = if asked.contains_key(&day) || detail == Some(ASKED) { &mut asked } else { &mut missing };
                if dataset.proof.is_some() || known.contains_key(&day) {
                    known.entry(day).or_default().push(dataset);
                }
            }
        }
        missing.retain(|day, _| !asked.contains_key(day));
        Ok((asked, missing))
    }

    async fn note(&mut self, dataset: &'static Dataset, day: NaiveDate, detail: &str) -> Result<(), Stop> {
        let mark = Mark { item: day.to_string(), state: State::Empty, detail: Some(detail.into()) };
        self.mark(dataset, vec![mark]).await
    }
}
