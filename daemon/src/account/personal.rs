//! The Personal API key in the actor's hands: where it comes from, its exchange for a bearer, and the login that brings one. A
//! bearer lives a day; it is kept sealed, so that restarts do not ask for new ones.

use std::time::Instant;

use chrono::{NaiveDate, SubsecRound, TimeDelta, Utc};
use garminsync_garmin::{Error, Hindrance, NoToken, PersonalToken};
use garminsync_protocol::{AccountState, Failure, KEY_PAGE, Kind, TierStatus};
use garminsync_store::{Kind as Row, sha256_hex};
use secrecy::{ExposeSecret, SecretString};

use super::actor::{Actor, KeyRing, RENEWAL_SPACING, Renewal};
use super::key::{End, KeyFacts};
use super::message::{Done, Message, Reply, TokenReply};
use super::person::{self, Owner, another_person};
use super::stored::KeptBearer;
use super::tokens::pause_after;
use super::troubles::ctl_command;
use super::{key_file, sign_in, words};

/// A bearer with less than this left is not handed out for a request that may take a while.
const LAST_MINUTES: TimeDelta = TimeDelta::minutes(5);

/// A login that brings a key, while the key is with Garmin.
pub(super) struct BringsKey {
    pub(super) reply: Reply,
    /// Its last day, as the person said.
    pub(super) expires: Option<NaiveDate>,
}

fn fingerprint(key: &SecretString) -> String {
    sha256_hex(key.expose_secret().as_bytes())
}

impl Actor {
    pub(super) async fn bearer(&mut self, refused: Option<SecretString>, reply: TokenReply) {
        if let Some(access) = self.good_bearer(refused.as_ref()) {
            let _ = reply.send(Ok(access));
            return;
        }
        if let (Some(refused), Some(ring)) = (&refused, &mut self.key) {
            // What Garmin refused is given to nobody any more.
            let is_it = |bearer: &PersonalToken| bearer.access.expose_secret() == refused.expose_secret();
            ring.bearer = ring.bearer.take().filter(|bearer| !is_it(bearer));
        }
        self.look_at_key_file().await;
        if let Some(why) = self.key_why() {
            let _ = reply.send(Err(NoToken::LoginNeeded(why)));
            return;
        }
        let Some(ring) = &self.key else {
            let _ = reply.send(Err(NoToken::LoginNeeded("the account has no Personal API key".into())));
            return;
        };
        if let Some(wait) = self.key_rests() {
            let why = "the Personal API key could not be exchanged a moment ago".into();
            let throttled = self.key_facts.pause_left(Utc::now()).is_some();
            let cause = if throttled { Hindrance::Throttled } else { self.bearer.hindrance };
            let _ = reply.send(Err(NoToken::Later { retry_after: Some(wait), why, cause }));
            return;
        }
        let key = ring.key.clone();
        self.bearer.waiting.push(reply);
        if !self.bearer.under_way {
            self.exchange_key(key, false).await;
        }
    }

    /// The bearer in use, if it is good as far as known and not the one that was refused.
    fn good_bearer(&self, refused: Option<&SecretString>) -> Option<SecretString> {
        let bearer = self.key.as_ref()?.bearer.as_ref()?;
        let fresh = refused.is_none_or(|refused| refused.expose_secret() != bearer.access.expose_secret());
        let just_renewed = self.bearer.last.is_some_and(|last| last.elapsed() < RENEWAL_SPACING);
        let lives = bearer.expires_at - Utc::now() > LAST_MINUTES || just_renewed;
        (fresh && lives && self.key_facts.refusal.is_none()).then(|| bearer.access.clone())
    }

    /// How long nothing is to be sent for the key: Garmin asked for a pause, or could not be reached a moment ago.
    fn key_rests(&self) -> Option<std::time::Duration> {
        let trouble = self.bearer.not_before.and_then(|at| at.checked_duration_since(Instant::now()));
        self.key_facts.pause_left(Utc::now()).max(trouble)
    }

