//! Garmin's refusals during a sign-in, translated once: into a kind for machines and into what happened and what is safe, for
//! people. Pure; only the account room calls it.

use garminsync_garmin::{Cause, Error, Flow};
use garminsync_protocol::{Failure, KEY_PAGE, Kind, WayIn};

/// Whether Garmin turned the door away rather than the person: another door may open, and a pause is due if none does.
pub fn is_block(error: &Error) -> bool {
    matches!(error, Error::Throttled { .. } | Error::Challenged | Error::CaptchaRequired)
}

/// Whether Garmin has ended a sign-in that waited for its code.
pub fn is_over(error: &Error) -> bool {
    matches!(
        error,
        Error::SessionLost | Error::AccountLocked { .. } | Error::SignInStopped { .. } | Error::DeniedByPolicy { .. }
    )
}

/// One way in that was tried and why it failed, as a sentence.
pub fn tried(flow: Flow, error: &Error) -> String {
    let name = match flow {
        Flow::Mobile => "Mobile sign-in",
        Flow::Portal => "Portal sign-in",
        Flow::Widget => "Widget sign-in",
    };
    match error {
        Error::Unauthorized | Error::Forbidden => {
            format!("{name}: Garmin's data service refuses the login that came of it.")
        }
        error => format!("{name}: {}.", error.to_string().trim_end_matches([' ', '.', ':'])),
    }
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
            "Garmin wants a CAPTCHA solved before it lets this account sign in; that can be done in a browser, and not from here."
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
        Error::DeniedByPolicy { said } => (
            Kind::LoginBlocked,
            format!(
                "Garmin does not let this account sign in to programs ({said}): it is a child's or family account, or a security \
                 policy keeps it out. A Personal API key works without a sign-in."
            ),
        ),
        Error::AnswerLost { .. } => (
            Kind::GarminUnreachable,
            format!(
                "{error}. It may have sent a code all the same, so nothing else was tried and nothing was changed; \
                 a new login makes that code worthless and sends a new one."
            ),
        ),
        Error::SessionLost => (
            Kind::MfaExpired,
            "Garmin no longer knows this login: it took too long, or a newer sign-in replaced it. \
             Nothing is lost; start a new login for a new code."
                .to_owned(),
        ),
        Error::Unauthorized | Error::Forbidden => (
            Kind::LoginBlocked,
            "Garmin accepted the sign-in and gave out a login that its own data service refuses, so nothing was stored.".to_owned(),
        ),
        Error::Unreachable { .. } => {
            (Kind::GarminUnreachable, format!("Garmin's sign-in could not be reached: {error}. Nothing was changed."))
        }
        Error::ServerTrouble { .. } => {
            (Kind::GarminUnreachable, format!("Garmin's sign-in is in trouble: {error}. Nothing was changed; try again later."))
        }
        _ => (Kind::GarminUnexpected, format!("Garmin's sign-in gave an answer that makes no sense: {error}. Nothing was stored.")),
    };
    let failure = with_pause(Failure::new(kind, words), error);
    match error {
        Error::DeniedByPolicy { .. } => failure.instead(WayIn::ApiKey),
        Error::Throttled { .. }
        | Error::Challenged
        | Error::CaptchaRequired
        | Error::SignInStopped { .. }
        | Error::Unauthorized
        | Error::Forbidden => failure.instead(WayIn::Browser),
        _ => failure,
    }
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

/// What a pasted text or a file is called that nothing can be made of.
pub fn not_usable(why: &impl std::fmt::Display) -> Failure {
    let why = why.to_string();
    let mut letters = why.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    Failure::new(Kind::InvalidArgument, format!("{first}{}. Nothing was sent to Garmin.", letters.as_str()))
}

/// What a browser's ticket is called that Garmin does not exchange.
pub fn ticket(error: &Error) -> Failure {
    let (kind, words) = match error {
        Error::TicketRefused { why } if why.contains("ticket") => (
            Kind::InvalidCredentials,
            "Garmin does not take this ticket: it is older than about a minute, it was used before, or it is bound to another service URL \
             than the one it came with. Nothing was stored."
                .to_owned(),
        ),
        Error::Throttled { .. } => (
            Kind::RateLimited,
            "Garmin's token service asks for fewer requests. This ticket is lost, and nothing else: get a new one later.".to_owned(),
        ),
        Error::Unreachable { .. } | Error::ServerTrouble { .. } => (
            Kind::GarminUnreachable,
            format!("Garmin's token service could not exchange the ticket: {error}. This ticket is lost, and nothing else."),
        ),
        _ => (
            Kind::GarminUnexpected,
            format!("Garmin's token service did not exchange the ticket ({error}). Nothing was stored."),
        ),
    };
    patient(Failure::new(kind, words), error)
}

