//! The sign-in under way: what it may be, and what is known of a code that is waited for. Pure like the machine, which moves it on.

use chrono::{DateTime, Utc};
use garminsync_protocol::{Failure, WayIn};
use serde::{Deserialize, Serialize};

use super::UNANSWERED;

/// A sign-in that waits for its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Its name.
    pub id: String,
    /// The address that signs in.
    pub email: String,
    /// `email`, `sms`, …, as Garmin says it.
    pub method: String,
    /// The masked destination.
    pub sent_to: Option<String>,
    /// When it stops waiting.
    pub until: DateTime<Utc>,
    /// Codes that may still be tried.
    pub attempts_left: u32,
    /// A code was to be sent and Garmin could not be asked for it.
    #[serde(default)]
    pub unsent: bool,
    /// From when on another code may be asked for; never where an app makes them.
    #[serde(default)]
    pub resend_at: Option<DateTime<Utc>>,
    /// How often that may still be done.
    #[serde(default)]
    pub resends_left: u32,
    /// Codes that were sent and whose answer is not known, among them the one that is with Garmin.
    #[serde(default)]
    pub unanswered: u32,
}

impl Challenge {
    /// How many codes may still be sent. Answers that are lost cost none before they are more than two.
    pub fn tries_left(&self) -> u32 {
        self.attempts_left.min((self.attempts_left + UNANSWERED).saturating_sub(self.unanswered))
    }

    /// The code that was with Garmin is known not to be lost.
    pub(super) fn answered(self) -> Self {
        Self { unanswered: self.unanswered.saturating_sub(1), ..self }
    }
}

/// The sign-in under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attempt {
    /// None; how the last one ended, if that is still worth saying.
    Idle(Option<Ended>),
    /// E-mail and password are with Garmin; whose, unless a restart found only the tokens.
    SigningIn(Option<String>),
    /// Garmin sent a code.
    AwaitingMfa(Challenge),
    /// The code is with Garmin.
    CheckingCode(Challenge),
    /// Garmin is asked for another code.
    AskingForCode(Challenge),
    /// Garmin turned the sign-in away; until when none is started, and why.
    CoolingDown(DateTime<Utc>, String),
    /// A login that was made elsewhere is taken over: a browser's ticket, another program's tokens, or tokens that a restart found
    /// unproven. What was under way before is kept, because it goes on if this fails.
    TakingOver(Box<Attempt>),
}

/// How a sign-in ended without a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// The code did not come in time.
    Expired,
    /// The daemon was stopped while e-mail and password were with Garmin.
    Interrupted,
    /// Otherwise; why, for people.
    Failed(String),
    /// Garmin lets no program sign this account in (a child's account, a security policy); why, for people.
    Denied(String),
}

impl Ended {
    /// What a failure leaves behind.
    pub(super) fn by(failure: &Failure) -> Self {
        let how = if failure.instead == Some(WayIn::ApiKey) { Self::Denied } else { Self::Failed };
        how(failure.message.clone())
    }
}

impl Attempt {
    /// What is left of it when its request was given up half way.
    pub fn given_up(self) -> Self {
        match self {
            Self::SigningIn(_) => Self::Idle(Some(Ended::Failed("the login was given up half way".into()))),
            Self::CheckingCode(challenge) | Self::AskingForCode(challenge) => Self::AwaitingMfa(challenge),
            Self::TakingOver(kept) => *kept,
            attempt => attempt,
        }
    }

    /// Whether it is a sign-in of somebody with another address.
    pub(super) fn is_anothers(&self, email: &str, now: DateTime<Utc>) -> bool {
        let who = match self {
            // Whose login it is that is taken over is not known yet.
            Self::SigningIn(None) | Self::TakingOver(_) => return true,
            Self::SigningIn(Some(who)) => Some(who.as_str()),
            Self::AwaitingMfa(challenge) if now >= challenge.until => None,
            Self::AwaitingMfa(challenge) | Self::CheckingCode(challenge) | Self::AskingForCode(challenge) => {
                Some(challenge.email.as_str())
            }
            Self::Idle(_) | Self::CoolingDown(..) => None,
        };
        who.is_some_and(|who| !who.eq_ignore_ascii_case(email))
    }
}
