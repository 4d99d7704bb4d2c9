//! The ledger's words and its one rule: how a new mark joins what is known about an (account, dataset, item). The store calls the rule
//! inside its transactions; sync makes the marks. It must not know SQL or what a dataset is.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// What is known about one (account, dataset, item).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Garmin answered with data, and they are final.
    Ok,
    /// Garmin answered that there is nothing.
    Empty,
    /// Garmin answered, and the answer may still change.
    Provisional,
    /// No answer that can be believed, and never one before.
    Error,
    /// This account cannot have it.
    Unavailable,
}

impl State {
    /// The word in the `ledger` table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Empty => "empty",
            Self::Provisional => "provisional",
            Self::Error => "error",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Ok, Self::Empty, Self::Provisional, Self::Error, Self::Unavailable]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("state {word:?}"))
    }
}

/// What one fetch found out about one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// A day (`2026-10-21`) or an activity id.
    pub item: String,
    /// What was found.
    pub state: State,
    /// A few words for people, never an answer's body.
    pub detail: Option<String>,
}

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The dataset.
    pub dataset: String,
    /// A day (`2026-10-21`) or an activity id.
    pub item: String,
    /// What is known.
    pub state: State,
    /// When Garmin last answered for it, UTC; where it never did, when it was last tried.
    pub fetched_utc: DateTime<Utc>,
    /// Failures in a row since the last answer.
    pub attempts: u32,
    /// Of the last mark.
    pub detail: Option<String>,
}

/// A ledger row without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub state: State,
    pub fetched_utc: DateTime<Utc>,
    pub attempts: u32,
    pub detail: Option<String>,
}

/// Joins `mark`, made at `at`, to what was known. Data that were once received are never marked away: then `Empty` and `Unavailable`
/// only move `fetched_utc`, and `Error` only counts. `ok` always stands for data; `provisional` does where `has_answer`, because a
/// recent day may be provisional and still without any.
pub(crate) fn merge(old: Option<Standing>, has_answer: bool, mark: &Mark, at: DateTime<Utc>) -> Standing {
    let attempts = old.as_ref().map_or(0, |old| old.attempts);
    let held = old.filter(|old| match old.state {
        State::Ok => true,
        State::Provisional => has_answer,
        State::Empty | State::Error | State::Unavailable => false,
    });
    let detail = mark.detail.clone();
    match mark.state {
        State::Ok | State::Provisional => Standing { state: mark.state, fetched_utc: at, attempts: 0, detail },
        State::Empty | State::Unavailable => {
            Standing { state: held.map_or(mark.state, |held| held.state), fetched_utc: at, attempts: 0, detail }
        }
        State::Error => {
            let (state, fetched_utc) = held.map_or((State::Error, at), |held| (held.state, held.fetched_utc));
            Standing { state, fetched_utc, attempts: attempts.saturating_add(1), detail }
        }
    }
}