    /// Why the key cannot be used, for people. A file that is gone is no reason while the bearer it led to lives.
    pub(super) fn key_why(&self) -> Option<String> {
        if let Some(refusal) = self.key_facts.refusal.as_ref().filter(|_| self.key.is_some()) {
            return Some(refusal.why.clone());
        }
        self.key_file_trouble.clone().filter(|_| self.good_bearer(None).is_none())
    }

    pub(super) fn key_works(&self) -> bool {
        self.key.is_some() && self.key_why().is_none()
    }

    /// Reads the key's file once more, where the key is in one: a new key there needs no restart.
    pub(super) async fn look_at_key_file(&mut self) {
        let stored = self.key.as_ref().is_some_and(|ring| ring.stored);
        let Some(file) = self.key_file.clone().filter(|file| file.configured || !stored) else { return };
        let path = file.path.clone();
        let Ok(found) = tokio::task::spawn_blocking(move || file.read()).await else { return };
        let key_file::Found { key, trouble, exposed } = found;
        let trouble = trouble.map(|why| format!("The Personal API key's file {} is of no use: {why}", path.display()));
        if trouble != self.key_file_trouble {
            match &trouble {
                Some(why) => tracing::warn!(account = self.name, "{why}"),
                None => tracing::info!(account = self.name, "the Personal API key's file is readable again"),
            }
        }
        let changed = (&trouble, exposed) != (&self.key_file_trouble, self.key_exposed);
        (self.key_file_trouble, self.key_exposed) = (trouble, exposed);
        match key {
            Some(key) if self.key.is_none() || fingerprint(&key) != self.key_facts.of => {
                self.take_key(key, false).await
            }
            None if self.key_file_trouble.is_none() && self.key.is_some() => {
                // The official client's file was there, and is no longer.
                self.drop_bearer();
                (self.key, self.key_facts) = (None, KeyFacts::default());
                self.write_down(&[], Vec::new()).await;
                self.publish();
            }
            _ if changed => self.publish(),
            _ => {}
        }
    }

    /// A key that is found: in the vault at the start, or in a file that holds another one than before.
    pub(super) async fn take_key(&mut self, key: SecretString, stored: bool) {
        let of = fingerprint(&key);
        let known = self.key_facts.of == of;
        if !known {
            self.key_facts = self.key_facts.replaced_by(of, Utc::now());
            self.checked.key = false;
        }
        // Rows of older versions do not know it.
        self.key_facts.seen_at.get_or_insert_with(|| Utc::now().trunc_subsecs(0));
        if let Some(day) = self.key_file.as_ref().and_then(|file| file.expires).filter(|_| !stored) {
            self.key_facts.said_to_end(day, Utc::now());
        }
        if self.key.is_some() {
            self.drop_bearer();
        }
        let bearer = self.kept_bearer.take().filter(|kept| known && kept.of == self.key_facts.of);
        self.key = Some(KeyRing { key, bearer: bearer.map(|kept| kept.bearer), stored });
        self.write_down(&[], Vec::new()).await;
        self.publish();
    }

    /// Exchanges the key if nobody has for a day, or if it is time to try a refused one again.
    pub(super) async fn look_at_key(&mut self) {
        let rests = self.bearer.under_way || self.key_rests().is_some() || self.key_file_trouble.is_some();
        let due = !rests && self.key_facts.look_due(Utc::now());
        if let Some(ring) = self.key.as_ref().filter(|_| due) {
            self.exchange_key(ring.key.clone(), false).await;
        }
    }

    /// A login brings a key.
    pub(super) async fn bring_key(&mut self, key: SecretString, expires: Option<NaiveDate>, reply: Reply) {
        let refusal = if let Some(file) = self.key_file.as_ref().filter(|file| file.configured) {
            let words = format!(
                "The configuration names a file for this account's key: put the new key into {} instead. Nothing was sent; \
                 the daemon reads the file again by itself.",
                file.path.display()
            );
            Some(Failure::new(Kind::InvalidArgument, words))
        } else if self.key_brought.is_some() {
            Some(Failure::new(Kind::AlreadyRunning, "Another key is with Garmin right now; wait for its answer."))
        } else if expires.is_some_and(|day| day < Utc::now().date_naive() - TimeDelta::days(1)) {
            Some(Failure::new(
                Kind::InvalidArgument,
                "The day on which the key ends is over already. Nothing was sent.",
            ))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let _ = reply.send(Err(refusal));
            return;
        }
        self.key_brought = Some(BringsKey { reply, expires });
        self.exchange_key(key, true).await;
    }

