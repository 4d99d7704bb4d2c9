//! A browser session at `sso`: the cookies its page set, and the login that waits for a code in it.
//! `sso` and `widget` open them, `mfa` and `widget` continue them.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::http::{Reply, Request};
use super::knobs::Knobs;
use super::world::World;
use crate::people::SignInFlow;

/// The JSON flow whose paths begin with this segment.
pub(crate) fn json_flow(segment: Option<&&str>) -> Option<SignInFlow> {
    match *segment? {
        "mobile" => Some(SignInFlow::Mobile),
        "portal" => Some(SignInFlow::Portal),
        _ => None,
    }
}

/// The service URL this request is entitled to: `clientId` and `service` must belong together and to this flow.
pub(crate) fn service_url(flow: SignInFlow, request: &Request, knobs: &Knobs) -> Option<String> {
    let query = request.query();
    let domain = knobs.domain_of(request);
    let [android, ios, app, embed] = services(domain);
    let text = |name: &str| query.get(name).map(String::as_str);
    let wanted: &[String] = match (flow, text("clientId")) {
        (SignInFlow::Mobile, Some("GCM_IOS_DARK")) => &[ios],
        (SignInFlow::Mobile, Some("GCM_ANDROID_DARK")) => &[android],
        (SignInFlow::Portal, Some("GarminConnect")) => &[app],
        (SignInFlow::Widget, None) if text("id") == Some("gauth-widget") => &[embed],
        // The page that people see in a browser.
        (SignInFlow::Widget, None) => &[android, ios, app],
        _ => return None,
    };
    wanted.iter().find(|wanted| Some(wanted.as_str()) == text("service")).cloned()
}

/// Every service URL that tickets are issued for.
fn services(domain: &str) -> [String; 4] {
    [
        format!("https://mobile.integration.{domain}/gcm/android"),
        format!("https://mobile.integration.{domain}/gcm/ios"),
        format!("https://connect.{domain}/app"),
        format!("https://sso.{domain}/sso/embed"),
    ]
}

/// The names of the cookies a sign-in page sets.
pub(crate) const PAGE_COOKIES: [&str; 5] = ["SESSION", "__VCAP_ID__", "__cf_bm", "__cflb", "_cfuvid"];

/// One browser session.
#[derive(Debug)]
pub(crate) struct Session {
    pub flow: SignInFlow,
    /// Path and query of the page it shows, which must come back as Referer.
    pub page: String,
    pub opened: DateTime<Utc>,
    pub cookies: HashMap<&'static str, String>,
    /// The hidden input of the page it shows (widget only).
    pub csrf: String,
    pub challenge: Option<Challenge>,
}

/// A login that waits for its code.
#[derive(Debug)]
pub(crate) struct Challenge {
    pub user: String,
    /// What the login asked a ticket for.
    pub service_url: String,
    /// As the login answer said it.
    pub method: String,
    /// `None`: not sent yet.
    pub code: Option<String>,
    pub sent: DateTime<Utc>,
    pub codes_sent: u32,
    pub wrong: u32,
}

impl Session {
    /// A new session that shows the requested page, its id and its cookies.
    pub fn open(
        world: &mut World,
        request: &Request,
        flow: SignInFlow,
    ) -> (String, [(&'static str, String, String); 5]) {
        let values = PAGE_COOKIES.map(|name| (name, world.letters(32)));
        let opened = world.now();
        let id = values[0].1.clone();
        let session = Session {
            flow,
            page: page_of(request),
            opened,
            cookies: values.iter().cloned().collect(),
            csrf: world.letters(40),
            challenge: None,
        };
        world.sessions.insert(id.clone(), session);
        // Cloudflare's cookie lives half an hour, the others as long as the browser; the date has a comma in it.
        let expires = (opened + Duration::minutes(30)).format("; Expires=%a, %d %b %Y %H:%M:%S GMT").to_string();
        let cookies =
            values.map(|(name, value)| (name, value, if name == "__cf_bm" { expires.clone() } else { String::new() }));
        (id, cookies)
    }

    pub fn user(&self) -> Option<String> {
        self.challenge.as_ref().map(|challenge| challenge.user.clone())
    }

    /// True if all of these cookies came back as they were set.
    pub fn has(&self, names: &[&str], sent: &HashMap<String, String>) -> bool {
        names.iter().all(|name| self.cookies.get(name).is_some_and(|value| sent.get(*name) == Some(value)))
    }

    /// True if the Referer is the page that this session shows.
    pub fn is_referer(&self, request: &Request) -> bool {
        let page = format!("{}{}", request.site(), self.page);
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

/// Path and query of a request.
pub(crate) fn page_of(request: &Request) -> String {
    format!("{}?{}", request.path, request.query_text)
}

/// Puts cookies on a reply. All are for the path of `sso`: on the real thing the other hosts do not get them either.
pub(crate) fn set_cookies(
    reply: Reply,
    cookies: &[(&'static str, String, String)],
    request: &Request,
    knobs: &Knobs,
) -> Reply {
    let path = request.cookie_path();
    let lines = cookies.iter().map(|(name, value, more)| format!("{name}={value}; Path={path}; HttpOnly{more}"));
    if knobs.folded_cookies {
        reply.with("set-cookie", lines.collect::<Vec<_>>().join(", "))
    } else {
        lines.fold(reply, |reply, line| reply.with("set-cookie", line))
    }
}
