//! The methods: what callers may ask, which room answers, and how its answer is said in the protocol's words. `connection` hands calls
//! over. It must not touch frames or sockets.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};
use garminsync_protocol::{
    ACCOUNTS_LIST, AccountEntry, AccountParams, AccountStatus, AccountsList, DATASETS_LIST, DEFAULT_ACCOUNT, DOCTOR,
    Failure, GAPS_LIST, Holdings, Kind, LOGIN_BROWSER, LOGIN_CANCEL, LOGIN_RESEND_MFA, LOGIN_START, LOGIN_SUBMIT_MFA,
    LOGOUT, LOGOUT_PREVIEW, LoginResult, LoginStart, Logout, LogoutResult, NoParams, Outcome, PROTOCOL, RPC_DISCOVER,
    RpcError, STATUS, SYNC_CANCEL, SYNC_HISTORY, SYNC_START, SubmitMfa, SyncResult, SyncStart, VERSION, VersionResult,
    openrpc,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::Rooms;
use super::connection::{Answer, Called, Desk, Work};
use super::ledger;
use crate::board::Board;
use crate::config::{ACCOUNT_NAMES, valid_account_name};
use crate::doctor::Doctor;
use crate::report::Reporter;
use crate::sync::{self, SPENT, plan::EARLIEST};

/// The desk in front of the rooms.
pub struct Counter {
    pub rooms: Rooms,
    pub shutdown: CancellationToken,
}

/// The desk while the vault waits for its key: no room is open yet.
pub struct Closed {
    pub board: Board,
    pub doctor: Doctor,
}

impl Desk for Closed {
    fn call(&self, method: &str, params: Value) -> Called {
        Called::Now(match method {
            STATUS => read(params).and_then(|AccountParams { .. }| said(self.board.snapshot().as_ref())),
            VERSION => read(params).and_then(|AccountParams { .. }| version()),
            RPC_DISCOVER => Ok(openrpc::document()),
            DOCTOR => return look(&self.doctor, params),
            _ => {
                let why = self.board.snapshot().troubles.first().map(|trouble| trouble.text.clone());
                Err(Failure::new(Kind::Storage, why.unwrap_or_default()).into())
            }
        })
    }
}

impl Desk for Counter {
    fn call(&self, method: &str, params: Value) -> Called {
        let answer = match method {
            STATUS => read(params).and_then(|params| self.status(params)),
            VERSION => read(params).and_then(|AccountParams { .. }| version()),
            RPC_DISCOVER => Ok(openrpc::document()),
            LOGIN_START => {
                return self.later(params, |rooms, params: LoginStart, reporter, _| async move {
                    said(rooms.accounts.login(params, reporter).await?)
                });
            }
            LOGIN_SUBMIT_MFA => {
                return self.later(params, |rooms, params: SubmitMfa, reporter, _| async move {
                    said(rooms.accounts.submit_mfa(params, reporter).await?)
                });
            }
            LOGIN_RESEND_MFA => {
                return self.later(params, |rooms, params: AccountParams, reporter, _| async move {
                    said(rooms.accounts.resend_mfa(account_of(&params), reporter).await?)
                });
            }
            LOGIN_BROWSER => read(params).and_then(|params| self.browser(params)),
            LOGIN_CANCEL => {
                return self.later(params, |rooms, params: AccountParams, _, _| async move {
                    said(rooms.accounts.cancel_login(account_of(&params)).await?)
                });
            }
            LOGOUT => {
                return self.later(params, |rooms, params: Logout, reporter, _| async move {
                    said(log_out(rooms, params, reporter).await?)
                });
            }
            LOGOUT_PREVIEW => {
                return self.later(params, |rooms, params: AccountParams, _, _| async move {
                    said(preview(rooms, account_of(&params)).await?)
                });
            }
            DOCTOR => return look(&self.rooms.doctor, params),
            ACCOUNTS_LIST => read(params).and_then(|NoParams {}| self.accounts()),
            SYNC_START => return self.later(params, start_sync),
            GAPS_LIST => return self.later(params, ledger::gaps),
            SYNC_HISTORY => return self.later(params, ledger::history),
            DATASETS_LIST => return self.later(params, ledger::datasets),
            SYNC_CANCEL => read(params).and_then(|params| self.cancel_sync(params)),
            unknown => Err(RpcError::UnknownMethod(unknown.into())),
        };
        Called::Now(answer)
    }
}

impl Counter {
    /// A call that takes time: refused at once when its parameters do not fit or the daemon stops.
    fn later<P, F>(&self, params: Value, work: fn(Rooms, P, Reporter, CancellationToken) -> F) -> Called
    where
        P: DeserializeOwned + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        if self.shutdown.is_cancelled() {
            return Called::Now(Err(stopping().into()));
        }
        match read::<P>(params) {
            Err(error) => Called::Now(Err(error)),
            Ok(params) => {
                let (rooms, shutdown) = (self.rooms.clone(), self.shutdown.clone());
                Called::Later(Box::new(move |reporter| Box::pin(work(rooms, params, reporter, shutdown)) as Work))
            }
        }
    }

    fn status(&self, params: AccountParams) -> Answer {
        let mut status = self.rooms.board.snapshot().as_ref().clone();
        if let Some(account) = params.account {
            status.accounts.retain(|known| known.name == account);
            if status.accounts.is_empty() {
                return Err(unknown_account(&account).into());
            }
        }
        said(status)
    }

    fn accounts(&self) -> Answer {
        said(AccountsList { accounts: self.rooms.board.snapshot().accounts.iter().map(entry).collect() })
    }

    fn browser(&self, params: AccountParams) -> Answer {
        said(self.rooms.accounts.browser(account_of(&params))?)
    }

    fn cancel_sync(&self, params: AccountParams) -> Answer {
        let account = account_of(&params);
        match self.rooms.syncs.cancel(account) {
            Some(started) => said(SyncResult { outcome: Outcome::Cancelled, ..under_way(account, &started) }),
            None => Err(Failure::new(Kind::InvalidArgument, format!("no sync of {account} is under way")).into()),
        }
    }
}

