//! The sign-in that the daemon does by itself, for those who configured it: when it may, what follows, and what it may not try again.
//! The actor lets it hear every event and asks it after a renewal that Garmin refused, and at each look at the tokens. What is
//! sent to Garmin goes through the machine like a person's sign-in, so every rule of codes and cool-downs holds for it too.
//!
//! It is done only where Garmin refused to *renew* the login: never for a new account (the first login is a person's, who sees what
//! Garmin says to it), never after a logout, never after Garmin refused e-mail and password, and at most once a day, which is on disk
//! before a program is started.

use std::time::Duration;

use chrono::{Local, Utc};
use garminsync_garmin::Credentials;
use garminsync_protocol::{Failure, Kind, Secret};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

pub(super) use self::standing::Standing;
use self::standing::{A_DAY, Used};
use super::actor::Actor;
use super::machine::{Attempt, Challenge, Event, Login};
use super::message::{Asker, Brought, Message};
use crate::host::uptime;
use crate::program::{Failed, Program};
use crate::report::Reporter;

mod standing;

/// The most that a program for a password may take; one that asks a person is no program for an unattended machine.
const PASSWORD_TIME: Duration = Duration::from_secs(30);
/// How long a mail or a message is under way, at least; before, a program could only find the code of another sign-in.
const MAIL_TIME: Duration = Duration::from_secs(5);

/// How an account signs in with nobody there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unattended {
    /// The address.
    pub email: String,
    /// Prints the password.
    pub password: Program,
    /// Prints the code, where Garmin wants one.
    pub code: Option<Program>,
}

/// What a program was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The password.
    Password,
    /// The code of this challenge.
    Code(String),
}

/// The actor's part of it.
#[derive(Default)]
pub(super) struct Alone {
    way: Option<Unattended>,
    pub(super) standing: Standing,
    /// The program that runs, its number, and what for. Dropped, it is killed.
    program: Option<(u64, Wanted, AbortOnDropHandle<()>)>,
    programs: u64,
    /// The task of the actor that is this sign-in's.
    task: Option<u64>,
}

impl Alone {
    pub(super) fn new(way: Option<Unattended>) -> Self {
        Self { way, ..Self::default() }
    }
}

impl Actor {
    /// Garmin refused to renew the login.
    pub(super) async fn renewal_was_refused(&mut self, reason: String) {
        self.alone.standing.wanted = true;
        self.step(Event::GrantRefused(reason), None).await;
        self.sign_in_alone().await;
    }

    /// Signs in with nobody there, if that is configured and may be done now.
    pub(super) async fn sign_in_alone(&mut self) {
        let Some(way) = self.alone.way.clone() else { return };
        let (now, uptime) = (Utc::now(), uptime());
        let may = self.alone.standing.may_begin(&self.state.login, &self.state.attempt, now, &uptime);
        if !may || self.alone.program.is_some() || self.stopping.is_some() {
            return;
        }
        let before = self.alone.standing.clone();
        self.alone.standing.last = Some(Used::now(now, uptime));
        self.alone.standing.outcome = Some("the daemon ended while it was under way".into());
        if !self.write_down(&[], Vec::new()).await {
            self.alone.standing = before;
            return self.publish();
        }
        tracing::info!(account = self.name, "Garmin ended the login; signing in by itself, as configured");
        self.ask_program(way.password, Wanted::Password, Duration::ZERO, PASSWORD_TIME, Vec::new());
        self.publish();
    }

    /// After a restart: the program may still bring the code that the waiting sign-in needs.
    pub(super) fn go_on_alone(&mut self) {
        if let Attempt::AwaitingMfa(challenge) = &self.state.attempt {
            self.ask_for_code(&challenge.clone());
        }
    }

