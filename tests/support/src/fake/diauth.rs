//! `diauth.garmin.com`: service ticket to tokens, and refresh with rotation.
//! `World::answer` calls it; the handle uses `issue` to hand out tokens without a sign-in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use serde_json::{Value, json};

use super::http::{Reply, Request, pages};
use super::tokens::{Access, Refresh, jwt};
use super::world::World;

/// Native headers without which a strict fake refuses; all clients that work send them.
const NATIVE_HEADERS: [&str; 6] = [
    "x-garmin-user-agent",
    "x-garmin-paired-app-version",
    "x-garmin-client-platform",
    "x-app-ver",
    "x-lang",
    "accept-language",
];

/// What a strict fake says about a request of the native app's kind.
pub(super) fn strict_refusal(world: &World, request: &Request) -> Option<Reply> {
    if !world.knobs.strict {
        return None;
    }
    let fault = if request.headers.contains_key("cookie") {
        "a cookie was sent".to_owned()
    } else if !request.header("user-agent").is_some_and(|agent| agent.starts_with("GCM-")) {
        "the user agent is not the native app's".to_owned()
    } else {
        let missing = NATIVE_HEADERS.iter().find(|name| request.header(name).is_none())?;
        format!("{missing} is not there exactly once")
    };
    Some(Reply::json(400, &json!({"error": "FakeGarminIsStrict", "message": fault})))
}

pub(super) fn answer(world: &mut World, request: &Request) -> Reply {
    if request.path != "/di-oauth2-service/oauth/token" {
        return Reply::html(404, pages::NOT_FOUND);
    }
    if request.method != "POST" {
        return Reply::exception(405).with("allow", "POST");
    }
    // The edge refuses a missing or doubled content type before anybody reads the body.
    if !request.has_content_type("application/x-www-form-urlencoded") {
        return Reply::empty(400);
    }
    if let Some(refusal) = strict_refusal(world, request) {
        return refusal;
    }
    let form = request.form();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let client_id = field("client_id");
    if basic(request).as_deref() != Some(&format!("{client_id}:")) {
        return refused(401, "invalid_client", "Bad client credentials");
    }
    if !world.knobs.client_ids.iter().any(|known| known == client_id) {
        return refused(400, "invalid_client", "Unknown client id");
    }
    let domain = world.knobs.domain_of(request).to_owned();
    let ticket_grants = [domain.as_str(), "garmin.com"]
        .map(|domain| format!("https://connectapi.{domain}/di-oauth2-service/oauth/grant/service_ticket"));
    match field("grant_type") {
        "refresh_token" => refresh(world, field("refresh_token"), client_id, &domain),
        grant if ticket_grants.iter().any(|known| known == grant) => {
            exchange(world, field("service_ticket"), field("service_url"), client_id)
        }
        _ => refused(400, "unsupported_grant_type", "Unsupported grant type"),
    }
}

fn exchange(world: &mut World, ticket: &str, service_url: &str, client_id: &str) -> Reply {
    let now = world.now();
    let life = world.knobs.ticket_life;
    let fits = world.tickets.get(ticket).is_some_and(|known| known.service_url == service_url);
    if !fits && !world.knobs.refused_service_spends_ticket {
        return refused(400, "invalid_request", "invalid service ticket provided");
    }
    let good = world.tickets.remove(ticket).filter(|ticket| {
        ticket.service_url == service_url && (now - ticket.issued).to_std().unwrap_or_default() <= life
    });
    match good {
        Some(ticket) => {
            let widget = ticket.service_url.ends_with("/sso/embed");
            Reply::json(200, &issue(world, &Grant { user: &ticket.user, client_id, widget }, true))
        }
        None => refused(400, "invalid_request", "invalid service ticket provided"),
    }
}

fn refresh(world: &mut World, token: &str, client_id: &str, domain: &str) -> Reply {
    let dead = |why: &str| refused(400, "invalid_grant", &format!("Invalid refresh token: {why}"));
    let Some(known) = world.tokens.refresh(token).cloned() else { return dead("unknown") };
    if known.successor.is_some() {
        if world.knobs.reuse_kills_successor {
            world.tokens.revoke_chain(token);
        }
        return dead("already used");
    }
    if known.revoked || known.expires <= world.now() || known.client_id != client_id {
        return dead("not active");
    }
    // A refresh on the other region's host: the token is fine, its owner is unknown there.
    if world.person(&known.user).is_none_or(|person| person.domain != domain) {
        return refused(400, "invalid_grant", "User does not exist for the given Garmin GUID");
    }
    let rotates = !world.knobs.omit_refresh_token;
    let answer = issue(world, &Grant { user: &known.user, client_id, widget: known.widget }, rotates);
    if let Some(new) = answer["refresh_token"].as_str() {
        world.tokens.rotate(token, new);
    }
    Reply::json(200, &answer)
}

/// Whose tokens, for which client, by which kind of ticket.
pub(super) struct Grant<'a> {
    pub user: &'a str,
    pub client_id: &'a str,
    pub widget: bool,
}

/// New tokens, as the answer says them.
pub(super) fn issue(world: &mut World, grant: &Grant, with_refresh: bool) -> Value {
    let Grant { user, client_id, widget } = *grant;
    let now = world.now();
    let seconds = match world.knobs.access_life {
        Some(life) => i64::try_from(life.as_secs()).unwrap_or(i64::MAX),
        None => world.rng.i64(65_000..=107_000),
    };
    let expires = now + Duration::seconds(seconds);
    let (jti, signature) = (world.uuid(), world.letters(43));
    let (domain, guid) = world.person(user).map(|person| (person.domain.clone(), person.guid())).unwrap_or_default();
    let scope = "CONNECT_READ CONNECT_WRITE COMMUNITY_COURSE_READ";
    let claims = json!({
        "iss": format!("https://diauth.{domain}"), "client_id": client_id, "jti": jti, "scope": scope.split(' ').collect::<Vec<_>>(),
        "iat": now.timestamp(), "exp": expires.timestamp(), "garmin_guid": guid, "client_type": "UNDEFINED"});
    let access_token = jwt(&claims, &signature);
    world.tokens.add_access(&access_token, Access { user: user.to_owned(), personal: false, widget, expires });
    let mut answer = json!({
        "access_token": access_token, "token_type": "bearer", "expires_in": seconds, "scope": scope, "jti": jti});
    if with_refresh {
        let life = world.knobs.refresh_life;
        let token = STANDARD.encode(json!({"refreshTokenValue": world.uuid(), "garminGuid": guid}).to_string());
        let refresh = Refresh {
            user: user.to_owned(),
            client_id: client_id.to_owned(),
            widget,
            expires: now + life,
            successor: None,
            revoked: false,
        };
        world.tokens.add_refresh(&token, refresh);
        answer["refresh_token"] = json!(token);
        answer["refresh_token_expires_in"] = json!(life.as_secs());
    }
    answer
}

fn basic(request: &Request) -> Option<String> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "error_description": description}))
}
