//! A look at an account's mirror as the next run would see it: what is held of each dataset, and what is missing. The room and what
//! `status` shows look through it, so that they agree. It asks the store, never Garmin.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use garminsync_garmin::Tier;
use garminsync_store::{ActivityRef, Error, Store, Summary};

use super::archive::ALL;
use super::datasets::{self, Dataset, Kind, Lane};
use super::gaps::{Gap, Reach, gaps};
use super::grounds;
use super::known::tier_name;
use super::plan::{self, Candidate, Ledger, Scope, day_of};
use super::run::candidates;
use super::{Refused, RunRow, Syncs, unread, zone_of};

/// What is missing of an account.
pub struct Gaps {
    /// By dataset, newest first.
    pub gaps: Vec<Gap>,
    /// Nothing is read before somebody signs in.
    pub login_needed: bool,
}

/// What a look found.
pub struct Looked {
    /// The ledger of the account.
    pub ledger: Ledger,
    /// What is missing, by dataset, newest first.
    pub gaps: Vec<Gap>,
    /// The day it is where the person is.
    pub today: NaiveDate,
}

/// What is known of one dataset.
#[derive(Clone, Debug)]
pub struct Held {
    /// The dataset.
    pub dataset: &'static Dataset,
    /// Whether it is mirrored.
    pub on: bool,
    /// The tiers that serve it, the preferred one first.
    pub tiers: Vec<&'static str>,
    /// Whether the account has one of them.
    pub reachable: bool,
    /// Days (or activities, files, items) whose data are held.
    pub held: u64,
    /// The oldest day that holds data.
    pub oldest: Option<NaiveDate>,
    /// The newest.
    pub newest: Option<NaiveDate>,
    /// When Garmin last answered for any of it.
    pub last_read: Option<DateTime<Utc>>,
    /// Days, files or items that are missing.
    pub missing: u64,
}

impl Syncs {
    /// What is wanted of an account and missing; of the named datasets, or of all that are on.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn gaps(&self, account: &str, datasets: &[String]) -> Result<Gaps, Refused> {
        let (datasets, tiers) = (self.0.datasets(datasets)?, self.0.tiers(account).await?);
        let (name, start, login_needed) = (account.to_owned(), self.0.start_of(account), tiers.is_empty());
        let work = move |store: &mut Store| look(store, &name, &datasets, &tiers, start, Utc::now());
        let looked = self.0.store.call(work).await.map_err(unread)?.map_err(unread)?;
        Ok(Gaps { gaps: looked.gaps, login_needed })
    }

    /// What is held of every dataset there is.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn held(&self, account: &str) -> Result<Vec<Held>, Refused> {
        let (on, tiers) = (self.0.rules.datasets(), self.0.tiers(account).await?);
        let (name, start) = (account.to_owned(), self.0.start_of(account));
        let work = move |store: &mut Store| {
            let looked = look(store, &name, &on, &tiers, start, Utc::now())?;
            let all = datasets::all().unwrap_or_default();
            let held = held(&store.summaries(&name)?, &looked.gaps, all, &on, &tiers);
            Ok::<_, Error>(held)
        };
        self.0.store.call(work).await.map_err(unread)?.map_err(unread)
    }

    /// The newest runs of an account, newest first.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn history(&self, account: &str, last: u32) -> Result<Vec<RunRow>, Refused> {
        self.0.tiers(account).await?;
        let name = account.to_owned();
        self.0.store.call(move |store| store.runs(&name, last)).await.map_err(unread)?.map_err(unread)
    }
}

