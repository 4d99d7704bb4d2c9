//! What the sign-in machine says when it refuses, or ends a login. Pure like the machine, its only caller.

use chrono::{DateTime, TimeDelta, Utc};
use garminsync_protocol::{Failure, Kind, WayIn};

use super::{Challenge, LONGEST_COOL_DOWN, of_seconds, seconds};

pub(super) fn no_pending(why: &str) -> Failure {
    Failure::new(Kind::NoPendingLogin, format!("{why}. Nothing was changed."))
}

/// Somebody else ended a login while it was with Garmin.
pub(super) fn given_up() -> Failure {
    let words = "The login was given up by another client while it was with Garmin: if a code comes for it, it is worthless. Nothing else \
                 was changed.";
    Failure::new(Kind::NoPendingLogin, words)
}

pub(super) fn expired() -> Failure {
    Failure::new(
        Kind::MfaExpired,
        "The login has ended: its code came too late. Nothing is lost; start a new login for a new code.",
    )
}

/// Too many codes were sent into silence.
pub(super) fn unanswered() -> Failure {
    let words = "The login has ended: too many codes were sent without an answer of Garmin's, and every further one could lock the \
                 account. Nothing else is lost; start a new login for a new code.";
    Failure::new(Kind::GarminUnreachable, words).attempts_left(0)
}

pub(super) fn rejected(challenge: &Challenge) -> Failure {
    let left = challenge.tries_left();
    let words = match left {
        0 => "Garmin did not accept the code, and it was the last try: the login has ended, before Garmin locks the account.".into(),
        1 => "Garmin did not accept the code. The same login goes on; 1 attempt is left.".to_owned(),
        _ => format!("Garmin did not accept the code. The same login goes on; {left} attempts are left."),
    };
    Failure::new(Kind::MfaCodeRejected, words).attempts_left(left).challenge(challenge.id.clone())
}

/// Why no other code is asked for, if that is so. Nothing is sent then.
pub(super) fn no_resend(challenge: &Challenge, now: DateTime<Utc>) -> Option<Failure> {
    let refusal = |kind, words: &str| {
        Some(Failure::new(kind, words).challenge(challenge.id.clone()).attempts_left(challenge.attempts_left))
    };
    let Some(at) = challenge.resend_at else {
        let words = "Garmin sends no code for this login: an authenticator app makes it. Nothing was asked for; the login waits.";
        return refusal(Kind::MfaRequired, words);
    };
    if challenge.resends_left == 0 {
        let words = "No further code is asked for in this login, because asking too often makes Garmin refuse every code for \
                     24 hours. Use the newest code that has come; the login waits for it.";
        return refusal(Kind::RateLimited, words);
    }
    // A clock that was ahead must not hold the person for longer than any pause.
    let wait = at - now;
    if wait <= TimeDelta::zero() || wait > LONGEST_COOL_DOWN {
        return None;
    }
    let words = format!(
        "Another code can be asked for in {} s; Garmin wants a pause between two. Nothing was sent; the login waits.",
        seconds(wait).max(1)
    );
    Some(refusal(Kind::RateLimited, &words)?.retry_after_s(seconds(wait).max(1)))
}

/// Whether a login is over before Garmin may be asked about its code again.
pub(super) fn outlasts(failure: &Failure, challenge: &Challenge, now: DateTime<Utc>) -> bool {
    failure.retry_after_s.is_some_and(|asked| of_seconds(asked) >= challenge.until - now)
}

/// What that is called.
pub(super) fn outlasted(failure: &Failure) -> Failure {
    let words = "Garmin asks to wait longer than this login waits for its code, so the login has ended, and its code with it. \
                 Nothing else is lost; a new login sends a new code.";
    let ended = Failure::new(failure.kind, words).instead(WayIn::Browser);
    ended.retry_after_s(failure.retry_after_s.unwrap_or_default())
}

pub(super) fn other_person() -> Failure {
    Failure::new(
        Kind::AlreadyRunning,
        "Another login of this account is under way. Finish it, or give it up, before you start this one.",
    )
}

pub(super) fn busy() -> Failure {
    Failure::new(
        Kind::AlreadyRunning,
        "Another sign-in of this account is with Garmin right now. Nothing was sent; try again when it has ended.",
    )
}

pub(super) fn no_way_back() -> Failure {
    Failure::new(
        Kind::AlreadyRunning,
        "A login is being taken over right now, which cannot be undone half way; it ends by itself in a moment.",
    )
}

pub(super) fn password_missing() -> Failure {
    Failure::new(
        Kind::InvalidArgument,
        "No login waits for a code, so this one needs an e-mail address and a password.",
    )
}

pub(super) fn cooling_down(why: &str, until: DateTime<Utc>, now: DateTime<Utc>) -> Failure {
    Failure::new(
        Kind::CoolingDown,
        format!(
            "No login is tried yet, because every further one would prolong Garmin's block ({}).",
            why.trim_end_matches('.'),
        ),
    )
    .retry_after_s(seconds(until - now))
    .instead(WayIn::Browser)
}
