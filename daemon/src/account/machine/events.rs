//! What happens to an account, and what its actor is to do about it. Pure like the machine, which leads from one to the other.

use garminsync_protocol::{Failure, Kind};

use super::Challenge;

/// What happens to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody asks to sign in.
    LoginAsked {
        /// The address, if one was named.
        email: Option<String>,
        /// Whether a password came along.
        with_password: bool,
        /// Whether a cool-down is to be overridden.
        force: bool,
    },
    /// Somebody brings a login that was made elsewhere.
    TakeOverAsked,
    /// Garmin wants a code.
    CodeWanted(Challenge),
    /// The sign-in, or what follows the code, failed for good.
    SignInFailed(Failure),
    /// Garmin turned every way in away.
    SignInBlocked(Failure),
    /// Somebody brings a code, perhaps for one challenge only.
    CodeBrought(Option<String>),
    /// Garmin refused the code.
    CodeRejected,
    /// Garmin says the code is too old.
    CodeExpired,
    /// The code was sent, and nobody can know whether Garmin looked at it.
    CodeUnanswered(Failure),
    /// The code met trouble before Garmin looked at it.
    CodeUndecided(Failure),
    /// Somebody asks for another code.
    ResendAsked,
    /// Garmin has sent another code.
    CodeSent,
    /// Another code was asked for, and none came as far as is known.
    CodeNotSent(Failure),
    /// New tokens are on disk and Garmin's data service did not refuse them.
    LoginProven,
    /// Garmin refused to renew the login; why.
    GrantRefused(String),
    /// Somebody gives the sign-in up.
    CancelAsked,
    /// Somebody signs out.
    LogoutAsked,
    /// Time passed.
    Tick,
}

/// What the actor is to do, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start the sign-in with what the asker brought; the asker waits for its end.
    SignIn,
    /// Take the login over that the asker brought; the asker waits for its end.
    TakeOver,
    /// Let the asker wait for what is under way.
    Join,
    /// Send the code; the asker waits for its end.
    CheckCode,
    /// Ask for another code; the asker waits for the answer.
    SendCode,
    /// Answer the asker with how things stand.
    Stand,
    /// Refuse the asker.
    Refuse(Failure),
    /// Answer everybody who waits: how things stand, or why it failed.
    Tell(Option<Failure>),
    /// Stop the request under way.
    Abort,
    /// Write the waiting sign-in to the vault.
    KeepPending,
    /// Remove the waiting sign-in, and tokens that are not proven, from the vault.
    DropPending,
    /// Remove tokens that are not proven from the vault; the waiting sign-in stays.
    DropCandidate,
    /// Remove every secret of the account from the vault.
    ForgetSecrets,
}

impl Event {
    /// Whether Garmin's sign-in has looked at who is there, or turned them away once more: either says more than the pause before.
    pub(super) fn is_garmins_answer(&self) -> bool {
        match self {
            Self::CodeWanted(_) | Self::SignInBlocked(_) | Self::LoginProven => true,
            Self::SignInFailed(failure) => {
                matches!(failure.kind, Kind::InvalidCredentials | Kind::AccountLocked | Kind::LoginBlocked)
            }
            _ => false,
        }
    }
}
