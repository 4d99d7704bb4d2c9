//! What the answers of Garmin's sign-in services mean: pure functions from status, headers and body to an outcome or
//! an [`Error`]. The sign-in module asks them about every answer. They never look at `Content-Type`, which Garmin and
//! its edge set carelessly: JSON is what parses as JSON.

use chrono::Utc;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::{
    Error,
    client::{Reply, retry_after},
};

/// What `.../api/login` and `.../api/mfa/verifyCode` can bring besides an error.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// A service ticket.
    Ticket(String),
    /// A code is wanted; the value is Garmin's `customerMfaInfo`.
    CodeWanted(Value),
}

/// The answer to e-mail address and password.
pub(crate) fn login(reply: &Reply) -> Result<Outcome, Error> {
    let answer = sso(reply)?;
    let Said { kind, message, .. } = &answer;
    match kind.as_str() {
        "SUCCESSFUL" => answer.ticket(),
        "MFA_REQUIRED" => Ok(Outcome::CodeWanted(answer.json["customerMfaInfo"].clone())),
        _ if answer.locked() => Err(Error::AccountLocked { kind: tidy(kind), message: tidy(message) }),
        _ if answer.denied() => {
            Err(Error::DeniedByPolicy { said: tidy(if message.is_empty() { kind } else { message }) })
        }
        "CAPTCHA_REQUIRED" => Err(Error::CaptchaRequired),
        "INVALID_USERNAME_PASSWORD" => Err(Error::InvalidCredentials),
        "" => Err(odd_status(reply.status)),
        // The types of disabled accounts, too many logins, missing consent and the like are not known. Each is a stop.
        _ => Err(Error::SignInStopped { kind: tidy(kind), message: tidy(message) }),
    }
}

/// The answer to a code. The types of refusals are guesses of other clients, so anything that is not a success and
/// does not name another reason is a rejected code.
pub(crate) fn verify(reply: &Reply) -> Result<Outcome, Error> {
    let answer = sso(reply)?;
    let kind = answer.kind.to_ascii_uppercase();
    match kind.as_str() {
        "SUCCESSFUL" => answer.ticket(),
        "CAPTCHA_REQUIRED" => Err(Error::CaptchaRequired),
        _ if answer.locked() => Err(Error::AccountLocked { kind: tidy(&answer.kind), message: tidy(&answer.message) }),
        _ if kind.contains("SESSION") => Err(Error::SessionLost),
        _ if kind.contains("EXPIRED") => Err(Error::CodeExpired),
        "" if !matches!(reply.status, 400 | 401) => Err(odd_status(reply.status)),
        _ => Err(Error::CodeRejected),
    }
}

/// The answer to the request for a code: whether one was sent. An empty answer, or one without a type, says so too.
pub(crate) fn sent(reply: &Reply) -> Result<(), Error> {
    let is_object = matches!(serde_json::from_slice(&reply.body), Ok(Value::Object(_)));
    if (200..300).contains(&reply.status) && !is_object && !is_web_page(&reply.body) {
        return Ok(());
    }
    let answer = sso(reply)?;
    let kind = answer.kind.to_ascii_uppercase();
    match kind.as_str() {
        "SUCCESSFUL" => Ok(()),
        "" if (200..300).contains(&reply.status) && hidden_status(&answer.json).is_none() => Ok(()),
        "CAPTCHA_REQUIRED" => Err(Error::CaptchaRequired),
        _ if answer.locked() => Err(Error::AccountLocked { kind: tidy(&answer.kind), message: tidy(&answer.message) }),
        _ if kind.contains("SESSION") => Err(Error::SessionLost),
        "" => Err(odd_status(reply.status)),
        _ => Err(Error::unexpected(format!("no code was sent ({})", tidy(&answer.kind)))),
    }
}

