//! The account tier's tokens in the actor's hands: handing out, renewing, keeping. One renewal at a time; the rotated pair is
//! on disk before its access token is used.

use std::time::{Duration, Instant};

use chrono::Utc;
use garminsync_garmin::{Error, Hindrance, NoToken, Tokens};
use garminsync_store::Kind as Row;
use secrecy::{ExposeSecret, SecretString};

use super::actor::{Actor, RENEWAL_SPACING};
use super::machine::Login;
use super::message::{Done, Message, TokenReply};
use super::tokens::is_usable;
use super::trial::Trial;

/// How long a renewed token may wait for a disk that refuses it before the write is tried again.
const WRITE_AGAIN: Duration = Duration::from_secs(5);

/// Pause before a renewal is sent once more whose answer was lost.
const ONCE_MORE: Duration = Duration::from_secs(2);

/// Renewals that 401s may lead to within [`RENEWAL_SPACING`].
const FORCED_RENEWALS: usize = 5;

impl Actor {
    pub(super) async fn token(&mut self, refused: Option<SecretString>, reply: TokenReply) {
        if refused.is_some() {
            self.renewal.refused.clone_from(&refused);
        }
        // Until it is renewed, what Garmin refused is given to nobody, whoever asks.
        let refused = refused.or_else(|| self.renewal.refused.clone());
        let answer = match (&self.state.login, &self.tokens) {
            (Login::Dead(why), _) => Some(Err(NoToken::LoginNeeded(why.clone()))),
            (Login::None, _) | (_, None) => Some(Err(NoToken::LoginNeeded("the account is signed out".into()))),
            (Login::Working, Some(tokens)) => {
                let fresh =
                    refused.as_ref().is_none_or(|refused| refused.expose_secret() != tokens.access.expose_secret());
                let just_renewed = self.renewal.last.is_some_and(|last| last.elapsed() < RENEWAL_SPACING);
                let usable = is_usable(tokens, Utc::now()) || (just_renewed && refused.is_none());
                (fresh && usable).then(|| Ok(tokens.access.clone()))
            }
        };
        if let Some(answer) = answer {
            let _ = reply.send(answer);
        } else if self.renewal.under_way {
            self.renewal.waiting.push(reply);
        } else if let Some(wait) = self.renewal_rests() {
            let cause = self.renewal_rests_because();
            let why = match cause {
                Hindrance::Throttled => "Garmin's token service asks to wait".into(),
                _ => "the login could not be renewed a moment ago".into(),
            };
            let _ = reply.send(Err(NoToken::Later { retry_after: Some(wait), why, cause }));
        } else if refused.is_some() && !self.may_be_forced() {
            let why = "Garmin refuses one fresh token after the other".into();
            let cause = Hindrance::Unexpected;
            let _ = reply.send(Err(NoToken::Later { retry_after: Some(RENEWAL_SPACING), why, cause }));
        } else {
            self.renewal.waiting.push(reply);
            self.renew().await;
        }
    }

    /// A data service that answers 401 to everything must not make us renew without end.
    fn may_be_forced(&mut self) -> bool {
        let forced = &mut self.renewal.forced;
        forced.retain(|at| at.elapsed() < RENEWAL_SPACING);
        let may = forced.len() < FORCED_RENEWALS;
        if may {
            forced.push(Instant::now());
        }
        may
    }

    pub(super) fn may_renew(&self) -> bool {
        let spaced = self.renewal.last.is_none_or(|last| last.elapsed() >= RENEWAL_SPACING);
        spaced && self.renewal_rests().is_none() && !self.renewal.under_way
    }

    /// How long no renewal is sent: the last one brought nothing.
    fn renewal_rests(&self) -> Option<Duration> {
        let here = self.renewal.not_before.and_then(|at| at.checked_duration_since(Instant::now()));
        let of_this = self.trial.as_ref().filter(|trial| self.tokens.as_ref().is_some_and(|t| t.issued_at == trial.of));
        of_this.and_then(|trial| trial.rests(Utc::now())).max(here)
    }

    /// Why no renewal is sent. After a restart a trial knows only whether Garmin asked for the pause.
    fn renewal_rests_because(&self) -> Hindrance {
        let here = self.renewal.not_before.is_some_and(|at| at > Instant::now());
        let asked = self.trial.as_ref().is_some_and(|trial| trial.throttled);
        match (here, asked) {
            (true, _) => self.renewal.hindrance,
            (false, true) => Hindrance::Throttled,
            (false, false) => Hindrance::Unreachable,
        }
    }

    /// Sends a renewal. That it is sent is on disk first: its answer may be lost, with this process too.
    pub(super) async fn renew(&mut self) {
        let Some(tokens) = self.tokens.clone() else { return };
        self.renewal.under_way = true;
        self.renewal.generation += 1;
        let before = self.trial.clone();
        self.trial = Some(Trial::sent(before.as_ref(), &tokens, Utc::now()));
        if !self.write_down(&[], Vec::new()).await {
            // A disk that does not take this would not take the new pair either.
            self.trial = before;
            self.renewal.not_before = Some(Instant::now() + WRITE_AGAIN);
            let why = "the vault cannot be written, so the login was not renewed".to_owned();
            self.renewal.hindrance = Hindrance::Here;
            self.end_renewal(&Err(NoToken::Later { retry_after: Some(WRITE_AGAIN), why, cause: Hindrance::Here }));
            return self.publish();
        }
        let (generation, garmin, own) = (self.renewal.generation, self.garmin.clone(), self.own.clone());
        // Not a task that can be given up: once Garmin has rotated the token, its answer is the only login there is.
        tokio::spawn(async move {
            let renewed = garmin.refresh(&tokens).await;
            let _ = own.send(Message::Done(generation, Done::Renewal(Box::new(renewed)))).await;
        });
    }

