//! Codes at `sso` in JSON: checking one, sending another. Continues the login whose cookies come with the request.
//! `World::answer` calls it; what a code is worth is `codes`' business.

use serde_json::{Value, json};

use super::codes::{self, Checked, TooSoon};
use super::http::{Reply, Request, pages};
use super::sessions::{json_flow, service_url};
use super::sso::{refusal_of_form, signed_in, status};
use super::world::World;
use crate::people::SignInFlow;

pub(super) fn answer(world: &mut World, request: &Request) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let Some(flow) = json_flow(segments.first()) else {
        return Reply::html(404, pages::NOT_FOUND);
    };
    match (request.method.as_str(), &segments[1..]) {
        ("POST", ["api", "mfa", "verifyCode"]) => verify(world, request, flow),
        ("POST", ["api", "mfa", "sendCode"]) => send(world, request, flow),
        (_, ["api", "mfa", "verifyCode" | "sendCode"]) => Reply::exception(405).with("allow", "POST"),
        _ => Reply::html(404, pages::NOT_FOUND),
    }
}

fn verify(world: &mut World, request: &Request, flow: SignInFlow) -> Reply {
    if let Some(refusal) = refusal_of_form(request) {
        return refusal;
    }
    let Some(service_url) = service_url(flow, request, &world.knobs) else {
        return status(400, "INVALID_SERVICE", "ticketServiceMismatch");
    };
    let Some(id) = codes::waiting(world, request) else { return Reply::exception(409) };
    if is_elsewhere(world, request) {
        return Reply::exception(400);
    }
    let body = request.json().unwrap_or(Value::Null);
    let complete =
        body["rememberMyBrowser"].is_boolean() && body["reconsentList"].is_array() && body["mfaSetup"].is_boolean();
    let (Some(code), true) = (body["mfaVerificationCode"].as_str(), complete) else { return Reply::exception(400) };
    if !is_method(world, &id, &body) {
        return Reply::exception(400);
    }
    let asked_first = world.sessions.get(&id).and_then(|session| Some(session.challenge.as_ref()?.service_url.clone()));
    let service_url = asked_first.filter(|_| world.knobs.code_keeps_service).unwrap_or(service_url);
    match codes::check(world, &id, code) {
        Checked::Right(user) => signed_in(world, request, &user, &service_url, false),
        Checked::Wrong => status(world.knobs.wrong_code_status, &world.knobs.wrong_code_type, "invalidMfaCode"),
        Checked::Nothing => Reply::exception(409),
    }
}

fn send(world: &mut World, request: &Request, flow: SignInFlow) -> Reply {
    if let Some(refusal) = refusal_of_form(request) {
        return refusal;
    }
    if service_url(flow, request, &world.knobs).is_none() {
        return status(400, "INVALID_SERVICE", "ticketServiceMismatch");
    }
    let Some(id) = codes::waiting(world, request) else { return status(200, "SESSION_EXPIRED", "sessionExpired") };
    if is_elsewhere(world, request) {
        return Reply::exception(400);
    }
    let body = request.json().unwrap_or(Value::Null);
    if !is_method(world, &id, &body) || body["mfaMethod"].as_str().is_some_and(|it| it.eq_ignore_ascii_case("totp")) {
        return Reply::exception(400);
    }
    match codes::send(world, &id) {
        Ok(()) => {
            Reply::json(200, &json!({"responseStatus": {"type": "SUCCESSFUL", "message": "", "httpStatus": "OK"}}))
        }
        Err(TooSoon) => Reply::empty(429),
    }
}

/// True if the request does not say that it comes from a page of the sign-in, as a careful client's does.
fn is_elsewhere(world: &World, request: &Request) -> bool {
    let site = request.site();
    world.knobs.strict && !request.header("referer").is_some_and(|page| page.starts_with(&site))
}

/// True if the method came back as the login answer said it.
fn is_method(world: &World, id: &str, body: &Value) -> bool {
    let challenge = world.sessions.get(id).and_then(|session| session.challenge.as_ref());
    challenge.is_some_and(|challenge| body["mfaMethod"].as_str() == Some(&challenge.method))
}
