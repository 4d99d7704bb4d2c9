//! The HTTP side of the client: one connection pool, requests out, bounded answers in, failures translated. The
//! sign-in, token and data modules send through it. It must not know what an answer means, and it keeps no cookies:
//! a sign-in carries its own jar, so no cookie can ever reach another service.

use std::{
    collections::HashMap,
    error::Error as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{
    Client, Method, Request,
    header::{AGE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use url::Url;

use crate::{
    Cause, Endpoints, Error, Settings, Tier,
    answers::tidy,
    settings::{check_base_url, is_loopback},
};

/// The longest `Retry-After` that is believed; anything beyond is a mistake or a joke.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// A client of Garmin's services. Cheap to clone; clones share their connections, and what they saw of Garmin's clock.
#[derive(Debug, Clone)]
pub struct Garmin {
    pub(crate) settings: Arc<Settings>,
    http: Client,
    clock: Arc<Mutex<Option<SeenClock>>>,
    throttled: Arc<Mutex<HashMap<Tier, Throttle>>>,
}

/// Takes the body of a file as it arrives.
pub(crate) type Keep<'a> = dyn AsyncWrite + Send + Unpin + 'a;

/// So much of a body that is kept elsewhere is looked at: enough to tell a file from a web page.
const BEGINNING: usize = 4096;

/// That Garmin asked to slow down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// When, by this machine's calendar.
    pub at: DateTime<Utc>,
    /// How long nothing should be asked, if the answer said so.
    pub retry_after: Option<Duration>,
}

/// The `Date` of the newest answer, and both of this machine's clocks at that moment.
#[derive(Debug, Clone, Copy)]
struct SeenClock {
    theirs: DateTime<Utc>,
    ours: DateTime<Utc>,
    at: Instant,
}

impl SeenClock {
    /// How far this machine's clock is ahead of Garmin's, in whole seconds; negative if it is behind. `None` if it has been set,
    /// or the machine has slept, since the answer: then nothing is known until the next one.
    fn ahead(self, now: DateTime<Utc>, passed: Duration) -> Option<TimeDelta> {
        let then = self.ours - self.theirs;
        let drift = now - self.ours - TimeDelta::from_std(passed).ok()?;
        (drift.abs() < TimeDelta::minutes(1)).then_some(TimeDelta::seconds(then.num_seconds()))
    }
}

/// A complete answer. The body of a refusal may be cut short; its status is what counts.
pub(crate) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Garmin {
    /// Makes a client; nothing is sent. Fails with [`Error::Setup`] if an endpoint is not acceptable (see
    /// [`check_base_url`]), there is no client id, or the system has no certificate authorities.
    pub fn new(settings: Settings) -> Result<Garmin, Error> {
        let mut bases = Vec::new();
        for (name, base) in settings.endpoints.named() {
            check_base_url(base).map_err(|why| Error::Setup(format!("the {name} endpoint is unusable: {why}")))?;
            bases.extend(Url::parse(base));
        }
        if settings.client_ids.is_empty() {
            return Err(Error::Setup("at least one client id is needed to exchange tickets".into()));
        }
        // Somebody else in this process may have installed a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            // A redirect by a service is never followed: it would carry a password, a code or a token elsewhere.
            .redirect(Policy::none())
            .connect_timeout(settings.timeouts.connect)
            .referer(false);
        // Proxies from the environment are what people behind them expect, but such a proxy cannot reach a gateway on
        // this machine's own loopback address.
        if bases.iter().any(is_loopback) {
            builder = builder.no_proxy();
        }
        if bases.iter().all(|base| base.scheme() == "http") {
            builder = builder.tls_certs_only([]); // no TLS at all: do not demand certificate authorities
        }
        let http = builder.build().map_err(|error| Error::Setup(format!("no HTTP client: {}", root_cause(&error))))?;
        Ok(Garmin { settings: Arc::new(settings), http, clock: Arc::default(), throttled: Arc::default() })
    }

    /// Where this client believes Garmin's services to be.
    pub fn endpoints(&self) -> &Endpoints {
        &self.settings.endpoints
    }

    /// How far this machine's clock is ahead of Garmin's (negative: behind), by the `Date` of the newest answer. `None` before the
    /// first one, and after this machine's clock was set or stood still in a sleep.
    pub fn clock_ahead(&self) -> Option<TimeDelta> {
        let seen = (*self.clock.lock().unwrap_or_else(PoisonError::into_inner))?;
        seen.ahead(Utc::now(), seen.at.elapsed())
    }

    /// The last time when Garmin answered "slow down" to a check of whose data a token reads. Whoever reads data with it next has to know.
    pub fn throttled(&self, tier: Tier) -> Option<Throttle> {
        self.throttled.lock().unwrap_or_else(PoisonError::into_inner).get(&tier).copied()
    }

    /// Remembers whether a check was told to slow down.
    pub(crate) fn heard<T>(&self, tier: Tier, answer: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Throttled { retry_after }) = answer {
            let throttle = Throttle { at: Utc::now(), retry_after };
            self.throttled.lock().unwrap_or_else(PoisonError::into_inner).insert(tier, throttle);
        }
        answer
    }

    /// Sends one request and reads at most `limit` bytes of its answer. `timeout` covers everything up to the last byte.
    pub(crate) async fn send(&self, request: Request, timeout: Duration, limit: u64) -> Result<Reply, Error> {
        self.receive(request, timeout, limit, None).await.1
    }

    /// Like [`send`](Self::send), and tells how many bytes of body arrived, whatever became of them. With `keep` the body of a 200 goes there
    /// as it arrives, and the reply has only its beginning.
    pub(crate) async fn receive(
        &self,
        mut request: Request,
        timeout: Duration,
        limit: u64,
        mut keep: Option<&mut Keep<'_>>,
    ) -> (u64, Result<Reply, Error>) {
        *request.timeout_mut() = Some(timeout);
        let host = request.url().host_str().unwrap_or("Garmin").to_owned();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let mut response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(error) => {
                let error = unreachable(&host, error);
                tracing::debug!(%host, %method, path, %error, "no answer");
                return (0, Err(error));
            }
        };
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        tracing::debug!(%host, %method, path, status, "answer");
        // An answer out of some cache has the date of when it was new.
        if let Some(theirs) = date(&headers).filter(|_| !headers.contains_key(AGE)) {
            let seen = SeenClock { theirs, ours: Utc::now(), at: Instant::now() };
            *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        }
        let mut body = BytesMut::new();
        let mut bytes = 0;
        let failure = loop {
            match response.chunk().await {
                Ok(None) => break None,
                Ok(Some(chunk)) => {
                    bytes += chunk.len() as u64;
                    if bytes > limit {
                        break Some(Error::TooLarge { limit });
                    }
                    let Some(keep) = keep.as_mut().filter(|_| status == 200) else {
                        body.extend_from_slice(&chunk);
                        continue;
                    };
                    body.extend_from_slice(&chunk[..chunk.len().min(BEGINNING.saturating_sub(body.len()))]);
                    if let Err(error) = keep.write_all(&chunk).await {
                        break Some(Error::NotKept { what: error.to_string() });
                    }
                }
                Err(error) => break Some(unreachable(&host, error)),
            }
        };
        let kept = match keep {
            Some(keep) if failure.is_none() => keep.flush().await,
            _ => Ok(()),
        };
        match failure.or(kept.err().map(|error| Error::NotKept { what: error.to_string() })) {
            // Half a refusal is still a refusal: a 429 whose page breaks off must not pass for a broken connection.
            Some(error) if (200..300).contains(&status) => (bytes, Err(error)),
            _ => (bytes, Ok(Reply { status, headers, body: body.freeze() })),
        }
    }
}

