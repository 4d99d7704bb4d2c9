//! The sync room: mirrors an account, one run at a time, and keeps what `status` shows of it. The door and the clock start runs through
//! [`Syncs`]; whoever starts one while another is under way joins that, or the next if that one does not bring what they want. It does not
//! know who asked, nor how answers reach them.

pub mod archive;
pub mod budget;
mod calendar;
pub mod datasets;
mod forget;
mod gaps;
mod grounds;
pub mod known;
mod launch;
mod look;
mod memory;
pub mod originals;
pub mod outbound;
pub mod pace;
pub mod parts;
pub mod plan;
mod request;
pub mod route;
mod rules;
pub mod run;
mod view;
mod wish;
mod zone;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDate, Utc};
use garminsync_garmin::Tier;
use garminsync_store::Store;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::datasets::Dataset;
pub use self::gaps::{Gap, Unit, Why};
pub use self::look::{Gaps, Held};
use self::outbound::Outbound;
use self::pace::{Moment, Pace};
use self::plan::EARLIEST;
pub use self::request::{Outcome, Refused, Report, Request, SPENT, Started, Trigger};
pub use self::rules::{Rules, Senseless, projections, sampled};
use self::run::{Paces, lock};
pub use self::view::{Queue, View};
use self::wish::{Waiting, Wish, join};
use self::zone::{Zone, midnight_after};
use crate::account::{Access, Accounts, NoAccess};
use crate::on_thread::OnThread;
pub use garminsync_store::RunRow;

/// Hears what `status` shows of an account, each time it changes. Must not wait.
pub type Show = Arc<dyn Fn(&str, &View) + Send + Sync>;

/// The syncs of all accounts. Clones share them.
#[derive(Clone)]
pub struct Syncs(Arc<Inner>);

struct Inner {
    rules: Rules,
    store: OnThread<Store>,
    accounts: Accounts,
    show: Show,
    outbound: Outbound,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// One account's place.
#[derive(Default)]
struct Slot {
    /// Held while a run is started, so that two starts make one run.
    starting: tokio::sync::Mutex<()>,
    paces: Paces,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    running: Option<Running>,
    /// What the run under way does not bring.
    waiting: VecDeque<Waiting>,
    view: View,
    /// After trouble at Garmin's side the schedule waits until then; a person need not.
    hold: Option<DateTime<Utc>>,
    /// The newest 429 to a check of the login that each queue has heard of.
    heeded: HashMap<Tier, DateTime<Utc>>,
    /// The account is being forgotten: nothing starts any more.
    closed: bool,
}

#[derive(Clone)]
struct Running {
    cancel: CancellationToken,
    started: Started,
    brings: Wish,
}

/// A run that may begin.
struct Ready {
    request: Request,
    access: Access,
    datasets: Vec<&'static Dataset>,
    wish: Wish,
}

impl Syncs {
    /// An empty room. `show` hears each change of what `status` shows of an account; it must not wait.
    pub fn new(rules: Rules, store: OnThread<Store>, accounts: Accounts, show: Show) -> Self {
        // All accounts together are no faster than one may be.
        let outbound = Outbound::new(rules.account.gap.min(rules.personal.gap));
        let (slots, stopping, tasks) = (Mutex::default(), CancellationToken::new(), TaskTracker::new());
        Self(Arc::new(Inner { rules, store, accounts, show, outbound, slots, stopping, tasks }))
    }

    /// Starts a run, or joins the one of that account that is under way if it brings what is wanted; else the next run does.
    ///
    /// # Errors
    /// [`Refused`]; nothing was sent to Garmin.
    pub async fn start(&self, request: Request) -> Result<Started, Refused> {
        let today = self.0.zone(&request.account).await.day(Utc::now());
        let last = request.until.unwrap_or(today).min(today);
        let first = request.since.unwrap_or(last);
        if first < EARLIEST || first > last {
            return Err(Refused::BadRange);
        }
        let datasets = self.0.datasets(&request.datasets)?;
        let access = self.0.access(&request.account).await;
        // Only an account that can be synced gets a slot: anybody may make up names.
        let slot = match &access {
            Ok(_) => self.0.slot(&request.account),
            Err(refused) => self.0.known(&request.account).ok_or_else(|| refused.clone())?,
        };
        let _starting = slot.starting.lock().await;
        self.0.may_begin(&slot)?;
        let tiers = access.as_ref().map(|access| access.tiers.as_slice()).unwrap_or_default();
        let wish = Wish::new(&request, &datasets, tiers, self.0.start_of(&request.account), today);
        {
            let Now { running, waiting, .. } = &mut *lock(&slot.now);
            if let Some(Running { cancel, started, brings }) = running {
                let brings = Some(&*brings).filter(|_| !cancel.is_cancelled());
                return join(started, brings, waiting, request, wish);
            }
        }
        let ready = Ready { request, access: access?, datasets, wish };
        self.0.clone().begin(ready, &slot, Arc::default()).await
    }

