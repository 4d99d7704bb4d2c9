//! `sso.garmin.com`: sign-in pages and the JSON login of the mobile and the portal flow.
//! `World::answer` calls it; codes are `mfa`'s, the HTML flow is `widget`'s.

use chrono::Duration;
use serde_json::{Value, json};

use super::http::{Reply, Request, pages};
use super::sessions::{PAGE_COOKIES, Session, json_flow, service_url, set_cookies};
use super::world::World;
use super::{codes, rules, widget};
use crate::people::{SignInFlow, SignInMood};

pub(super) fn answer(world: &mut World, request: &Request) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let ["sso", rest @ ..] = &segments[..] {
        return widget::answer(world, request, rest);
    }
    let Some(flow) = json_flow(segments.first()) else {
        return Reply::html(404, pages::NOT_FOUND);
    };
    match (request.method.as_str(), &segments[1..]) {
        ("GET", ["sso", _, "sign-in"]) => page(world, request, flow),
        ("POST", ["api", "login"]) => login(world, request, flow),
        (_, ["api", "login"]) => Reply::exception(405).with("allow", "POST"),
        _ => Reply::html(404, pages::NOT_FOUND),
    }
}

fn page(world: &mut World, request: &Request, flow: SignInFlow) -> Reply {
    if service_url(flow, request, &world.knobs).is_none() {
        return Reply::html(400, pages::NOT_FOUND);
    }
    let (_, cookies) = Session::open(world, request, flow);
    set_cookies(Reply::html(200, pages::SIGN_IN), &cookies, request, &world.knobs)
}

/// What is wrong with a JSON POST to `sso`, before its meaning is looked at.
pub(super) fn refusal_of_form(request: &Request) -> Option<Reply> {
    if !request.has_content_type("application/json") {
        return Some(Reply::exception(415));
    }
    if request.header("origin") != Some(&request.origin()) {
        return Some(Reply::exception(400));
    }
    None
}

fn login(world: &mut World, request: &Request, flow: SignInFlow) -> Reply {
    if let Some(refusal) = refusal_of_form(request) {
        return refusal;
    }
    let cookies = request.cookies();
    let id = cookies.get("SESSION").cloned().unwrap_or_default();
    let known = world
        .sessions
        .get(&id)
        .filter(|session| session.flow == flow && session.has(&PAGE_COOKIES, &cookies) && session.is_referer(request));
    // Garmin answers 429, not 4xx, to a POST that no page preceded.
    let Some(session) = known else { return Reply::empty(429) };
    if (world.now() - session.opened).to_std().unwrap_or_default() < world.knobs.sign_in_pause {
        return Reply::empty(429);
    }
    let Some(service_url) = service_url(flow, request, &world.knobs) else {
        return status(400, "INVALID_SERVICE", "ticketServiceMismatch");
    };
    let body = request.json().unwrap_or(Value::Null);
    let complete = body["rememberMe"].is_boolean() && body["captchaToken"].is_string();
    let (Some(email), Some(password), true) = (body["username"].as_str(), body["password"].as_str(), complete) else {
        return Reply::exception(400);
    };
    let wrong = || status(401, "INVALID_USERNAME_PASSWORD", "generalLoginInvalidUsernameOrPassword");
    let Some(person) = world.person(email).cloned() else { return wrong() };
    let mood = person.mood_of(flow);
    if let Some(reply) = before_password(mood) {
        return reply;
    }
    if person.password != password {
        return wrong();
    }
    let method = match mood {
        SignInMood::Locked => return status(200, "ACCOUNT_LOCKED", "generalLoginAccountLocked"),
        SignInMood::Child => return status(200, "FAIL", "loginDeniedApplicationSecurityPolicy"),
        SignInMood::Stopped { kind, message } => return status(200, kind, message),
        SignInMood::MfaEmail => "email",
        SignInMood::MfaSms => "sms",
        SignInMood::MfaTotp => "totp",
        _ => return signed_in(world, request, &person.email, &service_url, true),
    };
    let shown = codes::begin(world, &id, &person, &service_url, method);
    // The login itself sends the first code; an authenticator app needs none.
    let _ = codes::send(world, &id);
    let sent_to = codes::destination(&person, method);
    let mut reply = outcome("MFA_REQUIRED", "", "OK");
    reply["serviceURL"] = json!(service_url);
    reply["consentTypeList"] = json!([]);
    reply["customerMfaInfo"] = json!({
        "email": (method == "email").then_some(&sent_to), "phoneNumber": (method == "sms").then_some(&sent_to),
        "mfaLastMethodUsed": shown, "defaultMfaMethod": null,
        "mfaUISetting": {"allowPhoneOption": true, "allowAddEmailAddress": false, "chooseDifferentWayShown": false}});
    Reply::json(200, &reply)
}

