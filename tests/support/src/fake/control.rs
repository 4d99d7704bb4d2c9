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
//! | `GET /_fake/statuses` | answers by host and status: how many 429 a client has caused |
//! | `POST /_fake/rate` | a limit: `{"requests": 20, "window_ms": 10000, "in_flight": 2, "retry_after_s": 5}`; `null` ends it |
//! | `POST /_fake/life` | something happens: `{"user": "ana@example.org", "change": {"kind": "days_pass", "days": 30}}` |
//!
//! Changes of a life are the variants of [`Change`], in snake case, each with the arguments of the method of the same name;
//! the answer is what the method gives.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::http::{Host, Reply};
use super::knobs::Rate;
use super::rules::Rule;
use super::world::World;
use crate::people::Change;

#[derive(Deserialize)]
struct Advance {
    seconds: u64,
}

#[derive(Deserialize)]
struct Wanted {
    user: String,
    service: String,
}

/// Without `retry_after_s` the refusals name no time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    requests: NonZeroU32,
    window_ms: NonZeroU64,
    in_flight: Option<u32>,
    retry_after_s: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Happening {
    user: String,
    change: Change,
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
        ("GET", "statuses") => {
            let mut statuses: BTreeMap<Host, BTreeMap<u16, u64>> = BTreeMap::new();
            for seen in &world.log.seen {
                if let Some(status) = seen.status {
                    *statuses.entry(seen.host).or_default().entry(status).or_default() += 1;
                }
            }
            Reply::json(200, &json!(statuses))
        }
        ("POST", "rate") => match serde_json::from_slice::<Option<Policy>>(body) {
            Ok(policy) => {
                world.knobs.rate = policy.map(|policy| Rate {
                    in_flight: policy.in_flight.unwrap_or(u32::MAX),
                    retry_after_s: policy.retry_after_s,
                    ..Rate::of(policy.requests.get(), Duration::from_millis(policy.window_ms.get()))
                });
                Reply::empty(204)
            }
            Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
        },
        ("POST", "life") => match serde_json::from_slice::<Happening>(body) {
            Ok(Happening { user, change }) => match world.person_mut(&user) {
                Some(person) => Reply::json(200, &person.life.happen(change)),
                None => Reply::json(404, &json!({"error": format!("nobody here is {user}")})),
            },
            Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
        },
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
        _ => {
            let known = "GET mail, counts, requests, statuses; POST misbehave, behave, ticket, advance, rate, life";
            Reply::json(404, &json!({"error": known}))
        }
    }
}
