//! One run: plan, ask, record, plan again, until nothing is left to ask for. [`super::Syncs`] starts it and waits for its report. It
//! does not know who wanted it, and it is never in the middle of anything: each answer is recorded whole, so a run that is stopped or
//! killed goes on where it was.

mod ahead;
mod ask;
mod blame;
mod count;
mod days;
mod deleted;
mod fetch;
mod files;
mod fresh;
mod items;
mod list;
mod person;
mod progress;
mod put_away;
mod ranges;
mod send;
mod whom;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use garminsync_garmin::{Garmin, Tier, TokenSource};
use garminsync_store::{Batch, Mark, Recorded, Store};
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::ahead::Ahead;
use self::days::Piece;
use self::fresh::News;
pub use self::items::candidates;
use self::progress::Progress;
use self::send::Sender;
use super::archive::Shape;
use super::datasets::{Dataset, Lane};
use super::outbound::Outbound;
use super::pace::Pace;
use super::plan::{self, Ledger, Scope};
use super::route::Route;
use super::zone::{Zone, midnight_after};
use super::{Outcome, Report, SPENT, Trigger};
use crate::account::Keeper;
use crate::on_thread::{Gone, OnThread};
use crate::report::Step;

/// Failures in a row, of different requests, that mean more than that these days are broken: of one dataset, that Garmin's service for it is
/// down, and the run goes on without it; of several, that Garmin is.
const OUTAGE: usize = 3;
/// When to try again after an outage.
const OUTAGE_REST: TimeDelta = TimeDelta::hours(1);

/// The queues of one account, one a tier; they outlive a run.
pub type Paces = Arc<Mutex<HashMap<Tier, Pace>>>;

/// What is this young comes before all that is older, in days.
const RECENT: Days = Days::new(6);

/// The most characters of a step that is told: the name of an activity can be anything.
const LONGEST_STEP: usize = 200;

/// An account's login, as a run sees it.
pub trait Login: TokenSource + Send + Sync + 'static {
    /// Hears at once when Garmin's data service refuses even a token that was just renewed.
    fn refused_for_good(&self, tier: Tier, refused: &SecretString) -> impl Future<Output = ()> + Send;
}

impl Login for Keeper {
    async fn refused_for_good(&self, tier: Tier, refused: &SecretString) {
        Keeper::refused_for_good(self, tier, refused).await;
    }
}

/// What a run needs.
pub struct Job<S> {
    /// The account.
    pub account: String,
    /// The run's number in the store.
    pub run: i64,
    /// The client.
    pub garmin: Garmin,
    /// Where tokens come from, and who hears that they are refused.
    pub login: S,
    /// The tiers the account has.
    pub tiers: Vec<Tier>,
    /// `{dn}` of Garmin's paths.
    pub display_name: Option<String>,
    /// What to mirror.
    pub datasets: Vec<&'static Dataset>,
    /// How far back; `None`: to the first day that has data.
    pub start: Option<NaiveDate>,
    /// First day, for this run only.
    pub since: Option<NaiveDate>,
    /// Last day, for this run only.
    pub until: Option<NaiveDate>,
    /// Only what is missing.
    pub missing: bool,
    /// Why it runs.
    pub trigger: Trigger,
    /// The records.
    pub store: OnThread<Store>,
    /// The queues.
    pub paces: Paces,
    /// What all accounts share.
    pub outbound: Outbound,
    /// Stops the run.
    pub cancel: CancellationToken,
    /// Hears each step. Must not wait.
    pub say: Box<dyn Fn(Step) + Send + Sync>,
}

/// Why a run ends before its plan does.
#[derive(Debug)]
enum Stop {
    Cancelled,
    RateLimited { why: String, until: Option<DateTime<Utc>> },
    Spent,
    LoginNeeded(String),
    Unreachable { why: String, retry_at: Option<DateTime<Utc>> },
    Unexpected { why: String, retry_at: Option<DateTime<Utc>> },
    Failed(String),
}

impl From<Gone> for Stop {
    fn from(gone: Gone) -> Self {
        Self::Failed(gone.to_string())
    }
}

/// Why an answer is not in the records.
enum NotRecorded {
    /// It is not what it should be; only its own days suffer.
    Odd(String),
    /// The disk or the database.
    Store(garminsync_store::Error),
}

impl From<Shape> for NotRecorded {
    fn from(shape: Shape) -> Self {
        Self::Odd(shape.to_string())
    }
}

impl From<garminsync_store::Error> for NotRecorded {
    fn from(error: garminsync_store::Error) -> Self {
        Self::Store(error)
    }
}

/// A failure that may be Garmin's as a whole: it counts against its days only once another request was answered.
struct Unproven {
    dataset: &'static Dataset,
    tier: Tier,
    marks: Vec<Mark>,
    why: String,
    /// Several days of which perhaps one is to blame.
    piece: Option<Piece>,
}

