//! How the accounts stand: from the board, as `status` has it, with a verdict. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use garminsync_protocol::{
    AccountState, AccountStatus, Check, DEFAULT_ACCOUNT, KEY_PAGE, Status, TierStatus, Trouble, WayIn,
};

use super::{failed, ok, warning};

/// A login that ends sooner is worth a word.
const LOGIN_ENDS: TimeDelta = TimeDelta::days(7);
/// A clock that was this far ahead was wrong.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// A key that ends sooner is worth a word.
const KEY_ENDS: TimeDelta = TimeDelta::days(14);

/// One check an account, and one for the vault.
pub fn checks(status: &Status, now: DateTime<Utc>) -> Vec<Check> {
    let vault = status.troubles.iter().filter(|trouble| trouble.kind.starts_with("vault."));
    let mut checks: Vec<Check> = vault.map(trouble).collect();
    if checks.is_empty() {
        checks.push(ok("vault", "the vault is open"));
    }
    let ahead = |account: &&AccountStatus| account.sync.last_ok_at.is_some_and(|at| at > now + AHEAD);
    if let Some(account) = status.accounts.iter().find(ahead) {
        let text =
            format!("the last sync of {} lies in the future: the clock was ahead then, or is behind now", account.name);
        checks.push(warning("last_run", text, "set the clock, and keep it right: timedatectl set-ntp true"));
    }
    checks.extend(status.accounts.iter().map(|account| check(account, now)));
    checks
}

fn trouble(trouble: &Trouble) -> Check {
    let hint = trouble.hint.clone().unwrap_or_default();
    match trouble.kind.as_str() {
        "vault.key_not_moved" => warning("vault", &trouble.text, hint),
        _ => failed("vault", &trouble.text, hint),
    }
}

fn check(account: &AccountStatus, now: DateTime<Utc>) -> Check {
    let name = format!("account {}", account.name);
    let ctl = if account.name == DEFAULT_ACCOUNT {
        "garminsyncctl".to_owned()
    } else {
        format!("garminsyncctl --account {}", account.name)
    };
    let reason = account.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match account.state {
        AccountState::SignedOut if account.instead == Some(WayIn::ApiKey) => {
            let hint = format!("make a key at {KEY_PAGE}, then: {ctl} login --api-key-stdin");
            return warning(name, format!("nobody is signed in{reason}"), hint);
        }
        AccountState::SignedOut => return warning(name, "nobody is signed in", format!("{ctl} login")),
        AccountState::LoginNeeded => {
            return failed(name, format!("a new login is needed{reason}"), format!("{ctl} login"));
        }
        AccountState::AwaitingMfa => return warning(name, "a login waits for its code", format!("{ctl} mfa")),
        AccountState::CoolingDown => {
            // How long, and not until when: the daemon does not know whoever asks' time zone.
            let left = account.until.map(|until| (until - now).num_minutes().max(1));
            let left = left.map(|left| format!(" for {} h {:02} min", left / 60, left % 60)).unwrap_or_default();
            let hint = format!("wait, or sign in by browser: {ctl} login --browser");
            let reason = reason.trim_end_matches('.');
            return warning(name, format!("Garmin turned the sign-in away{reason}; none is tried{left}"), hint);
        }
        AccountState::Active | AccountState::SigningIn | AccountState::CheckingCode => {}
    }
    let mut facts = Vec::new();
    let mut hint = None;
    if let Some(tier) = &account.tiers.account {
        facts.push(login(tier, now));
        if tier.refresh_expires_at.is_some_and(|at| at - now < LOGIN_ENDS) {
            hint = Some(format!("look why it is not renewed: the daemon's log; else {ctl} login"));
        }
    }
    if let Some(tier) = &account.tiers.personal {
        match tier.key_expires_at {
            // Its trouble says when it ends, and what that means.
            Some(_) if account.troubles.iter().any(|trouble| trouble.kind == "key.expiring") => {}
            Some(at) => facts.push(format!("API key ends {}", at.format("%F"))),
            None => facts.push("API key".into()),
        }
        if tier.state == AccountState::LoginNeeded || tier.key_expires_at.is_some_and(|at| at - now < KEY_ENDS) {
            hint = Some(format!("make a key at {KEY_PAGE}, then: {ctl} login --api-key-stdin"));
        }
    }
    if let Some(trouble) = account.troubles.first() {
        facts.push(trouble.text.clone());
        hint = hint.or_else(|| trouble.hint.clone()).or_else(|| Some(format!("{ctl} status")));
    }
    let text = if facts.is_empty() { "works".into() } else { facts.join("; ") };
    match hint {
        Some(hint) => warning(name, text, hint),
        None => ok(name, text),
    }
}

fn login(tier: &TierStatus, now: DateTime<Utc>) -> String {
    let access = match tier.access_expires_at {
        Some(at) if at <= now => "its token has ended and is renewed when it is needed",
        _ => "its token is good",
    };
    match tier.refresh_expires_at {
        Some(at) if at > now => format!("login good until {} unless renewed before, {access}", at.format("%F")),
        Some(at) => format!("login ended {}", at.format("%F")),
        None => format!("login, {access}"),
    }
}