/// Looks at what is wanted at `now` of `datasets`, as far back as `start`, by an account with these tiers. Where it has none, because its login
/// is dead, all is wanted that any could bring.
///
/// # Errors
/// What the store says.
pub fn look(
    store: &Store,
    account: &str,
    datasets: &[&'static Dataset],
    tiers: &[Tier],
    start: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<Looked, Error> {
    let zone = zone_of(store, account)?;
    let today = zone.day(now);
    let scope = Scope { now, today, start, since: None, until: None, missing: true, rest: None, new_activities: false };
    let mut ledger = Ledger::read(store, account, now, |at| zone.day(at))?;
    ledger.witness(grounds::witnesses(store, account)?);
    let shut = |dataset: &Dataset, tier: Tier| {
        ledger.standing(&dataset.name).and_then(|standing| standing.closed_until(tier, now))
    };
    let mine = |dataset: &Dataset| {
        let mine = dataset.tiers().filter(|tier| tiers.is_empty() || tiers.contains(tier));
        mine.collect::<Vec<_>>()
    };
    let open = |dataset: &Dataset| mine(dataset).into_iter().find(|tier| shut(dataset, *tier).is_none());
    let of = |dataset: &Dataset| open(dataset).or_else(|| mine(dataset).first().copied());
    // What follows a dataset that nobody serves is asked for without it.
    let read: Vec<&'static Dataset> = datasets.iter().copied().filter(|dataset| open(dataset).is_some()).collect();
    let grounds = grounds::look(store, account, datasets, &read, &ledger)?;
    let fetches = plan::plan(datasets.iter().copied(), &ledger, &scope, of, &grounds);
    let wanted: Vec<&'static Dataset> = datasets.iter().copied().filter(|dataset| of(dataset).is_some()).collect();
    let troubled = store.missing(account)?;
    let mut things = HashMap::new();
    for dataset in &wanted {
        things.extend(things_of(store, account, dataset, &ledger)?.map(|things| (dataset.name.as_str(), things)));
    }
    let reach = |dataset: &Dataset| {
        let mine = mine(dataset);
        let Some(used) = open(dataset) else {
            return Reach::Shut(mine.iter().filter_map(|tier| shut(dataset, *tier)).min().unwrap_or(now));
        };
        let refused = mine.into_iter().find(|tier| !tiers.is_empty() && shut(dataset, *tier).is_some());
        Reach::Open(refused.map(|refused| {
            let (refused, used) = (tier_name(refused), tier_name(used));
            format!("not read yet; not served by the {refused} tier, so the {used} tier is asked")
        }))
    };
    let gaps = gaps(&troubled, &fetches, &things, &wanted, &ledger, &scope, reach);
    Ok(Looked { ledger, gaps, today })
}

/// Of files, items and inventories: what there is, as far as it may be missing. `None` for what goes by days.
fn things_of(
    store: &Store,
    account: &str,
    dataset: &'static Dataset,
    ledger: &Ledger,
) -> Result<Option<Vec<Candidate>>, Error> {
    let standing = ledger.standing(&dataset.name);
    let known = |item: &str| standing.and_then(|standing| standing.items.get(item));
    let is_held = |candidate: &Candidate| known(&candidate.item).is_some_and(|known| known.is_answered());
    Ok(Some(match dataset.kind {
        Kind::Days | Kind::Activities => return Ok(None),
        // Each of them is a question that a listing raises, and the next listing raises it again.
        Kind::Deletions => Vec::new(),
        Kind::Items => candidates(store, account, dataset, |candidate| !is_held(candidate))?,
        Kind::Inventory => vec![Candidate { item: ALL.into(), day: None, changed_utc: None }],
        Kind::Files => {
            let owed = store.activities_without_original(account)?.into_iter();
            let candidate = |activity: ActivityRef| Candidate {
                item: activity.activity_id.to_string(),
                day: activity.start_local.as_deref().and_then(day_of),
                changed_utc: None,
            };
            owed.map(candidate).collect()
        }
    }))
}

/// What is held of every dataset. `gaps` are those of all that are on.
pub fn held(
    summaries: &[Summary],
    gaps: &[Gap],
    all: &'static [Dataset],
    on: &[&Dataset],
    tiers: &[Tier],
) -> Vec<Held> {
    let about = |dataset: &'static Dataset| {
        let summary = summaries.iter().find(|summary| summary.dataset == dataset.name);
        let by_day = matches!(dataset.kind, Kind::Days | Kind::Activities);
        Held {
            dataset,
            on: on.iter().any(|known| known.name == dataset.name),
            tiers: dataset.tiers().map(tier_name).collect(),
            reachable: dataset.tiers().any(|tier| tiers.contains(&tier)),
            // What goes by days may have notes beside them: that a list was read to its beginning.
            held: summary.map_or(0, |summary| if by_day { summary.days } else { summary.days + summary.items }),
            oldest: summary.and_then(|summary| summary.oldest),
            newest: summary.and_then(|summary| summary.newest),
            last_read: summary.and_then(|summary| summary.last_read),
            missing: gaps.iter().filter(|gap| gap.dataset == dataset.name).map(|gap| gap.missing).sum(),
        }
    };
    all.iter().map(about).collect()
}

impl Held {
    /// Which switch of the configuration it follows.
    pub fn lane(&self) -> &'static str {
        match self.dataset.lane {
            Lane::Day => "day",
            Lane::Intraday => "intraday",
        }
    }

    /// The words that switch it together with others.
    pub fn groups(&self) -> Vec<String> {
        self.dataset.groups.clone()
    }

    /// Requests that a year of it costs by the preferred tier; `None` where it is one for each thing.
    pub fn requests_per_year(&self) -> Option<u32> {
        let tier = self.dataset.tiers().next()?;
        match self.dataset.kind {
            Kind::Days | Kind::Activities | Kind::Inventory => self.dataset.cost_per_year(tier),
            Kind::Files | Kind::Items | Kind::Deletions => None,
        }
    }
}

#[cfg(test)]
#[path = "look_test.rs"]
mod tests;