/// A request with exactly these headers; each name appears once, as Garmin's edge answers a doubled one with an
/// empty 400.
pub(crate) fn request(method: Method, url: Url, headers: HeaderMap) -> Request {
    let mut request = Request::new(method, url);
    *request.headers_mut() = headers;
    request
}

/// Sets a header whose value is a constant.
pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// A header value that must not show up in any `Debug`. `None` if no header can carry it.
pub(crate) fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An address below a base address. The path starts with `/`, so it cannot change the host.
pub(crate) fn address(base: &str, path: &str) -> Result<Url, Error> {
    if !path.starts_with('/') {
        return Err(Error::Setup("a path starts with a slash".into()));
    }
    Url::parse(&format!("{base}{path}")).map_err(|error| Error::Setup(format!("not an address: {error}")))
}

/// The moment of an answer by Garmin's clock.
pub(crate) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

/// An HTTP date is an e-mail date whose zone is always GMT.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc2822(text.trim()).ok()?.to_utc())
}

/// The `Retry-After` of an answer: seconds, or an HTTP date (then counted from Garmin's own `Date`, else from `now`, never
/// negative).
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (http_date(value)? - date(headers).unwrap_or(now)).to_std().unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

fn unreachable(host: &str, error: reqwest::Error) -> Error {
    let cause = if error.is_timeout() {
        Cause::Timeout
    } else if error.is_connect() {
        Cause::Connect
    } else {
        Cause::Broken
    };
    let why = match cause {
        Cause::Timeout => "no answer in time".into(),
        Cause::Connect | Cause::Broken => root_cause(&error),
    };
    Error::Unreachable { cause, what: format!("{host}: {why}") }
}

