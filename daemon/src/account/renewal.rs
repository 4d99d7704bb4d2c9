//! The account tier's tokens in the actor's hands: handing out, renewing, keeping. One renewal at a time; the rotated pair is
//! on disk before its access token is used.

use std::time::{Duration, Instant};

use chrono::Utc;
use garminsync_garmin::{Error, NoToken, Tokens};
use garminsync_store::Kind as Row;
use secrecy::{ExposeSecret, SecretString};

use super::actor::{Actor, Done, Message, RENEWAL_SPACING, TokenReply};
use super::machine::Login;
use super::tokens::{is_usable, pause_after};

/// How long a renewed token may wait for a disk that refuses it before the write is tried again.
const WRITE_AGAIN: Duration = Duration::from_secs(5);

/// Renewals that 401s may lead to within [`RENEWAL_SPACING`].
const FORCED_RENEWALS: usize = 5;

impl Actor {
    pub(super) fn token(&mut self, refused: Option<SecretString>, reply: TokenReply) {
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
        } else if let Some(wait) = self.renewal.not_before.and_then(|at| at.checked_duration_since(Instant::now())) {
            let why = "the login could not be renewed a moment ago".into();
            let _ = reply.send(Err(NoToken::Later { retry_after: Some(wait), why }));
        } else if refused.is_some() && !self.may_be_forced() {
            let why = "Garmin refuses one fresh token after the other".into();
            let _ = reply.send(Err(NoToken::Later { retry_after: Some(RENEWAL_SPACING), why }));
        } else {
            self.renewal.waiting.push(reply);
            self.renew();
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
        let rested = self.renewal.not_before.is_none_or(|at| at <= Instant::now());
        spaced && rested && !self.renewal.under_way
    }

    pub(super) fn renew(&mut self) {
        let Some(tokens) = self.tokens.clone() else { return };
        self.renewal.under_way = true;
        self.renewal.generation += 1;
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
            Ok(tokens) => {
                let Ok(row) = serde_json::to_vec(&tokens) else { return };
                if !self.change_vault(vec![(Row::Tokens, row)], vec![], false).await {
                    // The old pair is dead at Garmin and the new one is only in memory: hold on to it until the disk takes it.
                    let why = "the renewed login could not be stored yet".to_owned();
                    self.answer_waiting(&Err(NoToken::Later { retry_after: Some(WRITE_AGAIN), why }));
                    self.publish();
                    let own = self.own.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(WRITE_AGAIN).await;
                        let _ = own.send(Message::Done(generation, Done::Renewal(Box::new(Ok(tokens))))).await;
                    });
                    return;
                }
                self.renewal.failures = 0;
                self.renewal.not_before = None;
                self.renewal.last = Some(Instant::now());
                self.last_renewed_at = Some(tokens.issued_at);
                tracing::info!(account = self.name, until = %tokens.access_expires_at, "login renewed");
                let access = tokens.access.clone();
                self.tokens = Some(tokens);
                self.end_renewal(&Ok(access));
            }
            Err(Error::InvalidGrant { why }) => {
                let reason = format!("Garmin no longer accepts the stored login ({why})");
                tracing::warn!(account = self.name, %reason, "login needed");
                self.renewal_was_refused(reason.clone()).await;
                self.end_renewal(&Err(NoToken::LoginNeeded(reason)));
            }
            Err(error) => {
                self.renewal.failures = self.renewal.failures.saturating_add(1);
                let mut wait = pause_after(self.renewal.failures);
                if let Error::Throttled { retry_after: Some(asked) } = &error {
                    wait = wait.max(*asked);
                }
                self.renewal.not_before = Some(Instant::now() + wait);
                tracing::warn!(account = self.name, %error, "the login could not be renewed; it is kept and tried again later");
                let why = format!("the login could not be renewed ({error})");
                self.end_renewal(&Err(NoToken::Later { retry_after: Some(wait), why }));
            }
        }
        self.publish();
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
