//! Where Garmin lives and how it likes to be asked: hosts, client ids, pauses and time-outs, with Garmin's own values
//! as defaults. The daemon builds these from its configuration, tests from the address of the fake Garmin.

use std::{fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::Error;

/// The OAuth client ids that exchange tickets, newest first. Garmin adds one about every quarter and retires old ones.
pub const CLIENT_IDS: [&str; 4] = [
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI",
    "GARMIN_CONNECT_MOBILE_IOS_DI",
];

/// One of Garmin's two worlds. An account lives in exactly one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Domain {
    /// Everywhere but mainland China.
    #[default]
    #[serde(rename = "garmin.com")]
    Com,
    /// Mainland China.
    #[serde(rename = "garmin.cn")]
    Cn,
}

impl Domain {
    /// `garmin.com` or `garmin.cn`.
    pub fn as_str(self) -> &'static str {
        match self {
            Domain::Com => "garmin.com",
            Domain::Cn => "garmin.cn",
        }
    }

    /// The domain a host belongs to, such as `garmin.cn` for `diauth.garmin.cn`.
    pub(crate) fn of_host(host: &str) -> Option<Self> {
        [Domain::Com, Domain::Cn].into_iter().find(|domain| {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Domain {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Domain::Com, Domain::Cn]
            .into_iter()
            .find(|domain| domain.as_str() == text)
            .ok_or_else(|| Error::Setup(format!("`{text}` is not one of garmin.com and garmin.cn")))
    }
}

/// Base addresses of Garmin's services, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Which of the two worlds these serve; service URLs are made from it wherever the services are.
    pub domain: Domain,
    /// Sign-in pages and their JSON services.
    pub sso: String,
    /// Token service of the account tier.
    pub diauth: String,
    /// Data of the account tier.
    pub connectapi: String,
    /// Token service and data of the Personal API. It exists at garmin.com only.
    pub personal: String,
}

impl Endpoints {
    /// Garmin's own hosts.
    pub fn of(domain: Domain) -> Self {
        Endpoints {
            domain,
            sso: format!("https://sso.{domain}"),
            diauth: format!("https://diauth.{domain}"),
            connectapi: format!("https://connectapi.{domain}"),
            personal: "https://personal.connectapi.garmin.com".into(),
        }
    }

    /// All base addresses, with the names they have in the configuration.
    pub(crate) fn named(&self) -> [(&'static str, &str); 4] {
        [("sso", &self.sso), ("diauth", &self.diauth), ("connectapi", &self.connectapi), ("personal", &self.personal)]
    }
}

/// Whether secrets may be sent to this base address: https anywhere, plain http only to a loopback address, no query.
/// The error is for people, and does not repeat the address.
pub fn check_base_url(base: &str) -> Result<(), String> {
    let url = Url::parse(base).map_err(|error| format!("not an address: {error}"))?;
    match url.scheme() {
        "https" if url.has_host() => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err("plain http is for loopback addresses only; use https".into()),
        other => return Err(format!("`{other}` is not https")),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("a base address has no user, query or fragment".into());
    }
    if base.ends_with('/') {
        return Err("a base address has no slash at its end".into());
    }
    Ok(())
}

/// Whether requests to this address stay on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Everything a [`Garmin`](crate::Garmin) needs to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the services are.
    pub endpoints: Endpoints,
    /// OAuth client ids for the ticket exchange, in the order to try.
    pub client_ids: Vec<String>,
    /// Waiting that makes a sign-in look like a person's.
    pub pauses: Pauses,
    /// How long to wait for answers.
    pub timeouts: Timeouts,
}

impl Settings {
    /// Garmin's own hosts and the values that work there.
    pub fn of(domain: Domain) -> Self {
        Settings {
            endpoints: Endpoints::of(domain),
            client_ids: CLIENT_IDS.map(String::from).to_vec(),
            pauses: Pauses::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// Waiting between the sign-in page and the password: Garmin takes a fast pair of requests for a robot.
#[derive(Debug, Clone)]
pub struct Pauses {
    /// For the mobile flow.
    pub mobile: RangeInclusive<Duration>,
    /// For the portal flow.
    pub portal: RangeInclusive<Duration>,
    /// For the widget.
    pub widget: RangeInclusive<Duration>,
    /// Before the sign-in page is asked for a second time after trouble.
    pub retry: Duration,
}

impl Pauses {
    /// The same pause everywhere, for gateways and tests that are not Garmin.
    pub fn all(pause: Duration) -> Self {
        Pauses { mobile: pause..=pause, portal: pause..=pause, widget: pause..=pause, retry: pause }
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Pauses {
            mobile: Duration::from_secs(2)..=Duration::from_secs(5),
            portal: Duration::from_secs(10)..=Duration::from_secs(20),
            widget: Duration::from_secs(3)..=Duration::from_secs(8),
            retry: Duration::from_secs(30),
        }
    }
}

/// How long to wait. All but `connect` run from the start of a request to the last byte of its answer.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// Until a connection stands, TLS included.
    pub connect: Duration,
    /// Requests of a sign-in.
    pub sso: Duration,
    /// Requests to token services.
    pub token: Duration,
    /// JSON data.
    pub data: Duration,
    /// Files.
    pub file: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(10),
            sso: Duration::from_secs(30),
            token: Duration::from_secs(30),
            data: Duration::from_secs(30),
            file: Duration::from_secs(120),
        }
    }
}
