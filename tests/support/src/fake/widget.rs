//! `sso.garmin.com/sso/…`: the embed widget's HTML forms, and the same forms as people see them in a browser, which end
//! in a redirect to the service with a ticket. `sso` calls it; what a code is worth is `codes`' business.

use serde_json::Value;

use super::codes::{self, Checked, TooSoon};
use super::http::{Reply, Request, pages};
use super::rules;
use super::sessions::{PAGE_COOKIES, Session, page_of, service_url, set_cookies};
use super::sso::signed_in_cookies;
use super::world::World;
use crate::people::{SignInFlow, SignInMood};

const FLOW: SignInFlow = SignInFlow::Widget;

/// The title of the sign-in form, and of the page for a code by e-mail or text message too.
const TITLE: &str = "GARMIN Authentication Application";

/// `clientId` of the page for codes. Garmin's word for the widget is not known; a client must read it from the page.
const CLIENT_ID: &str = "gauth-widget";

pub(super) fn answer(world: &mut World, request: &Request, rest: &[&str]) -> Reply {
    match (request.method.as_str(), rest) {
        ("GET", ["embed"]) if !has_query(world, request, &["id", "embedWidget", "gauthHost"]) => {
            Reply::html(400, pages::NOT_FOUND)
        }
        ("GET", ["embed"]) => {
            let (_, cookies) = Session::open(world, request, FLOW);
            set_cookies(Reply::html(200, &page("GARMIN Embed", "")), &cookies, request, &world.knobs)
        }
        ("GET", ["signin"]) => open(world, request),
        ("POST", ["signin"]) => sign_in(world, request),
        ("POST", ["verifyMFA", "loginEnterMfaCode"]) => enter_code(world, request),
        ("POST", ["verifyMFA", "mfaCode"]) => request_code(world, request),
        (_, ["embed" | "signin" | "verifyMFA", ..]) => Reply::html(405, pages::NOT_FOUND),
        _ => Reply::html(404, pages::NOT_FOUND),
    }
}

/// What every address of the widget carries behind the page that embeds it.
const QUERY: [&str; 7] = [
    "id",
    "embedWidget",
    "gauthHost",
    "service",
    "source",
    "redirectAfterAccountLoginUrl",
    "redirectAfterAccountCreationUrl",
];

/// Whether a careful client's parameters are all there. What Garmin itself makes of fewer is not known.
fn has_query(world: &World, request: &Request, names: &[&str]) -> bool {
    let query = request.query();
    !world.knobs.strict || names.iter().all(|name| query.contains_key(*name))
}

/// The form; or the ticket at once for a browser that has signed in before.
fn open(world: &mut World, request: &Request) -> Reply {
    let Some(service) = service_url(FLOW, request, &world.knobs) else {
        return Reply::html(400, pages::NOT_FOUND);
    };
    if request.query().contains_key("embedWidget") {
        let embedded = request.header("referer").is_some_and(|page| page.contains("/sso/embed"));
        if !has_query(world, request, &QUERY) || (world.knobs.strict && !embedded) {
            return Reply::html(400, pages::NOT_FOUND);
        }
    }
    let cookies = request.cookies();
    if let Some(user) = cookies.get("CASTGC").and_then(|granting| world.browsers.get(granting)).cloned() {
        return done(world, request, &user, &service);
    }
    let known = cookies.get("SESSION").filter(|id| world.sessions.contains_key(*id)).cloned();
    match known {
        Some(id) => form(world, request, &id),
        None => {
            let (id, cookies) = Session::open(world, request, FLOW);
            let reply = form(world, request, &id);
            set_cookies(reply, &cookies, request, &world.knobs)
        }
    }
}

/// The session whose page this form was on: its cookies, its Referer and its latest `_csrf`.
fn filled_in(world: &World, request: &Request) -> Result<String, Reply> {
    if !request.has_content_type("application/x-www-form-urlencoded") {
        return Err(Reply::html(415, pages::FORBIDDEN));
    }
    let (cookies, form) = (request.cookies(), request.form());
    let embedded = request.query().contains_key("embedWidget");
    if embedded && form.get("embed").map(String::as_str) != Some("true") {
        return Err(Reply::html(400, pages::FORBIDDEN));
    }
    let id = cookies.get("SESSION").cloned().unwrap_or_default();
    let session = world.sessions.get(&id).filter(|session| {
        session.flow == FLOW && session.is_referer(request) && form.get("_csrf") == Some(&session.csrf)
    });
    session.map(|_| id).ok_or_else(|| Reply::html(403, pages::FORBIDDEN))
}

