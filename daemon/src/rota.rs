//! Who does what when: the clock's duties, what follows a login or a logout, and what the board shows of a sync. The wiring's
//! own hands; no rule lives here.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use garminsync_garmin::Profile;
use garminsync_protocol::{AccountState, QueueStatus, Status, SyncState};
use garminsync_store::{AccountRow, Store};
use tokio::sync::{mpsc, watch};

use crate::account::{AccountEvent, Accounts};
use crate::board::Board;
use crate::clock::{Clock, Duties};
use crate::host;
use crate::on_thread::OnThread;
use crate::rebuild::REBUILDING;
use crate::sync::{Queue, Request, Show, Syncs, Trigger, View};

/// The rooms that duties need.
#[derive(Clone)]
pub struct Rota {
    pub accounts: Accounts,
    pub syncs: Syncs,
    pub store: OnThread<Store>,
    pub board: Board,
}

impl Duties for Rota {
    fn accounts(&self) -> Vec<String> {
        self.accounts.names()
    }

    async fn last_started(&self, account: &str) -> Option<DateTime<Utc>> {
        let account = account.to_owned();
        let runs = self.store.call(move |store| store.last_runs(&account)).await;
        runs.ok()?.ok()?.last_started
    }

    async fn sync(&self, account: String) {
        self.start(account, Trigger::Schedule).await;
    }

    async fn refresh(&self) {
        self.accounts.refresh_due().await;
    }

    fn show_next(&self, account: &str, next: Option<DateTime<Utc>>) {
        self.board.account(account, |account| account.sync.next_at = next);
    }
}

impl Rota {
    async fn start(&self, account: String, trigger: Trigger) {
        let request = Request {
            account: account.clone(),
            trigger,
            since: None,
            until: None,
            datasets: Vec::new(),
            missing: false,
        };
        if let Err(refused) = self.syncs.start(request).await {
            tracing::info!(account, %refused, "no sync now");
        }
    }

    /// Goes on with what the last daemon was stopped or killed in the middle of, whatever the schedule says.
    async fn resume(&self) {
        for account in self.accounts.names() {
            let name = account.clone();
            let runs = self.store.call(move |store| store.last_runs(&name)).await;
            if matches!(runs, Ok(Ok(runs)) if !runs.newest_is_over) {
                self.start(account, Trigger::Resume).await;
            }
        }
    }

    /// Writes down who an account is.
    async fn note(&self, account: &str, domain: String, profile: Option<Profile>) {
        let row = AccountRow {
            name: account.to_owned(),
            profile_id: profile.as_ref().and_then(|profile| profile.profile_id),
            display_name: profile.as_ref().and_then(|profile| profile.display_name.clone()),
            full_name: profile.as_ref().and_then(|profile| profile.full_name.clone()),
            domain,
            time_zone: None,
        };
        if let Ok(Err(error)) = self.store.call(move |store| store.upsert_account(&row)).await {
            tracing::warn!(%error, "the account's row could not be written");
        }
    }

    /// Does what follows from what the accounts told at their start, before anybody can start a sync: each goes by who the account is.
    pub async fn catch_up(&self, heard: &mut mpsc::UnboundedReceiver<AccountEvent>) {
        while let Ok(event) = heard.try_recv() {
            self.hear(event).await;
        }
    }

    /// Does what follows a login or a logout.
    pub async fn listen(self, mut heard: mpsc::UnboundedReceiver<AccountEvent>, clock: Arc<Clock>) {
        self.resume().await;
        while let Some(event) = heard.recv().await {
            self.hear(event).await;
            clock.look();
        }
    }

    async fn hear(&self, event: AccountEvent) {
        match event {
            AccountEvent::SignedIn { account, domain, profile } => {
                self.note(&account, domain, profile).await;
                self.start(account, Trigger::Login).await;
            }
            AccountEvent::Known { account, domain, profile } => self.note(&account, domain, profile).await,
            AccountEvent::SignedOut { account } => _ = self.syncs.cancel(&account),
        }
    }
}

/// How a sync shows itself on the board.
pub fn show(board: &Board) -> Show {
    let board = board.clone();
    Arc::new(move |account, view| {
        board.account(account, |account| {
            let sync = &mut account.sync;
            sync.state = match view {
                View { running: true, .. } => SyncState::Running,
                View { paused_until: Some(until), .. } if *until > Utc::now() => SyncState::Paused,
                _ => SyncState::Idle,
            };
            sync.progress = view.progress;
            sync.dataset.clone_from(&view.dataset);
            sync.paused_until = view.paused_until.filter(|until| *until > Utc::now()).map(|at| at.trunc_subsecs(0));
            sync.last_ok_at = view.last_ok_at;
            sync.last_error.clone_from(&view.last_error);
            sync.requests_today = view.queues.values().map(|queue| queue.requests_today).sum();
            let numbers = |tier: &str, has: bool| view.queues.get(tier).filter(|_| has).map(queue);
            sync.queues.account = numbers("account", account.tiers.account.is_some());
            sync.queues.personal = numbers("personal", account.tiers.personal.is_some());
            sync.complete_from = view.complete_from;
            sync.newest_day = view.newest_day;
            sync.gaps = view.gaps;
            sync.not_served.clone_from(&view.not_served);
        });
    })
}

fn queue(queue: &Queue) -> QueueStatus {
    QueueStatus {
        requests_today: queue.requests_today,
        budget_left: queue.budget_left,
        gap_ms: u64::try_from(queue.gap.as_millis()).unwrap_or(u64::MAX),
        paused_until: queue.paused_until.map(|at| at.trunc_subsecs(0)),
        throttled_at: queue.throttled_at.map(|at| at.trunc_subsecs(0)),
    }
}

/// Keeps one line about all accounts where the service manager shows it.
pub async fn headline(mut board: watch::Receiver<Arc<Status>>) {
    let mut said = String::new();
    loop {
        let line = line(&board.borrow_and_update());
        if line != said {
            host::say(&line);
            said = line;
        }
        if board.changed().await.is_err() {
            return;
        }
    }
}

fn line(status: &Status) -> String {
    let count =
        |wanted: fn(&garminsync_protocol::AccountStatus) -> bool| status.accounts.iter().filter(|a| wanted(a)).count();
    let parts = [
        (count(|a| a.state == AccountState::Active), "active"),
        (count(|a| a.sync.state == SyncState::Running), "syncing"),
        (count(|a| a.state == AccountState::AwaitingMfa), "awaiting a code"),
        (count(|a| matches!(a.state, AccountState::LoginNeeded | AccountState::SignedOut)), "without a login"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let accounts = if parts.is_empty() { "no accounts".into() } else { format!("accounts: {}", parts.join(", ")) };
    match status.troubles.iter().find(|trouble| trouble.kind == REBUILDING) {
        Some(rebuilding) => format!("{} {accounts}", rebuilding.text),
        None => accounts,
    }
}
