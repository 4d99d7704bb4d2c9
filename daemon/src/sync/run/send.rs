//! One try of one request on its way out: the queue's turn, the place that all accounts share, the token, the answer; and what the queue
//! hears of it at once. It runs as a task, so that a queue may have two under way. It knows nothing of datasets or the ledger.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use garminsync_garmin::{Accept, Error, Fetched, Get, Hindrance, NoToken, Tier, TokenSource};
use garminsync_store::{Error as StoreError, Store};
use secrecy::SecretString;
use tokio::fs::File;
use tokio::sync::{self, OwnedSemaphorePermit};
use tokio::time::Instant;

use super::{Job, Login, lock};
use crate::sync::memory;
use crate::sync::pace::{self, Memory, Moment, Pace, Refused, Turn};
use crate::sync::zone::Zone;

/// What became of a try.
#[derive(Debug)]
pub(super) enum Tried {
    /// It was sent; what came. A file is not in the answer but here.
    Sent(Fetched, Option<File>),
    /// It was sent and answered 429, or may not be repeated because another was; what the queue does about it.
    Throttled(Fetched, Refused),
    /// It was not sent: the queue is in a pause.
    Paused(DateTime<Utc>),
    /// It was not sent: the day's budget is used.
    Spent,
    /// The run is stopped.
    Cancelled,
}

/// The way out of one run.
pub(super) struct Sender<S> {
    job: Arc<Job<S>>,
    /// Who is next in a queue waits at its door, so that those behind cannot overtake.
    account: sync::Mutex<()>,
    personal: sync::Mutex<()>,
    /// What is asked for now can wait for another day.
    later: AtomicBool,
}

/// The login, for one request; remembers the token that was sent last, and the pause in which the request is not sent again with another.
struct Used<'a, S> {
    sender: &'a Sender<S>,
    /// Fetched before the request's turn came: a renewal must not bring starts together that are to be apart.
    first: Mutex<Option<Result<SecretString, NoToken>>>,
    last: Mutex<Option<SecretString>>,
    paused: Mutex<Option<DateTime<Utc>>>,
    /// Its place on the way out that all accounts share.
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

impl<S: Login> Used<'_, S> {
    fn used(&self, token: Result<SecretString, NoToken>) -> Result<SecretString, NoToken> {
        token.inspect(|token| *lock(&self.last) = Some(token.clone()))
    }
}

impl<S: Login> TokenSource for Used<'_, S> {
    async fn token(&self, tier: Tier) -> Result<SecretString, NoToken> {
        let first = lock(&self.first).take();
        self.used(match first {
            Some(token) => token,
            None => self.sender.job.login.token(tier).await,
        })
    }

    async fn renew(&self, tier: Tier, refused: &SecretString) -> Result<SecretString, NoToken> {
        let token = self.sender.job.login.renew(tier, refused).await?;
        // While it was renewed another request may have heard that Garmin wants to be left alone.
        let until = loop {
            match self.sender.pace(tier, |pace| pace.again(Sender::<S>::moment())) {
                Turn::In(left) => {
                    drop(lock(&self.place).take());
                    tokio::time::sleep(left).await;
                }
                Turn::Paused(until) => break until,
                Turn::Now | Turn::Spent => {
                    if lock(&self.place).is_none() {
                        let place = self.sender.job.outbound.turn().await;
                        *lock(&self.place) = place;
                    }
                    return self.used(Ok(token));
                }
            }
        };
        *lock(&self.paused) = Some(until);
        let retry_after = (until - Utc::now()).to_std().ok();
        Err(NoToken::Later { retry_after, why: "Garmin asks to wait".into(), cause: Hindrance::Throttled })
    }
}

impl<S: Login> Sender<S> {
    pub fn new(job: Arc<Job<S>>) -> Self {
        Self { job, account: sync::Mutex::default(), personal: sync::Mutex::default(), later: AtomicBool::new(false) }
    }

    /// From now on what is asked for can wait for another day.
    pub fn this_can_wait(&self) {
        self.later.store(true, Ordering::Relaxed);
    }

    /// How many requests to a tier the day still allows for what is asked for now; `None`: no limit.
    pub fn left(&self, tier: Tier) -> Option<u64> {
        let (later, day) = (self.later.load(Ordering::Relaxed), Self::moment().day);
        self.pace(tier, |pace| pace.budget().left_for(day, later))
    }

    fn moment() -> Moment {
        let at = Utc::now();
        Moment { now: Instant::now(), at, day: Zone::Host.day(at) }
    }

    /// Waits for its turn and sends a request once.
    pub async fn send(&self, get: &Get) -> Tried {
        tokio::select! {
            biased;
            () = self.job.cancel.cancelled() => Tried::Cancelled,
            tried = self.tried(get) => tried,
        }
    }