/// The answer to the request for the sign-in page: only whether the edge let us see it. Its text is of no interest.
pub(crate) fn page(reply: &Reply) -> Result<(), Error> {
    match reply.status {
        200 if !is_challenge(reply) => Ok(()),
        _ => Err(match sso(reply) {
            Err(error) => error,
            Ok(_) => odd_status(reply.status),
        }),
    }
}

/// A JSON answer of the sign-in services.
struct Said {
    json: Value,
    kind: String,
    message: String,
}

impl Said {
    fn ticket(&self) -> Result<Outcome, Error> {
        match self.json["serviceTicketId"].as_str() {
            Some(ticket) if !ticket.is_empty() => Ok(Outcome::Ticket(ticket.to_owned())),
            _ => Err(Error::unexpected("a sign-in that succeeded without a ticket")),
        }
    }

    /// A child's account, or one that a security policy keeps out of programs, by the key of Garmin's own text.
    fn denied(&self) -> bool {
        let bare = |text: &str| text.to_ascii_uppercase().replace('_', "");
        [&self.kind, &self.message].iter().any(|text| bare(text).contains("SECURITYPOLICY"))
    }

    /// Type or message name a lock. The exact words are not known.
    fn locked(&self) -> bool {
        [&self.kind, &self.message].iter().any(|text| text.to_ascii_uppercase().contains("LOCK"))
    }
}

/// What all answers of the sign-in services have in common: the refusals that need no reading, and the JSON.
fn sso(reply: &Reply) -> Result<Said, Error> {
    let throttled = || Error::Throttled { retry_after: retry_after(&reply.headers, Utc::now()) };
    match reply.status {
        429 | 427 => return Err(throttled()),
        409 => return Err(Error::SessionLost),
        408 | 500..=599 => return Err(Error::ServerTrouble { status: reply.status }),
        300..=399 => return Err(Error::unexpected("a redirect")),
        _ => {}
    }
    let Ok(json @ Value::Object(_)) = serde_json::from_slice(&reply.body) else {
        return Err(if is_banned(reply) {
            throttled()
        } else if reply.status == 403 || is_challenge(reply) {
            Error::Challenged
        } else {
            Error::unexpected(format!("no JSON (HTTP {})", reply.status))
        });
    };
    // Throttling can hide in a 200: `{"error": {"status-code": "429"}}`, as text or number.
    if let Some(code) = hidden_status(&json) {
        match code {
            429 | 427 => return Err(throttled()),
            408 | 500..=599 => return Err(Error::ServerTrouble { status: code }),
            // What a 400 or 401 means, whoever asked knows: wrong credentials, or a wrong code.
            400 | 401 => {}
            code => return Err(Error::unexpected(format!("error {code} inside an answer"))),
        }
    }
    let status = &json["responseStatus"];
    let text = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
    Ok(Said { kind: text("type"), message: text("message"), json })
}

/// Refusals that come from the edge or a throttle, and do not depend on what was asked.
pub(crate) fn edge(reply: &Reply) -> Result<(), Error> {
    if matches!(reply.status, 429 | 427) || is_banned(reply) {
        return Err(Error::Throttled { retry_after: retry_after(&reply.headers, Utc::now()) });
    }
    if reply.status == 403 || is_challenge(reply) {
        return Err(Error::Challenged);
    }
    Ok(())
}