/// Answers that come from the edge or a bot check, whatever the password.
fn before_password(mood: &SignInMood) -> Option<Reply> {
    Some(match mood {
        SignInMood::Captcha => status(200, "CAPTCHA_REQUIRED", ""),
        SignInMood::Throttled429 => Reply::empty(429),
        SignInMood::Throttled427 => Reply::empty(427),
        SignInMood::ThrottledIn200 => rules::throttled_in_200(),
        SignInMood::Challenge403 => rules::challenge(),
        SignInMood::Cloudflare1015 => rules::banned(),
        SignInMood::ServerError => Reply::html(503, pages::MAINTENANCE),
        SignInMood::Html200 => Reply::html(200, pages::MAINTENANCE),
        SignInMood::Ok
        | SignInMood::MfaEmail
        | SignInMood::MfaSms
        | SignInMood::MfaTotp
        | SignInMood::Locked
        | SignInMood::Child
        | SignInMood::Stopped { .. } => return None,
    })
}

/// Ticket and cookies. The answer to a code has no `customerMfaInfo`.
pub(super) fn signed_in(world: &mut World, request: &Request, user: &str, service_url: &str, by_login: bool) -> Reply {
    let mut body = outcome("SUCCESSFUL", "", "OK");
    body["serviceURL"] = json!(service_url);
    body["serviceTicketId"] = json!(world.issue_ticket(user, service_url, "sso"));
    if let (false, Some(body)) = (by_login, body.as_object_mut()) {
        body.remove("customerMfaInfo");
    }
    let cookies = signed_in_cookies(world, user);
    set_cookies(Reply::json(200, &body), &cookies, request, &world.knobs)
}

/// The cookies of a browser that has signed in. With the first one it need not do so again.
pub(super) fn signed_in_cookies(world: &mut World, user: &str) -> [(&'static str, String, String); 4] {
    let guid = world.person(user).map(crate::people::Person::guid).unwrap_or_default();
    let expires = (world.now() + Duration::days(365)).format("; Expires=%a, %d %b %Y %H:%M:%S GMT").to_string();
    let granting = format!("TGT-{}", world.letters(24));
    world.browsers.insert(granting.clone(), user.to_owned());
    [
        ("CASTGC", granting, String::new()),
        ("GARMIN-SSO", "1".to_owned(), String::new()),
        ("GARMIN-SSO-CUST-GUID", guid, String::new()),
        ("GMN_TRACKABLE", "1".to_owned(), expires),
    ]
}

pub(super) fn status(http: u16, kind: &str, message: &str) -> Reply {
    let word = match http {
        200 => "OK",
        401 => "UNAUTHORIZED",
        _ => "BAD_REQUEST",
    };
    Reply::json(http, &outcome(kind, message, word))
}

fn outcome(kind: &str, message: &str, word: &str) -> Value {
    json!({
        "serviceURL": null, "serviceTicketId": null,
        "responseStatus": {"type": kind, "message": message, "httpStatus": word},
        "responseReason": null, "customerMfaInfo": null, "consentTypeList": null,
        "captchaAlreadyPassed": false, "samlResponse": null, "authType": null,
    })
}
