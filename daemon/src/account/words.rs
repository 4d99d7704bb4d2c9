//! Garmin's refusals during a sign-in, translated once: into a kind for machines and into what happened and what is safe, for
//! people. Pure; only the account room calls it.

use garminsync_garmin::Error;
use garminsync_protocol::{Failure, Kind};

/// Whether Garmin turned the door away rather than the person: another door may open, and a pause is due if none does.
pub fn is_block(error: &Error) -> bool {
    matches!(error, Error::Throttled { .. } | Error::Challenged | Error::CaptchaRequired)
}

/// What a failed sign-in is called, and said.
pub fn sign_in(error: &Error) -> Failure {
    let (kind, words) = match error {
        Error::InvalidCredentials => (
            Kind::InvalidCredentials,
            "Garmin does not accept this e-mail address and password. Nothing was stored, and nothing is tried again by itself."
                .to_owned(),
        ),
        Error::Throttled { .. } => (
            Kind::RateLimited,
            "Garmin asks for fewer sign-ins (too many requests) and did not look at the password.".to_owned(),
        ),
        Error::Challenged => (
            Kind::LoginBlocked,
            "The guard in front of Garmin's sign-in (Cloudflare) turned this machine away and did not look at the password."
                .to_owned(),
        ),
        Error::CaptchaRequired => (
            Kind::CaptchaRequired,
            "Garmin wants a CAPTCHA solved before it lets this account sign in; that cannot be done from here. \
             Sign in once in a browser, then try again later."
                .to_owned(),
        ),
        Error::AccountLocked { kind, message } => (
            Kind::AccountLocked,
            format!("Garmin has locked this account ({}). Reset the password on Garmin's website, then log in again.", said(kind, message)),
        ),
        Error::SignInStopped { kind, message } => (
            Kind::LoginBlocked,
            format!("Garmin stopped the sign-in: {}. Sign in once in a browser to see what it wants.", said(kind, message)),
        ),
        Error::SessionLost => (
            Kind::MfaExpired,
            "Garmin no longer knows this login: it took too long, or a newer sign-in replaced it. \
             Nothing is lost; start a new login for a new code."
                .to_owned(),
        ),
        Error::Unauthorized | Error::Forbidden => (
            Kind::GarminUnexpected,
            "Garmin gave out a login that its own data service refuses. Nothing was stored.".to_owned(),
        ),
        Error::Unreachable { .. } => {
            (Kind::GarminUnreachable, format!("Garmin's sign-in could not be reached: {error}. Nothing was changed."))
        }
        Error::ServerTrouble { .. } => {
            (Kind::GarminUnreachable, format!("Garmin's sign-in is in trouble: {error}. Nothing was changed; try again later."))
        }
        _ => (Kind::GarminUnexpected, format!("Garmin's sign-in gave an answer that makes no sense: {error}. Nothing was stored.")),
    };
    with_pause(Failure::new(kind, words), error)
}

/// What a ticket is called that Garmin gave out and then would not exchange.
pub fn exchange(error: &Error) -> Failure {
    let kind = match error {
        Error::Throttled { .. } => Kind::RateLimited,
        Error::Challenged => Kind::LoginBlocked,
        Error::Unreachable { .. } | Error::ServerTrouble { .. } => Kind::GarminUnreachable,
        _ => Kind::GarminUnexpected,
    };
    let words = format!(
        "Garmin accepted the sign-in, but its token service did not turn it into a login ({error}). Nothing was stored; \
         this sign-in is spent, and the next one is a new one."
    );
    with_pause(Failure::new(kind, words), error)
}

/// What trouble with a code is called, when the code may still be good.
pub fn undecided_code(error: &Error) -> Failure {
    let kind = match error {
        Error::CodeMalformed => {
            let words =
                "That is not a code: Garmin's codes have digits only. Nothing was sent and no attempt was used.";
            return Failure::new(Kind::MfaCodeRejected, words);
        }
        Error::Throttled { .. } => Kind::RateLimited,
        Error::Challenged | Error::CaptchaRequired => Kind::LoginBlocked,
        Error::Unreachable { .. } | Error::ServerTrouble { .. } => Kind::GarminUnreachable,
        _ => Kind::GarminUnexpected,
    };
    let words = format!(
        "The code could not be checked: {error}. No attempt was used; the login still waits and the code may still be good."
    );
    with_pause(Failure::new(kind, words), error)
}

/// What a refused Personal API key is called.
pub fn key(error: &Error) -> Failure {
    let (kind, words) = match error {
        Error::InvalidCredentials | Error::Forbidden => {
            (Kind::InvalidCredentials, "Garmin does not accept this Personal API key. Nothing was stored.".to_owned())
        }
        Error::Throttled { .. } => {
            (Kind::RateLimited, "Garmin asks for fewer requests and did not look at the key.".to_owned())
        }
        Error::Unreachable { .. } | Error::ServerTrouble { .. } => {
            (Kind::GarminUnreachable, format!("The key could not be checked: {error}. Nothing was stored."))
        }
        _ => (Kind::GarminUnexpected, format!("The key could not be checked: {error}. Nothing was stored.")),
    };
    with_pause(Failure::new(kind, words), error)
}

fn said(kind: &str, message: &str) -> String {
    if message.is_empty() { kind.to_owned() } else { format!("{kind}, {message}") }
}

fn with_pause(failure: Failure, error: &Error) -> Failure {
    match error {
        Error::Throttled { retry_after: Some(pause) } => failure.retry_after_s(pause.as_secs()),
        _ => failure,
    }
}