/// The innermost reason of a failure: the outer ones repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut words = String::from("the request failed");
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    tidy(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(value: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        set(&mut headers, RETRY_AFTER, value);
        let now = DateTime::parse_from_rfc3339("2026-10-21T07:28:00Z").unwrap().to_utc();
        retry_after(&headers, now)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(wait("14"), Some(Duration::from_secs(14)));
        assert_eq!(wait(" 0 "), Some(Duration::ZERO));
        assert_eq!(wait("Wed, 21 Oct 2026 07:30:00 GMT"), Some(Duration::from_secs(120)));
        assert_eq!(wait("Wed, 21 Oct 2026 07:00:00 GMT"), Some(Duration::ZERO), "a date that has passed");
        assert_eq!(wait("18446744073709551615"), Some(LONGEST_WAIT));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-5"), None);
        assert_eq!(retry_after(&HeaderMap::new(), Utc::now()), None);
    }

    #[test]
    fn retry_after_counts_by_garmins_clock() {
        let mut headers = HeaderMap::new();
        set(&mut headers, RETRY_AFTER, "Wed, 21 Oct 2026 07:30:00 GMT");
        set(&mut headers, DATE, "Wed, 21 Oct 2026 07:29:00 GMT");
        assert_eq!(
            retry_after(&headers, Utc::now()),
            Some(Duration::from_secs(60)),
            "whatever this machine's clock says"
        );
    }

    #[test]
    fn a_wrong_clock_is_seen_until_it_is_set() {
        let theirs = DateTime::from_timestamp(1_793_000_000, 0).unwrap();
        let hour = TimeDelta::hours(1);
        let seen = SeenClock { theirs, ours: theirs + hour, at: Instant::now() };
        let later = Duration::from_secs(600);
        assert_eq!(seen.ahead(theirs + hour, Duration::ZERO), Some(hour));
        assert_eq!(seen.ahead(theirs + hour + TimeDelta::minutes(10), later), Some(hour), "time passed, nothing else");
        assert_eq!(seen.ahead(theirs + TimeDelta::minutes(10), later), None, "it was set right");
        let behind = SeenClock { ours: theirs - hour, ..seen };
        assert_eq!(behind.ahead(theirs - hour, Duration::ZERO), Some(-hour));
        let right = SeenClock { ours: theirs, ..seen };
        assert_eq!(right.ahead(theirs + hour, Duration::ZERO), None, "a sleep: the other clock stood still");
    }

    #[test]
    fn a_path_cannot_change_the_host() {
        assert!(address("https://connectapi.garmin.com", "@elsewhere.example/").is_err());
        let url = address("http://127.0.0.1:1/connectapi", "/a/b?c=d").unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:1/connectapi/a/b?c=d");
    }
}
