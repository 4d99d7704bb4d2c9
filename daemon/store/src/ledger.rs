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
    /// When the first of these failures was, or since when this account cannot have it; `None` where all is well.
    pub since_utc: Option<DateTime<Utc>>,
    /// Of the last mark.
    pub detail: Option<String>,
}

/// A ledger row without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub state: State,
    pub fetched_utc: DateTime<Utc>,
    pub attempts: u32,
    pub since_utc: Option<DateTime<Utc>>,
    pub detail: Option<String>,
}

/// Joins `mark`, made at `at`, to what was known. Data that were once received are never marked away: then `Empty` and `Unavailable`
/// only move `fetched_utc`, and `Error` only counts. `ok` always stands for data; `provisional` does where `has_answer`, because a
/// recent day may be provisional and still without any.
pub(crate) fn merge(old: Option<Standing>, has_answer: bool, mark: &Mark, at: DateTime<Utc>) -> Standing {
    let attempts = old.as_ref().map_or(0, |old| old.attempts);
    // A row from before there was this column knows no more than when it last failed.
    let failed = |old: &Standing| matches!(old.state, State::Error | State::Unavailable).then_some(old.fetched_utc);
    let since_utc = old.as_ref().and_then(|old| old.since_utc.or_else(|| failed(old))).or(Some(at));
    let held = old.filter(|old| match old.state {
        State::Ok => true,
        State::Provisional => has_answer,
        State::Empty | State::Error | State::Unavailable => false,
    });
    let detail = mark.detail.clone();
    match mark.state {
        State::Ok | State::Provisional => {
            Standing { state: mark.state, fetched_utc: at, attempts: 0, since_utc: None, detail }
        }
        State::Empty | State::Unavailable => {
            let state = held.map_or(mark.state, |held| held.state);
            let since_utc = since_utc.filter(|_| state == State::Unavailable);
            Standing { state, fetched_utc: at, attempts: 0, since_utc, detail }
        }
        State::Error => {
            let (state, fetched_utc) = held.map_or((State::Error, at), |held| (held.state, held.fetched_utc));
            Standing { state, fetched_utc, attempts: attempts.saturating_add(1), since_utc, detail }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn mark(state: State) -> Mark {
        Mark { item: "2026-10-21".into(), state, detail: Some(format!("said {state}")) }
    }

    #[test]
    fn every_state_meets_every_mark() {
        use State::{Empty, Error, Ok, Provisional, Unavailable};
        let state_after = |old: Option<State>, has_answer, new| {
            let old =
                old.map(|state| Standing { state, fetched_utc: time(0), attempts: 0, since_utc: None, detail: None });
            merge(old, has_answer, &mark(new), time(1)).state
        };
        // In the order of the marks: ok, empty, provisional, error, unavailable.
        let marks = [Ok, Empty, Provisional, Error, Unavailable];
        let as_marked = marks;
        let table = [
            (None, false, as_marked),
            (Some(Empty), false, as_marked),
            (Some(Error), false, as_marked),
            (Some(Unavailable), false, as_marked),
            (Some(Provisional), false, as_marked),
            (Some(Provisional), true, [Ok, Provisional, Provisional, Provisional, Provisional]),
            (Some(Ok), false, [Ok, Ok, Provisional, Ok, Ok]),
            (Some(Ok), true, [Ok, Ok, Provisional, Ok, Ok]),
        ];
        for (old, has_answer, after) in table {
            assert_eq!(marks.map(|new| state_after(old, has_answer, new)), after, "{old:?}, answer {has_answer}");
        }
    }

    #[test]
    fn the_words_are_read_back() {
        for state in [State::Ok, State::Empty, State::Provisional, State::Error, State::Unavailable] {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("fine".parse::<State>().is_err());
    }

    proptest! {
        /// Any history of marks, where data, once received, stay archived.
        #[test]
        fn data_are_never_marked_away(history in proptest::collection::vec((0..5_usize, any::<bool>()), 1..40)) {
            let states = [State::Ok, State::Empty, State::Provisional, State::Error, State::Unavailable];
            let (mut standing, mut has_answer, mut failures, mut answered, mut first) = (None, false, 0, None, None);
            for (step, (state, data)) in history.into_iter().enumerate() {
                let (state, at) = (states[state], time(i64::try_from(step).unwrap()));
                has_answer |= state == State::Ok || (state == State::Provisional && data);
                let new = merge(standing.take(), has_answer, &mark(state), at);
                failures = if state == State::Error { failures + 1 } else { 0 };
                let fails = failures > 0 || new.state == State::Unavailable;
                first = if fails { first.or(Some(at)) } else { None };
                prop_assert_eq!(new.since_utc, first);
                if state != State::Error {
                    answered = Some(at);
                }
                prop_assert_eq!(new.attempts, failures);
                prop_assert_eq!(new.detail.clone(), mark(state).detail);
                if has_answer {
                    prop_assert!(matches!(new.state, State::Ok | State::Provisional));
                    prop_assert_eq!(Some(new.fetched_utc), answered);
                } else if state == State::Error {
                    prop_assert_eq!(new.state, State::Error);
                    prop_assert_eq!(new.fetched_utc, at);
                } else {
                    prop_assert_eq!(new.state, state);
                }
                standing = Some(new);
            }
        }
    }
}
