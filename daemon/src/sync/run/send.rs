//! One try of one request on its way out: the queue's turn, the place that all accounts share, the token, the answer; and what the queue
//! hears of it at once. It runs as a task, so that a queue may have two under way. It knows nothing of datasets or the ledger.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use garminsync_garmin::{Error, Fetched, Get, NoToken, Tier, TokenSource};
use garminsync_store::Pause;
use secrecy::SecretString;
use tokio::sync;
use tokio::time::Instant;

use super::super::pace::{self, Pace, Refused, Turn};
use super::{Job, Login, lock};
use chrono::DateTime;

/// What became of a try.
#[derive(Debug)]
pub(super) enum Tried {
    /// It was sent; what came.
    Sent(Fetched),
    /// It was sent and answered 429; what the queue does about it.
    Throttled(Fetched, Refused),
    /// It was not sent: the queue is in a pause.
    Paused(DateTime<Utc>),
    /// The run is stopped.
    Cancelled,
}

/// The way out of one run.
pub(super) struct Sender<S> {
    job: Arc<Job<S>>,
    /// Who is next in a queue waits at its door, so that those behind cannot overtake.
    account: sync::Mutex<()>,
    personal: sync::Mutex<()>,
}

/// The login, for one request; remembers the token that was sent last.
struct Used<'a, S> {
    login: &'a S,
    /// Fetched before the request's turn came: a renewal must not bring starts together that are to be apart.
    first: Mutex<Option<Result<SecretString, NoToken>>>,
    last: Mutex<Option<SecretString>>,
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
            None => self.login.token(tier).await,
        })
    }

    async fn renew(&self, tier: Tier, refused: &SecretString) -> Result<SecretString, NoToken> {
        self.used(self.login.renew(tier, refused).await)
    }
}

impl<S: Login> Sender<S> {
    pub fn new(job: Arc<Job<S>>) -> Self {
        Self { job, account: sync::Mutex::default(), personal: sync::Mutex::default() }
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
        let (source, place, started) = loop {
            if let Some(until) = self.turn(get.tier).await {
                return Tried::Paused(until);
            }
            let first = Mutex::new(Some(login.token(get.tier).await));
            let place = outbound.turn().await;
            // Another request may have heard of a pause meanwhile.
            let now = Instant::now();
            if self.pace(get.tier, |pace| pace.start(now, Utc::now())) {
                break (Used { login, first, last: Mutex::default() }, place, now);
            }
        };
        drop(door);
        let fetched = garmin.get(&source, get).await;
        drop(place);
        let last = lock(&source.last).take();
        match &fetched.answer {
            Err(Error::Throttled { retry_after }) => {
                let refused = self.throttled(get.tier, started, *retry_after).await;
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
            Ok(_) | Err(_) => self.pace(get.tier, |pace| pace.answered(started)),
        }
        Tried::Sent(fetched)
    }

    /// Waits until the queue lets the next one start; else the end of its pause.
    async fn turn(&self, tier: Tier) -> Option<DateTime<Utc>> {
        loop {
            match self.pace(tier, |pace| pace.turn(Instant::now(), Utc::now())) {
                Turn::Now => return None,
                Turn::In(left) => tokio::time::sleep(left).await,
                Turn::Paused(until) => return Some(until),
            }
        }
    }

    /// A 429 stops the queue. A pause is on disk at once.
    async fn throttled(&self, tier: Tier, started: Instant, retry_after: Option<Duration>) -> Refused {
        let heard =
            |pace: &mut Pace| (pace.throttled(started, Instant::now(), Utc::now(), retry_after), pace.strikes());
        let (refused, strikes) = self.pace(tier, heard);
        if let Refused::Pause(until_utc) = refused {
            tracing::warn!(account = self.job.account, ?tier, %until_utc, "Garmin asks to wait");
            let (account, pause) =
                (self.job.account.clone(), Pause { tier: tier_name(tier).into(), until_utc, strikes });
            match self.job.store.call(move |store| store.set_pause(&account, &pause)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(account = self.job.account, %error, "the pause is kept in memory only")
                }
                Err(gone) => tracing::error!(%gone),
            }
        }
        refused
    }

    pub fn pace<R>(&self, tier: Tier, ask: impl FnOnce(&mut Pace) -> R) -> R {
        let mut paces = lock(&self.job.paces);
        ask(paces.entry(tier).or_insert_with(|| Pace::new(pace::Rules::of(tier), None, 0)))
    }
}

/// As in the `pause` table.
pub fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Account => "account",
        Tier::Personal => "personal",
    }
}
