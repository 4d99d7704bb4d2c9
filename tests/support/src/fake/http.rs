//! A request as the fake's hosts see it and the reply they give: plain values without a connection behind them.
//! `server` turns bytes into these and back; `sso`, `diauth` and `data` are functions from one to the other.
//! Nothing here knows people, tokens or rules.

use std::collections::HashMap;

use axum::http::{HeaderMap, Method, Uri, header};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One of Garmin's hosts, played under a path prefix of the fake's base URL, or under its real name for a client whose
/// connections are led here (`Host: sso.garmin.com`, no prefix).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// `sso.garmin.com`: sign-in pages and JSON sign-in.
    Sso,
    /// `diauth.garmin.com`: ticket exchange and refresh.
    Diauth,
    /// `connectapi.garmin.com`: data of the account tier.
    Connectapi,
    /// `personal.connectapi.garmin.com`: key exchange and data of the Personal tier.
    Personal,
}

impl Host {
    /// All hosts.
    pub const ALL: [Host; 4] = [Host::Sso, Host::Diauth, Host::Connectapi, Host::Personal];

    /// The path prefix, which is also the name of the endpoint in the daemon's configuration.
    pub fn prefix(self) -> &'static str {
        match self {
            Host::Sso => "sso",
            Host::Diauth => "diauth",
            Host::Connectapi => "connectapi",
            Host::Personal => "personal",
        }
    }

    /// The host of this name and the domain it belongs to.
    fn named(name: &str) -> Option<(Host, &'static str)> {
        if name == "personal.connectapi.garmin.com" {
            return Some((Host::Personal, "garmin.com"));
        }
        let (host, domain) = name.split_once('.')?;
        let domain = ["garmin.com", "garmin.cn"].into_iter().find(|known| *known == domain)?;
        let host = [Host::Sso, Host::Diauth, Host::Connectapi].into_iter().find(|known| known.prefix() == host)?;
        Some((host, domain))
    }
}

/// One request, read to its end.
#[derive(Debug)]
pub(crate) struct Request {
    pub host: Host,
    /// The domain of the host's real name; `None` if it was addressed by a path prefix.
    pub named: Option<&'static str>,
    pub method: Method,
    /// Path of the host, without its prefix, from the first `/`, as sent (still percent-encoded).
    pub path: String,
    pub query_text: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// `None` if neither the `Host` header nor the path names a host.
    pub fn of(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Option<Request> {
        let query_text = uri.query().unwrap_or_default().to_owned();
        let address = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if let Some((host, domain)) = Host::named(address.split(':').next().unwrap_or_default()) {
            let path = uri.path().to_owned();
            return Some(Request { host, named: Some(domain), method, path, query_text, headers, body });
        }
        let (prefix, path) = match uri.path().trim_start_matches('/').split_once('/') {
            Some((prefix, rest)) => (prefix, format!("/{rest}")),
            None => (uri.path().trim_start_matches('/'), "/".to_owned()),
        };
        let host = Host::ALL.into_iter().find(|host| host.prefix() == prefix)?;
        Some(Request { host, named: None, method, path, query_text, headers, body })
    }

    /// The header's value if it was sent exactly once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() { None } else { first.to_str().ok() }
    }

    /// Path segments, percent-decoded; a trailing slash gives an empty last segment.
    pub fn segments(&self) -> Vec<String> {
        self.path.trim_start_matches('/').split('/').map(percent_decoded).collect()
    }

    pub fn query(&self) -> HashMap<String, String> {
        pairs(self.query_text.as_bytes())
    }

    pub fn form(&self) -> HashMap<String, String> {
        pairs(&self.body)
    }

    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub fn cookies(&self) -> HashMap<String, String> {
        let headers = self.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        headers
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// True if the media type of the body is exactly this, said once.
    pub fn has_content_type(&self, media_type: &str) -> bool {
        self.header("content-type")
            .is_some_and(|value| value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type))
    }

