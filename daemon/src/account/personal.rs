//! The Personal API key in the actor's hands: its exchange for a bearer, and the login that brings one. A bearer lives a day
//! and is never stored: the key gets another at any time.

use std::time::Instant;

use chrono::{SubsecRound, TimeDelta, Utc};
use garminsync_garmin::{Error, NoToken, PersonalToken};
use garminsync_protocol::{Failure, Kind};
use garminsync_store::Kind as Row;
use secrecy::{ExposeSecret, SecretString};

use super::actor::{Actor, Done, KeyRing, Message, RENEWAL_SPACING, Renewal, TokenReply};
use super::person::{self, Owner, another_person};
use super::tokens::pause_after;
use super::{sign_in, words};

impl Actor {
    pub(super) async fn bearer(&mut self, refused: Option<SecretString>, reply: TokenReply) {
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
            self.exchange_key(key, false).await;
        }
    }

    /// Exchanges a key; one that a login brings is also asked whose it is, before it is stored.
    pub(super) async fn exchange_key(&mut self, key: SecretString, by_login: bool) {
        self.bearer.under_way = true;
        self.bearer.generation += 1;
        let known = if by_login { self.owner().await } else { None };
        let (generation, garmin, own) = (self.bearer.generation, self.garmin.clone(), self.own.clone());
        tokio::spawn(async move {
            let exchanged = match garmin.personal_token(&key).await {
                Ok(bearer) if by_login => {
                    person::of_bearer(&garmin, &bearer.access, known.as_ref()).await.map(|owner| (bearer, owner))
                }
                exchanged => exchanged.map(|bearer| (bearer, None)),
            };
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
        exchanged: Result<(PersonalToken, Option<Owner>), Error>,
    ) {
        if generation != self.bearer.generation {
            return; // another key, or a logout, came in between
        }
        self.bearer.under_way = false;
        let tokens: Result<SecretString, NoToken>;
        let mut outcome = Ok(());
        match exchanged {
            Ok((bearer, owner)) => {
                let stored = if by_login { self.keep_key(&key, owner).await } else { Ok(()) };
                if let Err(failure) = stored {
                    tokens = Err(NoToken::Later { retry_after: None, why: failure.message.clone() });
                    outcome = Err(failure);
                } else {
                    self.bearer.failures = 0;
                    self.bearer.not_before = None;
                    self.bearer.last = Some(Instant::now());
                    tokens = Ok(bearer.access.clone());
                    let renewed_at = Some(Utc::now().trunc_subsecs(0));
                    self.key = Some(KeyRing { key, bearer: Some(bearer), renewed_at, refused: None });
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

    /// Stores a key that Garmin took, unless it is another person's.
    async fn keep_key(&mut self, key: &SecretString, owner: Option<Owner>) -> Result<(), Failure> {
        let known = self.owner().await;
        let refusal =
            owner.as_ref().and_then(|new| another_person(&self.name, known.as_ref(), new, "Personal API key"));
        if let Some(refusal) = refusal {
            tracing::warn!(account = self.name, "the key belongs to another person than the account");
            return Err(refusal);
        }
        let before = (self.profile.clone(), self.checked);
        self.checked.key = owner.is_some();
        if let Some(owner) = &owner {
            self.learn(owner);
        }
        let row = (Row::ApiKey, key.expose_secret().as_bytes().to_vec());
        if self.write_down(&[], vec![row]).await {
            return Ok(());
        }
        (self.profile, self.checked) = before;
        Err(sign_in::not_stored(self.vault_trouble.as_deref().unwrap_or_default()))
    }
}
