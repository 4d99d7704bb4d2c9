//! The chain of a sign-in with e-mail address and password: one way in after the other, each with its own bucket at Garmin,
//! until one opens or the rest is pointless. What ends the chain is a pure rule ([`after`]); the actor runs the rest as a task of
//! its own. It knows nothing of states, attempts and cool-downs.

use garminsync_garmin::{Cause, Credentials, Error, Flow, Garmin, SignIn};
use garminsync_protocol::{Failure, Kind};
use garminsync_store::Vault;

use super::sign_in::{End, Told, complete};
use super::words;
use crate::on_thread::OnThread;

/// How often, in one chain, a sign-in page that is in trouble is asked for once more.
const PAGE_RETRIES: u32 = 1;

/// What follows a way in that did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// It is the answer for every way in, or a code may be on its way.
    Stop,
    /// The door was shut before anybody looked at the password: the next one may open.
    Next,
    /// There is no road to any of the doors.
    NoRoad,
}

fn after(error: &Error) -> After {
    match error {
        // About the person or the account: another door would be a second try of the same.
        Error::InvalidCredentials
        | Error::AccountLocked { .. }
        | Error::SignInStopped { .. }
        | Error::DeniedByPolicy { .. }
        // Another door would be a second code.
        | Error::AnswerLost { .. }
        // About us.
        | Error::Setup(_) => After::Stop,
        // One host serves them all.
        Error::Unreachable { cause: Cause::Connect, .. } => After::NoRoad,
        _ => After::Next,
    }
}

/// Signs in through the first door that opens. Every door that does not is told in a sentence: to the log, to who waits, and in
/// the failure that the chain may end with.
pub async fn sign_in(
    garmin: &Garmin,
    vault: &OnThread<Vault>,
    account: &str,
    credentials: &Credentials,
    told: &Told,
) -> End {
    let (mut failed, mut retries) = (Vec::new(), PAGE_RETRIES);
    for flow in Flow::order(garmin.endpoints().domain) {
        if !failed.is_empty() {
            told("trying the next way in");
        }
        let error = match garmin.sign_in(flow, credentials, &mut retries, told).await {
            Ok(SignIn::CodeWanted(pending)) => return End::CodeWanted(pending),
            Ok(SignIn::Ticket(ticket)) => match complete(garmin, vault, account, &ticket, told).await {
                End::Refused(error) => error,
                end => return end,
            },
            Err(error) => error,
        };
        let sentence = words::tried(flow, &error);
        tracing::warn!(account, %flow, "a way in did not open: {sentence}");
        told(&sentence);
        let after = after(&error);
        failed.push((flow, error));
        match after {
            After::Next => {}
            After::NoRoad => break,
            After::Stop => {
                let failure = failed.last().map(|(_, error)| words::sign_in(error));
                return End::Failed(with_tried(failure, &failed));
            }
        }
    }
    end(&failed)
}

/// What a chain ends with that led nowhere: blocked, if any door was shut against us; else as its first trouble says.
fn end(failed: &[(Flow, Error)]) -> End {
    let told = failed.iter().map(|(_, error)| error).min_by_key(|error| match error {
        // The most telling refusal first: what a person can do something about.
        Error::Unauthorized | Error::Forbidden => 0,
        Error::CaptchaRequired => 1,
        error if words::is_block(error) => 2,
        _ => 3,
    });
    let failure = with_tried(told.map(words::sign_in), failed);
    let asked = failed.iter().filter_map(|(_, error)| match error {
        Error::Throttled { retry_after } => *retry_after,
        _ => None,
    });
    // Each way in has its own throttle; the longest pause is right for all.
    let failure = match asked.max() {
        Some(asked) => failure.retry_after_s(asked.as_secs()),
        None => failure,
    };
    let refused = |error: &Error| matches!(error, Error::Unauthorized | Error::Forbidden);
    match told {
        Some(error) if words::is_block(error) || refused(error) => End::Blocked(failure),
        _ => End::Failed(failure),
    }
}