    /// Exchanges a key; one that a login brings is also asked whose it is, before it is stored.
    async fn exchange_key(&mut self, key: SecretString, by_login: bool) {
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

    /// The key is not the account's any more: nobody gets a bearer of it, and one on its way is not kept.
    pub(super) fn drop_bearer(&mut self) {
        let fresh = Renewal { generation: self.bearer.generation + 1, ..Renewal::default() };
        for reply in std::mem::replace(&mut self.bearer, fresh).waiting {
            let why = "the Personal API key was changed meanwhile".into();
            let _ = reply.send(Err(NoToken::Later { retry_after: None, why, cause: Hindrance::Here }));
        }
        if let Some(brought) = self.key_brought.take() {
            let _ = brought.reply.send(Err(Failure::new(Kind::LoginNeeded, "The account was signed out meanwhile.")));
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
        let tokens = match (exchanged, by_login.then(|| self.key_brought.take()).flatten()) {
            (Ok((bearer, owner)), Some(brought)) => self.settle_key(key, bearer, owner, brought).await,
            (Err(error), Some(brought)) => {
                let _ = brought.reply.send(Err(words::key(&error)));
                Err(NoToken::Later { retry_after: None, why: error.to_string(), cause: error.hindrance() })
            }
            (Ok((bearer, _)), None) => {
                self.key_facts.accepted(&bearer, Utc::now());
                let access = bearer.access.clone();
                let row = self.bearer_row(&bearer);
                if let Some(ring) = &mut self.key {
                    ring.bearer = Some(bearer);
                }
                self.bearer_renewed();
                // Not on disk, it is good all the same: the key gets another at any time.
                self.write_down(&[], row.into_iter().collect()).await;
                Ok(access)
            }
            (Err(error), None) => match self.not_exchanged(&error).await {
                Some(answer) => answer,
                None => return, // the file holds another key by now, which is with Garmin
            },
        };
        for reply in self.bearer.waiting.drain(..) {
            let _ = reply.send(tokens.clone());
        }
        self.publish();
    }

    fn bearer_renewed(&mut self) {
        self.bearer.failures = 0;
        self.bearer.not_before = None;
        self.bearer.last = Some(Instant::now());
    }

    fn bearer_row(&self, bearer: &PersonalToken) -> Option<(Row, Vec<u8>)> {
        let kept = KeptBearer { of: self.key_facts.of.clone(), bearer: bearer.clone() };
        serde_json::to_vec(&kept).ok().map(|row| (Row::Bearer, row))
    }

    /// The exchange failed. `None`: the key was an old one, and the new one is tried instead.
    async fn not_exchanged(&mut self, error: &Error) -> Option<Result<SecretString, NoToken>> {
        let before = self.key_facts.of.clone();
        if matches!(error, Error::InvalidCredentials | Error::Forbidden) {
            let waiting = std::mem::take(&mut self.bearer.waiting);
            self.look_at_key_file().await;
            self.bearer.waiting = waiting;
            if let Some(ring) = self.key.as_ref().filter(|_| self.key_facts.of != before) {
                self.exchange_key(ring.key.clone(), false).await;
                return None;
            }
        }
        if self.key_facts.refused(error, Utc::now()) {
            let why = self.key_why().unwrap_or_default();
            tracing::warn!(account = self.name, why, "Garmin refuses the Personal API key");
            self.write_down(&[], Vec::new()).await;
            return Some(Err(NoToken::LoginNeeded(why)));
        }
        let wait = if let Error::Throttled { retry_after } = error {
            self.key_facts.throttled(*retry_after, Utc::now());
            self.write_down(&[], Vec::new()).await;
            self.key_facts.pause_left(Utc::now())
        } else {
            self.bearer.failures = self.bearer.failures.saturating_add(1);
            let wait = pause_after(self.bearer.failures);
            self.bearer.hindrance = error.hindrance();
            self.bearer.not_before = Some(Instant::now() + wait);
            Some(wait)
        };
        tracing::warn!(account = self.name, %error, "the Personal API key could not be exchanged");
        let why = format!("the Personal API key could not be exchanged ({error})");
        Some(Err(NoToken::Later { retry_after: wait, why, cause: error.hindrance() }))
    }

    /// Stores a key that Garmin took, unless it is another person's, and answers the login that brought it.
    async fn settle_key(
        &mut self,
        key: SecretString,
        bearer: PersonalToken,
        owner: Option<Owner>,
        brought: BringsKey,
    ) -> Result<SecretString, NoToken> {
        let known = self.owner().await;
        let mut outcome = match &owner {
            Some(new) => another_person(&self.name, known.as_ref(), new, "Personal API key").map_or(Ok(()), Err),
            None => Ok(()),
        };
        if outcome.is_ok() {
            let before = (self.profile.clone(), self.checked, self.key_facts.clone());
            self.checked.key = owner.is_some();
            if let Some(owner) = &owner {
                self.learn(owner);
            }
            self.key_facts = self.key_facts.brought(fingerprint(&key), brought.expires, Utc::now());
            self.key_facts.accepted(&bearer, Utc::now());
            let mut rows = vec![(Row::ApiKey, key.expose_secret().as_bytes().to_vec())];
            rows.extend(self.bearer_row(&bearer));
            if !self.write_down(&[], rows).await {
                (self.profile, self.checked, self.key_facts) = before;
                outcome = Err(sign_in::not_stored(self.vault_trouble.as_deref().unwrap_or_default()));
            }
        }
        if let Err(failure) = outcome {
            tracing::warn!(account = self.name, kind = failure.kind.as_str(), "the key was not stored");
            let why = failure.message.clone();
            let _ = brought.reply.send(Err(failure));
            return Err(NoToken::Later { retry_after: None, why, cause: Hindrance::Here });
        }
        let access = bearer.access.clone();
        self.key = Some(KeyRing { key, bearer: Some(bearer), stored: true });
        (self.key_file_trouble, self.key_exposed) = (None, false);
        self.bearer_renewed();
        self.publish();
        self.announce();
        let _ = brought.reply.send(Ok(self.standing(false)));
        Ok(access)
    }

    /// Garmin's data service refuses the key's bearer although it is fresh.
    pub(super) async fn key_turned_away(&mut self) {
        self.key_facts.turned_away(
            format!("Garmin's data service refuses this Personal API key; look at {KEY_PAGE}"),
            Utc::now(),
        );
        self.write_down(&[], Vec::new()).await;
        self.publish();
    }

    /// What gives the account a key that works, for people. The official client's file is named only to those who use it: where a login
    /// brings the key, it is not needed, and a person may not even be able to write into the daemon's home.
    pub(super) fn key_remedy(&self) -> String {
        let from_file = self.key.as_ref().map_or(self.key_file_trouble.is_some(), |ring| !ring.stored);
        match &self.key_file {
            Some(file) if file.configured || from_file => {
                format!("make a key at {KEY_PAGE}, then put it into {}", file.path.display())
            }
            _ => format!("make a key at {KEY_PAGE}, then: {}", ctl_command(&self.name, "login --api-key-stdin")),
        }
    }

    /// What `status` says of the key.
    pub(super) fn key_status(&self) -> Option<TierStatus> {
        (self.key.is_some() || self.key_file_trouble.is_some()).then(|| TierStatus {
            state: if self.key_works() { AccountState::Active } else { AccountState::LoginNeeded },
            access_expires_at: self
                .key
                .as_ref()
                .and_then(|ring| ring.bearer.as_ref())
                .map(|b| b.expires_at.trunc_subsecs(0)),
            refresh_expires_at: None,
            key_expires_at: self.key_facts.ends.as_ref().map(End::at),
            last_refresh_at: self.key_facts.exchanged_at,
        })
    }
}
