//! What the actor tells: answers to those who wait, and the account's place on the board.

use std::sync::PoisonError;

use chrono::SubsecRound;
use garminsync_protocol::{AccountState, Failure, LoginResult, MfaStatus, TierStatus, Tiers};

use super::AccountEvent;
use super::actor::Actor;
use super::machine::{Attempt, Login};
use super::message::Asker;

/// The trouble that stands while an account's data are removed.
pub(super) const FORGETTING: &str = "data.forgetting";

impl Actor {
    /// Tells the house that a new login works.
    pub(super) fn announce(&self) {
        let domain = self.garmin.endpoints().domain.to_string();
        let event = AccountEvent::SignedIn { account: self.name.clone(), domain, profile: self.profile.clone() };
        let _ = self.events.send(event);
    }

    pub(super) fn answer(&mut self, asker: Option<Asker>, joined: bool) {
        if let Some(asker) = asker {
            let joined = joined && matches!(self.state.attempt, Attempt::AwaitingMfa(_));
            let _ = asker.reply.send(Ok(self.standing(joined)));
        }
    }

    pub(super) fn tell(&mut self, failure: Option<&Failure>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for (reply, joined) in std::mem::take(&mut self.waiting) {
            let _ = reply.send(match failure {
                Some(failure) => Err(failure.clone()),
                None => Ok(self.standing(joined)),
            });
        }
    }

    pub(super) fn word(&self) -> AccountState {
        match self.state.word() {
            AccountState::SignedOut if self.key_works() => AccountState::Active,
            // A pause holds back sign-ins by password, and an account that lives on its key needs none.
            AccountState::CoolingDown if self.key_works() && matches!(self.state.login, Login::None) => {
                AccountState::Active
            }
            AccountState::SignedOut if self.key.is_some() || self.key_file_trouble.is_some() => {
                AccountState::LoginNeeded
            }
            word => word,
        }
    }

    /// Why the account stands where it stands, for people.
    pub(super) fn reason(&self) -> Option<String> {
        match self.word() {
            // An attempt that failed is no reason for anything while the account works with its key.
            AccountState::Active if matches!(self.state.attempt, Attempt::Idle(_)) => self.key_why(),
            // What it lacks is a key that works, whatever became of a password.
            AccountState::LoginNeeded if self.state.login == Login::None => self.key_why(),
            _ => self.state.reason().or_else(|| self.key_why()),
        }
    }

    pub(super) fn mfa(&self) -> Option<MfaStatus> {
        let (Attempt::AwaitingMfa(challenge) | Attempt::CheckingCode(challenge) | Attempt::AskingForCode(challenge)) =
            &self.state.attempt
        else {
            return None;
        };
        Some(MfaStatus {
            challenge: challenge.id.clone(),
            method: challenge.method.clone(),
            sent_to: challenge.sent_to.clone(),
            expires_at: challenge.until,
            attempts_left: challenge.tries_left(),
            unsent: challenge.unsent,
            resend_at: challenge.resend_at.filter(|_| challenge.resends_left > 0),
        })
    }

    pub(super) fn display_name(&self) -> Option<String> {
        let profile = self.profile.as_ref()?;
        profile.full_name.clone().or_else(|| profile.display_name.clone())
    }

    pub(super) fn standing(&self, joined: bool) -> LoginResult {
        LoginResult {
            account: self.name.clone(),
            state: self.word(),
            display_name: self.display_name(),
            mfa: self.mfa(),
            joined,
        }
    }

    pub(super) fn tiers(&self) -> Tiers {
        let account = self.tokens.as_ref().map(|tokens| TierStatus {
            state: if matches!(self.state.login, Login::Dead(_)) {
                AccountState::LoginNeeded
            } else {
                AccountState::Active
            },
            access_expires_at: Some(tokens.access_expires_at.trunc_subsecs(0)),
            refresh_expires_at: tokens.refresh_expires_at.map(|at| at.trunc_subsecs(0)),
            key_expires_at: None,
            last_refresh_at: self.last_renewed_at.or(Some(tokens.issued_at)).map(|at| at.trunc_subsecs(0)),
        });
        Tiers { account, personal: self.key_status() }
    }

    pub(super) fn publish(&self) {
        let word = self.word();
        let until = match &self.state.attempt {
            Attempt::CoolingDown(until, _) => Some(*until),
            _ => None,
        };
        let mut troubles = self.troubles(word);
        self.board.account(&self.name, |account| {
            for trouble in &mut troubles {
                if let Some(standing) = account.troubles.iter().find(|standing| standing.kind == trouble.kind) {
                    trouble.since = standing.since;
                }
            }
            account.state = word;
            account.reason = self.reason();
            account.instead =
                self.state.instead().filter(|_| matches!(word, AccountState::SignedOut | AccountState::LoginNeeded));
            account.since = self.since;
            account.until = until;
            account.display_name = self.display_name();
            account.domain = self.garmin.endpoints().domain.to_string();
            account.tiers = self.tiers();
            account.mfa = self.mfa();
            account.troubles = troubles;
        });
    }
}