fn with_tried(failure: Option<Failure>, failed: &[(Flow, Error)]) -> Failure {
    let failure = failure.unwrap_or_else(|| Failure::new(Kind::Internal, "There is no way to sign in to Garmin."));
    failure.tried(failed.iter().map(|(flow, error)| words::tried(*flow, error)).collect())
}

#[cfg(test)]
mod tests {
    use garminsync_protocol::WayIn;

    use super::*;

    fn unreachable(cause: Cause) -> Error {
        Error::Unreachable { cause, what: "sso.garmin.com: refused".into() }
    }

    fn stopped() -> Error {
        Error::SignInStopped { kind: "FAIL".into(), message: "consent".into() }
    }

    fn throttled() -> Error {
        Error::Throttled { retry_after: None }
    }

    #[test]
    fn only_answers_about_the_person_and_lost_ones_end_the_chain() {
        let text = String::new;
        for (error, expected) in [
            (Error::InvalidCredentials, After::Stop),
            (Error::AccountLocked { kind: text(), message: text() }, After::Stop),
            (stopped(), After::Stop),
            (Error::DeniedByPolicy { said: text() }, After::Stop),
            (Error::AnswerLost { what: text() }, After::Stop),
            (throttled(), After::Next),
            (Error::Challenged, After::Next),
            (Error::CaptchaRequired, After::Next),
            (Error::ServerTrouble { status: 503 }, After::Next),
            (Error::Unexpected { what: text() }, After::Next),
            (Error::TooLarge { limit: 1 }, After::Next),
            (Error::SessionLost, After::Next),
            (Error::Unauthorized, After::Next),
            (Error::Forbidden, After::Next),
            (unreachable(Cause::Broken), After::Next),
            (unreachable(Cause::Timeout), After::Next),
            (unreachable(Cause::Connect), After::NoRoad),
        ] {
            assert_eq!(after(&error), expected, "{error:?}");
        }
    }

    fn ended(failed: &[(Flow, Error)]) -> (bool, Failure) {
        match end(failed) {
            End::Blocked(failure) => (true, failure),
            End::Failed(failure) => (false, failure),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_longest_pause_that_any_way_in_asks_for_counts() {
        let throttled = |s| Error::Throttled { retry_after: Some(std::time::Duration::from_secs(s)) };
        let (_, failure) = ended(&[
            (Flow::Mobile, throttled(60)),
            (Flow::Portal, throttled(86_400)),
            (Flow::Widget, Error::CaptchaRequired),
        ]);
        assert_eq!(failure.retry_after_s, Some(86_400));
    }

    #[test]
    fn one_shut_door_makes_the_chain_blocked_and_all_are_told() {
        let trouble = || Error::ServerTrouble { status: 503 };
        let (blocked, failure) =
            ended(&[(Flow::Mobile, trouble()), (Flow::Portal, throttled()), (Flow::Widget, Error::CaptchaRequired)]);
        assert!(blocked);
        assert_eq!((failure.kind, failure.instead), (Kind::CaptchaRequired, Some(WayIn::Browser)));
        assert_eq!(
            failure.tried[..],
            [
                "Mobile sign-in: Garmin has trouble of its own (HTTP 503).",
                "Portal sign-in: Garmin asks to wait.",
                "Widget sign-in: Garmin wants a CAPTCHA solved before it lets this account sign in."
            ]
        );
        let (blocked, failure) = ended(&[(Flow::Mobile, throttled()), (Flow::Widget, Error::Unauthorized)]);
        assert!(blocked && failure.message.contains("data service refuses"), "{failure:?}");
        let (blocked, failure) = ended(&[(Flow::Mobile, trouble()), (Flow::Portal, unreachable(Cause::Timeout))]);
        assert_eq!((blocked, failure.kind, failure.instead), (false, Kind::GarminUnreachable, None));
    }
}
