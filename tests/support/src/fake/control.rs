//! `/_fake/…`: the fake's own door, for clients in other languages. Not part of Garmin, not counted.
//!
//! | request | does |
//! |---|---|
//! | `GET /_fake/mail` | every code that was sent |
//! | `GET /_fake/counts` | requests by host and route |
//! | `GET /_fake/requests` | every request, in order |
//! | `POST /_fake/misbehave` | adds a rule: `{"effect": {"kind": "status", "status": 429}, "host": "sso", "times": 1}` |
//! | `POST /_fake/behave` | takes all rules away |
//! | `POST /_fake/ticket` | a service ticket as a browser gets it: `{"user": "ana@example.org", "service": "https://…"}` |
//! | `POST /_fake/advance` | moves the fake's clock: `{"seconds": 3600}` |

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::http::{Host, Reply};
use super::rules::Rule;
use super::world::World;

#[derive(Deserialize)]
struct Advance {
    seconds: u64,
}

#[derive(Deserialize)]
struct Wanted {
    user: String,
    service: String,
}

pub(super) fn answer(world: &mut World, method: &Method, path: &str, body: &[u8]) -> Reply {
    match (method.as_str(), path) {
        ("GET", "mail") => Reply::json(200, &json!(world.mail)),
        ("GET", "requests") => Reply::json(200, &json!(world.log.seen)),
        ("GET", "counts") => {
            let mut counts: BTreeMap<Host, BTreeMap<String, u64>> = BTreeMap::new();
            for ((host, route), count) in world.log.counts() {
                counts.entry(host).or_default().insert(route, count);
            }
            Reply::json(200, &json!(counts))
        }
        ("POST", "misbehave") => match serde_json::from_slice::<Rule>(body) {
            Ok(rule) => {
                world.rules.add(rule);
                Reply::empty(204)
            }
            Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
        },
        ("POST", "behave") => {
            world.rules.clear();
            Reply::empty(204)
        }
        ("POST", "advance") => match serde_json::from_slice::<Advance>(body) {
            Ok(advance) => {
                world.advance(Duration::from_secs(advance.seconds));
                Reply::empty(204)
            }
            Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
        },
        ("POST", "ticket") => match serde_json::from_slice::<Wanted>(body) {
            Ok(Wanted { user, service }) if world.person(&user).is_some() => {
                let ticket = world.issue_ticket(&user, &service, "cas");
                Reply::json(200, &json!({"ticket": ticket, "url": format!("{service}?ticket={ticket}")}))
            }
            Ok(Wanted { user, .. }) => Reply::json(404, &json!({"error": format!("nobody here is {user}")})),
            Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
        },
        _ => Reply::json(404, &json!({"error": "GET mail, counts, requests; POST misbehave, behave, ticket, advance"})),
    }
}
