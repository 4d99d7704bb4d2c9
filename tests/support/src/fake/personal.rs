//! `personal.connectapi.garmin.com`: API key to token, and the Personal tier's own rules in front of the data.
//! `World::answer` calls it; the data itself is `data`'s.

use chrono::Duration;
use serde_json::json;

use super::data;
use super::http::{Host, Reply, Request};
use super::knobs::TokenForm;
use super::tokens::{Access, jwt};
use super::world::World;
use crate::people::KeyState;

pub(super) fn answer(world: &mut World, request: &Request) -> Reply {
    if world.knobs.strict && (request.headers.contains_key("cookie") || request.has_native_headers()) {
        let fault = "cookies or native headers on the Personal tier";
        return Reply::json(400, &json!({"error": "FakeGarminIsStrict", "message": fault}));
    }
    if request.path == "/personalapitoken-service/personal-api/personal-api-key/token" {
        return if request.method == "POST" { token(world, request) } else { Reply::exception(405) };
    }
    if world.log.in_flight(Host::Personal) > world.knobs.personal_in_flight {
        return Reply::exception(429).with("retry-after", "14");
    }
    data::personal(world, request)
}

fn token(world: &mut World, request: &Request) -> Reply {
    let Some(key) = request.header("authorization").and_then(|value| value.strip_prefix("ApiKey ")) else {
        return Reply::exception(401);
    };
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Reply::exception(400);
    }
    let now = world.now();
    let Some(person) = world.people.iter().find(|person| person.api_key == key) else {
        return Reply::exception(401);
    };
    let expired = person.key_expires.is_some_and(|expires| expires <= now);
    match person.key_state {
        KeyState::Ok if !expired => {}
        KeyState::Ok | KeyState::Expired | KeyState::Deleted => return Reply::exception(401),
        KeyState::Malformed => return Reply::exception(400),
        KeyState::Forbidden => return Reply::exception(403),
    }
    let day = now + Duration::hours(24);
    let expires = person.key_expires.map_or(day, |key_expires| day.min(key_expires));
    let user = person.email.clone();
    let claims = json!({
        "exp": expires.timestamp(), "iat": now.timestamp(), "scope": ["PERSONAL_API_READ"], "jti": world.uuid()});
    let token = jwt(&claims, &world.letters(43));
    world.tokens.add_access(&token, Access { user, personal: true, widget: false, expires });
    let body = match world.knobs.personal_token_form {
        TokenForm::Raw => token,
        TokenForm::Quoted => format!("\"{token}\""),
        TokenForm::Newline => format!("{token}\n"),
        TokenForm::Object => json!({"access_token": token}).to_string(),
    };
    Reply::typed(200, "text/plain;charset=UTF-8", body)
}