    /// Stops the run of an account, and those that wait for its end; what it has stays. `None` if there is none.
    pub fn cancel(&self, account: &str) -> Option<Started> {
        let slot = self.0.known(account)?;
        let running = {
            let mut now = lock(&slot.now);
            now.waiting.drain(..).for_each(|waiting| waiting.cancelled());
            now.running.clone()?
        };
        running.cancel.cancel();
        Some(Started { joined: true, ..running.started })
    }

    /// For the end of the daemon: stops all runs, and waits until their last transaction is done. None can be started any more.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        let slots: Vec<_> = lock(&self.0.slots).values().cloned().collect();
        for slot in slots {
            drop(slot.starting.lock().await);
        }
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Looks up in the store what `status` shows of an account, and shows it.
    pub async fn refresh_view(&self, account: &str) {
        let slot = self.0.slot(account);
        self.0.open_queues(account, &slot).await;
        self.0.refresh(account, &slot, |_| {}).await;
    }
}

/// By whose clock the days of an account go.
fn zone_of(store: &Store, account: &str) -> Result<Zone, garminsync_store::Error> {
    let known = store.account(account)?;
    Ok(Zone::of(known.and_then(|known| known.time_zone).as_deref()))
}

fn unread(error: impl ToString) -> Refused {
    Refused::Storage(error.to_string())
}

/// Why nothing may be asked for, if the preferred tiers of all datasets are in a pause or have no budget left: the one that is over first.
fn nothing_open(paces: &Paces, datasets: &[&Dataset], tiers: &[Tier]) -> Option<Refused> {
    let (paces, now) = (lock(paces), Utc::now());
    let today = Zone::Host.day(now);
    let shut = |dataset: &&Dataset| {
        let tier = dataset.tiers().find(|tier| tiers.contains(tier))?;
        let pace = paces.get(&tier);
        let spent = pace.is_some_and(|pace| !pace.budget().allows(today, false));
        let budget = spent.then(|| (midnight_after(today), true));
        Some(pace.and_then(|pace| pace.paused_until(now)).map(|until| (until, false)).or(budget))
    };
    let (until, budget) = datasets.iter().filter_map(shut).collect::<Option<Vec<_>>>()?.into_iter().min()?;
    Some(if budget { Refused::BudgetUsed { until } } else { Refused::Paused { until } })
}

impl Inner {
    fn known(&self, account: &str) -> Option<Arc<Slot>> {
        lock(&self.slots).get(account).cloned()
    }

    fn slot(&self, account: &str) -> Arc<Slot> {
        lock(&self.slots).entry(account.into()).or_default().clone()
    }

    fn datasets(&self, names: &[String]) -> Result<Vec<&'static Dataset>, Refused> {
        if names.is_empty() {
            return Ok(self.rules.datasets());
        }
        let known = datasets::all().unwrap_or_default();
        if let Some(unknown) = names.iter().find(|name| known.iter().all(|dataset| !dataset.is_called(name))) {
            return Err(Refused::UnknownDataset(unknown.clone()));
        }
        Ok(known.iter().filter(|dataset| names.iter().any(|name| dataset.is_called(name))).collect())
    }

