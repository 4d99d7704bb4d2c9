//! Whether Garmin's hosts let this machine through: one request to each, without any credential. `doctor` asks. It must not sign in, and a
//! probe counts as no attempt: the sign-in's is the reachability probe that Garmin answers 405 to.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, DATE, HeaderMap, USER_AGENT};
use url::Url;

use crate::client::{Reply, address, request, set};
use crate::data::native_headers;
use crate::sign_in::SCRIPT;
use crate::{Error, Flow, Garmin, limits};

/// How long a host may take, connection included.
const PATIENCE: Duration = Duration::from_secs(15);

/// One of Garmin's services, as the configuration names its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Sign-in.
    Sso,
    /// Token service of the account tier.
    Diauth,
    /// Data of the account tier.
    Connectapi,
    /// The Personal API. It exists at garmin.com only.
    Personal,
}

impl Service {
    /// All of them.
    pub const ALL: [Service; 4] = [Service::Sso, Service::Diauth, Service::Connectapi, Service::Personal];

    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Service::Sso => "sso",
            Service::Diauth => "diauth",
            Service::Connectapi => "connectapi",
            Service::Personal => "personal",
        }
    }
}

/// What a host answered.
#[derive(Debug, Clone)]
pub struct Probed {
    /// What it says about the way there.
    pub outcome: Outcome,
    /// The host's clock (`Date`), and ours at the same moment.
    pub clock: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// How long it took.
    pub took: Duration,
}

/// What a host's answer says about the way there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It answers, and lets programs through.
    Through(u16),
    /// It answers with a refusal of this machine or program (a web page with 403, a 429).
    Refused(u16),
    /// It answers, and has trouble of its own.
    Trouble(u16),
    /// Something answers that is not what is known of this host, such as the page of a network one has to log in to first.
    Strange(u16),
    /// No answer.
    Unreachable(Error),
}

impl Garmin {
    /// The host, and the port where it listens.
    pub fn host_of(&self, service: Service) -> Option<(String, u16)> {
        let url = Url::parse(self.base_of(service)).ok()?;
        Some((url.host_str()?.trim_matches(['[', ']']).to_owned(), url.port_or_known_default()?))
    }

    fn base_of(&self, service: Service) -> &str {
        let ends = self.endpoints();
        match service {
            Service::Sso => &ends.sso,
            Service::Diauth => &ends.diauth,
            Service::Connectapi => &ends.connectapi,
            Service::Personal => &ends.personal,
        }
    }

    /// Sends exactly one request to the service's host.
    pub async fn probe(&self, service: Service) -> Probed {
        let (path, headers) = match service {
            // Answered by a POST-only service: 405 in JSON when the edge lets this client through, 403 when it does not.
            Service::Sso => {
                let mut headers = HeaderMap::new();
                set(&mut headers, USER_AGENT, Flow::Mobile.user_agent());
                set(&mut headers, ACCEPT, SCRIPT);
                set(&mut headers, ACCEPT_LANGUAGE, "en-US,en;q=0.9");
                ("/mobile/api/login", headers)
            }
            Service::Diauth | Service::Connectapi => ("/", native_headers()),
            Service::Personal => ("/", HeaderMap::new()),
        };
        let begun = Instant::now();
        let reply = match address(self.base_of(service), path) {
            Ok(url) => self.send(request(Method::GET, url, headers), PATIENCE, limits::SIGN_IN).await,
            Err(error) => Err(error),
        };
        let clock = reply.as_ref().ok().and_then(|reply| date(&reply.headers)).map(|theirs| (theirs, Utc::now()));
        let outcome = match reply {
            Err(error) => Outcome::Unreachable(error),
            Ok(reply) => read(service, &reply),
        };
        Probed { outcome, clock, took: begun.elapsed() }
    }
}

fn read(service: Service, reply: &Reply) -> Outcome {
    let is_json = reply.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    match (service, reply.status) {
        (_, 500..) => Outcome::Trouble(reply.status),
        (_, 427 | 429) => Outcome::Refused(reply.status),
        (Service::Sso, 405) if is_json => Outcome::Through(405),
        (Service::Sso, 403) => Outcome::Refused(403),
        (Service::Sso, status) => Outcome::Strange(status),
        // Nothing is known of what the others say to a request for nothing; that they say anything is what counts. A redirect elsewhere
        // is what networks do that want a login of their own.
        (_, status @ 300..400) => Outcome::Strange(status),
        (_, status) => Outcome::Through(status),
    }
}

/// An HTTP date is an e-mail date whose zone is always GMT.
fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?.to_utc())
}