fn entry(account: &AccountStatus) -> AccountEntry {
    let tiers = [("personal", &account.tiers.personal), ("account", &account.tiers.account)];
    AccountEntry {
        name: account.name.clone(),
        state: account.state,
        display_name: account.display_name.clone(),
        domain: account.domain.clone(),
        tiers: tiers.iter().filter(|(_, tier)| tier.is_some()).map(|(name, _)| (*name).into()).collect(),
        newest_day: account.sync.newest_day,
        next_at: account.sync.next_at,
        troubles: account.troubles.len() as u64,
    }
}

/// Signs out; the data go too if that was asked, and whatever becomes of that, the secrets are gone by then.
async fn log_out(rooms: Rooms, params: Logout, reporter: Reporter) -> Result<LogoutResult, Failure> {
    let account = params.account.as_deref().unwrap_or(DEFAULT_ACCOUNT);
    let LoginResult { account, state, .. } = rooms.accounts.logout(account, params.forget_data).await?;
    let mut forgotten = None;
    if params.forget_data {
        let gone = rooms.syncs.forget(&account, &reporter).await.map_err(|why| {
            let words = format!(
                "Signed out of {account}, but not all of its data could be removed ({why}). \
                 Type the same once more, or restart the daemon: it goes on where it was."
            );
            Failure::new(Kind::Storage, words)
        })?;
        forgotten = Some(Holdings { rows: gone.rows, files: gone.files, bytes: gone.bytes });
    }
    Ok(LogoutResult { account, state, forgotten })
}

async fn preview(rooms: Rooms, account: &str) -> Result<Holdings, Failure> {
    if !rooms.accounts.all_names().iter().any(|name| name == account) {
        return Err(unknown_account(account));
    }
    let held = rooms.syncs.holdings(account).await.map_err(|why| Failure::new(Kind::Storage, why))?;
    Ok(Holdings { rows: held.rows, files: held.files, bytes: held.bytes })
}