    /// By whose clock the days of an account go; this machine's if the records cannot tell.
    async fn zone(&self, account: &str) -> Zone {
        let name = account.to_owned();
        self.store.call(move |store| zone_of(store, &name)).await.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// The tiers of an account; none where its login is dead. Its data can be looked at all the same. Nothing is asked of Garmin: whoever
    /// only looks, such as the daemon's start, does not wait to hear whose the credentials are.
    async fn tiers(&self, account: &str) -> Result<Vec<Tier>, Refused> {
        match self.accounts.access(account, vec![Tier::Personal, Tier::Account]).await {
            Ok(access) => Ok(access.tiers),
            Err(NoAccess::LoginNeeded(_)) => Ok(Vec::new()),
            Err(NoAccess::Unknown) => {
                let name = account.to_owned();
                match self.store.call(move |store| store.knows(&name)).await.map_err(unread)?.map_err(unread)? {
                    true => Ok(Vec::new()),
                    false => Err(Refused::UnknownAccount),
                }
            }
        }
    }

    /// How far back the mirror of an account goes; `None`: to the first day that has data.
    fn start_of(&self, account: &str) -> Option<NaiveDate> {
        self.rules.account_start.get(account).copied().unwrap_or(self.rules.start)
    }

    /// Makes an account's queues, with the pauses that the store remembers.
    async fn open_queues(&self, account: &str, slot: &Slot) {
        if !lock(&slot.paces).is_empty() {
            return;
        }
        let name = account.to_owned();
        let read = move |store: &mut Store| {
            let tiers = [Tier::Account, Tier::Personal];
            tiers.map(|tier| Ok::<_, garminsync_store::Error>((tier, memory::read(store, &name, tier)?)))
        };
        let memories = match self.store.call(read).await {
            Ok(memories) => memories,
            Err(gone) => return tracing::error!(%gone),
        };
        for memory in memories {
            match memory {
                Ok((tier, memory)) => {
                    let new = || Pace::new(self.rules.pace(tier), memory);
                    lock(&slot.paces).entry(tier).or_insert_with(new);
                }
                Err(error) => tracing::warn!(account, %error, "what is known of the pace cannot be read"),
            }
        }
    }

    /// The tiers of an account that is known here which are in a pause.
    async fn paused(&self, account: &str) -> Vec<Tier> {
        let Some(slot) = self.known(account) else { return Vec::new() };
        self.open_queues(account, &slot).await;
        let paces = lock(&slot.paces);
        paces.iter().filter(|(_, pace)| pace.paused_until(Utc::now()).is_some()).map(|(tier, _)| *tier).collect()
    }

    /// Makes the queues hear of a 429 that a check of the login or key met: the run that follows is by the same door.
    async fn heed(&self, account: &str, slot: &Slot, access: &Access) {
        for tier in access.tiers.iter().copied() {
            let Some(throttle) = access.garmin.throttled(tier) else { continue };
            if lock(&slot.now).heeded.insert(tier, throttle.at) == Some(throttle.at) {
                continue;
            }
            let passed = (Utc::now() - throttle.at).to_std().unwrap_or_default();
            let now = Instant::now();
            let moment = Moment {
                now: now.checked_sub(passed).unwrap_or(now),
                at: throttle.at,
                day: Zone::Host.day(throttle.at),
            };
            let memory = lock(&slot.paces).get_mut(&tier).map(|pace| {
                pace.throttled(moment.now, moment, throttle.retry_after);
                pace.memory()
            });
            let Some(memory) = memory else { continue };
            let name = account.to_owned();
            match self.store.call(move |store| memory::pause(store, &name, tier, memory)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(account, %error, "the pause is kept in memory only"),
                Err(gone) => tracing::error!(%gone),
            }
            self.refresh(account, slot, |_| {}).await;
        }
    }

    async fn access(&self, account: &str) -> Result<Access, Refused> {
        let paused = self.paused(account).await;
        self.accounts.access(account, paused).await.map_err(|none| match none {
            NoAccess::Unknown => Refused::UnknownAccount,
            NoAccess::LoginNeeded(why) => Refused::LoginNeeded(why),
        })
    }

    /// Whether any run may begin.
    fn may_begin(&self, slot: &Slot) -> Result<(), Refused> {
        if self.stopping.is_cancelled() {
            return Err(Refused::ShuttingDown);
        }
        if lock(&slot.now).closed { Err(Refused::UnknownAccount) } else { Ok(()) }
    }

    /// Computes what is shown of an account from the store, on the store's thread.
    async fn refresh(&self, account: &str, slot: &Slot, change: impl FnOnce(&mut Now)) {
        // Of an account that was never synced nothing is missing.
        let tiers = self.tiers(account).await.ok();
        let (name, datasets, start) = (account.to_owned(), self.rules.datasets(), self.start_of(account));
        let looked = move |store: &mut Store| view::look(store, &name, &datasets, tiers.as_deref(), start);
        let looked = self.store.call(looked).await;
        let at = Utc::now();
        let queues = view::queues(&slot.paces, at);
        let paused_until = queues.values().filter_map(|queue| queue.paused_until).max();
        let view = {
            let mut now = lock(&slot.now);
            change(&mut now);
            match looked {
                Ok(Ok(fresh)) => now.view = fresh,
                Ok(Err(error)) => tracing::error!(account, %error, "what is mirrored cannot be read"),
                Err(gone) => tracing::error!(%gone),
            }
            now.view.queues = queues;
            now.view.running = now.running.is_some();
            now.view.paused_until = paused_until.or(now.hold.filter(|until| pace::lasts(*until, at)));
            if !now.view.running {
                (now.view.progress, now.view.dataset) = (None, None);
            }
            now.view.clone()
        };
        (self.show)(account, &view);
    }
}

#[cfg(test)]
#[path = "room_test.rs"]
mod tests;