fn sign_in(world: &mut World, request: &Request) -> Reply {
    let id = match filled_in(world, request) {
        Ok(id) => id,
        Err(refusal) => return refusal,
    };
    let Some(service) = service_url(FLOW, request, &world.knobs) else {
        return Reply::html(400, pages::NOT_FOUND);
    };
    let now = world.now();
    let known = world.sessions.get(&id).is_some_and(|session| {
        session.has(&PAGE_COOKIES, &request.cookies())
            && (now - session.opened).to_std().unwrap_or_default() >= world.knobs.sign_in_pause
    });
    if !known {
        return Reply::html(429, pages::FORBIDDEN);
    }
    let fields = request.form();
    let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let Some(person) = world.person(text("username")).cloned() else { return rejected(world, request, &id) };
    let mood = person.mood_of(FLOW).clone();
    if let Some(reply) = before_password(&mood) {
        return reply;
    }
    if person.password != text("password") {
        return rejected(world, request, &id);
    }
    let method = match mood {
        SignInMood::Locked => return titled("Account Locked"),
        SignInMood::Child => return titled("Unable To Sign In"),
        SignInMood::Stopped { kind, .. } => return titled(&format!("Account Error {kind}")),
        SignInMood::MfaEmail => "email",
        SignInMood::MfaSms => "sms",
        SignInMood::MfaTotp => "totp",
        _ => return done(world, request, &person.email, &service),
    };
    codes::begin(world, &id, &person, &service, method);
    if world.knobs.widget_sends_code {
        // An authenticator app needs none.
        let _ = codes::send(world, &id);
    }
    code_form(world, request, &id)
}

