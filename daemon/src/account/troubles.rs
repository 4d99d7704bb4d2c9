//! What stands wrong with an account, and what to type. The board shows it; nothing is decided here but when words are due.

use chrono::{TimeDelta, Utc};
use garminsync_protocol::{AccountState, DEFAULT_ACCOUNT, Trouble};

use super::actor::Actor;
use super::key::{self, End};
use super::machine::Login;
use super::telling::FORGETTING;
use super::tokens::is_expiring;
use crate::board::trouble;

/// A clock may differ this much from Garmin's and be called right.
const CLOCK_IS_WRONG: TimeDelta = TimeDelta::minutes(2);

#[cfg(target_os = "linux")]
const HOW_TO_SET_THE_CLOCK: &str = "timedatectl set-ntp true";
#[cfg(not(target_os = "linux"))]
const HOW_TO_SET_THE_CLOCK: &str = "let the system set its clock by itself, in its date and time settings";

/// A span in its largest unit.
fn span(time: TimeDelta) -> String {
    match time {
        t if t < TimeDelta::hours(2) => format!("{} minutes", t.num_minutes()),
        t if t < TimeDelta::days(2) => format!("{} hours", t.num_hours()),
        t => format!("{} days", t.num_days()),
    }
}

impl Actor {
    pub(super) fn troubles(&self, word: AccountState) -> Vec<Trouble> {
        let now = Utc::now();
        let mut troubles = Vec::new();
        let lives_on_key = self.state.login == Login::None;
        if word == AccountState::LoginNeeded {
            let reason = self.reason().unwrap_or_default();
            let text = format!("{}. The data that are here stay.", reason.trim_end_matches('.'));
            let by_key = lives_on_key || self.state.instead().is_some();
            let hint = if by_key { self.key_remedy() } else { ctl_command(&self.name, "login") };
            troubles.push(trouble("login.needed", text, hint));
        }
        let is_told = word == AccountState::LoginNeeded && lives_on_key;
        if let Some(refusal) = self.key_facts.refusal.as_ref().filter(|_| self.key.is_some() && !is_told) {
            let goes_on = match self.state.login {
                Login::Working => "The account login goes on by itself.",
                _ => "The data that are here stay.",
            };
            let text = format!("{}. {goes_on}", refusal.why.trim_end_matches('.'));
            troubles.push(trouble("key.refused", text, self.key_remedy()));
        }
        if let Some(why) = &self.key_file_trouble {
            troubles.push(trouble("key.file", format!("{why}. It is read again by itself."), self.key_remedy()));
        }
        if let Some(file) = self.key_file.as_ref().filter(|_| self.key_exposed) {
            let text = format!("Everybody on this machine may read the Personal API key in {}.", file.path.display());
            troubles.push(trouble("key.exposed", text, format!("chmod o-rwx '{}'", file.path.display())));
        }
        let ends = self.key_facts.ends.as_ref().map(End::at).filter(|_| self.key.is_some());
        if let Some((notice, ends)) = ends.and_then(|ends| Some((key::notice(ends, now)?, ends))) {
            troubles.push(trouble("key.expiring", key::ending_words(notice, ends), self.key_remedy()));
        }
        if let Some(latest) = self.key_facts.nearly_ends_at(now).filter(|_| self.key.is_some()) {
            troubles.push(trouble("key.expiring", key::latest_words(latest), self.key_remedy()));
        }
        if self.renewal.failures > 0 && self.state.login == Login::Working {
            let text = "Garmin's token service did not renew the login; the stored one is kept and tried again.";
            troubles.push(trouble("token.renewal", text, "nothing: it is tried again by itself"));
        }
        if self.forgetting {
            let text = "The data of this account are being removed.";
            troubles.push(trouble(FORGETTING, text, "nothing: it goes on by itself"));
        }
        if let Some(tokens) = self.tokens.as_ref().filter(|tokens| is_expiring(tokens, now))
            && self.state.login == Login::Working
        {
            let end = tokens.refresh_expires_at.unwrap_or(now).format("%Y-%m-%d");
            let text = format!(
                "The login ends on {end} if Garmin does not renew it before; it is tried again and again. A new login mends it, too."
            );
            troubles.push(trouble("login.expiring", text, ctl_command(&self.name, "login")));
        }
        if let Some(ahead) = self.garmin.clock_ahead().filter(|ahead| ahead.abs() > CLOCK_IS_WRONG) {
            let text = format!(
                "This machine's clock is {} {} Garmin's. No login is lost by it, but days may be read at the wrong time.",
                span(ahead.abs()),
                if ahead > TimeDelta::zero() { "ahead of" } else { "behind" }
            );
            troubles.push(trouble("clock", text, HOW_TO_SET_THE_CLOCK));
        }
        if let Some((kind, text, command)) = self.unattended_trouble() {
            troubles.push(trouble(kind, text, ctl_command(&self.name, command)));
        }
        if let Some(error) = &self.vault_trouble {
            troubles.push(trouble("storage", format!("The vault: {error}"), "look at the disk and the daemon's log"));
        }
        troubles
    }
}

pub(super) fn ctl_command(account: &str, command: &str) -> String {
    let account = if account == DEFAULT_ACCOUNT { String::new() } else { format!(" --account {account}") };
    format!("garminsyncctl{account} {command}")
}
