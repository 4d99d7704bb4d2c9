//! What can go wrong, as a stable kind for machines, a sentence for people, and what is needed to act.
//! Rooms of the daemon make failures; the door sends them; ctl translates kinds to exit codes and next steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stable kind of an application error (`data.kind`). Kinds may be added; none changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// Garmin refused e-mail or password.
    InvalidCredentials,
    /// A code is needed before this can go on.
    MfaRequired,
    /// Garmin did not accept the code; the same login goes on while attempts are left.
    MfaCodeRejected,
    /// The code, or the login that waited for it, is too old.
    MfaExpired,
    /// No login waits for a code.
    NoPendingLogin,
    /// The account has no working login.
    LoginNeeded,
    /// Garmin turned the sign-in away for a reason that is not the password.
    LoginBlocked,
    /// Garmin says the account is locked or disabled.
    AccountLocked,
    /// Garmin wants a CAPTCHA solved.
    CaptchaRequired,
    /// Garmin, or this daemon, asks for fewer requests.
    RateLimited,
    /// The budget of requests for this day is used.
    BudgetUsed,
    /// The daemon waits after a refusal before it asks again.
    CoolingDown,
    /// Garmin could not be reached, or did not answer in time.
    GarminUnreachable,
    /// Garmin answered something that is not in the book: HTML, half a JSON, an unknown status.
    GarminUnexpected,
    /// The same work is already under way.
    AlreadyRunning,
    /// The caller may not do this.
    NotAllowed,
    /// No account of that name.
    UnknownAccount,
    /// No dataset of that name.
    UnknownDataset,
    /// A parameter makes no sense.
    InvalidArgument,
    /// The daemon's own disk or database is in trouble.
    Storage,
    /// The daemon is stopping.
    ShuttingDown,
    /// A defect of the daemon.
    Internal,
    /// A kind this client does not know yet.
    #[serde(other)]
    Unknown,
}

impl Kind {
    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid_credentials",
            Self::MfaRequired => "mfa_required",
            Self::MfaCodeRejected => "mfa_code_rejected",
            Self::MfaExpired => "mfa_expired",
            Self::NoPendingLogin => "no_pending_login",
            Self::LoginNeeded => "login_needed",
            Self::LoginBlocked => "login_blocked",
            Self::AccountLocked => "account_locked",
            Self::CaptchaRequired => "captcha_required",
            Self::RateLimited => "rate_limited",
            Self::BudgetUsed => "budget_used",
            Self::CoolingDown => "cooling_down",
            Self::GarminUnreachable => "garmin_unreachable",
            Self::GarminUnexpected => "garmin_unexpected",
            Self::AlreadyRunning => "already_running",
            Self::NotAllowed => "not_allowed",
            Self::UnknownAccount => "unknown_account",
            Self::UnknownDataset => "unknown_dataset",
            Self::InvalidArgument => "invalid_argument",
            Self::Storage => "storage",
            Self::ShuttingDown => "shutting_down",
            Self::Internal => "internal",
            Self::Unknown => "unknown",
        }
    }
}

/// A way in that is open where the one that was tried leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WayIn {
    /// Sign in with one's own browser and bring the ticket.
    Browser,
    /// A Personal API key.
    ApiKey,
    /// The same under another account's name: this account is another person's.
    OtherAccount,
    /// A new sign-in under another account's name: it is another person's, and what was brought is spent.
    NewLogin,
    /// One that this client does not know yet.
    #[serde(other)]
    Unknown,
}

/// An application error as it travels: JSON-RPC code -32000, `message`, and the rest in `data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of trouble, for machines.
    pub kind: Kind,
    /// What happened and what is safe, for people. Not part of `data`: it is the error's `message`.
    #[serde(skip)]
    pub message: String,
    /// Seconds to wait before the same call makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// Tries left for a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts_left: Option<u32>,
    /// The challenge that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// The ways in that a sign-in tried, a sentence each: which, and why it failed.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub tried: Box<[String]>,
    /// The way in to take instead, where the refused one stays shut for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<WayIn>,
    /// A word to look for in the daemon's log.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl Failure {
    /// A failure with nothing but a kind and a sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after_s: None,
            attempts_left: None,
            challenge: None,
            tried: Box::default(),
            instead: None,
            reference: None,
        }
    }

    /// Says after how many seconds a retry makes sense.
    pub fn retry_after_s(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Says how many tries for the code are left.
    pub fn attempts_left(mut self, attempts: u32) -> Self {
        self.attempts_left = Some(attempts);
        self
    }

    /// Says which ways in were tried, a sentence each.
    pub fn tried(mut self, tried: Vec<String>) -> Self {
        self.tried = tried.into();
        self
    }

    /// Says which way in to take instead.
    pub fn instead(mut self, way: WayIn) -> Self {
        self.instead = Some(way);
        self
    }

    /// Names the challenge that waits.
    pub fn challenge(mut self, challenge: impl Into<String>) -> Self {
        self.challenge = Some(challenge.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_spelled_the_same_in_both_places() {
        let json = serde_json::to_value(Kind::MfaCodeRejected).unwrap();
        assert_eq!(json, Kind::MfaCodeRejected.as_str());
        let later: Kind = serde_json::from_str("\"from_the_future\"").unwrap();
        assert_eq!(later, Kind::Unknown);
    }
}