/// A login that came of a browser's ticket and cannot read data.
pub fn refused_ticket() -> Failure {
    Failure::new(
        Kind::GarminUnexpected,
        "Garmin exchanged the ticket, but its data service refuses the login that came of it, as it does with tickets of the \
         \"Success\" page for some accounts. Nothing was stored. Use the ticket in the address of the page that cannot load.",
    )
}

/// What another program's tokens are called that Garmin does not take.
pub fn imported(error: &Error) -> Failure {
    let (kind, words) = match error {
        Error::InvalidGrant { why } => (
            Kind::InvalidCredentials,
            format!(
                "Garmin does not take these tokens any more ({why}): they have ended, were revoked, or the program they came from has \
                 renewed them since. Nothing was stored."
            ),
        ),
        Error::Unauthorized | Error::Forbidden => (
            Kind::GarminUnexpected,
            "Garmin's data service refuses these tokens, even freshly renewed. Nothing was stored.".to_owned(),
        ),
        Error::Throttled { .. } => (
            Kind::RateLimited,
            "Garmin's token service asks for fewer requests. Nothing was stored; the tokens in the file are as good as before."
                .to_owned(),
        ),
        Error::Unreachable { .. } | Error::ServerTrouble { .. } => (
            Kind::GarminUnreachable,
            format!(
                "The tokens had to be renewed, and Garmin's token service gave no answer: {error}. Nothing was stored; \
                 the tokens in the file may still be good."
            ),
        ),
        _ => (Kind::GarminUnexpected, format!("The tokens could not be renewed: {error}. Nothing was stored.")),
    };
    patient(Failure::new(kind, words), error)
}

/// Another person's tokens that had ended: only renewed ones tell whose they are.
pub fn renewed_for_nobody(refusal: Failure) -> Failure {
    let message = format!(
        "{} The tokens in the file had ended, and Garmin tells only of renewed ones whose they are: that copy is dead now, and the other \
         person signs in anew.",
        refusal.message
    );
    Failure { message, ..refusal }.instead(WayIn::NewLogin)
}

/// With the pause that Garmin asked for, or the half hour that its other services want after a 429.
fn patient(failure: Failure, error: &Error) -> Failure {
    match error {
        Error::Throttled { retry_after } => failure.retry_after_s(retry_after.map_or(1800, |pause| pause.as_secs())),
        _ => failure,
    }
}

/// Whether nobody can know if Garmin looked at a code that was sent. A 503 says that nobody did.
pub fn is_unanswered(error: &Error) -> bool {
    error.may_have_acted() && !matches!(error, Error::ServerTrouble { status: 503 })
}

/// What it is called when the answer to a code was lost.
pub fn unanswered_code(error: &Error) -> Failure {
    let kind = match error {
        Error::Unreachable { .. } | Error::ServerTrouble { .. } => Kind::GarminUnreachable,
        _ => Kind::GarminUnexpected,
    };
    let words = format!(
        "Garmin's answer about the code was lost: {error}. Whether it looked at the code is not known; the login still waits, and the \
         code may still be good: bring it again, or ask for another."
    );
    Failure::new(kind, words)
}

/// What trouble with a code is called, when the code may still be good.
pub fn undecided_code(error: &Error) -> Failure {
    let kind = match error {
        Error::CodeMalformed => {
            let words = "That is not a code: Garmin's codes have 6 digits. Nothing was sent and no attempt was used.";
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

/// What it is called when another code was asked for and did not come.
pub fn unsent_code(error: &Error) -> Failure {
    let (kind, why) = match error {
        Error::Throttled { .. } => (
            Kind::RateLimited,
            "Garmin sends no further code for now: too many were asked for. Asking too often ends in 24 hours without any."
                .to_owned(),
        ),
        Error::Challenged | Error::CaptchaRequired => (Kind::LoginBlocked, format!("No code was sent: {error}.")),
        Error::Unreachable { cause: Cause::Timeout | Cause::Broken, .. } => (
            Kind::GarminUnreachable,
            format!("Whether a code was sent is not known: {error}. One may be on its way."),
        ),
        Error::Unreachable { .. } | Error::ServerTrouble { .. } => {
            (Kind::GarminUnreachable, format!("No code was sent: {error}."))
        }
        _ => (Kind::GarminUnexpected, format!("No code was sent: {error}.")),
    };
    let words = format!("{why} The login still waits, and a code that you have is still good.");
    with_pause(Failure::new(kind, words), error)
}

/// What a refused Personal API key is called.
pub fn key(error: &Error) -> Failure {
    let (kind, words) = match error {
        Error::InvalidCredentials => (
            Kind::InvalidCredentials,
            "Garmin does not accept this Personal API key: it is mistyped, has ended, or was deleted. Nothing was stored.".to_owned(),
        ),
        Error::Forbidden => (
            Kind::InvalidCredentials,
            format!(
                "Garmin does not let this Personal API key in: look at {KEY_PAGE} whether its terms are accepted, and whether the \
                 account has a device that has synced. Nothing was stored."
            ),
        ),
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
