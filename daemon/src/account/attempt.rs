//! The sign-in under way, in the actor's hands: what the machine's effects ask for, done in the order that keeps secrets safe:
//! first the vault, then the board, then those who wait.

use std::sync::PoisonError;

use chrono::{SubsecRound, Utc};
use garminsync_garmin::{Error, Profile, Tokens};
use garminsync_protocol::{Failure, Kind};
use garminsync_store::Kind as Row;
use secrecy::{ExposeSecret, SecretString};

use super::actor::{Actor, Asker, Brought, Done, Message};
use super::machine::{Attempt, CODE_ATTEMPTS, Challenge, Effect, Event};
use super::sign_in::{self, Checked, End};
use super::stored::{Pending, Stored};
use super::words;
use crate::report::Step;

impl Actor {
    pub(super) async fn step(&mut self, event: Event, asker: Option<Asker>) {
        let before = self.state.clone();
        let (after, effects) = before.clone().step(event, Utc::now());
        self.state = after;
        if self.state.word() != before.word() {
            tracing::info!(account = %self.name, from = before.word().as_str(), to = self.state.word().as_str(), "account");
            self.since = Utc::now().trunc_subsecs(0);
        }
        if self.state != before || !effects.is_empty() {
            self.write_down(&effects).await;
            self.publish();
        }
        let mut asker = asker;
        for effect in effects {
            match effect {
                Effect::SignIn => self.start_sign_in(asker.take()),
                Effect::Join => self.join(asker.take(), true),
                Effect::CheckCode => self.start_check(asker.take()),
                Effect::Stand => self.answer(asker.take(), true),
                Effect::Refuse(failure) => {
                    if let Some(asker) = asker.take() {
                        let _ = asker.reply.send(Err(failure));
                    }
                }
                Effect::Tell(failure) => self.tell(failure.as_ref()),
                Effect::Abort => self.abort(),
                // Done in `write_down`, before anybody is told.
                Effect::KeepPending | Effect::DropPending | Effect::ForgetSecrets => {}
            }
        }
    }

    /// Brings the vault in line with the state, in one transaction, before anybody is told anything.
    pub(super) async fn write_down(&mut self, effects: &[Effect]) {
        let mut deletes = Vec::new();
        let mut puts = Vec::new();
        if effects.contains(&Effect::DropPending) || effects.contains(&Effect::ForgetSecrets) {
            self.pending = None;
            deletes.extend([Row::PendingSignIn, Row::CandidateTokens]);
        }
        if effects.contains(&Effect::ForgetSecrets) {
            self.profile = None;
            deletes.extend([Row::Tokens, Row::ApiKey]);
        }
        if effects.contains(&Effect::KeepPending) {
            match (&mut self.pending, &self.state.attempt) {
                (Some(pending), Attempt::AwaitingMfa(challenge)) => {
                    pending.challenge = challenge.clone();
                    puts.extend(serde_json::to_vec(pending).ok().map(|row| (Row::PendingSignIn, row)));
                }
                _ => tracing::error!(account = %self.name, "a sign-in waits that nobody has"),
            }
        }
        let stored =
            Stored { state: Stored::lasting(&self.state), since: Some(self.since), profile: self.profile.clone() };
        if !stored.says_anything() {
            deletes.push(Row::State);
        } else if stored != self.stored || effects.contains(&Effect::ForgetSecrets) {
            puts.extend(serde_json::to_vec(&stored).ok().map(|row| (Row::State, row)));
        }
        let nothing_new =
            puts.is_empty() && (deletes.is_empty() || deletes == [Row::State] && !self.stored.says_anything());
        if nothing_new || self.change_vault(puts, deletes).await {
            self.stored = stored;
        }
    }

