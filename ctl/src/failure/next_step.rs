//! What to type after something went wrong: a sentence for each kind of failure. Only failures and `doctor` say it. It must not print.

use std::fmt::Display;

use chrono::{DateTime, TimeDelta, TimeZone};
use garminsync_protocol::{Failure, KEY_PAGE, Kind, WayIn};

use super::Typed;
use crate::show::time;

/// What to type when no daemon runs.
#[cfg(target_os = "linux")]
pub const HOW_TO_START: &str =
    "garminsyncd, or, where it is a service: systemctl --user start garminsync, or: sudo systemctl start garminsync";
/// What to type when no daemon runs.
#[cfg(not(target_os = "linux"))]
pub const HOW_TO_START: &str = "garminsyncd";
/// What to type when one hangs.
#[cfg(target_os = "linux")]
pub const HOW_TO_RESTART: &str = "systemctl --user restart garminsync";
/// What to type when one hangs.
#[cfg(not(target_os = "linux"))]
pub const HOW_TO_RESTART: &str = "restart garminsyncd";

/// What to type when one is closed to this user.
#[cfg(target_os = "linux")]
pub const HOW_TO_BE_ALLOWED: &str =
    "run it as the daemon's user, or join its group and log in anew: sudo usermod -aG garminsync $USER";
/// What to type when one is closed to this user.
#[cfg(not(target_os = "linux"))]
pub const HOW_TO_BE_ALLOWED: &str = "run it as the daemon's user, or as a member of the group its configuration names";

/// The way in without a password.
pub fn how_to_get_a_key(typed: &Typed) -> String {
    make_a_key(&typed.command("login --api-key-stdin"))
}

/// The same for another account, whose login is `login`.
pub fn make_a_key(login: &str) -> String {
    format!("make a key at {KEY_PAGE}, then: {login}")
}

/// What to type after a failure of the daemon.
pub(super) fn next_step(failure: &Failure, typed: &Typed) -> String {
    next_step_at(failure, typed, &chrono::Local::now())
}

pub(super) fn next_step_at<Tz: TimeZone<Offset: Display>>(
    failure: &Failure,
    typed: &Typed,
    now: &DateTime<Tz>,
) -> String {
    let login = typed.command("login");
    let again = match failure.kind {
        // The code was good, or the sign-in ends before Garmin may be asked again: nothing waits for a code any more.
        Kind::RateLimited | Kind::GarminUnreachable | Kind::GarminUnexpected | Kind::LoginBlocked
            if failure.challenge.is_none() && typed.brings_a_code() =>
        {
            login.clone()
        }
        _ => typed.again(),
    };
    let later = |what: &str| match failure.retry_after_s {
        // A person who has to wait for hours wants to know until when.
        Some(seconds @ 3600..) => {
            let at = now.to_utc() + TimeDelta::seconds(seconds.min(1 << 32) as i64);
            format!("at {} (in {}): {what}", time::clock(at, now), time::span_s(seconds))
        }
        Some(seconds) => format!("in {}: {what}", time::span_s(seconds)),
        None => format!("later: {what}"),
    };
    let browser = format!("sign in with your own browser: {}", typed.command("login --browser"));
    match (failure.kind, failure.instead) {
        (Kind::CoolingDown, Some(WayIn::Browser)) => {
            return format!("{browser}; or {}; to ask Garmin all the same: {login} --force", later(&login));
        }
        (_, Some(WayIn::Browser)) => return format!("{browser}; or {}", later(&login)),
        (_, Some(WayIn::ApiKey)) => return how_to_get_a_key(typed),
        (_, Some(WayIn::OtherAccount)) => return typed.login_under_another_name(),
        (_, Some(WayIn::NewLogin)) => return typed.new_login_under_another_name(),
        _ => {}
    }
    match failure.kind {
        Kind::InvalidCredentials => format!("check e-mail and password at https://connect.garmin.com, then: {login}"),
        Kind::MfaRequired => typed.command("mfa"),
        Kind::MfaCodeRejected if failure.attempts_left == Some(0) => login,
        Kind::MfaCodeRejected => format!("use the newest code: {}", typed.command("mfa")),
        Kind::MfaExpired | Kind::NoPendingLogin | Kind::LoginNeeded => login,
        Kind::LoginBlocked | Kind::CaptchaRequired if failure.challenge.is_some() => later(&typed.command("mfa")),
        Kind::LoginBlocked | Kind::CaptchaRequired => format!("{browser}; or {}", later(&login)),
        Kind::AccountLocked => format!("reset the password at https://connect.garmin.com, then: {login}"),
        Kind::RateLimited | Kind::BudgetUsed => later(&again),
        Kind::CoolingDown => format!("{}; to ask Garmin all the same: {login} --force", later(&login)),
        Kind::GarminUnreachable => {
            format!("{}; if it stays so, check the network: {}", later(&again), typed.command_for_all("doctor"))
        }
        Kind::GarminUnexpected | Kind::ShuttingDown => later(&again),
        Kind::AlreadyRunning => typed.command("status"),
        Kind::UnknownAccount => typed.command_for_all("status"),
        Kind::NotAllowed => HOW_TO_BE_ALLOWED.into(),
        Kind::UnknownDataset => again,
        Kind::InvalidArgument => format!("{} --help", typed.plain()),
        Kind::Storage => {
            format!("see what is the matter: {}", typed.command_for_all("doctor"))
        }
        Kind::Internal => match &failure.reference {
            Some(word) => format!("please report it with the lines of the daemon's log that hold {word}"),
            None => "please report it with the daemon's log".into(),
        },
        _ => format!("update garminsyncctl; {}", typed.command("status")),
    }
}
