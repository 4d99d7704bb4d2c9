//! The methods: names, parameters, results; `openrpc` describes them, the door serves them.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Id;
use crate::secret::Secret;
use crate::status::{AccountState, MfaStatus};

/// `status`: the board's snapshot. Never waits.
pub const STATUS: &str = "status";
/// `login.start`: sign in, or join the login that waits for a code.
pub const LOGIN_START: &str = "login.start";
/// `login.submit_mfa`: bring the code.
pub const LOGIN_SUBMIT_MFA: &str = "login.submit_mfa";
/// `login.resend_mfa`: ask Garmin to send the code of a waiting login once more.
pub const LOGIN_RESEND_MFA: &str = "login.resend_mfa";
/// `login.cancel`: give the waiting login up.
pub const LOGIN_CANCEL: &str = "login.cancel";
/// `login.browser`: where a person signs in with their own browser. Sends nothing to Garmin.
pub const LOGIN_BROWSER: &str = "login.browser";
/// `logout`: forget an account's secrets, keep its data.
pub const LOGOUT: &str = "logout";
/// `logout.preview`: what `logout` with `forget_data` would remove. Changes nothing.
pub const LOGOUT_PREVIEW: &str = "logout.preview";
/// `sync.start`: start a run, or join the one under way.
pub const SYNC_START: &str = "sync.start";
/// `sync.cancel`: stop the run under way; what it has stays.
pub const SYNC_CANCEL: &str = "sync.cancel";
/// `accounts.list`: the accounts there are.
pub const ACCOUNTS_LIST: &str = "accounts.list";
/// `doctor`: look for what keeps the daemon from working, and say what to do.
pub const DOCTOR: &str = "doctor";
/// `version`: the daemon's release and protocol.
pub const VERSION: &str = "version";
/// `rpc.discover`: this protocol as an OpenRPC document.
pub const RPC_DISCOVER: &str = "rpc.discover";

/// Notification from the daemon, first line of every connection.
pub const HELLO: &str = "hello";
/// Notification from the daemon during a long call.
pub const PROGRESS: &str = "progress";

/// Parameters of `hello`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// [`crate::PROTOCOL`] of the daemon.
    pub protocol: u32,
    /// The daemon's release.
    pub version: String,
}

/// Parameters of calls that concern one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountParams {
    /// The account; `default` when absent. For `status`: all accounts when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// Parameters of calls that concern no account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// Parameters of `login.start`. It brings one of: e-mail and password, an API key, a browser's ticket, token files. With none of
/// them it only joins a login that waits for its code.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginStart {
    /// The account; made by its first login. `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The e-mail address of the Garmin account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// A Personal API key, instead of e-mail and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// The last day of that key, as the person chose it at Garmin; learned from the token where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_expires: Option<NaiveDate>,
    /// What a browser's sign-in led to, instead of e-mail and password: the whole address, or the ticket in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Secret>,
    /// Token files of another tool, instead of e-mail and password: their contents as they are, in any order. Which tool it was is
    /// found by content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub import: Vec<Secret>,
    /// Ask Garmin once although a cool-down is on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// Parameters of `login.submit_mfa`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitMfa {
    /// The account; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The code as the person typed it; blanks do not matter.
    pub code: Secret,
    /// Only for this challenge; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
}

/// Parameters of `logout`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logout {
    /// The account; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Remove the account's rows and files too. The caller has asked the person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forget_data: bool,
}

/// Result of `logout.preview`, and of `logout` with `forget_data`: what there was of the account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Holdings {
    /// Rows of all tables of `garmin.db`.
    pub rows: u64,
    /// Original files.
    pub files: u64,
    /// Bytes of these files and of the archived answers.
    pub bytes: u64,
}

/// Result of `logout`: where the account stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogoutResult {
    /// The account.
    pub account: String,
    /// `signed_out`, or `cooling_down` where a block lasts on.
    pub state: AccountState,
    /// What was removed with it; absent when its data stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<Holdings>,
}

/// Result of `login.browser`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BrowserSignIn {
    /// The account.
    pub account: String,
    /// The address to open where one is signed in to Garmin Connect. It leads to a page that cannot load; that page's address holds
    /// the ticket.
    pub url: String,
    /// How long a ticket lives, in seconds, as far as anybody knows.
    pub ticket_lives_s: u64,
}

