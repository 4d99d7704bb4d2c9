//! Asking for one thing, with patience: retries of what may pass, and what an answer means for the run. The rest of the run calls it. It
//! knows nothing of datasets.

use std::fs::File;
use std::time::Duration;

use chrono::{DateTime, Utc};
use garminsync_garmin::{Accept, Answer, Error, Get, Hindrance, NoToken, Tier};
use tokio::io::AsyncSeekExt;

use super::super::pace::{self, Pace, Refused};
use super::send::Tried;
use super::{Login, Run, Stop};

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
    /// The tier is not asked any more: it has no token to give, now or for good, or the day's budget is used. The run knows, and plans
    /// without it.
    Nobody,
    /// Anything else; asking again would bring the same.
    Odd(String),
}

impl<S: Login> Run<S> {
    /// Asks until there is an answer or enough. `shrinkable`: a 500 may only mean that the answer is too big, and is not retried.
    /// `patient`: trouble that may pass is tried again. A run that leaves only takes what is under way.
    pub(super) async fn ask(
        &mut self,
        tier: Tier,
        path: String,
        accept: Accept,
        shrinkable: bool,
        patient: bool,
    ) -> Result<Result<Answer, Trouble>, Stop> {
        let asked = self.asked(Get { tier, path, accept }, shrinkable, patient).await?;
        Ok(asked.map(|(answer, _)| answer))
    }

    /// Asks for a file, which never is in memory as a whole; it stands at its beginning. `None`: Garmin has none.
    pub(super) async fn ask_file(
        &mut self,
        tier: Tier,
        path: String,
        patient: bool,
    ) -> Result<Result<Option<File>, Trouble>, Stop> {
        let asked = self.asked(Get { tier, path, accept: Accept::File }, false, patient).await?;
        let Ok((Answer::Body(_), Some(mut file))) = asked else { return Ok(asked.map(|_| None)) };
        file.rewind().await.map_err(|error| Stop::Failed(format!("a file cannot be read again: {error}")))?;
        Ok(Ok(Some(file.into_std().await)))
    }

    async fn asked(
        &mut self,
        get: Get,
        shrinkable: bool,
        patient: bool,
    ) -> Result<Result<(Answer, Option<tokio::fs::File>), Trouble>, Stop> {
        let tier = get.tier;
        let mut tries = 0;
        loop {
            if self.leaving && !self.ahead.holds(&get) {
                return Err(Stop::Cancelled);
            }
            // Where something is wrong, one after the other.
            let most = if self.calm { self.pace(tier, |pace| pace.in_flight(Utc::now())) } else { 1 };
            let task = self.ahead.take(&self.sender, &get, most);
            let tried = task.await.map_err(|died| Stop::Failed(died.to_string()))?;
            self.calm = false;
            let (fetched, file) = match tried {
                Tried::Cancelled => return Err(Stop::Cancelled),
                Tried::Paused(until) => return Err(asked_to_wait(until)),
                Tried::Spent => {
                    self.spent_tiers.insert(tier);
                    return Ok(Err(Trouble::Nobody));
                }
                Tried::Throttled(fetched, refused) => {
                    self.sent(fetched.requests, fetched.bytes);
                    match refused {
                        Refused::Wait(_) => continue, // its queue holds it back so long
                        Refused::Pause(until) => return Err(asked_to_wait(until)),
                    }
                }
                Tried::Sent(fetched, file) => (fetched, file),
            };
            self.sent(fetched.requests, fetched.bytes);
            let error = match fetched.answer {
                Ok(answer) => {
                    self.calm = true;
                    self.prove().await?;
                    return Ok(Ok((answer, file)));
                }
                Err(Error::ServerTrouble { status: 500 }) if shrinkable => return Ok(Err(Trouble::Refused(500))),
                Err(error) => error,
            };
            if let Error::Unreachable { .. } | Error::ServerTrouble { .. } | Error::Unexpected { .. } = error {
                tries += 1;
                match self.pace(tier, |pace| pace.retry(tries)).filter(|_| patient && !self.leaving) {
                    // A quarter more or less, so that those who were cut off together do not come back together.
                    Some(pause) => self.rest(pause.mul_f64(0.75 + fastrand::f64() / 2.0)).await?,
                    None => return Ok(Err(Trouble::Passing(error.to_string()))),
                }
                continue;
            }
            return self.refused(tier, error).await.map(Err);
        }
    }

    /// Counts what a try cost.
    fn sent(&mut self, requests: u32, bytes: u64) {
        self.requests += u64::from(requests);
        self.unrecorded.0 += requests;
        self.unrecorded.1 += bytes;
    }

    /// The run ends: counts what came too late for it. What is still under way is given up.
    pub(super) async fn leave(&mut self) {
        for task in self.ahead.left().collect::<Vec<_>>() {
            if task.is_finished()
                && let Ok(Tried::Sent(fetched, _) | Tried::Throttled(fetched, _)) = task.await
            {
                self.sent(fetched.requests, fetched.bytes);
            }
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
                let stop = match cause {
                    Hindrance::Throttled => Stop::RateLimited { why, until: retry_at },
                    Hindrance::Unexpected => Stop::Unexpected { why, retry_at },
                    Hindrance::Unreachable | Hindrance::Here => Stop::Unreachable { why, retry_at },
                };
                return self.no_token_yet(tier, stop, retry_at);
            }
            Error::NotKept { .. } => return Err(Stop::Failed(error.to_string())),
            other => Trouble::Odd(other.to_string()),
        };
        self.prove().await?;
        Ok(trouble)
    }

    /// The other tier may still work.
    fn no_login(&mut self, tier: Tier, why: String) -> Result<Trouble, Stop> {
        self.dead.insert(tier, why.clone());
        if self.nobody_is_left() {
            return Err(Stop::LoginNeeded(why));
        }
        Ok(Trouble::Nobody)
    }

    /// The token service of one tier asks to wait, or does not answer. What the tier is preferred for waits with it, as in any pause; what
    /// only the other one serves does not, or it would wait for as long as the trouble lasts.
    fn no_token_yet(&mut self, tier: Tier, stop: Stop, until: Option<DateTime<Utc>>) -> Result<Trouble, Stop> {
        let Some(until) = until else { return Err(stop) };
        self.paused.insert(tier, until);
        if self.nobody_is_left() {
            return Err(stop);
        }
        self.stalled.get_or_insert(stop);
        Ok(Trouble::Nobody)
    }

    /// Whether each tier is dead, or in a pause.
    fn nobody_is_left(&self) -> bool {
        self.job.tiers.iter().all(|tier| self.dead.contains_key(tier) || self.paused.contains_key(tier))
    }

    /// Waits, unless the run is stopped.
    pub(super) async fn rest(&self, time: Duration) -> Result<(), Stop> {
        tokio::select! {
            biased;
            () = self.job.cancel.cancelled() => Err(Stop::Cancelled),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    pub(super) fn pace<R>(&self, tier: Tier, ask: impl FnOnce(&mut Pace) -> R) -> R {
        self.sender.pace(tier, ask)
    }
}

pub(super) fn asked_to_wait(until: DateTime<Utc>) -> Stop {
    Stop::RateLimited { why: "Garmin asks to wait".into(), until: Some(until) }
}