async fn start_sync(rooms: Rooms, params: SyncStart, reporter: Reporter, shutdown: CancellationToken) -> Answer {
    let account = params.account.unwrap_or_else(|| DEFAULT_ACCOUNT.into());
    let request = sync::Request {
        account: account.clone(),
        trigger: sync::Trigger::Manual,
        since: params.since,
        until: params.until,
        datasets: params.datasets,
        missing: params.missing,
    };
    let mut started = rooms.syncs.start(request).await.map_err(|why| refused(&account, why))?;
    let begun = under_way(&account, &started);
    if !params.wait {
        return said(begun);
    }
    let report = tokio::select! {
        report = started.finished(reporter.clone()) => report,
        () = shutdown.cancelled() => return Err(stopping().into()),
        // The caller has hung up; the run goes on without them.
        () = reporter.unheard() => return said(begun),
    };
    said(SyncResult {
        // Where it had to wait for another, only now has it a number of its own.
        sync: if report.run > 0 { report.run } else { begun.sync },
        outcome: outcome(report.outcome),
        requests: report.requests,
        new_items: report.new_items,
        changed_items: report.changed_items,
        error: report.error,
        retry_at: report.retry_at.map(|at| at.trunc_subsecs(0)),
        ..begun
    })
}

fn under_way(account: &str, started: &sync::Started) -> SyncResult {
    SyncResult {
        account: account.into(),
        sync: started.run,
        outcome: Outcome::Running,
        joined: started.joined,
        follows: started.follows,
        requests: 0,
        new_items: 0,
        changed_items: 0,
        error: None,
        retry_at: None,
    }
}

fn outcome(outcome: sync::Outcome) -> Outcome {
    match outcome {
        sync::Outcome::Ok => Outcome::Ok,
        sync::Outcome::Partial => Outcome::Partial,
        sync::Outcome::RateLimited => Outcome::RateLimited,
        sync::Outcome::BudgetUsed => Outcome::BudgetUsed,
        sync::Outcome::LoginNeeded => Outcome::LoginNeeded,
        sync::Outcome::Unreachable => Outcome::Unreachable,
        sync::Outcome::Unexpected => Outcome::Unexpected,
        sync::Outcome::Cancelled => Outcome::Cancelled,
        sync::Outcome::Interrupted => Outcome::Interrupted,
        sync::Outcome::Failed => Outcome::Failed,
    }
}

pub(super) fn refused(account: &str, why: sync::Refused) -> Failure {
    use sync::Refused;
    match why {
        Refused::UnknownAccount => unknown_account(account),
        Refused::UnknownDataset(name) => {
            let shown: String = name.chars().take(64).collect();
            Failure::new(Kind::UnknownDataset, format!("there is no dataset {shown:?}"))
        }
        Refused::LoginNeeded(why) => Failure::new(Kind::LoginNeeded, why),
        Refused::Paused { until } => {
            let seconds = (until - Utc::now()).num_seconds().max(1).unsigned_abs();
            let until = moment(until, Utc::now());
            let words = format!("Garmin asked for a pause; the mirror goes on by itself after {until}");
            Failure::new(Kind::RateLimited, words).retry_after_s(seconds)
        }
        Refused::BudgetUsed { until } => {
            let seconds = (until - Utc::now()).num_seconds().max(1).unsigned_abs();
            let until = moment(until, Utc::now());
            let words = format!("{SPENT}; the mirror goes on by itself after {until}");
            Failure::new(Kind::BudgetUsed, words).retry_after_s(seconds)
        }
        Refused::TooManyWait => {
            let words =
                "a sync of this account is under way, and as many wait for it as may; nothing was added to them";
            Failure::new(Kind::AlreadyRunning, words)
        }
        Refused::Storage(why) => Failure::new(Kind::Storage, why),
        Refused::ShuttingDown => stopping(),
        Refused::BadRange => {
            let words =
                format!("that range holds no day: `since` is after `until`, in the future, or before {EARLIEST}");
            Failure::new(Kind::InvalidArgument, words)
        }
    }
}

