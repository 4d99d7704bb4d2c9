//! What is asked of the sync room and what it answers: requests, refusals, runs that were started, reports. The door and the clock use
//! it. It must not know how a run works.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio::sync::watch;

use super::plan::EARLIEST;
use crate::report::{Reporter, Step};

/// What was read so shortly before a run that goes on with another is not read again by it.
const A_MOMENT: TimeDelta = TimeDelta::hours(1);

/// Of a day whose budget is used, for people.
pub const SPENT: &str = "today's budget of requests is used ([sync] daily_requests)";

/// Why a run is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The clock.
    Schedule,
    /// A login has just succeeded.
    Login,
    /// The last run was cut off with its daemon.
    Resume,
    /// A person.
    Manual,
}

impl Trigger {
    /// As in `sync_run.trigger`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Login => "login",
            Self::Resume => "resume",
            Self::Manual => "manual",
        }
    }

    /// What was read so shortly ago, or as its dataset says, is not read again; `None`: a person asked, and what is held may be edited. After
    /// a login, or where the last run was cut off, nothing is new since the minutes before.
    pub fn rest(self) -> Option<TimeDelta> {
        match self {
            Self::Manual => None,
            Self::Schedule => Some(TimeDelta::zero()),
            Self::Resume | Self::Login => Some(A_MOMENT),
        }
    }
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Request {
    /// Of which account.
    pub account: String,
    /// Why.
    pub trigger: Trigger,
    /// Only days from this one on; it may lie before the configured start.
    pub since: Option<NaiveDate>,
    /// Only days up to this one.
    pub until: Option<NaiveDate>,
    /// Only these datasets; all that are switched on when empty.
    pub datasets: Vec<String>,
    /// Only what is missing; nothing that is held is read again.
    pub missing: bool,
}

/// Why no run was started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No account of that name.
    #[error("there is no such account")]
    UnknownAccount,
    /// No dataset of that name.
    #[error("there is no dataset {0}")]
    UnknownDataset(String),
    /// The account has no working login; why, for people.
    #[error("a login is needed: {0}")]
    LoginNeeded(String),
    /// Garmin asked for a pause.
    #[error("Garmin asked for a pause until {until}")]
    Paused {
        /// Its end.
        until: DateTime<Utc>,
    },
    /// The day's budget of requests is used.
    #[error("today's budget of requests is used until {until}")]
    BudgetUsed {
        /// When the next day begins.
        until: DateTime<Utc>,
    },
    /// As many runs as may wait for the one under way.
    #[error("too many syncs of this account wait for the one under way")]
    TooManyWait,
    /// The records cannot be read.
    #[error("{0}")]
    Storage(String),
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    ShuttingDown,
    /// The range holds no day that has begun, or reaches back before [`EARLIEST`].
    #[error("the range holds no day that has begun, or begins before {EARLIEST}")]
    BadRange,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that was wanted is there.
    Ok,
    /// Some of it could not be read; it is in the ledger and comes again.
    Partial,
    /// Garmin asked for a pause.
    RateLimited,
    /// The day's budget of requests is used; what is left comes on the next ones.
    BudgetUsed,
    /// The login is dead.
    LoginNeeded,
    /// Garmin could not be reached, or was in trouble.
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
    /// As in `sync_run.outcome`.
    pub fn as_str(self) -> &'static str {
        match self {
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

/// How a run went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its number in the store; 0 if it never got one.
    pub run: i64,
    /// How it ended.
    pub outcome: Outcome,
    /// Requests it sent to Garmin.
    pub requests: u64,
    /// Items (days, activities, files) that are new.
    pub new_items: u64,
    /// Items that changed.
    pub changed_items: u64,
    /// Why it did not end well, for people.
    pub error: Option<String>,
    /// When it makes sense to try again.
    pub retry_at: Option<DateTime<Utc>>,
    /// Only one tier has to wait so long; what the other serves was read.
    pub served_in_part: bool,
}

impl Report {
    pub(super) fn failed(run: i64, error: impl ToString) -> Self {
        Self { run, outcome: Outcome::Failed, error: Some(error.to_string()), ..Self::cancelled() }
    }

    /// Of a run that was stopped before it began.
    pub(super) fn cancelled() -> Self {
        let outcome = Outcome::Cancelled;
        Self {
            run: 0,
            outcome,
            requests: 0,
            new_items: 0,
            changed_items: 0,
            error: None,
            retry_at: None,
            served_in_part: false,
        }
    }
}

impl From<Refused> for Report {
    /// What those hear who waited for a run that cannot begin now.
    fn from(refused: Refused) -> Self {
        let (outcome, error, retry_at) = match refused {
            Refused::Paused { until } => (Outcome::RateLimited, Some("Garmin asks to wait".into()), Some(until)),
            Refused::BudgetUsed { until } => (Outcome::BudgetUsed, Some(SPENT.into()), Some(until)),
            Refused::LoginNeeded(why) => (Outcome::LoginNeeded, Some(why), None),
            Refused::ShuttingDown => (Outcome::Interrupted, None, None),
            other => (Outcome::Failed, Some(other.to_string()), None),
        };
        Self { outcome, error, retry_at, ..Self::cancelled() }
    }
}

/// A run under way, or just over.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its number in the store.
    pub run: i64,
    /// It was under way already.
    pub joined: bool,
    /// What is wanted begins when the run under way, whose number this is, is over: that one does not bring it.
    pub follows: bool,
    pub(super) live: watch::Receiver<Live>,
}

/// What those who wait for a run can see of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    pub step: Option<Step>,
    pub report: Option<Report>,
}

impl Started {
    /// Waits until it is over, telling the steps on the way.
    pub async fn finished(&mut self, reporter: Reporter) -> Report {
        loop {
            let Live { step, report } = self.live.borrow_and_update().clone();
            if let Some(report) = report {
                return report;
            }
            if let Some(step) = step {
                reporter.say(step);
            }
            if self.live.changed().await.is_err() {
                return Report::failed(self.run, "the run has died; the daemon's log knows more");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_for_a_run_that_cannot_begin_hears_why_and_until_when() {
        let until = Utc::now();
        for (refused, outcome, retry_at) in [
            (Refused::Paused { until }, Outcome::RateLimited, Some(until)),
            (Refused::BudgetUsed { until }, Outcome::BudgetUsed, Some(until)),
            (Refused::LoginNeeded("x".into()), Outcome::LoginNeeded, None),
            (Refused::ShuttingDown, Outcome::Interrupted, None),
            (Refused::Storage("x".into()), Outcome::Failed, None),
        ] {
            let report = Report::from(refused);
            assert_eq!((report.run, report.outcome, report.retry_at), (0, outcome, retry_at));
        }
    }
}
