//! What the ledger tells people: gaps, runs, datasets. Parameters and results of `gaps.list`, `sync.history` and `datasets.list`.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::Outcome;

/// `gaps.list`: what is wanted and missing, and why.
pub const GAPS_LIST: &str = "gaps.list";
/// `sync.history`: the runs, newest first.
pub const SYNC_HISTORY: &str = "sync.history";
/// `datasets.list`: what can be mirrored, what is held of it, what it costs.
pub const DATASETS_LIST: &str = "datasets.list";

/// Parameters of `gaps.list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GapsParams {
    /// The account; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Only these datasets; all that are switched on when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<String>,
}

/// Result of `gaps.list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GapsList {
    /// The account.
    pub account: String,
    /// By dataset, newest first.
    pub gaps: Vec<Gap>,
    /// Further gaps that are not in this answer because it would be too long.
    pub more: u64,
    /// Days, files and items that are missing in all, those of the further gaps too; as `status` counts them.
    #[serde(default)]
    pub missing: u64,
    /// Nothing is read before somebody signs in.
    #[serde(default)]
    pub login_needed: bool,
}

/// Days in a row, or a number of files or other items, of one dataset that are missing for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// The dataset.
    pub dataset: String,
    /// First day; of files the oldest activity's. Absent where no day is known.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
    /// How many are missing.
    pub missing: u64,
    /// Of what.
    pub unit: GapUnit,
    /// What the ledger says of them.
    pub state: GapState,
    /// Why, in words.
    pub detail: Option<String>,
    /// Since when; absent for what was never tried.
    pub since: Option<DateTime<Utc>>,
    /// Tries in a row that failed, the most of any of them.
    pub attempts: u32,
    /// When it is tried next, as far as is known; absent when nothing is planned.
    pub next_at: Option<DateTime<Utc>>,
    /// It failed too often, and no sync tries it before; absent where any may.
    #[serde(default)]
    pub rests_until: Option<DateTime<Utc>>,
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapUnit {
    /// Days.
    Day,
    /// Original files.
    File,
    /// Things without a day of their own.
    Item,
}

/// What the ledger says of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapState {
    /// Not read yet.
    Unread,
    /// Garmin was asked, and there was no answer that can be believed.
    Error,
    /// Garmin does not serve it to this account.
    Unavailable,
}

impl GapState {
    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Error => "error",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Parameters of `sync.history`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryParams {
    /// The account; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How many runs, at most 500; 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
}

/// Result of `sync.history`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// The account.
    pub account: String,
    /// Newest first.
    pub runs: Vec<RunEntry>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunEntry {
    /// Its number (`sync_run.id`).
    pub sync: i64,
    /// Why it was wanted: `schedule`, `login`, `resume`, `manual`.
    pub trigger: String,
    /// How it ended, or `running`.
    pub outcome: Outcome,
    /// Its beginning.
    pub started_at: DateTime<Utc>,
    /// Its end; absent while it runs, and where the daemon was killed under it.
    pub ended_at: Option<DateTime<Utc>>,
    /// Seconds from beginning to end.
    pub duration_s: Option<u64>,
    /// Requests it sent to Garmin.
    pub requests: u64,
    /// Bytes it received.
    pub bytes: u64,
    /// Items (days, activities, files) that were new.
    pub new_items: u64,
    /// Items that had changed.
    pub changed_items: u64,
    /// Why it did not end well.
    pub error: Option<String>,
}

/// Result of `datasets.list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetsList {
    /// The account.
    pub account: String,
    /// Every dataset, by name.
    pub datasets: Vec<DatasetEntry>,
}

/// One dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetEntry {
    /// Its name, as in `[datasets]`, `--dataset` and the ledger.
    pub name: String,
    /// One line about it.
    pub about: String,
    /// The words under which `[datasets]` switches it together with others.
    pub groups: Vec<String>,
    /// Whether it is mirrored.
    pub on: bool,
    /// `day`, or `intraday` for samples within a day.
    pub lane: String,
    /// The tiers that serve it, the preferred one first: `personal`, `account`.
    pub tiers: Vec<String>,
    /// Whether the account has a credential for one of them.
    pub reachable: bool,
    /// Days (or activities, files, items) whose data are held.
    pub held: u64,
    /// The oldest day that holds data.
    pub oldest: Option<NaiveDate>,
    /// The newest day that holds data.
    pub newest: Option<NaiveDate>,
    /// When Garmin last answered for any of it.
    pub last_read_at: Option<DateTime<Utc>>,
    /// Days, files or items that are missing.
    pub missing: u64,
    /// Requests that reading a year of it costs, by the preferred tier; absent where it costs one for each activity.
    pub requests_per_year: Option<u32>,
}
