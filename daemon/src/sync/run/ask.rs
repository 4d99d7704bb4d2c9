//! Asking for one thing, with patience: the queue's gap, retries of what may pass, and what a refusal means. The rest of the run calls
//! it. It knows nothing of datasets.

use std::sync::Mutex;
use std::time::Duration;

use chrono::Utc;
use garminsync_garmin::{Accept, Answer, Error, Get, Hindrance, NoToken, Tier, TokenSource};
use garminsync_store::Pause;
use secrecy::SecretString;
use tokio::time::Instant;

use super::super::pace::{self, Pace, Refused};
use super::{Login, Run, Stop, lock};

/// Why there is no answer, after all retries.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It may pass: the network, a 5xx, half an answer.
    Passing(String),
    /// Garmin refuses the request as it is made: too long, too big, or too early.
    Refused(u16),
    /// There is no such thing.
    Absent,
    /// This person may not read it.
    Closed,
    /// The tier's login is dead; the run knows.
    NoLogin,
    /// Anything else; asking again would bring the same.
    Odd(String),
}

/// The login, for one request; remembers the token that was sent last.
struct Used<'a, S> {
    login: &'a S,
    last: Mutex<Option<SecretString>>,
}

impl<S: Login> Used<'_, S> {
    fn used(&self, token: Result<SecretString, NoToken>) -> Result<SecretString, NoToken> {
        token.inspect(|token| *lock(&self.last) = Some(token.clone()))
    }
}

impl<S: Login> TokenSource for Used<'_, S> {
    async fn token(&self, tier: Tier) -> Result<SecretString, NoToken> {
        self.used(self.login.token(tier).await)
    }

    async fn renew(&self, tier: Tier, refused: &SecretString) -> Result<SecretString, NoToken> {
        self.used(self.login.renew(tier, refused).await)
    }
}

impl<S: Login> Run<S> {
    /// Asks until there is an answer or enough. `shrinkable`: a 500 may only mean that the answer is too big, and is not retried.
    /// `patient`: trouble that may pass is tried again.
    pub(super) async fn ask(
        &mut self,
        tier: Tier,
        path: String,
        accept: Accept,
        shrinkable: bool,
        patient: bool,
    ) -> Result<Result<Answer, Trouble>, Stop> {
        let get = Get { tier, path, accept };
        let mut tries = 0;
        loop {
            let gap = self.pace(tier, |pace| pace.gap_left(Instant::now()));
            self.rest(gap).await?;
            let place = tokio::select! {
                biased;
                () = self.job.cancel.cancelled() => return Err(Stop::Cancelled),
                place = self.job.outbound.turn() => place,
            };
            self.pace(tier, |pace| pace.started(Instant::now()));
            let source = Used { login: &self.job.login, last: Mutex::default() };
            let fetched = tokio::select! {
                biased;
                () = self.job.cancel.cancelled() => return Err(Stop::Cancelled),
                fetched = self.job.garmin.get(&source, &get) => fetched,
            };
            drop(place);
            let last = lock(&source.last).take();
            if let (Err(Error::Unauthorized), Some(token)) = (&fetched.answer, last) {
                self.job.login.refused_for_good(tier, &token).await;
            }
            self.requests += u64::from(fetched.requests);
            self.unrecorded.0 += fetched.requests;
            self.unrecorded.1 += fetched.bytes;
            let error = match fetched.answer {
                Ok(answer) => {
                    self.pace(tier, Pace::answered);
                    self.prove().await?;
                    return Ok(Ok(answer));
                }
                Err(Error::Throttled { retry_after }) => {
                    self.throttled(tier, retry_after).await?;
                    continue;
                }
                Err(Error::ServerTrouble { status: 500 }) if shrinkable => return Ok(Err(Trouble::Refused(500))),
                Err(error) => error,
            };
            if let Error::Unreachable { .. } | Error::ServerTrouble { .. } | Error::Unexpected { .. } = error {
                tries += 1;
                match self.pace(tier, |pace| pace.retry(tries)).filter(|_| patient) {
                    Some(pause) => self.rest(pause).await?,
                    None => return Ok(Err(Trouble::Passing(error.to_string()))),
                }
                continue;
            }
            return self.refused(tier, error).await.map(Err);
        }
    }

    /// An answer that will not change by asking again.
    async fn refused(&mut self, tier: Tier, error: Error) -> Result<Trouble, Stop> {
        let trouble = match error {
            Error::BadRequest { status: status @ 400 } => Trouble::Refused(status),
            Error::NotFound => Trouble::Absent,
            Error::Forbidden | Error::NoService => Trouble::Closed,
            Error::Unauthorized => return self.no_login(tier, error.to_string()),
            Error::NoToken(NoToken::LoginNeeded(why)) => return self.no_login(tier, why),
            Error::NoToken(NoToken::Later { retry_after, why, cause }) => {
                let retry_at = retry_after.map(|wait| pace::end_of(wait, Utc::now()));
                return Err(match cause {
                    Hindrance::Throttled => Stop::RateLimited { why, until: retry_at },
                    Hindrance::Unexpected => Stop::Unexpected { why, retry_at },
                    Hindrance::Unreachable | Hindrance::Here => Stop::Unreachable { why, retry_at },
                });
            }
            other => Trouble::Odd(other.to_string()),
        };
        self.pace(tier, Pace::answered);
        self.prove().await?;
        Ok(trouble)
    }

    /// The other tier may still work.
    fn no_login(&mut self, tier: Tier, why: String) -> Result<Trouble, Stop> {
        self.dead.insert(tier, why.clone());
        if self.job.tiers.iter().all(|tier| self.dead.contains_key(tier)) {
            return Err(Stop::LoginNeeded(why));
        }
        Ok(Trouble::NoLogin)
    }

    /// A 429 stops the queue. A pause is on disk before the run ends.
    async fn throttled(&mut self, tier: Tier, retry_after: Option<Duration>) -> Result<(), Stop> {
        let (refused, strikes) = self.pace(tier, |pace| (pace.throttled(Utc::now(), retry_after), pace.strikes()));
        match refused {
            Refused::Wait(wait) => self.rest(wait).await,
            Refused::Pause(until_utc) => {
                tracing::warn!(account = self.job.account, ?tier, %until_utc, "Garmin asks to wait");
                let (account, pause) =
                    (self.job.account.clone(), Pause { tier: tier_name(tier).into(), until_utc, strikes });
                let kept = self.job.store.call(move |store| store.set_pause(&account, &pause)).await?;
                if let Err(error) = kept {
                    tracing::warn!(account = self.job.account, %error, "the pause is kept in memory only");
                }
                Err(Stop::RateLimited { why: "Garmin asks to wait".into(), until: Some(until_utc) })
            }
        }
    }

    /// Waits, unless the run is stopped.
    pub(super) async fn rest(&self, time: Duration) -> Result<(), Stop> {
        // A sleep of nothing would still cost a turn of the timer, which counts in milliseconds.
        if time.is_zero() {
            return if self.job.cancel.is_cancelled() { Err(Stop::Cancelled) } else { Ok(()) };
        }
        tokio::select! {
            biased;
            () = self.job.cancel.cancelled() => Err(Stop::Cancelled),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    pub(super) fn pace<R>(&self, tier: Tier, ask: impl FnOnce(&mut Pace) -> R) -> R {
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