/// A moment of today by its time, another by its date too.
fn moment(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let today = at.date_naive() == now.date_naive();
    at.format(if today { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S UTC" }).to_string()
}

fn look(doctor: &Doctor, params: Value) -> Called {
    let doctor = doctor.clone();
    match read(params) {
        Err(error) => Called::Now(Err(error)),
        Ok(NoParams {}) => {
            Called::Later(Box::new(move |reporter| Box::pin(async move { said(doctor.look(&reporter).await) }) as Work))
        }
    }
}

fn version() -> Answer {
    said(VersionResult { version: env!("CARGO_PKG_VERSION").into(), protocol: PROTOCOL })
}

fn unknown_account(account: &str) -> Failure {
    Failure::new(Kind::UnknownAccount, format!("there is no account {account:?}; `login` makes one"))
}

fn stopping() -> Failure {
    Failure::new(Kind::ShuttingDown, "the daemon is stopping; what was mirrored is safe")
}

pub(super) fn account_of(params: &AccountParams) -> &str {
    params.account.as_deref().unwrap_or(DEFAULT_ACCOUNT)
}

pub(super) fn said(result: impl Serialize) -> Answer {
    serde_json::to_value(result).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written");
        Failure::new(Kind::Internal, "a defect of the daemon; its log knows more").into()
    })
}

/// Reads parameters. What does not fit is told by field, never by value: serde's own words quote values, and one may be a password.
fn read<P: DeserializeOwned>(params: Value) -> Result<P, RpcError> {
    let account = params.get("account").and_then(Value::as_str);
    if account.is_some_and(|name| !valid_account_name(name)) {
        return Err(Failure::new(Kind::InvalidArgument, ACCOUNT_NAMES).into());
    }
    // Only needed when something is wrong, and gone by then; parameters are small.
    let copy = params.clone();
    serde_json::from_value(params)
        .map_err(|error| RpcError::InvalidParams(what_does_not_fit::<P>(&error.to_string(), copy)))
}

fn what_does_not_fit<P: DeserializeOwned>(serde_says: &str, params: Value) -> String {
    if let Some(field) = serde_says.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    let error_of =
        |params: Map<String, Value>| serde_json::from_value::<P>(params.into()).err().map(|error| error.to_string());
    // What is wrong with every call that lacks the other parameters is not this one's fault.
    let with_none = error_of(Map::new());
    let fields: HashMap<String, Value> = serde_json::from_value(params).unwrap_or_default();
    for (field, value) in fields {
        match error_of(Map::from_iter([(field.clone(), value)])) {
            Some(error) if error.starts_with("unknown field") => {
                return "there is one that this method does not know".into();
            }
            Some(error) if Some(&error) != with_none.as_ref() => return format!("the value of `{field}` does not fit"),
            _ => {}
        }
    }
    "one is missing or does not fit".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn error<P: DeserializeOwned>(params: Value) -> String {
        match read::<P>(params) {
            Ok(_) => panic!("it fits"),
            Err(error) => error.message(),
        }
    }

    #[test]
    fn a_pause_until_another_day_names_the_day() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = at("2026-11-22T23:50:00Z");
        assert_eq!(moment(at("2026-11-22T23:59:00Z"), now), "23:59:00 UTC");
        assert_eq!(moment(at("2026-11-23T00:05:00Z"), now), "2026-11-23 00:05:00 UTC");
    }

    #[test]
    fn what_does_not_fit_is_named_without_its_value() {
        for params in [
            json!({ "challenge": "c" }),
            json!({ "code": ["hunter2"] }),
            json!({ "code": "1", "challenge": ["hunter2"] }),
        ] {
            let said = error::<SubmitMfa>(params);
            assert!(said.starts_with("wrong parameters: ") && !said.contains("hunter2"), "{said}");
        }
        assert_eq!(
            error::<LoginStart>(json!({ "email": 1234 })),
            "wrong parameters: the value of `email` does not fit"
        );
        assert_eq!(
            error::<SyncStart>(json!({ "since": "hunter2" })),
            "wrong parameters: the value of `since` does not fit"
        );
        let unknown = error::<LoginStart>(json!({ "email": "a@b.c", "hunter2": true }));
        assert_eq!(unknown, "wrong parameters: there is one that this method does not know");
        let account = error::<AccountParams>(json!({ "account": "../../etc/passwd" }));
        assert_eq!(account, ACCOUNT_NAMES);
        assert!(read::<AccountParams>(json!({})).is_ok());
    }
}