    async fn tried(&self, get: &Get) -> Tried {
        let Job { garmin, login, outbound, .. } = &*self.job;
        let door = match get.tier {
            Tier::Account => self.account.lock().await,
            Tier::Personal => self.personal.lock().await,
        };
        let mut file = match self.spool(get).await {
            Ok(file) => file,
            Err(what) => {
                let answer = Err(Error::NotKept { what });
                return Tried::Sent(Fetched { answer, requests: 0, bytes: 0 }, None);
            }
        };
        let later = self.later.load(Ordering::Relaxed);
        let (source, started) = loop {
            match self.pace(get.tier, |pace| pace.turn(Self::moment(), later)) {
                Turn::Now => {}
                Turn::In(left) => {
                    tokio::time::sleep(left).await;
                    continue;
                }
                Turn::Paused(until) => return Tried::Paused(until),
                Turn::Spent => return Tried::Spent,
            }
            let first = Mutex::new(Some(login.token(get.tier).await));
            let place = outbound.turn().await;
            // Another request may have heard of a pause meanwhile.
            let moment = Self::moment();
            if self.pace(get.tier, |pace| pace.start(moment, later)) {
                let (last, paused, place) = (Mutex::default(), Mutex::default(), Mutex::new(place));
                break (Used { sender: self, first, last, paused, place }, moment);
            }
        };
        drop(door);
        let fetch = async {
            match &mut file {
                Some(file) => garmin.get_file(&source, get, file).await,
                None => garmin.get(&source, get).await,
            }
        };
        let (fetched, ()) = tokio::join!(fetch, self.count(get.tier));
        drop(lock(&source.place).take());
        let more = i64::from(fetched.requests) - 1;
        if more != 0 {
            self.pace(get.tier, |pace| pace.correct(started.day, more));
            self.count(get.tier).await;
        }
        let last = lock(&source.last).take();
        if let Some(until) = lock(&source.paused).take() {
            return Tried::Throttled(fetched, Refused::Pause(until));
        }
        match &fetched.answer {
            Err(Error::Throttled { retry_after }) => {
                let refused = self.throttled(get.tier, started.now, *retry_after).await;
                return Tried::Throttled(fetched, refused);
            }
            Err(Error::Unauthorized) => {
                if let Some(token) = last {
                    login.refused_for_good(get.tier, &token).await;
                }
            }
            // Nobody knows whether Garmin has heard it.
            Err(
                Error::Unreachable { .. } | Error::ServerTrouble { .. } | Error::Unexpected { .. } | Error::NoToken(_),
            ) => {}
            Ok(_) | Err(_) => self.pace(get.tier, |pace| pace.answered(started.now, Utc::now())),
        }
        Tried::Sent(fetched, file)
    }

    /// Where a file goes while it arrives.
    async fn spool(&self, get: &Get) -> Result<Option<File>, String> {
        if get.accept != Accept::File {
            return Ok(None);
        }
        let file = self.job.store.call(|store| store.originals().spool()).await.map_err(|gone| gone.to_string())?;
        file.map(|file| Some(File::from_std(file))).map_err(|error| error.to_string())
    }

    /// A 429 stops the queue. A pause is on disk at once.
    async fn throttled(&self, tier: Tier, started: Instant, retry_after: Option<Duration>) -> Refused {
        let heard = |pace: &mut Pace| (pace.throttled(started, Self::moment(), retry_after), pace.memory());
        let (refused, memory) = self.pace(tier, heard);
        tracing::warn!(account = self.job.account, ?tier, ?refused, "Garmin asks to wait");
        self.keep(move |store, account, run| memory::throttled(store, account, run, tier, memory)).await;
        refused
    }

    /// What the day has taken is on disk before the answer is looked at.
    async fn count(&self, tier: Tier) {
        if let Some(spent) = self.pace(tier, |pace| pace.budget().spent()) {
            self.keep(move |store, account, run| memory::spent(store, account, run, tier, spent)).await;
        }
    }

    async fn keep(&self, note: impl FnOnce(&mut Store, &str, i64) -> Result<(), StoreError> + Send + 'static) {
        let (account, run) = (self.job.account.clone(), self.job.run);
        match self.job.store.call(move |store| note(store, &account, run)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(account = self.job.account, %error, "the pace is kept in memory only"),
            Err(gone) => tracing::error!(%gone),
        }
    }

    pub fn pace<R>(&self, tier: Tier, ask: impl FnOnce(&mut Pace) -> R) -> R {
        let mut paces = lock(&self.job.paces);
        ask(paces.entry(tier).or_insert_with(|| Pace::new(pace::Rules::of(tier), Memory::default())))
    }
}