    pub(super) async fn renewed(&mut self, generation: u64, renewed: Result<Tokens, Error>) {
        if generation != self.renewal.generation {
            return; // signed in anew, or out, meanwhile: this pair belongs to nobody
        }
        match renewed {
            Ok(tokens) => return self.keep_renewed(generation, tokens).await,
            Err(Error::InvalidGrant { why }) => {
                let lost = self.trial.take().is_some_and(|trial| trial.lost_one_before());
                let reason = if lost {
                    format!(
                        "Garmin's answer to an earlier renewal was lost on the way, and the new login with it; \
                         the old one is not accepted any more ({why})"
                    )
                } else {
                    format!("Garmin no longer accepts the stored login ({why})")
                };
                tracing::warn!(account = self.name, %reason, "login needed");
                self.renewal.failures = 0;
                self.renewal_was_refused(reason.clone()).await;
                self.end_renewal(&Err(NoToken::LoginNeeded(reason)));
            }
            Err(error) => self.not_renewed(generation, &error).await,
        }
        self.publish();
    }

    async fn keep_renewed(&mut self, generation: u64, tokens: Tokens) {
        let Ok(row) = serde_json::to_vec(&tokens) else { return };
        let trial = self.trial.take();
        if !self.write_down(&[], vec![(Row::Tokens, row)]).await {
            self.trial = trial;
            // The old pair is dead at Garmin and the new one is only in memory: hold on to it until the disk takes it.
            let why = "the renewed login could not be stored yet".to_owned();
            self.answer_waiting(&Err(NoToken::Later { retry_after: Some(WRITE_AGAIN), why, cause: Hindrance::Here }));
            self.publish();
            return self.later(generation, WRITE_AGAIN, Done::Renewal(Box::new(Ok(tokens))));
        }
        self.renewal.failures = 0;
        self.renewal.not_before = None;
        self.renewal.refused = None;
        self.renewal.last = Some(Instant::now());
        self.last_renewed_at = Some(tokens.issued_at);
        tracing::info!(account = self.name, until = %tokens.access_expires_at, "login renewed");
        let access = tokens.access.clone();
        self.tokens = Some(tokens);
        self.end_renewal(&Ok(access));
        self.publish();
    }

    /// The renewal brought nothing. The tokens stay; a lost answer is asked for once more at once.
    async fn not_renewed(&mut self, generation: u64, error: &Error) {
        let (account, now) = (&self.name, Utc::now());
        tracing::warn!(account, %error, "the login could not be renewed; it is kept and tried again later");
        let Some(trial) = &mut self.trial else { return self.end_renewal(&Err(later(None, error))) };
        if !error.may_have_acted() {
            let asked = if let Error::Throttled { retry_after } = error { *retry_after } else { None };
            trial.was_refused(asked, now);
        } else if trial.was_lost() && self.stopping.is_none() {
            return self.later(generation, ONCE_MORE, Done::RenewAgain);
        }
        trial.throttled = matches!(error, Error::Throttled { .. });
        let wait = trial.pause(now);
        self.renewal.failures = trial.failures;
        self.renewal.hindrance = error.hindrance();
        self.renewal.not_before = Some(Instant::now() + wait);
        self.write_down(&[], Vec::new()).await;
        self.end_renewal(&Err(later(Some(wait), error)));
    }

    /// Those who wait for the token go on waiting.
    pub(super) async fn renew_again(&mut self, generation: u64) {
        if generation != self.renewal.generation {
            return;
        }
        if self.stopping.is_some() {
            let why = "the daemon is stopping".into();
            return self.end_renewal(&Err(NoToken::Later { retry_after: None, why, cause: Hindrance::Here }));
        }
        self.renew().await;
    }

    fn later(&self, generation: u64, wait: Duration, done: Done) {
        let own = self.own.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = own.send(Message::Done(generation, done)).await;
        });
    }

    /// Makes the renewal under way, if any, stale.
    pub(super) fn drop_renewal(&mut self, answer: &Result<SecretString, NoToken>) {
        self.renewal.generation += 1;
        self.end_renewal(answer);
    }

    pub(super) fn end_renewal(&mut self, answer: &Result<SecretString, NoToken>) {
        self.renewal.under_way = false;
        self.answer_waiting(answer);
    }

    fn answer_waiting(&mut self, answer: &Result<SecretString, NoToken>) {
        for reply in self.renewal.waiting.drain(..) {
            let _ = reply.send(answer.clone());
        }
    }
}

fn later(wait: Option<Duration>, error: &Error) -> NoToken {
    let why = format!("the login could not be renewed ({error})");
    NoToken::Later { retry_after: wait, why, cause: error.hindrance() }
}
