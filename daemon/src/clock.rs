//! Schedules become "sync now" and "refresh now"; nothing else. The wiring starts it with the duties to call. It must not know how a sync
//! or a refresh is done, nor whether it went well.
//!
//! tokio-cron-scheduler fires at the slots, and each time anything fires [`Schedule::due`] decides. So a late, doubled or shifted
//! tick changes nothing. What the scheduler gets wrong (one hour off after a daylight-saving change, waiting for the old time after a
//! clock was put back) a look every half minute makes good, and it gets fresh jobs whenever the clock or the time zone has jumped.

pub mod schedule;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Offset, TimeDelta, TimeZone, Utc};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use schedule::{Schedule, Turn};

/// Longest time between two looks at the wall clock. After a suspend or a jump everything is right again within it.
const LOOK: Duration = Duration::from_secs(30);
/// Wall clock and monotonic clock differing by more than this between two looks is a jump.
const JUMP: TimeDelta = TimeDelta::seconds(5);

/// What time it is; tests bring their own.
pub type WallClock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The schedules of `[sync]` and `[tokens]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedules {
    /// When every account syncs.
    pub sync: Schedule,
    /// When to look for tokens that need renewal.
    pub refresh: Schedule,
    /// The account that syncs at the slot itself; the others follow, each at its own offset.
    pub on_the_slot: String,
}

/// What the clock calls.
pub trait Duties: Send + Sync + 'static {
    /// The accounts that can sync.
    fn accounts(&self) -> Vec<String>;
    /// When a run of this account was last started, as the store knows it.
    fn last_started(&self, account: &str) -> impl Future<Output = Option<DateTime<Utc>>> + Send;
    /// Sync this account now. Runs in a task of its own.
    fn sync(&self, account: String) -> impl Future<Output = ()> + Send;
    /// Look for tokens that need renewal. Runs in a task of its own; never twice at a time.
    fn refresh(&self) -> impl Future<Output = ()> + Send;
    /// Shows when this account syncs next; absent when periodic syncs are off. Called when it changes.
    fn show_next(&self, account: &str, next: Option<DateTime<Utc>>);
}

/// The running clock.
#[derive(Debug)]
pub struct Clock {
    stop: CancellationToken,
    wake: Arc<Notify>,
    task: TaskTracker,
}

/// Starts the clock in the time zone `zone` (`chrono::Local` outside tests).
pub fn start<Z>(schedules: Schedules, zone: Z, wall: WallClock, duties: impl Duties) -> Clock
where
    Z: TimeZone<Offset: Send + Sync> + Send + Sync + 'static,
{
    let (stop, wake) = (CancellationToken::new(), Arc::new(Notify::new()));
    let face = Face {
        schedules,
        zone,
        wall,
        duties: Arc::new(duties),
        seed: fastrand::u64(..),
        started: HashMap::new(),
        shown: HashMap::new(),
        refreshed: None,
        refreshing: None,
    };
    let task = TaskTracker::new();
    task.spawn(run(face, wake.clone(), stop.clone()));
    task.close();
    Clock { stop, wake, task }
}

impl Clock {
    /// Looks at once, for instance because there is a new account. Harmless at any time.
    pub fn look(&self) {
        self.wake.notify_one();
    }

    /// Fires nothing more.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.task.wait().await;
    }
}

async fn run<Z, D>(mut face: Face<Z, D>, wake: Arc<Notify>, stop: CancellationToken)
where
    Z: TimeZone<Offset: Send + Sync> + Send + Sync + 'static,
    D: Duties,
{
    let mut jobs = tell(Jobs::start().await);
    if let Some(jobs) = &mut jobs {
        tell(jobs.renew(&face.schedules, &face.zone, &wake).await);
    }
    let mut seen = face.now();
    let mut seen_at = Instant::now();
    loop {
        let next = face.look().await;
        let until_next = next.and_then(|next| (next - face.now().to_utc()).to_std().ok());
        // A millisecond more, so that the moment has come when the timer has.
        let pause = until_next.map_or(LOOK, |wait| (wait + Duration::from_millis(1)).min(LOOK));
        tokio::select! {
            () = stop.cancelled() => break,
            () = wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
        let now = face.now();
        let passed = TimeDelta::from_std(seen_at.elapsed()).unwrap_or_default();
        let drift = now.to_utc() - seen.to_utc() - passed;
        if drift.abs() > JUMP || now.offset().fix() != seen.offset().fix() {
            tracing::info!(drift_s = drift.num_seconds(), offset = %now.offset().fix(), "the clock or the time zone has jumped");
            if let Some(jobs) = &mut jobs {
                tell(jobs.renew(&face.schedules, &face.zone, &wake).await);
            }
        }
        (seen, seen_at) = (now, Instant::now());
    }
    if let Some(mut jobs) = jobs {
        tell(jobs.scheduler.shutdown().await);
    }
}

fn tell<T>(result: Result<T, JobSchedulerError>) -> Option<T> {
    result
        .inspect_err(|why| tracing::warn!(%why, "the scheduler is in trouble; schedules are kept to half a minute"))
        .ok()
}

/// What is looked at, and what is remembered between looks.
struct Face<Z, D> {
    schedules: Schedules,
    zone: Z,
    wall: WallClock,
    duties: Arc<D>,
    seed: u64,
    /// The last start of each account, as far as it was needed. A start that was refused counts: it comes again with the next slot.
    started: HashMap<String, DateTime<Utc>>,
    shown: HashMap<String, Option<DateTime<Utc>>>,
    refreshed: Option<DateTime<Utc>>,
    refreshing: Option<JoinHandle<()>>,
}

impl<Z: TimeZone, D: Duties> Face<Z, D> {
    fn now(&self) -> DateTime<Z> {
        (self.wall)().with_timezone(&self.zone)
    }

    /// Does what is due, and tells when something will be due next.
    async fn look(&mut self) -> Option<DateTime<Utc>> {
        let mut next = self.look_at_tokens();
        let accounts = self.duties.accounts();
        self.started.retain(|account, _| accounts.contains(account));
        for (account, _) in self.shown.extract_if(|account, _| !accounts.contains(account)) {
            self.duties.show_next(&account, None);
        }
        for account in accounts {
            let sync = self.look_at(&account).await;
            if self.shown.get(&account) != Some(&sync) {
                self.duties.show_next(&account, sync);
                self.shown.insert(account, sync);
            }
            next = [next, sync].into_iter().flatten().min();
        }
        next
    }

    async fn look_at(&mut self, account: &str) -> Option<DateTime<Utc>> {
        let schedule = &self.schedules.sync;
        let turn = Turn::of(account, &self.schedules.on_the_slot, self.seed_of(account));
        let mut started = self.started.get(account).copied();
        if schedule.due(started, &self.now(), turn).is_some() {
            // Memory says it is due; the store may know of a run that we did not start, or that was before us.
            let stored = self.duties.last_started(account).await;
            if schedule.due(stored, &self.now(), turn).is_none() {
                started = stored;
            } else {
                started = Some(self.now().to_utc());
                let (duties, name) = (self.duties.clone(), account.to_owned());
                tracing::debug!(account, "a sync is due");
                tokio::spawn(async move { duties.sync(name).await });
            }
            self.started.extend(started.map(|at| (account.to_owned(), at)));
        }
        self.schedules.sync.next_at(started, &self.now(), turn)
    }

    fn look_at_tokens(&mut self) -> Option<DateTime<Utc>> {
        let (schedule, now, turn) = (&self.schedules.refresh, self.now(), Turn::of("", "", self.seed_of("")));
        let busy = self.refreshing.as_ref().is_some_and(|task| !task.is_finished());
        if !busy && schedule.due(self.refreshed, &now, turn).is_some() {
            self.refreshed = Some(now.to_utc());
            let duties = self.duties.clone();
            self.refreshing = Some(tokio::spawn(async move { duties.refresh().await }));
        }
        schedule.next_at(self.refreshed, &now, turn).filter(|next| *next > now.to_utc())
    }

    fn seed_of(&self, account: &str) -> u64 {
        let mut hash = DefaultHasher::new();
        (self.seed, account).hash(&mut hash);
        hash.finish()
    }
}

/// The scheduler and its jobs, which only wake. Without it the looks alone do the work, up to [`LOOK`] later.
struct Jobs {
    scheduler: JobScheduler,
    added: Vec<Job>,
}

impl Jobs {
    async fn start() -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        scheduler.start().await?;
        Ok(Self { scheduler, added: Vec::new() })
    }

    /// Puts fresh jobs in the place of the old ones: a job keeps the offset and the next time it was made with.
    async fn renew<Z>(&mut self, schedules: &Schedules, zone: &Z, wake: &Arc<Notify>) -> Result<(), JobSchedulerError>
    where
        Z: TimeZone<Offset: Send + Sync> + Send + Sync + 'static,
    {
        for job in self.added.drain(..) {
            self.scheduler.remove(&job.guid()).await?;
        }
        for expression in [&schedules.sync, &schedules.refresh].into_iter().filter_map(Schedule::with_seconds) {
            let wake = wake.clone();
            let job = Job::new_async_tz(expression, zone.clone(), move |_, _| {
                wake.notify_one();
                Box::pin(std::future::ready(()))
            })?;
            self.scheduler.add(job.clone()).await?;
            self.added.push(job);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "clock/tests.rs"]
mod tests;
