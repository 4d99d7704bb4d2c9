//! What is true now. Rooms write to the board; `status` reads a snapshot of it. It never waits: no disk, no network, no lock
//! held across anything slow. It must not know who reads.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{SubsecRound, Utc};
use garminsync_protocol::{AccountState, AccountStatus, DEFAULT_ACCOUNT, Status, SyncStatus, Tiers, Trouble};
use tokio::sync::watch;

/// The board. Clones share it.
#[derive(Clone, Debug)]
pub struct Board {
    status: Arc<watch::Sender<Arc<Status>>>,
    /// Accounts that are shown even if nobody has signed in to them: the configuration names them.
    configured: Arc<BTreeSet<String>>,
}

impl Board {
    /// An empty board of this process.
    pub fn new(configured: impl IntoIterator<Item = String>) -> Self {
        let status = Status {
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: Utc::now().trunc_subsecs(0),
            pid: std::process::id(),
            accounts: Vec::new(),
            troubles: Vec::new(),
        };
        let configured = Arc::new(configured.into_iter().collect());
        Self { status: Arc::new(watch::Sender::new(Arc::new(status))), configured }
    }

    /// What is true now.
    pub fn snapshot(&self) -> Arc<Status> {
        self.status.borrow().clone()
    }

    /// Changes what is true, in one step.
    pub fn change(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(|status| change(Arc::make_mut(status)));
    }

    /// Changes one account, which is put up if it is not there yet. An account with nothing to tell (a typed name whose sign-in
    /// failed) does not stay beside others.
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
            let tells = |account: &AccountStatus| self.configured.contains(&account.name) || !is_blank(account);
            let any_tells = status.accounts.iter().any(tells);
            status.accounts.retain(|account| if any_tells { tells(account) } else { account.name == DEFAULT_ACCOUNT });
        });
    }

    /// Whether an account is shown even if there is nothing to tell of it.
    pub fn always_shows(&self, account: &str) -> bool {
        account == DEFAULT_ACCOUNT || self.configured.contains(account)
    }

    /// Tells each change, for those who follow.
    pub fn follow(&self) -> watch::Receiver<Arc<Status>> {
        self.status.subscribe()
    }
}

/// A standing trouble that begins now.
pub fn trouble(kind: &str, text: impl Into<String>, hint: impl Into<String>) -> Trouble {
    Trouble { kind: kind.into(), text: text.into(), since: Utc::now().trunc_subsecs(0), hint: Some(hint.into()) }
}

/// Whether there is nothing to tell of an account but its name.
fn is_blank(account: &AccountStatus) -> bool {
    account.state == AccountState::SignedOut
        && account.tiers == Tiers::default()
        && account.sync.last_ok_at.is_none()
        && account.sync.newest_day.is_none()
        && account.troubles.is_empty()
}

fn blank(name: &str) -> AccountStatus {
    AccountStatus {
        name: name.into(),
        state: AccountState::SignedOut,
        reason: None,
        instead: None,
        since: Utc::now().trunc_subsecs(0),
        until: None,
        display_name: None,
        domain: String::new(),
        tiers: Tiers::default(),
        mfa: None,
        sync: SyncStatus::default(),
        troubles: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(board: &Board) -> Vec<String> {
        board.snapshot().accounts.iter().map(|account| account.name.clone()).collect()
    }

    #[test]
    fn accounts_stand_in_order_and_once() {
        let board = Board::new([]);
        for name in ["eva", "ana", "eva"] {
            board.account(name, |account| account.state = AccountState::Active);
        }
        assert_eq!(shown(&board), ["ana", "eva"]);
    }

    #[test]
    fn a_name_with_nothing_behind_it_does_not_stay_beside_others() {
        let board = Board::new(["club".to_owned()]);
        board.account(DEFAULT_ACCOUNT, |_| {});
        assert_eq!(shown(&Board::new([])), [""; 0]);
        board.account("club", |_| {});
        assert_eq!(shown(&board), ["club"], "the configuration names it");
        board.account("typo", |account| account.state = AccountState::SigningIn);
        assert_eq!(shown(&board), ["club", "typo"]);
        board.account("typo", |account| account.state = AccountState::SignedOut);
        assert_eq!(shown(&board), ["club"]);

        let fresh = Board::new([]);
        fresh.account(DEFAULT_ACCOUNT, |_| {});
        assert_eq!(shown(&fresh), [DEFAULT_ACCOUNT], "somebody has to be there to sign in to");
    }
}