    pub(super) async fn change_vault(&mut self, puts: Vec<(Row, Vec<u8>)>, deletes: Vec<Row>) -> bool {
        let name = self.name.clone();
        let written = self.vault.call(move |vault| {
            let puts: Vec<(Row, &[u8])> = puts.iter().map(|(kind, row)| (*kind, row.as_slice())).collect();
            vault.change(&name, &puts, &deletes)
        });
        let error = match written.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(gone) => Some(gone.to_string()),
        };
        if let Some(error) = &error {
            tracing::error!(account = %self.name, %error, "the vault could not be written");
        }
        self.vault_trouble = error;
        self.vault_trouble.is_none()
    }

    pub(super) fn spawn(&mut self, work: impl Future<Output = Done> + Send + 'static) {
        self.generation += 1;
        let (generation, own) = (self.generation, self.own.clone());
        let task = tokio::spawn(async move {
            let done = work.await;
            let _ = own.send(Message::Done(generation, done)).await;
        });
        self.task = Some((generation, task.abort_handle()));
    }

    pub(super) fn abort(&mut self) {
        if let Some((_, task)) = self.task.take() {
            task.abort();
        }
        self.generation += 1;
    }

    pub(super) fn told(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let listeners = self.listeners.clone();
        move |text: &str| {
            for listener in listeners.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                listener.say(Step::text(text));
            }
        }
    }

    pub(super) fn join(&mut self, asker: Option<Asker>, joined: bool) {
        if let Some(asker) = asker {
            self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(asker.reporter);
            self.waiting.push((asker.reply, joined));
        }
    }

    pub(super) fn start_sign_in(&mut self, asker: Option<Asker>) {
        let Some(Asker { reply, reporter, brought: Brought::Credentials(Some(credentials)) }) = asker else { return };
        self.join(Some(Asker { reply, reporter, brought: Brought::Nothing }), false);
        let (garmin, vault, name, told) = (self.garmin.clone(), self.vault.clone(), self.name.clone(), self.told());
        self.pending = None;
        self.spawn(async move { Done::SignIn(sign_in::sign_in(&garmin, &vault, &name, &credentials, &told).await) });
    }

    pub(super) fn start_check(&mut self, asker: Option<Asker>) {
        let Some(Asker { reply, reporter, brought: Brought::Code(code) }) = asker else { return };
        self.join(Some(Asker { reply, reporter, brought: Brought::Nothing }), false);
        let code: SecretString = code.expose().split_whitespace().collect::<String>().into();
        let Some(mut pending) = self.pending.clone() else {
            let failure = Failure::new(Kind::Internal, "The waiting login was lost; start a new one.");
            return self.spawn(async move { Done::SignIn(End::Failed(failure)) });
        };
        if pending.tried.iter().any(|tried| tried.expose_secret() == code.expose_secret()) {
            // Garmin has refused this very code; asking again would only bring the account closer to its lock.
            return self.spawn(async move { Done::Code(pending, code, Checked::Not(Error::CodeRejected)) });
        }
        let (garmin, vault, name, told) = (self.garmin.clone(), self.vault.clone(), self.name.clone(), self.told());
        self.spawn(async move {
            let checked = sign_in::check_code(&garmin, &vault, &name, &mut pending.sign_in, &code, &told).await;
            Done::Code(pending, code, checked)
        });
    }

    pub(super) async fn done(&mut self, generation: u64, done: Done) {
        match done {
            Done::Renewal(renewed) => return self.renewed(generation, *renewed).await,
            Done::Bearer(key, by_login, exchanged) => {
                return self.exchanged(generation, key, by_login, exchanged).await;
            }
            _ if generation != self.generation => {} // given up meanwhile
            Done::SignIn(end) => self.sign_in_ended(end).await,
            Done::Code(mut pending, code, checked) => {
                let event = match checked {
                    Checked::Accepted(end) => return self.sign_in_ended(end).await,
                    Checked::Not(Error::CodeRejected) => {
                        pending.tried.push(code);
                        Event::CodeRejected
                    }
                    Checked::Not(Error::CodeExpired) => Event::CodeExpired,
                    Checked::Not(
                        error @ (Error::SessionLost | Error::AccountLocked { .. } | Error::SignInStopped { .. }),
                    ) => Event::SignInFailed(words::sign_in(&error)),
                    Checked::Not(error) => Event::CodeUndecided(words::undecided_code(&error)),
                };
                self.pending = Some(pending);
                self.step(event, None).await;
            }
        }
    }

    pub(super) async fn sign_in_ended(&mut self, end: End) {
        match end {
            End::CodeWanted(sign_in) => {
                let Attempt::SigningIn(email) = &self.state.attempt else { return };
                let challenge = Challenge {
                    id: format!("{:08x}", fastrand::u32(..)),
                    email: email.clone().unwrap_or_default(),
                    method: sign_in.method().to_owned(),
                    sent_to: sign_in.sent_to().map(str::to_owned),
                    until: (Utc::now() + self.mfa_timeout).trunc_subsecs(0),
                    attempts_left: CODE_ATTEMPTS,
                };
                let pending = Pending { challenge: challenge.clone(), sign_in: *sign_in, tried: Vec::new() };
                self.pending = Some(Box::new(pending));
                self.step(Event::CodeWanted(challenge), None).await;
            }
            End::Proven(tokens, profile) => self.proven(*tokens, profile).await,
            End::Blocked(failure) => self.step(Event::SignInBlocked(failure), None).await,
            End::Failed(failure) => self.step(Event::SignInFailed(failure), None).await,
        }
    }

    /// The candidate becomes the login, on disk, before anybody hears of it.
    pub(super) async fn proven(&mut self, tokens: Tokens, profile: Option<Profile>) {
        let Ok(row) = serde_json::to_vec(&tokens) else { return };
        if !self.change_vault(vec![(Row::Tokens, row)], vec![Row::CandidateTokens]).await {
            let why = self.vault_trouble.clone().unwrap_or_default();
            return self.step(Event::SignInFailed(sign_in::not_stored(&why)), None).await;
        }
        self.last_renewed_at = Some(tokens.issued_at);
        let access = tokens.access.clone();
        self.tokens = Some(tokens);
        self.renewal.failures = 0;
        self.renewal.not_before = None;
        self.drop_renewal(&Ok(access));
        if profile.is_some() {
            self.profile = profile;
        }
        self.announce();
        self.step(Event::LoginProven, None).await;
    }
}