fn hidden_status(json: &Value) -> Option<u16> {
    match &json["error"]["status-code"] {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn odd_status(status: u16) -> Error {
    Error::unexpected(format!("an answer without a type (HTTP {status})"))
}

/// Cloudflare's "Just a moment" pages, which want a browser to compute something.
fn is_challenge(reply: &Reply) -> bool {
    const SIGNS: [&str; 4] = ["Just a moment", "__cf_chl", "cf-browser-verification", "Attention Required"];
    let challenged = |headers: &HeaderMap| headers.get("cf-mitigated").is_some_and(|value| value == "challenge");
    let text = String::from_utf8_lossy(&reply.body);
    challenged(&reply.headers) || SIGNS.iter().any(|sign| text.contains(sign))
}

/// Cloudflare's error 1015 and its like: this address is banned for a while.
pub(crate) fn is_banned(reply: &Reply) -> bool {
    let text = String::from_utf8_lossy(&reply.body);
    text.contains("used Cloudflare to restrict access") || text.contains("error code: 1015")
}

/// Whether a body is a web page, whatever it claims to be.
pub(crate) fn is_web_page(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    ["<!doctype html", "<html"]
        .iter()
        .any(|start| body.get(..start.len()).is_some_and(|opening| opening.eq_ignore_ascii_case(start.as_bytes())))
}

/// A name of Garmin's, as long as names are: what `status` says of an account fits on a line.
pub(crate) fn name(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Whether a character steers what shows it: a control character, or one that turns the direction of writing.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of Garmin's, fit to be shown: at most 120 printable characters, and without words that look like a ticket, a
/// token or an address.
pub(crate) fn tidy(text: &str) -> String {
    let printable: String = text.chars().map(|c| if steers(c) { ' ' } else { c }).collect();
    let secret = |word: &str| {
        word.contains("ST-")
            || word.contains("eyJ")
            || word.contains('@')
            || (word.len() > 16 && word.contains(|c: char| c.is_ascii_digit()))
    };
    let words: Vec<&str> = printable.split_whitespace().map(|word| if secret(word) { "…" } else { word }).collect();
    words.join(" ").chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::HeaderValue;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, headers: HeaderMap::new(), body: body.to_owned().into() }
    }

    fn said(kind: &str, message: &str) -> String {
        serde_json::json!({
            "serviceURL": null, "serviceTicketId": null,
            "responseStatus": {"type": kind, "message": message, "httpStatus": "OK"},
            "customerMfaInfo": null,
        })
        .to_string()
    }

    const TICKET: &str =
        r#"{"serviceTicketId": "ST-1-abc-sso", "responseStatus": {"type": "SUCCESSFUL", "message": ""}}"#;
    const CHALLENGE: &str = "<!DOCTYPE html><title>Just a moment...</title><script>window._cf_chl_opt</script>";
    const BANNED: &str = "<title>Access denied | sso.garmin.com used Cloudflare to restrict access</title>";

    #[test]
    fn every_known_answer_to_a_password() {
        let code = r#"{"serviceTicketId": null, "responseStatus": {"type": "MFA_REQUIRED"}, "customerMfaInfo": {"email": "a"}}"#;
        assert_eq!(login(&reply(200, TICKET)), Ok(Outcome::Ticket("ST-1-abc-sso".into())));
        assert_eq!(login(&reply(200, code)), Ok(Outcome::CodeWanted(serde_json::json!({"email": "a"}))));

        let throttled = Error::Throttled { retry_after: None };
        let trouble = |status| Error::ServerTrouble { status };
        let stopped = |kind: &str, message: &str| Error::SignInStopped { kind: kind.into(), message: message.into() };
        let locked = |kind: &str, message: &str| Error::AccountLocked { kind: kind.into(), message: message.into() };
        let odd = |what: &str| Error::unexpected(what);
        let wrong = said("INVALID_USERNAME_PASSWORD", "generalLoginInvalidUsernameOrPassword");
        for (status, body, error) in [
            (401, wrong.as_str(), Error::InvalidCredentials),
            (200, &wrong, Error::InvalidCredentials),
            (200, &said("CAPTCHA_REQUIRED", ""), Error::CaptchaRequired),
            (403, &said("CAPTCHA_REQUIRED", ""), Error::CaptchaRequired),
            (200, &said("FAIL", "someTextKey"), stopped("FAIL", "someTextKey")),
            (403, &said("CONSENT_NEEDED", ""), stopped("CONSENT_NEEDED", "")),
            (200, &said("FAIL", "accountLocked"), locked("FAIL", "accountLocked")),
            (200, &said("ACCOUNT_LOCKED", ""), locked("ACCOUNT_LOCKED", "")),
            (
                200,
                &said("FAIL", "loginDeniedApplicationSecurityPolicy"),
                Error::DeniedByPolicy { said: "loginDeniedApplicationSecurityPolicy".into() },
            ),
            (
                401,
                &said("INVALID_USERNAME_PASSWORD", "accountLocked"),
                locked("INVALID_USERNAME_PASSWORD", "accountLocked"),
            ),
            (429, "", throttled.clone()),
            (429, "{}", throttled.clone()),
            (429, BANNED, throttled.clone()),
            (403, BANNED, throttled.clone()),
            (427, "", throttled.clone()),
            (200, r#"{"error": {"status-code": "429", "message": "x"}}"#, throttled.clone()),
            (200, r#"{"error": {"status-code": 429}}"#, throttled.clone()),
            (200, r#"{"error": {"status-code": "503"}}"#, trouble(503)),
            (200, r#"{"error": {"status-code": "400"}}"#, odd("an answer without a type (HTTP 200)")),
            (403, CHALLENGE, Error::Challenged),
            (403, "", Error::Challenged),
            (200, CHALLENGE, Error::Challenged),
            (409, "", Error::SessionLost),
            (500, "{}", trouble(500)),
            (502, "<html>Bad Gateway</html>", trouble(502)),
            (408, "", trouble(408)),
            (302, "", odd("a redirect")),
            (200, "<html>maintenance</html>", odd("no JSON (HTTP 200)")),
            (200, "", odd("no JSON (HTTP 200)")),
            (200, "[]", odd("no JSON (HTTP 200)")),
            (200, r#"{"responseStatus": {"type": "SUCC"#, odd("no JSON (HTTP 200)")),
            (401, "<html>", odd("no JSON (HTTP 401)")),
            (200, "{}", odd("an answer without a type (HTTP 200)")),
            (200, &said("SUCCESSFUL", ""), odd("a sign-in that succeeded without a ticket")),
        ] {
            assert_eq!(login(&reply(status, body)), Err(error), "{status} {body}");
        }
    }

    #[test]
    fn every_known_answer_to_a_code() {
        assert_eq!(verify(&reply(200, TICKET)), Ok(Outcome::Ticket("ST-1-abc-sso".into())));
        for (status, body, error) in [
            (200, said("INVALID_MFA_CODE", ""), Error::CodeRejected),
            (200, said("MFA_FAILED", ""), Error::CodeRejected),
            (200, said("INVALID", ""), Error::CodeRejected),
            (401, said("INVALID", ""), Error::CodeRejected),
            (400, "{}".into(), Error::CodeRejected),
            (401, "{}".into(), Error::CodeRejected),
            (200, said("MFA_CODE_EXPIRED", ""), Error::CodeExpired),
            (200, said("SESSION_EXPIRED", ""), Error::SessionLost),
            (409, String::new(), Error::SessionLost),
            (
                200,
                said("ACCOUNT_LOCKED", "x"),
                Error::AccountLocked { kind: "ACCOUNT_LOCKED".into(), message: "x".into() },
            ),
            (200, said("CAPTCHA_REQUIRED", ""), Error::CaptchaRequired),
            (429, String::new(), Error::Throttled { retry_after: None }),
            (400, r#"{"error": {"status-code": "400", "message": "x"}}"#.into(), Error::CodeRejected),
            (200, r#"{"error": {"status-code": "429"}}"#.into(), Error::Throttled { retry_after: None }),
            (403, CHALLENGE.into(), Error::Challenged),
            (503, String::new(), Error::ServerTrouble { status: 503 }),
            (400, "<html>".into(), Error::unexpected("no JSON (HTTP 400)")),
            (200, "{}".into(), Error::unexpected("an answer without a type (HTTP 200)")),
        ] {
            assert_eq!(verify(&reply(status, &body)), Err(error), "{status} {body}");
        }
    }

    #[test]
    fn every_known_answer_to_the_request_for_a_code() {
        for (status, body) in [
            (200, said("SUCCESSFUL", "")),
            (200, "{}".into()),
            (200, String::new()),
            (204, String::new()),
            (200, "true".into()),
        ] {
            assert_eq!(sent(&reply(status, &body)), Ok(()), "{status} {body}");
        }
        let throttled = Error::Throttled { retry_after: None };
        for (status, body, error) in [
            (200, said("SESSION_EXPIRED", "sessionExpired"), Error::SessionLost),
            (409, String::new(), Error::SessionLost),
            (429, String::new(), throttled.clone()),
            (200, r#"{"error": {"status-code": "429"}}"#.into(), throttled),
            (
                200,
                r#"{"error": {"status-code": 400}}"#.into(),
                Error::unexpected("an answer without a type (HTTP 200)"),
            ),
            (200, said("FAIL", "x"), Error::unexpected("no code was sent (FAIL)")),
            (401, "{}".into(), Error::unexpected("an answer without a type (HTTP 401)")),
            (403, CHALLENGE.into(), Error::Challenged),
            (200, CHALLENGE.into(), Error::Challenged),
            (200, "<html>maintenance</html>".into(), Error::unexpected("no JSON (HTTP 200)")),
            (503, String::new(), Error::ServerTrouble { status: 503 }),
        ] {
            assert_eq!(sent(&reply(status, &body)), Err(error), "{status} {body}");
        }
    }

    #[test]
    fn a_sign_in_page_is_any_page_but_a_challenge() {
        assert_eq!(page(&reply(200, "<html>GARMIN</html>")), Ok(()));
        assert_eq!(page(&reply(200, CHALLENGE)), Err(Error::Challenged));
        assert_eq!(page(&reply(403, CHALLENGE)), Err(Error::Challenged));
        assert_eq!(page(&reply(429, BANNED)), Err(Error::Throttled { retry_after: None }));
        assert_eq!(page(&reply(302, "")), Err(Error::unexpected("a redirect")));
        assert_eq!(page(&reply(404, "{}")), Err(Error::unexpected("an answer without a type (HTTP 404)")));
    }

    #[test]
    fn retry_after_and_the_mitigation_header_are_read() {
        let mut limited = reply(429, "");
        limited.headers.insert("retry-after", HeaderValue::from_static("120"));
        assert_eq!(login(&limited), Err(Error::Throttled { retry_after: Some(Duration::from_secs(120)) }));
        let mut challenged = reply(200, "<html></html>");
        challenged.headers.insert("cf-mitigated", HeaderValue::from_static("challenge"));
        assert_eq!(page(&challenged), Err(Error::Challenged));
    }

    #[test]
    fn garmins_words_are_shown_without_secrets() {
        assert_eq!(tidy("generalLoginInvalidUsernameOrPassword"), "generalLoginInvalidUsernameOrPassword");
        assert_eq!(tidy("ticket ST-0000001-aBc-sso\nof a@example.org\u{7} eyJhbG.x.y spent"), "ticket … of … … spent");
        assert_eq!(tidy("Invalid refresh token: 11111111-2222-3333-4444-555555555555"), "Invalid refresh token: …");
        assert_eq!(tidy(&"word ".repeat(100)).chars().count(), 120);
        assert_eq!(tidy("a\u{9b}31mb\u{202e}c\u{2066}d"), "a 31mb c d");
    }

    #[test]
    fn web_pages_are_told_from_files() {
        assert!(is_web_page(b"\n <!DOCTYPE HTML><html>"));
        assert!(is_web_page(b"\xef\xbb\xbf<html lang=en>"));
        assert!(!is_web_page(b"<?xml version=\"1.0\"?><gpx>"));
        assert!(!is_web_page(b"PK\x03\x04"));
        assert!(!is_web_page(b""));
    }
}
