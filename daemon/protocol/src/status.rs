//! What is true now, as `status` tells it. Times are UTC, written as RFC 3339 text.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WayIn;

/// Answer of `status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The daemon's release.
    pub version: String,
    /// When the daemon started.
    pub started_at: DateTime<Utc>,
    /// The daemon's process id.
    pub pid: u32,
    /// Every account, by name.
    pub accounts: Vec<AccountStatus>,
    /// Standing troubles of the daemon itself (an unreadable vault, a full disk).
    pub troubles: Vec<Trouble>,
}

/// Where an account's sign-in stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Nobody has signed in, or somebody signed out.
    SignedOut,
    /// E-mail and password are with Garmin.
    SigningIn,
    /// Garmin sent a code; the login waits for it.
    AwaitingMfa,
    /// The code is with Garmin.
    CheckingCode,
    /// The login works.
    Active,
    /// The login is dead; a person has to sign in again. The data stay.
    LoginNeeded,
    /// Garmin refused the sign-in; the daemon waits before another is allowed.
    CoolingDown,
}

impl AccountState {
    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SigningIn => "signing_in",
            Self::AwaitingMfa => "awaiting_mfa",
            Self::CheckingCode => "checking_code",
            Self::Active => "active",
            Self::LoginNeeded => "login_needed",
            Self::CoolingDown => "cooling_down",
        }
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountStatus {
    /// The name people gave it.
    pub name: String,
    /// Where its sign-in stands.
    pub state: AccountState,
    /// Why it stands there, in words; absent when all is well.
    pub reason: Option<String>,
    /// The way in that is left where Garmin lets no program sign the account in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<WayIn>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When a cool-down ends.
    pub until: Option<DateTime<Utc>>,
    /// The name Garmin shows.
    pub display_name: Option<String>,
    /// Its region at Garmin, `garmin.com` or `garmin.cn`.
    #[serde(default)]
    pub domain: String,
    /// Its two doors to Garmin, as far as it has them.
    pub tiers: Tiers,
    /// The code it waits for.
    pub mfa: Option<MfaStatus>,
    /// Its mirror.
    pub sync: SyncStatus,
    /// What stands wrong and what to type.
    pub troubles: Vec<Trouble>,
}

/// The two tiers of an account; absent when it has no credential for one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tiers {
    /// The account login.
    pub account: Option<TierStatus>,
    /// The Personal API key.
    pub personal: Option<TierStatus>,
}

/// One credential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TierStatus {
    /// `active`, or `login_needed` when Garmin refused it for good.
    pub state: AccountState,
    /// End of the access token in use.
    pub access_expires_at: Option<DateTime<Utc>>,
    /// End of the refresh token (account tier).
    pub refresh_expires_at: Option<DateTime<Utc>>,
    /// End of the key, where known (Personal tier).
    pub key_expires_at: Option<DateTime<Utc>>,
    /// When a token was last renewed.
    pub last_refresh_at: Option<DateTime<Utc>>,
}

/// The code a login waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MfaStatus {
    /// Names this challenge; a new login has another.
    pub challenge: String,
    /// `email`, `sms` or `authenticator`, as Garmin says it.
    pub method: String,
    /// The masked destination, where Garmin tells it.
    pub sent_to: Option<String>,
    /// When the login stops waiting.
    pub expires_at: DateTime<Utc>,
    /// Codes that may still be tried.
    pub attempts_left: u32,
    /// A code was to be sent and Garmin could not be asked for it yet; `login.resend_mfa` asks again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsent: bool,
    /// From when on the code may be asked for once more (`login.resend_mfa`); absent where that is not possible.
    #[serde(default)]
    pub resend_at: Option<DateTime<Utc>>,
}

/// What the mirror is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Nothing under way.
    #[default]
    Idle,
    /// A run is under way.
    Running,
    /// Garmin asked for a pause; `paused_until` tells its end.
    Paused,
}

/// An account's mirror.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SyncStatus {
    /// Whether a run is under way.
    pub state: SyncState,
    /// Share of the run's requests that are done, 0–1; absent when idle.
    pub progress: Option<f64>,
    /// The dataset being read; absent when idle.
    pub dataset: Option<String>,
    /// End of the last run without an error.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// What stopped the last run, if it did not end well.
    pub last_error: Option<String>,
    /// When the next run is planned.
    pub next_at: Option<DateTime<Utc>>,
    /// End of the pause that Garmin asked for.
    #[serde(default)]
    pub paused_until: Option<DateTime<Utc>>,
    /// Data requests sent to Garmin today (the daemon's local day).
    pub requests_today: u64,
    /// How fast Garmin is asked, by tier.
    #[serde(default)]
    pub queues: Queues,
    /// The mirror has no unread day from this one on.
    pub complete_from: Option<NaiveDate>,
    /// The newest day that holds data.
    pub newest_day: Option<NaiveDate>,
    /// Days, files and items (over all datasets) that are wanted and missing, as `gaps.list` tells them.
    pub gaps: u64,
    /// How many of the gaps are of datasets that Garmin does not serve to this account for now, by dataset.
    #[serde(default)]
    pub not_served: BTreeMap<String, u64>,
}

/// The queues of requests of an account, one a tier that it has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Queues {
    /// To the account tier.
    pub account: Option<QueueStatus>,
    /// To the Personal API.
    pub personal: Option<QueueStatus>,
}

/// How fast one tier is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct QueueStatus {
    /// Data requests sent today (the daemon's local day).
    pub requests_today: u64,
    /// Requests that today's budget still allows; absent: no limit.
    pub budget_left: Option<u64>,
    /// Least milliseconds between the starts of two requests, as it is now.
    pub gap_ms: u64,
    /// End of the pause that Garmin asked for.
    pub paused_until: Option<DateTime<Utc>>,
    /// When Garmin last asked to slow down (429).
    pub throttled_at: Option<DateTime<Utc>>,
}

/// Something that stands wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trouble {
    /// A stable word.
    pub kind: String,
    /// What is wrong and what is safe.
    pub text: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// What to type.
    pub hint: Option<String>,
}