/// Result of `accounts.list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountsList {
    /// Every account, by name.
    pub accounts: Vec<AccountEntry>,
}

/// One account, on a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountEntry {
    /// The name people gave it.
    pub name: String,
    /// Where its sign-in stands.
    pub state: AccountState,
    /// The name Garmin shows.
    pub display_name: Option<String>,
    /// Its region at Garmin, `garmin.com` or `garmin.cn`.
    pub domain: String,
    /// Which credentials it has: `personal`, `account`.
    pub tiers: Vec<String>,
    /// The newest day that holds data.
    pub newest_day: Option<NaiveDate>,
    /// When its next run is planned.
    pub next_at: Option<DateTime<Utc>>,
    /// How many troubles stand.
    pub troubles: u64,
}

/// Result of `doctor`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// What was looked at, in the order of looking.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// A stable word, such as `clock` or `sso`.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
}

/// How something is that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and something is worth a look.
    Warning,
    /// It keeps the daemon, or an account, from working.
    Failed,
    /// It could not be looked at, or does not apply here.
    Skipped,
}

/// Result of `login.start`, `login.submit_mfa`, `login.resend_mfa` and `login.cancel`: where the account stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginResult {
    /// The account.
    pub account: String,
    /// `active`, `awaiting_mfa`, or where a cancelled login left it.
    pub state: AccountState,
    /// The name Garmin shows, once known.
    pub display_name: Option<String>,
    /// The code it waits for.
    pub mfa: Option<MfaStatus>,
    /// True when a login that was already waiting was joined: no second code was sent.
    #[serde(default)]
    pub joined: bool,
}

/// Parameters of `sync.start`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncStart {
    /// The account; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Answer when the run has ended, with `progress` on the way; else at once.
    #[serde(default)]
    pub wait: bool,
    /// First day to read; the configured start when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
    /// Last day to read; today when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Only these datasets; all that are switched on when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<String>,
    /// Read only what `gaps.list` tells; nothing that is held already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still under way (`sync.start` without `wait`).
    Running,
    /// Everything that was wanted is there.
    Ok,
    /// It ended, and some days or files could not be read; they are in the ledger as errors and come again.
    Partial,
    /// Garmin asked for a pause.
    RateLimited,
    /// The day's budget of requests (`[sync] daily_requests`) is used; the mirror goes on at `retry_at`.
    BudgetUsed,
    /// The login is dead.
    LoginNeeded,
    /// Garmin could not be reached, or was in trouble for too long.
    Unreachable,
    /// Garmin answered what makes no sense where a token was due.
    Unexpected,
    /// Somebody stopped it.
    Cancelled,
    /// The daemon stopped under it.
    Interrupted,
    /// The daemon's own disk or database.
    Failed,
}

impl Outcome {
    /// The name used on the wire and in `sync_run.outcome`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::RateLimited => "rate_limited",
            Self::BudgetUsed => "budget_used",
            Self::LoginNeeded => "login_needed",
            Self::Unreachable => "unreachable",
            Self::Unexpected => "unexpected",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// Result of `sync.start` and `sync.cancel`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SyncResult {
    /// The account.
    pub account: String,
    /// The run's number (`sync_run.id`).
    pub sync: i64,
    /// How it ended, or `running`.
    pub outcome: Outcome,
    /// True when a run that was already under way was joined.
    pub joined: bool,
    /// True when the run under way does not bring what was asked for (other days, other datasets, or a login that came after it began):
    /// another follows it at once. Until that has ended, `sync` is the number of the one under way.
    #[serde(default)]
    pub follows: bool,
    /// Requests it sent to Garmin.
    pub requests: u64,
    /// Items (days, activities, files) that are new.
    pub new_items: u64,
    /// Items that changed.
    pub changed_items: u64,
    /// Why it did not end well.
    pub error: Option<String>,
    /// When it makes sense to try again.
    pub retry_at: Option<DateTime<Utc>>,
}

/// Parameters of the `progress` notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// The request this belongs to.
    pub request: Id,
    /// What happens now, for people.
    pub text: String,
    /// Steps done; absent where they cannot be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    /// Steps in all, as far as known now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The dataset being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
}

/// Result of `version`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionResult {
    /// The daemon's release.
    pub version: String,
    /// [`crate::PROTOCOL`] of the daemon.
    pub protocol: u32,
}
