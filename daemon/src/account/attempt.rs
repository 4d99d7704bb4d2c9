//! The sign-in under way, in the actor's hands: what the machine's effects ask for, done in the order that keeps secrets safe:
//! first the vault, then the board, then those who wait.

use std::sync::PoisonError;

use chrono::{SubsecRound, TimeDelta, Utc};
use garminsync_garmin::{Error, NoToken, Profile, Tokens};
use garminsync_protocol::{Failure, Kind};
use garminsync_store::Kind as Row;
use secrecy::{ExposeSecret, SecretString};

use super::actor::Actor;
use super::chain;
use super::elsewhere;
use super::key::KeyFacts;
use super::machine::{Attempt, CODE_ATTEMPTS, Challenge, Effect, Event, RESEND_PAUSE, RESENDS, resend_rest};
use super::message::{Asker, Brought, Done, Message};
use super::person::another_person;
use super::sign_in::{self, Checked, End};
use super::stored::{self, Pending, Stored};
use super::words;
use crate::report::Step;

impl Actor {
    pub(super) async fn step(&mut self, event: Event, asker: Option<Asker>) {
        self.step_with(event, asker, Vec::new()).await;
    }

    /// The same, with rows that the event brings written in the same transaction. `false`: the vault refused what must not be
    /// believed in memory alone (a new login, a logout, a code that counts before it is sent); then the account stands as before, and
    /// the asker was told.
    pub(super) async fn step_with(&mut self, event: Event, asker: Option<Asker>, rows: Vec<(Row, Vec<u8>)>) -> bool {
        let standing = self.alone.standing.clone();
        self.heed(&event);
        let (before, since) = (self.state.clone(), self.since);
        let (after, effects) = before.clone().step(event, Utc::now());
        self.state = after;
        if self.state.word() != before.word() {
            tracing::info!(
                account = self.name,
                from = before.word().as_str(),
                to = self.state.word().as_str(),
                "account"
            );
            self.since = Utc::now().trunc_subsecs(0);
        }
        let gives_up = effects.contains(&Effect::Abort);
        if gives_up {
            // First of all: a task that is given up must not write behind what is written now.
            self.abort();
        }
        let sends_code = effects.contains(&Effect::CheckCode);
        let must_be_written = !rows.is_empty() || sends_code || effects.contains(&Effect::ForgetSecrets);
        if self.state != before || !effects.is_empty() {
            let written = self.write_down(&effects, rows).await;
            if !written && must_be_written {
                (self.state, self.since, self.alone.standing) = (before, since, standing);
                let failure = self.not_written(sends_code);
                if gives_up {
                    self.state.attempt = self.state.attempt.clone().given_up();
                    self.tell(Some(&failure));
                }
                self.publish();
                if let Some(asker) = asker {
                    let _ = asker.reply.send(Err(failure));
                }
                return false;
            }
            self.follow_up();
            self.publish();
        }
        if effects.contains(&Effect::ForgetSecrets) {
            // A key in a file of the person's is none of ours to forget, and the answer says how things stand.
            self.look_at_key_file().await;
        }
        let mut asker = asker;
        for effect in effects {
            match effect {
                Effect::SignIn => self.start_sign_in(asker.take()),
                Effect::TakeOver => self.start_take_over(asker.take()).await,
                Effect::Join => self.join(asker.take(), true),
                Effect::CheckCode => self.start_check(asker.take()),
                Effect::SendCode => self.start_resend(asker.take()),
                Effect::Stand => self.answer(asker.take(), true),
                Effect::Refuse(failure) => {
                    if let Some(asker) = asker.take() {
                        let _ = asker.reply.send(Err(failure));
                    }
                }
                Effect::Tell(failure) => self.tell(failure.as_ref()),
                // Done above, before anybody is told.
                Effect::Abort
                | Effect::KeepPending
                | Effect::DropPending
                | Effect::DropCandidate
                | Effect::ForgetSecrets => {}
            }
        }
        true
    }

    fn not_written(&self, sends_code: bool) -> Failure {
        let why = self.vault_trouble.as_deref().unwrap_or("no reason was given");
        let safe = if sends_code {
            "the code was not sent: it and the login that waits for it are as good as before. Mend that, then bring it again"
        } else {
            "nothing was changed. Mend that, then try again"
        };
        Failure::new(Kind::Storage, format!("The vault could not be written ({why}), so {safe}."))
    }

