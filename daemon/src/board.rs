//! What is true now. Rooms write to the board; `status` reads a snapshot of it. It never waits: no disk, no network, no lock
//! held across anything slow. It must not know who reads.

use std::sync::Arc;

use chrono::{SubsecRound, Utc};
use garminsync_protocol::{AccountState, AccountStatus, Status, SyncStatus, Tiers, Trouble};
use tokio::sync::watch;

/// The board. Clones share it.
#[derive(Clone, Debug)]
pub struct Board(Arc<watch::Sender<Arc<Status>>>);

impl Board {
    /// An empty board of this process.
    pub fn new() -> Self {
        let status = Status {
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: Utc::now().trunc_subsecs(0),
            pid: std::process::id(),
            accounts: Vec::new(),
            troubles: Vec::new(),
        };
        Self(Arc::new(watch::Sender::new(Arc::new(status))))
    }

    /// What is true now.
    pub fn snapshot(&self) -> Arc<Status> {
        self.0.borrow().clone()
    }

    /// Changes what is true, in one step.
    pub fn change(&self, change: impl FnOnce(&mut Status)) {
        self.0.send_modify(|status| change(Arc::make_mut(status)));
    }

    /// Changes one account, which is put up if it is not there yet.
    pub fn account(&self, name: &str, change: impl FnOnce(&mut AccountStatus)) {
        self.change(|status| {
            let at = match status.accounts.binary_search_by(|account| account.name.as_str().cmp(name)) {
                Ok(at) => at,
                Err(at) => {
                    status.accounts.insert(at, blank(name));
                    at
                }
            };
            change(&mut status.accounts[at]);
        });
    }

    /// Takes an account down.
    pub fn remove_account(&self, name: &str) {
        self.change(|status| status.accounts.retain(|account| account.name != name));
    }

    /// Tells each change, for those who follow.
    pub fn follow(&self) -> watch::Receiver<Arc<Status>> {
        self.0.subscribe()
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

/// A standing trouble that begins now.
pub fn trouble(kind: &str, text: impl Into<String>, hint: impl Into<String>) -> Trouble {
    Trouble { kind: kind.into(), text: text.into(), since: Utc::now().trunc_subsecs(0), hint: Some(hint.into()) }
}

fn blank(name: &str) -> AccountStatus {
    AccountStatus {
        name: name.into(),
        state: AccountState::SignedOut,
        reason: None,
        since: Utc::now().trunc_subsecs(0),
        until: None,
        display_name: None,
        tiers: Tiers::default(),
        mfa: None,
        sync: SyncStatus::default(),
        troubles: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_stand_in_order_and_once() {
        let board = Board::new();
        for name in ["eva", "ana", "eva"] {
            board.account(name, |account| account.sync.requests_today += 1);
        }
        let snapshot = board.snapshot();
        let seen: Vec<_> = snapshot.accounts.iter().map(|a| (a.name.as_str(), a.sync.requests_today)).collect();
        assert_eq!(seen, [("ana", 1), ("eva", 2)]);
    }
}