struct Run<S> {
    job: Arc<Job<S>>,
    sender: Arc<Sender<S>>,
    ahead: Ahead,
    /// The last answer was good: the next request need not wait for it.
    calm: bool,
    /// The run ends; only what is under way is still of interest.
    leaving: bool,
    /// What was served to this person in this run, by which tier.
    served: HashSet<(&'static str, Tier)>,
    scope: Scope,
    ledger: Ledger,
    /// What a tier has refused to serve in this run.
    closed: HashSet<(&'static str, Tier)>,
    /// Tiers that were in a pause when the run began, or got no token since.
    paused: HashMap<Tier, DateTime<Utc>>,
    /// Why one of them got none: how the run will end, when the other tier has served its part.
    stalled: Option<Stop>,
    served_in_part: bool,
    /// Tiers whose login is dead.
    dead: HashMap<Tier, String>,
    /// Tiers whose budget of the day is used.
    spent_tiers: HashSet<Tier>,
    /// How far each tier's page size had to come down.
    page_sizes: HashMap<(String, Tier), usize>,
    unproven: Vec<Unproven>,
    /// Failures in a row of what a tier serves of a dataset.
    failing: HashMap<(&'static str, Tier), usize>,
    /// What this run asks for no more, as nothing came of it; why.
    silent: HashMap<(&'static str, Tier), String>,
    /// Ranges that failed although Garmin answers, to be asked for in halves.
    narrow: Vec<Piece>,
    /// Days in a row, by dataset, of which Garmin knew nothing.
    absent: HashMap<&'static str, u32>,
    /// Garmin's number of the person.
    profile: Option<i64>,
    /// By whose clock its days are told.
    zone: Zone,
    /// The settings were asked for before everything else, and whatever came of it is in the ledger.
    knows_settings: bool,
    /// How many activities Garmin says there are.
    counted: Option<i64>,
    /// When a device last uploaded, as this run heard it.
    heard: Option<fresh::Heard>,
    answered: bool,
    failures: u64,
    first_failure: Option<String>,
    /// Requests and bytes that no record counts yet.
    unrecorded: (u32, u64),
    requests: u64,
    recorded: Recorded,
    progress: Progress,
    /// The first day that was wanted when [`Run::reckon`] was last called.
    reckoned_from: NaiveDate,
}

impl<S: Login> Job<S> {
    /// Runs to the end and tells how it went. The end is in the store before it is told.
    pub async fn run(self) -> Report {
        let now = Utc::now();
        let (start, since, until, missing, rest) =
            (self.start, self.since, self.until, self.missing, self.trigger.rest());
        let (zone, today) = (Zone::Host, Zone::Host.day(now));
        let scope = Scope { now, today, start, since, until, missing, rest, new_activities: false };
        let mut paused = HashMap::new();
        for (tier, pace) in lock(&self.paces).iter_mut() {
            pace.begin(Instant::now());
            paused.extend(pace.paused_until(now).map(|until| (*tier, until)));
        }
        let job = Arc::new(self);
        let mut run = Run {
            sender: Arc::new(Sender::new(job.clone())),
            job,
            ahead: Ahead::default(),
            calm: false,
            leaving: false,
            served: HashSet::new(),
            scope,
            ledger: Ledger::default(),
            closed: HashSet::new(),
            paused,
            stalled: None,
            served_in_part: false,
            dead: HashMap::new(),
            spent_tiers: HashSet::new(),
            page_sizes: HashMap::new(),
            unproven: Vec::new(),
            failing: HashMap::new(),
            silent: HashMap::new(),
            narrow: Vec::new(),
            absent: HashMap::new(),
            profile: None,
            zone,
            knows_settings: false,
            counted: None,
            heard: None,
            answered: false,
            failures: 0,
            first_failure: None,
            unrecorded: (0, 0),
            requests: 0,
            recorded: Recorded::default(),
            progress: Progress::default(),
            reckoned_from: scope.today,
        };
        let result = run.work().await;
        run.end(result).await
    }
}

impl<S: Login> Run<S> {
    async fn work(&mut self) -> Result<(), Stop> {
        self.meet().await?;
        if self.job.trigger == Trigger::Schedule {
            match self.news().await? {
                News::None => return self.left_out(),
                News::NoneToday if self.is_spent() => return Err(Stop::Spent),
                News::NoneToday | News::Some => {}
            }
        }
        self.look_up().await?;
        self.find_zone().await?;
        let recent = plan::earlier(self.scope.today, RECENT);
        self.reckon().await?;
        self.ranges(Lane::Day, Some(recent)).await?;
        self.reckon().await?;
        self.inventories().await?;
        self.hear_witnesses().await?;
        self.ranges(Lane::Intraday, Some(recent)).await?;
        self.count_activities().await?;
        self.sender.this_can_wait();
        self.ranges(Lane::Day, None).await?;
        self.note_count().await?;
        self.reckon().await?;
        self.files().await?;
        self.items().await?;
        self.ranges(Lane::Intraday, None).await?;
        while self.answered && !(self.unproven.is_empty() && self.narrow.is_empty()) {
            self.prove().await?;
            self.narrow_down(&[]).await?;
        }
        if self.unproven.len() < OUTAGE {
            self.left_out()?;
        }
        if self.unproven.is_empty() && self.failures == 0 {
            self.put_away().await?;
        }
        match self.unproven.pop() {
            None if !self.spent_tiers.is_empty() => {
                self.remember(true).await?;
                Err(Stop::Spent)
            }
            None if self.failures == 0 && self.dead.is_empty() && !self.comes_again_today().await? => {
                self.remember(false).await
            }
            None => Ok(()),
            // The last of several.
            Some(last) if self.unproven.len() + 1 >= OUTAGE => Err(outage(last.why)),
            Some(last) => Err(Stop::Unreachable { why: last.why, retry_at: None }),
        }
    }

    /// Tells what happens now. `left`: so many requests at least are still to come.
    fn say(&mut self, text: String, left: usize, dataset: &Dataset) {
        let (done, total) = self.progress.tell(self.requests, left as u64);
        let text = text.chars().take(LONGEST_STEP).collect();
        let step = Step { text, done: Some(done), total: Some(total), dataset: Some(dataset.name.clone()) };
        (self.job.say)(step);
    }

    /// One range or thing of a dataset is behind us.
    fn passed(&mut self, dataset: &'static Dataset) {
        let cost = self.tier_of(dataset).and_then(|tier| dataset.route(tier)).map_or(1, Route::requests);
        self.progress.spent(&dataset.name, cost);
    }

    /// Writes marks, and the requests that led to them.
    async fn mark(&mut self, dataset: &'static Dataset, marks: Vec<Mark>) -> Result<(), Stop> {
        let (account, run, (requests, bytes)) = (self.job.account.clone(), self.job.run, self.spent());
        let record = move |store: &mut Store| {
            let (dataset, fetched_utc, items) = (dataset.name.as_str(), Utc::now(), Vec::new());
            store.record(&Batch { account: &account, run, dataset, fetched_utc, requests, bytes, items, ledger: marks })
        };
        self.job.store.call(record).await?.map(drop).map_err(failed)
    }

    /// The requests that the next record has to count.
    fn spent(&mut self) -> (u32, u64) {
        std::mem::take(&mut self.unrecorded)
    }

    /// Counts what was recorded, and complains of what was not.
    fn count(&mut self, dataset: &Dataset, recorded: &Recorded) {
        self.recorded.new += recorded.new;
        self.recorded.changed += recorded.changed;
        if let [Mark { item, detail, .. }, others @ ..] = recorded.refused.as_slice() {
            let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
            self.complain(dataset, format!("{item}: {}{more}", detail.as_deref().unwrap_or_default()));
        }
    }

    async fn end(mut self, result: Result<(), Stop>) -> Report {
        self.leave().await;
        let (outcome, error, retry_at) = match result {
            Ok(()) if self.failures == 0 => (Outcome::Ok, None, None),
            Ok(()) => {
                let first = self.first_failure.take().unwrap_or_default();
                let more = if self.failures > 1 { format!(" (and {} more)", self.failures - 1) } else { String::new() };
                (Outcome::Partial, Some(format!("{first}{more}")), None)
            }
            Err(Stop::Cancelled) => (Outcome::Cancelled, None, None),
            Err(Stop::RateLimited { why, until }) => (Outcome::RateLimited, Some(why), until),
            Err(Stop::Spent) => {
                (Outcome::BudgetUsed, Some(SPENT.into()), Some(midnight_after(Zone::Host.day(Utc::now()))))
            }
            Err(Stop::LoginNeeded(why)) => (Outcome::LoginNeeded, Some(why), None),
            Err(Stop::Unreachable { why, retry_at }) => (Outcome::Unreachable, Some(why), retry_at),
            Err(Stop::Unexpected { why, retry_at }) => (Outcome::Unexpected, Some(why), retry_at),
            Err(Stop::Failed(why)) => (Outcome::Failed, Some(why), None),
        };
        if self.unrecorded.0 > 0
            && let Some(dataset) = self.job.datasets.first().copied()
            && let Err(stop) = self.mark(dataset, Vec::new()).await
        {
            tracing::warn!(account = self.job.account, ?stop, "the last requests could not be counted");
        }
        Report {
            run: self.job.run,
            outcome,
            requests: self.requests,
            new_items: self.recorded.new,
            changed_items: self.recorded.changed,
            error,
            retry_at,
            served_in_part: self.served_in_part,
        }
    }
}

/// Garmin is down.
fn outage(why: String) -> Stop {
    Stop::Unreachable { why, retry_at: Some(Utc::now() + OUTAGE_REST) }
}

fn failed(error: garminsync_store::Error) -> Stop {
    Stop::Failed(error.to_string())
}

/// A poisoned lock only means that another task panicked: the queues themselves are whole.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
