//! A client of Garmin's services: the sign-in flows with their codes, the token services of both tiers,
//! and data requests. The daemon's account room signs in and keeps tokens with it, the sync room asks for data
//! through it. It knows Garmin and nothing of accounts, stores or schedules: it keeps no state of its own (but for how Garmin's
//! clock differs from this machine's), writes nothing to disk, and repeats a request only where Garmin's own rules say that a repetition is harmless.
//!
//! Garmin publishes a specification only for the Personal API; everything about the account tier is observed
//! behaviour, and can change any morning. What is known is written at the place that relies on it.

mod answers;
mod browser;
mod client;
mod data;
mod error;
mod flow;
mod import;
mod jar;
mod json;
mod page;
mod probe;
mod settings;
mod sign_in;
mod token_service;
mod tokens;
mod widget;

pub use browser::NotATicket;
pub use client::{Garmin, Throttle};
pub use data::{Accept, Answer, Fetched, Get, Profile, Tier, TokenSource};
pub use error::{Cause, Error, Hindrance, NoToken};
pub use flow::Flow;
pub use import::{Import, NotImportable, Tool};
pub use probe::{Outcome, Probed, Service};
pub use settings::{CLIENT_IDS, Domain, Endpoints, Pauses, Settings, Timeouts, check_base_url};
pub use sign_in::{Credentials, PendingSignIn, SignIn, Ticket};
pub use tokens::{PersonalToken, Tokens};

/// How much of an answer is read, in bytes. Counted while the chunks arrive: `Content-Length` is only a claim.
pub mod limits {
    /// Garmin's sign-in pages: of most only the cookies are wanted, but a page has to be read for the connection to live on.
    pub const SIGN_IN_PAGE: u64 = 4 * 1024 * 1024;
    /// An answer of the sign-in services: a kilobyte of JSON, or the HTML of an edge that refuses.
    pub const SIGN_IN: u64 = 256 * 1024;
    /// An answer of a token service: about four kilobytes.
    pub const TOKEN: u64 = 64 * 1024;
    /// JSON data. The largest known answers are days of samples and pages of activities, below one megabyte; a row takes several times
    /// its size while it is stored.
    pub const JSON: u64 = 8 * 1024 * 1024;
    /// A file, such as the zip around an original recording.
    pub const FILE: u64 = 64 * 1024 * 1024;
}