    fn ask_for_code(&mut self, challenge: &Challenge) {
        let Some(program) = self.alone.way.as_ref().and_then(|way| way.code.clone()) else { return };
        let standing = &self.alone.standing;
        let due = standing.code_due && standing.challenge.as_ref() == Some(&challenge.id);
        let Ok(left) = (challenge.until - Utc::now()).to_std() else { return };
        if !due || self.stopping.is_some() {
            return;
        }
        let of_an_app = matches!(challenge.method.as_str(), "totp" | "authenticator" | "authenticator_app");
        let mail = if of_an_app { Duration::ZERO } else { MAIL_TIME };
        let told = vec![("GARMINSYNC_MFA_METHOD", challenge.method.clone())];
        self.ask_program(program, Wanted::Code(challenge.id.clone()), mail, left.saturating_sub(mail), told);
    }

    fn ask_program(
        &mut self,
        program: Program,
        wanted: Wanted,
        first: Duration,
        longest: Duration,
        told: Vec<(&'static str, String)>,
    ) {
        self.alone.programs += 1;
        let (number, own, name) = (self.alone.programs, self.own.clone(), self.name.clone());
        let task = tokio::spawn(async move {
            tokio::time::sleep(first).await;
            let mut variables = vec![("GARMINSYNC_ACCOUNT", name.as_str())];
            variables.extend(told.iter().map(|(name, value)| (*name, value.as_str())));
            let ended = program.first_line(&variables, longest).await;
            let _ = own.send(Message::Program(number, ended)).await;
        });
        self.alone.program = Some((number, wanted, AbortOnDropHandle::new(task)));
    }

    /// A program has ended.
    pub(super) async fn program_ended(&mut self, number: u64, ended: Result<SecretString, Failed>) {
        let Some((_, wanted, _)) = self.alone.program.take_if(|(known, ..)| *known == number) else { return };
        if self.stopping.is_some() {
            return; // a code is asked for again after the restart; a password tomorrow
        }
        match wanted {
            Wanted::Password => self.password_came(ended).await,
            Wanted::Code(challenge) => self.code_came(challenge, ended).await,
        }
    }

    async fn password_came(&mut self, ended: Result<SecretString, Failed>) {
        let idle = matches!(self.state.attempt, Attempt::Idle(_)) && matches!(self.state.login, Login::Dead(_));
        let Some(way) = self.alone.way.as_ref().filter(|_| idle) else { return }; // somebody came in between
        match ended {
            Ok(password) => {
                let email = way.email.clone();
                let event = Event::LoginAsked { email: Some(email.clone()), with_password: true, force: false };
                let brought = Brought::Credentials(Some(Credentials { email, password }));
                self.step(event, Some(nobody(brought))).await;
                self.alone.task = matches!(self.state.attempt, Attempt::SigningIn(_)).then_some(self.generation);
            }
            Err(failed) => self.came_to(format!("the program for the password: {failed}")).await,
        }
    }

    async fn code_came(&mut self, challenge: String, ended: Result<SecretString, Failed>) {
        // Before it is sent: a restart must not try a second one.
        self.alone.standing.code_due = false;
        match ended {
            Ok(code) => {
                if !self.write_down(&[], Vec::new()).await {
                    return self.publish();
                }
                let code = Secret::from(code.expose_secret().to_owned());
                self.step(Event::CodeBrought(Some(challenge)), Some(nobody(Brought::Code(code)))).await;
                self.alone.task = matches!(self.state.attempt, Attempt::CheckingCode(_)).then_some(self.generation);
            }
            Err(failed) => self.came_to(format!("the program for the code: {failed}")).await,
        }
    }

    async fn came_to(&mut self, outcome: String) {
        tracing::warn!(account = self.name, outcome, "the sign-in by itself did not go on");
        self.alone.standing.outcome = Some(outcome);
        self.write_down(&[], Vec::new()).await;
        self.publish();
    }

    /// Hears what happens, before it is written down.
    pub(super) fn heed(&mut self, event: &Event) {
        let alone = &mut self.alone;
        let ours = alone.task == Some(self.generation);
        match event {
            Event::LoginProven | Event::LogoutAsked => {
                alone.standing.settled();
                alone.program = None;
            }
            Event::CodeWanted(challenge) if ours => {
                let standing = &mut alone.standing;
                standing.challenge = Some(challenge.id.clone());
                standing.code_due = alone.way.as_ref().is_some_and(|way| way.code.is_some());
                standing.outcome = Some("its code did not come in time".into());
                if !standing.code_due {
                    standing.barred = Some("Garmin wants a code for it, and no program for codes is configured".into());
                }
            }
            Event::SignInBlocked(failure) if ours => alone.standing.outcome = Some(failure.message.clone()),
            Event::SignInFailed(failure) if ours => {
                alone.standing.outcome = Some(failure.message.clone());
                if !may_pass(failure) {
                    alone.standing.barred = Some(failure.message.clone());
                }
            }
            Event::CodeRejected | Event::CodeExpired if ours => {
                alone.standing.outcome = Some("Garmin did not accept the code that the program brought".into());
            }
            Event::CodeUndecided(failure) | Event::CodeUnanswered(failure) if ours => {
                alone.standing.outcome = Some(failure.message.clone())
            }
            _ => {}
        }
    }

    /// After a step: starts the program for the code, and stops one that nobody needs any more.
    pub(super) fn follow_up(&mut self) {
        let waits_for = match &self.state.attempt {
            Attempt::AwaitingMfa(challenge) => Some(challenge.clone()),
            _ => None,
        };
        if let Some((_, Wanted::Code(id), _)) = &self.alone.program
            && waits_for.as_ref().is_none_or(|challenge| challenge.id != *id)
        {
            self.alone.program = None;
        }
        if let Some(challenge) = waits_for
            && self.alone.program.is_none()
        {
            self.ask_for_code(&challenge);
        }
    }

    /// What of it stands wrong, as kind and text; and the command that mends it.
    pub(super) fn unattended_trouble(&self) -> Option<(&'static str, String, &'static str)> {
        let standing = &self.alone.standing;
        if self.alone.way.is_none() || !standing.wanted {
            return None;
        }
        let runs = self.alone.program.as_ref().map(|(_, wanted, _)| wanted);
        let outcome = standing.outcome.as_deref().unwrap_or_default().trim_end_matches('.');
        match (&self.state.attempt, runs) {
            (Attempt::AwaitingMfa(challenge), None) if standing.challenge.as_ref() == Some(&challenge.id) => {
                let why = standing.barred.as_deref().unwrap_or(outcome);
                let text = format!(
                    "The sign-in that the daemon does by itself waits for a code ({why}). Anybody may bring it."
                );
                Some(("mfa.required", text, "mfa"))
            }
            (Attempt::Idle(_), Some(Wanted::Password)) => {
                let text = "The daemon is about to sign in by itself; the program for the password runs.";
                Some(("login.unattended", text.into(), "status"))
            }
            (Attempt::Idle(_) | Attempt::CoolingDown(..), _) => {
                let text = match (&standing.barred, &standing.last) {
                    (Some(why), _) => {
                        format!("The daemon does not sign in by itself any more ({}).", why.trim_end_matches('.'))
                    }
                    (None, Some(last)) => {
                        let next = (last.at + A_DAY).with_timezone(&Local).format("%Y-%m-%d %H:%M %:z");
                        format!(
                            "The daemon tried to sign in by itself ({outcome}). It tries again once a day, not before {next}."
                        )
                    }
                    (None, None) => "The daemon will sign in by itself.".into(),
                };
                Some(("login.unattended", text, "login"))
            }
            _ => None,
        }
    }
}

/// Trouble that may be over tomorrow; everything else needs a person.
fn may_pass(failure: &Failure) -> bool {
    use Kind::{GarminUnexpected, GarminUnreachable, Internal, MfaExpired, RateLimited, ShuttingDown, Storage};
    matches!(
        failure.kind,
        GarminUnreachable | GarminUnexpected | RateLimited | MfaExpired | Storage | ShuttingDown | Internal
    )
}

/// An asker who is not there: the answer goes nowhere.
fn nobody(brought: Brought) -> Asker {
    let (reply, _) = oneshot::channel();
    Asker { reply, reporter: Reporter::silent(), brought }
}