    /// Nothing of the account's secrets stays in memory.
    fn forget(&mut self) {
        let gone = NoToken::LoginNeeded("the account was signed out".into());
        (self.profile, self.key, self.tokens, self.candidate) = (None, None, None, None);
        (self.checked, self.key_facts, self.trial) = (stored::Checked::default(), KeyFacts::default(), None);
        self.drop_renewal(&Err(gone));
        self.drop_bearer();
    }

    /// Brings the vault in line with the state, in one transaction, before anybody is told anything.
    pub(super) async fn write_down(&mut self, effects: &[Effect], rows: Vec<(Row, Vec<u8>)>) -> bool {
        let forgets = effects.contains(&Effect::ForgetSecrets);
        let drops = forgets || effects.contains(&Effect::DropPending);
        let keeps = effects.contains(&Effect::KeepPending);
        let (mut puts, mut deletes) = (rows, Vec::new());
        if drops {
            deletes.extend([Row::PendingSignIn, Row::CandidateTokens]);
        } else if effects.contains(&Effect::DropCandidate) {
            deletes.push(Row::CandidateTokens);
        }
        if let (true, Some(pending), Attempt::AwaitingMfa(challenge) | Attempt::CheckingCode(challenge)) =
            (keeps, &mut self.pending, &self.state.attempt)
        {
            pending.challenge = challenge.clone();
            puts.extend(serde_json::to_vec(pending).ok().map(|row| (Row::PendingSignIn, row)));
        }
        let profile = if forgets { None } else { self.profile.clone() };
        let checked = if forgets { stored::Checked::default() } else { self.checked };
        let key = if forgets { KeyFacts::default() } else { self.key_facts.clone() };
        let state = Stored::lasting(&self.state);
        let unattended = self.alone.standing.clone();
        let trial = self.trial.clone().filter(|_| !forgets);
        let (since, forgetting) = (Some(self.since), self.forgetting);
        let stored = Stored { state, since, profile, checked, key, unattended, forgetting, trial };
        if !stored.says_anything() {
            deletes.push(Row::State);
        } else if stored != self.stored || forgets {
            puts.extend(serde_json::to_vec(&stored).ok().map(|row| (Row::State, row)));
        }
        let nothing_new = !forgets
            && puts.is_empty()
            && (deletes.is_empty() || deletes == [Row::State] && !self.stored.says_anything());
        let written = nothing_new || self.change_vault(puts, deletes, forgets).await;
        if written {
            self.stored = stored;
            if drops {
                self.pending = None;
            }
            if forgets {
                self.forget();
            }
        }
        if keeps || drops {
            self.unwritten = keeps && !written;
        }
        written
    }

    pub(super) async fn change_vault(&mut self, puts: Vec<(Row, Vec<u8>)>, deletes: Vec<Row>, forget: bool) -> bool {
        let name = self.name.clone();
        let written = self.vault.call(move |vault| {
            if forget {
                vault.forget(&name)?;
            }
            let puts: Vec<(Row, &[u8])> = puts.iter().map(|(kind, row)| (*kind, row.as_slice())).collect();
            vault.change(&name, &puts, &deletes)
        });
        let error = match written.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(gone) => Some(gone.to_string()),
        };
        if let Some(error) = &error {
            tracing::error!(account = self.name, %error, "the vault could not be written");
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
        self.spawn(async move { Done::SignIn(chain::sign_in(&garmin, &vault, &name, &credentials, &told).await) });
    }

