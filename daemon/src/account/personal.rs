//! The Personal API key in the actor's hands: its exchange for a bearer, and the login that brings one. A bearer lives a day
//! and is never stored: the key gets another at any time.

use std::time::Instant;

use chrono::{SubsecRound, TimeDelta, Utc};
use garminsync_garmin::{Error, NoToken, PersonalToken};
use garminsync_protocol::{Failure, Kind};
use garminsync_store::Kind as Row;
use secrecy::{ExposeSecret, SecretString};

use super::actor::{Actor, Done, KeyRing, Message, RENEWAL_SPACING, Renewal, TokenReply};
use super::tokens::pause_after;
use super::{sign_in, words};

impl Actor {
    pub(super) fn bearer(&mut self, refused: Option<SecretString>, reply: TokenReply) {
        let Some(ring) = &self.key else {
            let _ = reply.send(Err(NoToken::LoginNeeded("the account has no Personal API key".into())));
            return;
        };
        if let Some(why) = &ring.refused {
            let _ = reply.send(Err(NoToken::LoginNeeded(why.clone())));
            return;
        }
        if let Some(bearer) = &ring.bearer {
            let fresh = refused.is_none_or(|refused| refused.expose_secret() != bearer.access.expose_secret());
            let just_renewed = self.bearer.last.is_some_and(|last| last.elapsed() < RENEWAL_SPACING);
            if fresh && (bearer.expires_at - Utc::now() > TimeDelta::minutes(5) || just_renewed) {
                let _ = reply.send(Ok(bearer.access.clone()));
                return;
            }
        }
        if let Some(wait) = self.bearer.not_before.and_then(|at| at.checked_duration_since(Instant::now())) {
            let why = "the Personal API key could not be exchanged a moment ago".into();
            let _ = reply.send(Err(NoToken::Later { retry_after: Some(wait), why }));
            return;
        }
        let key = ring.key.clone();
        self.bearer.waiting.push(reply);
        if !self.bearer.under_way {
            self.exchange_key(key, false);
        }
    }

    pub(super) fn exchange_key(&mut self, key: SecretString, by_login: bool) {
        self.bearer.under_way = true;
        self.bearer.generation += 1;
        let (generation, garmin, own) = (self.bearer.generation, self.garmin.clone(), self.own.clone());
        tokio::spawn(async move {
            let exchanged = garmin.personal_token(&key).await;
            let _ = own.send(Message::Done(generation, Done::Bearer(key, by_login, exchanged))).await;
        });
    }

    /// The account was signed out: nobody gets a bearer, and a key on its way is not kept.
    pub(super) fn drop_bearer(&mut self) {
        self.bearer = Renewal { generation: self.bearer.generation + 1, ..Renewal::default() };
        for reply in self.key_waiting.drain(..) {
            let _ = reply.send(Err(Failure::new(Kind::LoginNeeded, "The account was signed out meanwhile.")));
        }
    }

    pub(super) async fn exchanged(
        &mut self,
        generation: u64,
        key: SecretString,
        by_login: bool,
        exchanged: Result<PersonalToken, Error>,
    ) {
        if generation != self.bearer.generation {
            return; // another key, or a logout, came in between
        }
        self.bearer.under_way = false;
        let tokens: Result<SecretString, NoToken>;
        let mut outcome = Ok(());
        match exchanged {
            Ok(bearer) => {
                let stored = !by_login
                    || self
                        .change_vault(vec![(Row::ApiKey, key.expose_secret().as_bytes().to_vec())], vec![], false)
                        .await;
                if stored {
                    self.bearer.failures = 0;
                    self.bearer.not_before = None;
                    self.bearer.last = Some(Instant::now());
                    tokens = Ok(bearer.access.clone());
                    let renewed_at = Some(Utc::now().trunc_subsecs(0));
                    self.key = Some(KeyRing { key, bearer: Some(bearer), renewed_at, refused: None });
                } else {
                    let why = self.vault_trouble.clone().unwrap_or_default();
                    tokens = Err(NoToken::Later { retry_after: None, why: why.clone() });
                    outcome = Err(sign_in::not_stored(&why));
                }
            }
            Err(error) => {
                outcome = Err(words::key(&error));
                let refused = matches!(error, Error::InvalidCredentials | Error::Forbidden);
                if refused && !by_login {
                    let why = "Garmin no longer accepts the Personal API key".to_owned();
                    if let Some(ring) = &mut self.key {
                        ring.refused = Some(why.clone());
                    }
                    tokens = Err(NoToken::LoginNeeded(why));
                } else {
                    self.bearer.failures = self.bearer.failures.saturating_add(1);
                    let wait = pause_after(self.bearer.failures);
                    if !by_login {
                        self.bearer.not_before = Some(Instant::now() + wait);
                    }
                    tokens = Err(NoToken::Later { retry_after: Some(wait), why: error.to_string() });
                }
            }
        }
        for reply in self.bearer.waiting.drain(..) {
            let _ = reply.send(tokens.clone());
        }
        self.publish();
        if by_login {
            if outcome.is_ok() {
                self.announce();
            }
            for reply in std::mem::take(&mut self.key_waiting) {
                let _ = reply.send(outcome.clone().map(|()| self.standing(false)));
            }
        }
    }
}
