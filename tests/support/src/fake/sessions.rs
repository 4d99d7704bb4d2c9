//! A browser session at `sso`: the cookies its page set, and the login that waits for a code in it.
//! `sso` opens them, `mfa` continues them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::http::{Reply, Request};
use super::knobs::Knobs;

/// Which JSON flow a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Mobile,
    Portal,
}

impl Flow {
    pub fn of(segment: &str) -> Option<Flow> {
        match segment {
            "mobile" => Some(Flow::Mobile),
            "portal" => Some(Flow::Portal),
            _ => None,
        }
    }

    /// The service URL this request is entitled to: `clientId` and `service` must belong together and to this flow.
    pub fn service_url(self, request: &Request, knobs: &Knobs) -> Option<String> {
        let query = request.query();
        let domain = &knobs.domain;
        let wanted = match (self, query.get("clientId")?.as_str()) {
            (Flow::Mobile, "GCM_IOS_DARK") => format!("https://mobile.integration.{domain}/gcm/ios"),
            (Flow::Mobile, "GCM_ANDROID_DARK") => format!("https://mobile.integration.{domain}/gcm/android"),
            (Flow::Portal, "GarminConnect") => format!("https://connect.{domain}/app"),
            _ => return None,
        };
        (query.get("service") == Some(&wanted)).then_some(wanted)
    }
}

/// The names of the cookies a sign-in page sets.
pub(crate) const PAGE_COOKIES: [&str; 5] = ["SESSION", "__VCAP_ID__", "__cf_bm", "__cflb", "_cfuvid"];

/// One browser session.
#[derive(Debug)]
pub(crate) struct Session {
    pub flow: Flow,
    /// Path and query of the page, which must come back as Referer.
    pub page: String,
    pub opened: DateTime<Utc>,
    pub cookies: HashMap<&'static str, String>,
    pub challenge: Option<Challenge>,
}

/// A login that waits for its code.
#[derive(Debug)]
pub(crate) struct Challenge {
    pub user: String,
    /// As the login answer said it.
    pub method: String,
    pub code: String,
    pub sent: DateTime<Utc>,
    pub codes_sent: u32,
    pub wrong: u32,
}

impl Session {
    pub fn user(&self) -> Option<String> {
        self.challenge.as_ref().map(|challenge| challenge.user.clone())
    }

    /// True if all of these cookies came back as they were set.
    pub fn has(&self, names: &[&str], sent: &HashMap<String, String>) -> bool {
        names.iter().all(|name| self.cookies.get(name).is_some_and(|value| sent.get(*name) == Some(value)))
    }

    /// True if the Referer is this session's own page.
    pub fn is_referer(&self, request: &Request) -> bool {
        let page = format!("{}/sso{}", request.base_url(), self.page);
        // Compare as URLs: the same address may be percent-encoded in more than one way.
        let read = |text: &str| {
            let url = url::Url::parse(text).ok()?;
            let query: Vec<_> = url.query_pairs().into_owned().collect();
            Some((url.origin(), url.path().to_owned(), query))
        };
        let (wanted, sent) = (read(&page), request.header("referer").and_then(read));
        wanted.is_some() && wanted == sent
    }
}

/// Puts cookies on a reply. All are for the path of `sso`: on the real thing the other hosts do not get them either.
pub(crate) fn set_cookies(reply: Reply, cookies: &[(&str, String, &str)], knobs: &Knobs) -> Reply {
    let lines = cookies.iter().map(|(name, value, more)| format!("{name}={value}; Path=/sso; HttpOnly{more}"));
    if knobs.folded_cookies {
        reply.with("set-cookie", lines.collect::<Vec<_>>().join(", "))
    } else {
        lines.fold(reply, |reply, line| reply.with("set-cookie", line))
    }
}