/// Answers that come from the edge or a bot check, whatever the password.
fn before_password(mood: &SignInMood) -> Option<Reply> {
    Some(match mood {
        SignInMood::Throttled429 | SignInMood::ThrottledIn200 => Reply::html(429, pages::FORBIDDEN),
        SignInMood::Throttled427 => Reply::html(427, pages::FORBIDDEN),
        // No CAPTCHA of the widget is known; the edge's challenge is.
        SignInMood::Challenge403 | SignInMood::Captcha => rules::challenge(),
        SignInMood::Cloudflare1015 => rules::banned(),
        SignInMood::ServerError => Reply::html(502, &page("502 Bad Gateway", "")),
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

fn rejected(world: &mut World, request: &Request, id: &str) -> Reply {
    match world.knobs.widget_rejection.clone() {
        Some(title) => titled(&title),
        None => form(world, request, id),
    }
}

fn enter_code(world: &mut World, request: &Request) -> Reply {
    if codes::waiting(world, request).is_none() {
        return Reply::html(409, &page("Conflict", ""));
    }
    let id = match filled_in(world, request) {
        Ok(id) => id,
        Err(refusal) => return refusal,
    };
    let Some(service) = service_url(FLOW, request, &world.knobs) else {
        return Reply::html(400, pages::NOT_FOUND);
    };
    let fields = request.form();
    let code = fields.get("mfa-code").or_else(|| fields.get("mfa-verification-code"));
    let (Some(code), Some("setupEnterMfaCode")) = (code, fields.get("fromPage").map(String::as_str)) else {
        return Reply::html(400, pages::FORBIDDEN);
    };
    match codes::check(world, &id, code) {
        Checked::Right(user) => done(world, request, &user, &service),
        Checked::Wrong if codes::waiting(world, request).is_some() => code_form(world, request, &id),
        Checked::Wrong | Checked::Nothing => form(world, request, &id),
    }
}

/// What the page's own script does when a person asks for a code.
fn request_code(world: &mut World, request: &Request) -> Reply {
    if !request.has_content_type("application/json") {
        return Reply::exception(415);
    }
    let Some(id) = codes::waiting(world, request) else { return Reply::exception(409) };
    let body = request.json().unwrap_or(Value::Null);
    let challenge = world.sessions.get(&id).and_then(|session| session.challenge.as_ref());
    let (Some(method), Some(person)) =
        (challenge.map(|it| it.method.clone()), challenge.and_then(|it| world.person(&it.user)))
    else {
        return Reply::exception(409);
    };
    if body["customerGuid"].as_str() != Some(&person.guid()) {
        return Reply::exception(401);
    }
    let client_id = request.query().remove("clientId");
    if client_id.as_deref() != Some(CLIENT_ID) || body["mfaMethod"] != *method || !body["locale"].is_string() {
        return Reply::exception(400);
    }
    match codes::send(world, &id) {
        Ok(()) => Reply::json(200, &Value::Object(serde_json::Map::new())),
        Err(TooSoon) => Reply::empty(429),
    }
}

/// Signed in: the widget shows a page with the ticket, a browser is sent to the service with it.
fn done(world: &mut World, request: &Request, user: &str, service: &str) -> Reply {
    let cookies = signed_in_cookies(world, user);
    let ticket = world.issue_ticket(user, service, "cas");
    let reply = if request.query().contains_key("embedWidget") {
        let script = format!("<script>var response_url = \"{service}?ticket={ticket}\";</script>");
        Reply::html(200, &page("Success", &script))
    } else {
        Reply::empty(302).with("location", format!("{service}?ticket={ticket}"))
    };
    set_cookies(reply, &cookies, request, &world.knobs)
}

fn form(world: &mut World, request: &Request, id: &str) -> Reply {
    let csrf = shown(world, request, id);
    let fields = "<input name=\"username\"><input name=\"password\" type=\"password\">";
    Reply::html(200, &page(TITLE, &posted("signin", request, &csrf, fields)))
}

fn code_form(world: &mut World, request: &Request, id: &str) -> Reply {
    let csrf = shown(world, request, id);
    let challenge = world.sessions.get(id).and_then(|session| session.challenge.as_ref());
    let Some((challenge, person)) = challenge.and_then(|it| Some((it, world.person(&it.user)?))) else {
        return Reply::html(409, &page("Conflict", ""));
    };
    let sent_to = if challenge.codes_sent > 0 { codes::destination(person, &challenge.method) } else { String::new() };
    let variables = [
        ("customerGuid", person.guid()),
        ("mfaMethod", challenge.method.clone()),
        ("locale", "en_US".to_owned()),
        ("clientId", CLIENT_ID.to_owned()),
        ("codeSentTo", sent_to),
    ];
    let script: String = variables.iter().map(|(name, value)| format!("var {name} = \"{value}\";\n")).collect();
    let fields = "<input name=\"mfa-code\"><input type=\"hidden\" name=\"fromPage\" value=\"setupEnterMfaCode\">";
    let body = posted("verifyMFA/loginEnterMfaCode", request, &csrf, fields);
    let app = challenge.method.eq_ignore_ascii_case("totp");
    let title = if app { "Enter MFA code for login" } else { TITLE };
    Reply::html(200, &page(title, &format!("<script>\n{script}</script>{body}")))
}

/// Notes that the session now shows the page of this request, with a `_csrf` of its own.
fn shown(world: &mut World, request: &Request, id: &str) -> String {
    let csrf = world.letters(40);
    if let Some(session) = world.sessions.get_mut(id) {
        session.page = page_of(request);
        session.csrf.clone_from(&csrf);
    }
    csrf
}

fn posted(to: &str, request: &Request, csrf: &str, fields: &str) -> String {
    let action = format!("{}/sso/{to}?{}", request.site(), request.query_text.replace('&', "&amp;"));
    format!(
        "<form method=\"post\" action=\"{action}\">{fields}<input type=\"hidden\" name=\"embed\" value=\"true\">\
         <input type=\"hidden\" name=\"_csrf\" value=\"{csrf}\"><button>OK</button></form>"
    )
}

fn titled(title: &str) -> Reply {
    Reply::html(200, &page(title, ""))
}

fn page(title: &str, body: &str) -> String {
    format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>{body}</body></html>\n")
}