    /// The origin the client used: `http://127.0.0.1:8899`, or the real one.
    pub fn origin(&self) -> String {
        let scheme = if self.named.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.header("host").unwrap_or_default())
    }

    /// Where the host begins for the client: the origin, and the prefix if there is one.
    pub fn site(&self) -> String {
        match self.named {
            Some(_) => self.origin(),
            None => format!("{}/{}", self.origin(), self.host.prefix()),
        }
    }

    /// The path that the host's cookies are for.
    pub fn cookie_path(&self) -> String {
        if self.named.is_some() { "/".to_owned() } else { format!("/{}", self.host.prefix()) }
    }

    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// True if any of the native app's `X-…` headers is there.
    pub fn has_native_headers(&self) -> bool {
        ["x-garmin-user-agent", "x-garmin-client-platform", "x-app-ver", "x-gcexperience"]
            .iter()
            .any(|name| self.headers.contains_key(*name))
    }
}

/// Query or form pairs; of a repeated name the last one counts.
pub(crate) fn pairs(text: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn percent_decoded(segment: &str) -> String {
    // A '+' is an ordinary character in a path; the form decoder would make a space of it.
    let shielded = format!("s={}", segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D"));
    pairs(shielded.as_bytes()).remove("s").unwrap_or_default()
}

/// One whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

impl Reply {
    pub fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub fn typed(status: u16, content_type: &str, body: impl Into<Bytes>) -> Reply {
        Reply { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    pub fn json(status: u16, body: &Value) -> Reply {
        Reply::typed(status, "application/json;charset=UTF-8", body.to_string())
    }

    pub fn html(status: u16, body: &str) -> Reply {
        Reply::typed(status, "text/html;charset=UTF-8", body.to_owned())
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// The JSON error body of Garmin's data services, such as `NotFoundException` for 404.
    pub fn exception(status: u16) -> Reply {
        let (phrase, error) = match status {
            400 => ("Bad Request", "BadRequestException"),
            401 => ("Unauthorized", "NotAuthorizedException"),
            403 => ("Forbidden", "ForbiddenException"),
            404 => ("Not Found", "NotFoundException"),
            405 => ("Method Not Allowed", "NotAllowedException"),
            406 => ("Not Acceptable", "NotAcceptableException"),
            409 => ("Conflict", "ConflictException"),
            415 => ("Unsupported Media Type", "NotSupportedException"),
            429 => ("Too Many Requests", "TooManyRequestsException"),
            _ => ("Internal Server Error", "InternalServerErrorException"),
        };
        Reply::json(status, &json!({"message": format!("HTTP {status} {phrase}"), "error": error}))
    }
}

/// HTML that Garmin or its edge sends instead of JSON.
pub(crate) mod pages {
    pub const CHALLENGE: &str = "<!DOCTYPE html><html><head><title>Just a moment...</title></head>\
        <body><script>window._cf_chl_opt={};</script>Enable JavaScript and cookies to continue</body></html>";
    pub const BANNED_1015: &str = "<!DOCTYPE html><html><head><title>Access denied | sso.garmin.com used Cloudflare \
        to restrict access</title></head><body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>";
    pub const MAINTENANCE: &str = "<!DOCTYPE html><html><head><title>Garmin Connect</title></head>\
        <body><h1>We'll be right back.</h1></body></html>";
    pub const NOT_FOUND: &str = "<!DOCTYPE html><html><head><title>404 Not Found</title></head>\
        <body><h1>Not Found</h1></body></html>";
    pub const BAD_TOKEN: &str = "<!DOCTYPE html><html><body><h1>OAuthToken is invalid</h1></body></html>";
    pub const FORBIDDEN: &str = "<!DOCTYPE html><html><head><title>403 Forbidden</title></head>\
        <body><h1>Forbidden</h1></body></html>";
    pub const SIGN_IN: &str = "<!DOCTYPE html><html><head><title>GARMIN Authentication Application</title></head>\
        <body><div id=\"root\"></div></body></html>";
}
