//! The fake's log: every request it got, and how it ended. Tests count with it; it holds no secrets.
//! `server` writes it; the hosts never read it, except for how many requests are in flight.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::http::{Host, Request};

/// One request that reached the fake.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// When it was read, by the fake's clock.
    pub at: DateTime<Utc>,
    /// Which host it was for.
    pub host: Host,
    /// HTTP method.
    pub method: String,
    /// Path below the host, such as `/hrv-service/hrv/daily/2026-01-01/2026-12-31`.
    pub path: String,
    /// Query text without `?`.
    pub query: String,
    /// The path with dates, numbers and display names replaced: `/hrv-service/hrv/daily/{date}/{date}`.
    pub route: String,
    /// Whose request it was, by e-mail address, if that could be told.
    pub user: Option<String>,
    /// Status of the answer; `None` while it is under way, or when the connection was closed without one.
    pub status: Option<u16>,
    /// Bytes of the answer's body.
    pub bytes: u64,
    /// It carried cookies.
    pub cookies: bool,
    /// It carried the native app's `X-…` headers.
    pub native_headers: bool,
    /// Requests to the same host under way when it came, itself included.
    pub in_flight: u32,
}

/// Which requests to count. Unset fields match everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this host.
    pub host: Option<Host>,
    /// Only paths (with query) that contain this.
    pub path: Option<String>,
    /// Only this method.
    pub method: Option<String>,
    /// Only this person.
    pub user: Option<String>,
    /// Only answers with this status.
    pub status: Option<u16>,
}

impl Filter {
    /// Requests to one host.
    pub fn host(host: Host) -> Filter {
        Filter { host: Some(host), ..Filter::default() }
    }

    /// Requests whose path and query contain this text.
    pub fn path(self, part: &str) -> Filter {
        Filter { path: Some(part.into()), ..self }
    }

    /// Requests with this method.
    pub fn method(self, method: &str) -> Filter {
        Filter { method: Some(method.into()), ..self }
    }

    /// Requests of one person.
    pub fn user(self, email: &str) -> Filter {
        Filter { user: Some(email.into()), ..self }
    }

    /// Requests that were answered with this status.
    pub fn status(self, status: u16) -> Filter {
        Filter { status: Some(status), ..self }
    }

    /// True if the request is one of those.
    pub fn meets(&self, seen: &Seen) -> bool {
        let place = format!("{}?{}", seen.path, seen.query);
        self.host.is_none_or(|host| host == seen.host)
            && self.path.as_ref().is_none_or(|part| place.contains(part.as_str()))
            && self.method.as_ref().is_none_or(|method| seen.method.eq_ignore_ascii_case(method))
            && self.user.as_ref().is_none_or(|user| seen.user.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(user)))
            && self.status.is_none_or(|status| seen.status == Some(status))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    pub seen: Vec<Seen>,
    forgotten: usize,
    in_flight: BTreeMap<Host, u32>,
}

impl Log {
    /// Notes a request; the number is its place in the log since the start.
    pub fn arrive(&mut self, request: &Request, user: Option<String>, at: DateTime<Utc>, names: &[String]) -> usize {
        let in_flight = self.in_flight.entry(request.host).or_default();
        *in_flight += 1;
        self.seen.push(Seen {
            at,
            host: request.host,
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query_text.clone(),
            route: route(&request.segments(), names),
            user,
            status: None,
            bytes: 0,
            cookies: request.headers.contains_key("cookie"),
            native_headers: request.has_native_headers(),
            in_flight: *in_flight,
        });
        self.forgotten + self.seen.len() - 1
    }

    pub fn answered(&mut self, number: usize, status: u16, bytes: usize) {
        if let Some(seen) = number.checked_sub(self.forgotten).and_then(|place| self.seen.get_mut(place)) {
            seen.status = Some(status);
            seen.bytes = bytes as u64;
        }
    }

    /// Empties the log; requests under way end unseen.
    pub fn forget(&mut self) {
        self.forgotten += self.seen.len();
        self.seen.clear();
    }

    /// Requests to the host that are under way.
    pub fn in_flight(&self, host: Host) -> u32 {
        self.in_flight.get(&host).copied().unwrap_or_default()
    }

    pub fn leave(&mut self, host: Host) {
        if let Some(in_flight) = self.in_flight.get_mut(&host) {
            *in_flight = in_flight.saturating_sub(1);
        }
    }

    pub fn counts(&self) -> BTreeMap<(Host, String), u64> {
        let mut counts = BTreeMap::new();
        for seen in &self.seen {
            *counts.entry((seen.host, seen.route.clone())).or_default() += 1;
        }
        counts
    }
}

fn route(segments: &[String], names: &[String]) -> String {
    segments.iter().fold(String::new(), |route, segment| {
        let kind = if NaiveDate::parse_from_str(segment, "%Y-%m-%d").is_ok() {
            "{date}"
        } else if names.contains(segment) {
            "{dn}"
        } else if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
            "{id}"
        } else {
            segment.as_str()
        };
        route + "/" + kind
    })
}
