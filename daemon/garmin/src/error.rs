//! What can happen out there, as one type: every other module of this crate ends in it, and the rooms of the daemon
//! decide by it. Its words are for people, and never hold a secret, an address with a ticket, or the text of an
//! answer beyond Garmin's own short message keys.

use std::time::Duration;

/// Why a request to Garmin did not bring what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No complete answer came: whether Garmin acted on the request is unknown unless the cause is [`Cause::Connect`].
    #[error("Garmin could not be reached: {what}")]
    Unreachable {
        /// How the connection failed.
        cause: Cause,
        /// The host and the reason, for people.
        what: String,
    },
    /// Garmin or its edge asks to slow down: 429, 427, a 429 inside a 200, Cloudflare's "Access denied", and at the
    /// data tiers a 403 that is a web page.
    #[error("Garmin asks to wait{}", .retry_after.map(|wait| format!(" {} s", wait.as_secs())).unwrap_or_default())]
    Throttled {
        /// How long, if the answer said so (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The edge in front of the sign-in pages wants a browser to prove itself (a 403 web page of Cloudflare).
    #[error("Garmin's sign-in refuses programs from this address for now")]
    Challenged,
    /// Garmin wants a picture puzzle solved, which nobody can do here.
    #[error("Garmin wants a CAPTCHA solved before it lets this account sign in")]
    CaptchaRequired,
    /// Wrong e-mail address or password; for the Personal tier: a key that is wrong, expired or deleted.
    #[error("Garmin does not accept these credentials")]
    InvalidCredentials,
    /// Garmin has locked the account.
    #[error("Garmin has locked this account: {kind} {message}")]
    AccountLocked {
        /// Garmin's type of the answer.
        kind: String,
        /// Garmin's message key, possibly empty.
        message: String,
    },
    /// Garmin stopped the sign-in for a reason that only its pages can clear (consent, renewed password, ...).
    #[error("Garmin stopped the sign-in: {kind} {message}")]
    SignInStopped {
        /// Garmin's type of the answer.
        kind: String,
        /// Garmin's message key, possibly empty.
        message: String,
    },
    /// The sign-in is denied to this kind of account: a child's or family account, or one that an application security
    /// policy keeps out of programs.
    #[error("Garmin does not let this account sign in to programs: {said}")]
    DeniedByPolicy {
        /// Garmin's own words or text key.
        said: String,
    },
    /// Garmin has e-mail address and password, and what it answered did not arrive or cannot be read: a code may be on its
    /// way. Another sign-in now would send a second one.
    #[error("Garmin's answer to the password was lost ({what})")]
    AnswerLost {
        /// What came instead, for people.
        what: String,
    },
    /// What was entered cannot be a code (6 digits). Nothing was sent.
    #[error("a code has 6 digits; nothing was sent to Garmin")]
    CodeMalformed,
    /// Garmin does not accept the code. The same sign-in can take another one.
    #[error("Garmin does not accept this code")]
    CodeRejected,
    /// The code is too old. A new sign-in sends a new one.
    #[error("this code has expired")]
    CodeExpired,
    /// The sign-in that waits for a code is over for Garmin, for instance because a newer one was started.
    #[error("Garmin no longer knows this sign-in")]
    SessionLost,
    /// No client id could turn the service ticket into tokens: the ticket is spent, stale (about a minute), bound to
    /// another service URL, or Garmin has retired every client id known here.
    #[error("Garmin did not exchange the ticket of the sign-in: {why}")]
    TicketRefused {
        /// Garmin's own reason.
        why: String,
    },
    /// A file came, and this machine did not take it.
    #[error("a file cannot be kept on this machine: {what}")]
    NotKept {
        /// Why, for people.
        what: String,
    },
    /// The refresh token is dead: expired, used elsewhere, or revoked. Only a new sign-in helps.
    #[error("Garmin has ended this login: {why}")]
    InvalidGrant {
        /// Garmin's own reason.
        why: String,
    },
    /// The access token is refused, for data requests also after one renewal.
    #[error("Garmin refuses the access token")]
    Unauthorized,
    /// This account or key has no right to this. Asking again does not help.
    #[error("Garmin does not allow this account to read that")]
    Forbidden,
    /// There is no such thing.
    #[error("Garmin has no such thing")]
    NotFound,
    /// Garmin does not know this address at all, or not for this account: a 404 web page.
    #[error("Garmin has no such service for this account")]
    NoService,
    /// Garmin refuses the request as it was made, for instance a range that is too long.
    #[error("Garmin refuses this request (HTTP {status})")]
    BadRequest {
        /// The HTTP status.
        status: u16,
    },
    /// Trouble at Garmin's side: 408 or 5xx.
    #[error("Garmin has trouble of its own (HTTP {status})")]
    ServerTrouble {
        /// The HTTP status.
        status: u16,
    },
    /// An answer that nobody has seen before: a web page instead of JSON, half an answer, a redirect, an odd status.
    #[error("Garmin gave an unexpected answer: {what}")]
    Unexpected {
        /// What is odd about it.
        what: String,
    },
    /// The answer is larger than any that is known, and was not read to the end.
    #[error("Garmin's answer is larger than {limit} bytes")]
    TooLarge {
        /// Where reading stopped, in bytes.
        limit: u64,
    },
    /// There was no access token to ask with.
    #[error(transparent)]
    NoToken(#[from] NoToken),
    /// This client cannot be used as it is configured.
    #[error("{0}")]
    Setup(String),
}

/// How a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No answer in time. Garmin may have acted on the request.
    Timeout,
    /// No connection: name resolution, refusal, TLS. Garmin never saw the request.
    Connect,
    /// The connection broke while the request or its answer was under way. Garmin may have acted on the request.
    Broken,
}

/// Why a [`TokenSource`](crate::TokenSource) has no access token to give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// Only the person can help; the text says why.
    #[error("a new login is needed: {0}")]
    LoginNeeded(String),
    /// Not now, but later without the person.
    #[error("no access token for now: {why}")]
    Later {
        /// When it makes sense to try again.
        retry_after: Option<Duration>,
        /// What stands in the way, for people.
        why: String,
        /// What kind of thing that is.
        cause: Hindrance,
    },
}

/// What keeps a token from coming now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// Garmin asks to wait.
    Throttled,
    /// Garmin could not be reached, or is in trouble of its own.
    Unreachable,
    /// Garmin answered what is not in the book.
    Unexpected,
    /// Something on this machine; Garmin has no part in it.
    Here,
}

impl Error {
    /// What kind of thing keeps a token away that was asked for and did not come.
    pub fn hindrance(&self) -> Hindrance {
        match self {
            Error::Throttled { .. } => Hindrance::Throttled,
            Error::Unreachable { .. } | Error::ServerTrouble { .. } => Hindrance::Unreachable,
            _ => Hindrance::Unexpected,
        }
    }

    /// Whether Garmin may have acted on the request although this came of it: its answer was lost, cut, or makes no sense.
    pub fn may_have_acted(&self) -> bool {
        match self {
            Error::Unreachable { cause, .. } => *cause != Cause::Connect,
            Error::ServerTrouble { .. } | Error::TooLarge { .. } | Error::Unexpected { .. } => true,
            _ => false,
        }
    }

    /// An answer nobody has seen before.
    pub(crate) fn unexpected(what: impl Into<String>) -> Self {
        Error::Unexpected { what: what.into() }
    }
}