    async fn start_take_over(&mut self, asker: Option<Asker>) {
        let Some(Asker { reply, reporter, brought: Brought::Elsewhere(login) }) = asker else { return };
        self.join(Some(Asker { reply, reporter, brought: Brought::Nothing }), false);
        let (garmin, vault, name, told) = (self.garmin.clone(), self.vault.clone(), self.name.clone(), self.told());
        let owner = self.owner().await;
        self.spawn(
            async move { Done::SignIn(elsewhere::take(&garmin, &vault, &name, owner.as_ref(), login, &told).await) },
        );
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

    pub(super) fn start_resend(&mut self, asker: Option<Asker>) {
        self.join(asker, false);
        let Some(mut pending) = self.pending.clone() else {
            let failure = Failure::new(Kind::Internal, "The waiting login was lost; start a new one.");
            return self.spawn(async move { Done::SignIn(End::Failed(failure)) });
        };
        let (garmin, told) = (self.garmin.clone(), self.told());
        self.spawn(async move {
            told("asking Garmin for another code");
            let sent = garmin.send_code(&mut pending.sign_in).await;
            Done::Sent(pending, sent)
        });
    }

    pub(super) async fn done(&mut self, generation: u64, done: Done) {
        match done {
            Done::Renewal(renewed) => return self.renewed(generation, *renewed).await,
            Done::RenewAgain => return self.renew_again(generation).await,
            Done::Bearer(key, by_login, exchanged) => {
                return self.exchanged(generation, key, by_login, exchanged).await;
            }
            Done::Owner(tier, owner) => return self.owner_told(tier, owner).await,
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
                    Checked::Not(error) if words::is_over(&error) => Event::SignInFailed(words::sign_in(&error)),
                    Checked::Not(error) if words::is_unanswered(&error) => {
                        Event::CodeUnanswered(words::unanswered_code(&error))
                    }
                    Checked::Not(error) => Event::CodeUndecided(words::undecided_code(&error)),
                };
                if let Attempt::CheckingCode(challenge) = &mut self.state.attempt
                    && challenge.sent_to.is_none()
                {
                    // The widget's page tells it once a code was sent.
                    challenge.sent_to = pending.sign_in.sent_to().map(str::to_owned);
                }
                self.pending = Some(pending);
                self.step(event, None).await;
            }
            Done::Sent(pending, sent) => {
                self.pending = Some(pending);
                let event = match sent {
                    Ok(()) => Event::CodeSent,
                    Err(error) if words::is_over(&error) => Event::SignInFailed(words::sign_in(&error)),
                    Err(error) => {
                        tracing::warn!(account = self.name, %error, "another code was asked for and not sent");
                        Event::CodeNotSent(words::unsent_code(&error))
                    }
                };
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
                    // Seen in both lower and upper case.
                    method: sign_in.method().to_lowercase(),
                    sent_to: sign_in.sent_to().map(str::to_owned),
                    until: (Utc::now() + self.mfa_timeout).trunc_subsecs(0),
                    attempts_left: CODE_ATTEMPTS,
                    unsent: sign_in.is_unsent(),
                    resend_at: sign_in.sends_codes().then(|| {
                        let pause = match sign_in.refused_to_send() {
                            Some(asked) => resend_rest(asked.map(|asked| asked.as_secs())),
                            // Where none was sent, no pause has begun.
                            None if sign_in.is_unsent() => TimeDelta::zero(),
                            None => RESEND_PAUSE,
                        };
                        (Utc::now() + pause).trunc_subsecs(0)
                    }),
                    resends_left: RESENDS,
                    unanswered: 0,
                };
                let pending = Pending { challenge: challenge.clone(), sign_in: *sign_in, tried: Vec::new() };
                self.pending = Some(Box::new(pending));
                self.step(Event::CodeWanted(challenge), None).await;
            }
            End::Proven(tokens, profile) => self.proven(*tokens, profile).await,
            // After a code, or a restart: there is no password to try another way in with.
            End::Refused(error) => self.step(Event::SignInBlocked(words::sign_in(&error)), None).await,
            End::Blocked(failure) => {
                tracing::warn!(account = self.name, kind = failure.kind.as_str(), "Garmin turned the sign-in away");
                self.step(Event::SignInBlocked(failure), None).await;
            }
            End::Failed(failure) => {
                tracing::warn!(account = self.name, kind = failure.kind.as_str(), "the sign-in failed");
                self.step(Event::SignInFailed(failure), None).await;
            }
        }
    }

    /// The candidate becomes the login, on disk, before anybody hears of it.
    pub(super) async fn proven(&mut self, tokens: Tokens, profile: Option<Profile>) {
        let Ok(row) = serde_json::to_vec(&tokens) else { return };
        if let Some(who) = &profile
            && let Some(refusal) = another_person(&self.name, self.owner().await.as_ref(), who, "login")
        {
            tracing::warn!(account = self.name, "the login belongs to another person than the account");
            return self.step(Event::SignInFailed(refusal), None).await;
        }
        let access = tokens.access.clone();
        let renewed_at = Some(tokens.issued_at);
        let before = (self.tokens.replace(tokens), self.profile.clone(), self.checked, self.trial.take());
        self.checked.login = profile.as_ref().is_some_and(|who| who.profile_id.is_some());
        if let Some(who) = &profile {
            self.learn(who);
        }
        if !self.step_with(Event::LoginProven, None, vec![(Row::Tokens, row)]).await {
            (self.tokens, self.profile, self.checked, self.trial) = before;
            let why = self.vault_trouble.clone().unwrap_or_default();
            return self.step(Event::SignInFailed(sign_in::not_stored(&why)), None).await;
        }
        self.last_renewed_at = renewed_at;
        self.renewal.failures = 0;
        self.renewal.not_before = None;
        self.renewal.refused = None;
        self.drop_renewal(&Ok(access));
        self.announce();
        self.publish();
    }
}
