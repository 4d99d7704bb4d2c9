//! Codes at `sso`: checking one, sending another. Continues the login whose cookies come with the request.
//! `World::answer` calls it.

use serde_json::{Value, json};

use super::http::{Reply, Request, pages};
use super::sessions::Flow;
use super::sso::{refusal_of_form, signed_in, status};
use super::world::{Mail, World};

/// Codes of one login after which Garmin says "use a code you already have or wait 24 hours".
const MOST_CODES: u32 = 5;

/// What must come back of the page's cookies. Cloudflare's `__cf_bm` may have expired meanwhile.
const NEEDED_COOKIES: [&str; 4] = ["SESSION", "__VCAP_ID__", "__cflb", "_cfuvid"];

pub(super) fn answer(world: &mut World, request: &Request) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let Some(flow) = segments.first().and_then(|first| Flow::of(first)) else {
        return Reply::html(404, pages::NOT_FOUND);
    };
    match (request.method.as_str(), &segments[1..]) {
        ("POST", ["api", "mfa", "verifyCode"]) => verify(world, request, flow),
        ("POST", ["api", "mfa", "sendCode"]) => send(world, request),
        (_, ["api", "mfa", "verifyCode" | "sendCode"]) => Reply::exception(405).with("allow", "POST"),
        _ => Reply::html(404, pages::NOT_FOUND),
    }
}

/// The session of the request, if its login waits for a code. Either JSON path serves either flow's session.
fn waiting(world: &World, request: &Request) -> Option<String> {
    let cookies = request.cookies();
    let id = cookies.get("SESSION")?;
    let session = world.sessions.get(id)?;
    (session.challenge.is_some() && session.has(&NEEDED_COOKIES, &cookies)).then(|| id.clone())
}

fn verify(world: &mut World, request: &Request, flow: Flow) -> Reply {
    if let Some(refusal) = refusal_of_form(request) {
        return refusal;
    }
    let Some(service_url) = flow.service_url(request, &world.knobs) else {
        return status(400, "INVALID_SERVICE", "ticketServiceMismatch");
    };
    let now = world.now();
    let Some(id) = waiting(world, request) else { return Reply::exception(409) };
    let Some(challenge) = world.sessions.get_mut(&id).and_then(|session| session.challenge.as_mut()) else {
        return Reply::exception(409);
    };
    let body = request.json().unwrap_or(Value::Null);
    let complete =
        body["rememberMyBrowser"].is_boolean() && body["reconsentList"].is_array() && body["mfaSetup"].is_boolean();
    let (Some(code), true) = (body["mfaVerificationCode"].as_str(), complete) else { return Reply::exception(400) };
    if body["mfaMethod"].as_str() != Some(&challenge.method) {
        return Reply::exception(400);
    }
    let mailed = !challenge.method.eq_ignore_ascii_case("totp");
    let expired = mailed && (now - challenge.sent).to_std().unwrap_or_default() > world.knobs.code_life;
    if code != challenge.code || expired {
        challenge.wrong += 1;
        if challenge.wrong >= world.knobs.code_attempts
            && let Some(session) = world.sessions.get_mut(&id)
        {
            session.challenge = None;
        }
        return status(world.knobs.wrong_code_status, &world.knobs.wrong_code_type, "invalidMfaCode");
    }
    let user = challenge.user.clone();
    if let Some(session) = world.sessions.get_mut(&id) {
        session.challenge = None;
    }
    signed_in(world, &user, &service_url, false)
}

fn send(world: &mut World, request: &Request) -> Reply {
    if let Some(refusal) = refusal_of_form(request) {
        return refusal;
    }
    let (now, code) = (world.now(), world.digits(6));
    let pause = world.knobs.resend_pause;
    let Some(id) = waiting(world, request) else { return status(200, "SESSION_EXPIRED", "sessionExpired") };
    let Some(challenge) = world.sessions.get_mut(&id).and_then(|session| session.challenge.as_mut()) else {
        return status(200, "SESSION_EXPIRED", "sessionExpired");
    };
    let body = request.json().unwrap_or(Value::Null);
    if body["mfaMethod"].as_str() != Some(&challenge.method) || challenge.method.eq_ignore_ascii_case("totp") {
        return Reply::exception(400);
    }
    if (now - challenge.sent).to_std().unwrap_or_default() < pause || challenge.codes_sent >= MOST_CODES {
        return Reply::empty(429);
    }
    challenge.code.clone_from(&code);
    challenge.sent = now;
    challenge.codes_sent += 1;
    let (user, method) = (challenge.user.clone(), challenge.method.to_lowercase());
    let sent_to = match method.as_str() {
        "email" => world.person(&user).map(crate::people::Person::masked_email).unwrap_or_default(),
        _ => "*******42".to_owned(),
    };
    world.send_mail(Mail { at: now, user, method, sent_to, code });
    Reply::json(200, &json!({"responseStatus": {"type": "SUCCESSFUL", "message": "", "httpStatus": "OK"}}))
}
