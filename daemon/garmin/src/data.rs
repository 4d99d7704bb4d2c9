//! Data requests of both tiers: one GET, at most one renewal of the token, and an answer that is complete or an error.
//! The sync room asks through [`Garmin::get`], the account room validates new tokens with [`Garmin::profile`]. Pacing,
//! repeating and understanding the data is the caller's business.

use std::future::Future;

use bytes::Bytes;
use chrono::{Days, NaiveDate, Utc};
use reqwest::{
    Method,
    header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, HeaderMap, HeaderName, USER_AGENT},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;
use tokio::io::AsyncWrite;

use crate::{
    Error, Garmin, NoToken,
    answers::{is_web_page, name},
    client::{Keep, Reply, address, request, retry_after, sensitive, set},
    limits,
};

/// Garmin's two ways to read an account's data. Paths are the same on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// With an account login, as the phone app does.
    Account,
    /// With a Personal API key, as Garmin permits.
    Personal,
}

/// One request for data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get {
    /// By which tier.
    pub tier: Tier,
    /// The path from `/` on, with its query.
    pub path: String,
    /// What the answer has to be.
    pub accept: Accept,
}

/// What kind of answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// JSON, checked to be complete.
    Json,
    /// A file, taken as bytes.
    File,
    /// No data, but that Garmin fetches what it has put away: sent by POST without a body, answered in JSON. The only request of ours
    /// that is no question.
    Fetching,
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The body exactly as it came: complete JSON in UTF-8, or a file.
    Body(Bytes),
    /// Garmin has no data here: a 204, or a 200 without a body.
    NoData,
}

/// What became of a data request, and what it cost.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The answer, or why there is none.
    pub answer: Result<Answer, Error>,
    /// Data requests that were sent, 0 to 2. Those of a renewal are not among them.
    pub requests: u32,
    /// Bytes of body that arrived.
    pub bytes: u64,
}

/// Where access tokens come from. The account room implements it.
pub trait TokenSource {
    /// An access token of this tier that is good as far as known.
    fn token(&self, tier: Tier) -> impl Future<Output = Result<SecretString, NoToken>> + Send;

    /// A token other than `refused`, which Garmin has just answered with 401. If the source meanwhile has a newer one, it
    /// gives that without asking Garmin again.
    fn renew(&self, tier: Tier, refused: &SecretString) -> impl Future<Output = Result<SecretString, NoToken>> + Send;
}

/// Who an account belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The number by which both tiers know the person.
    pub profile_id: Option<i64>,
    /// The name that stands in the paths of some services.
    pub display_name: Option<String>,
    /// The person's name.
    pub full_name: Option<String>,
}

impl Garmin {
    /// Asks for a file once, as [`Garmin::get`] does. `keep` takes it as it arrives, so that it is never in memory as a whole; the answer has
    /// its first kilobytes. Nothing is kept of any other answer than a 200. [`Error::NotKept`] if `keep` fails.
    pub async fn get_file<S: TokenSource>(
        &self,
        source: &S,
        get: &Get,
        keep: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Fetched {
        self.fetch(source, get, Some(keep)).await
    }

    /// Asks for data once. A 401 renews the token through the source and repeats the request once; nothing else is repeated.
    pub async fn get<S: TokenSource>(&self, source: &S, get: &Get) -> Fetched {
        self.fetch(source, get, None).await
    }

    async fn fetch<S: TokenSource>(&self, source: &S, get: &Get, mut keep: Option<&mut Keep<'_>>) -> Fetched {
        let mut fetched = Fetched { answer: Err(Error::Unauthorized), requests: 0, bytes: 0 };
        let mut token = source.token(get.tier).await;
        loop {
            let access = match token {
                Ok(access) => access,
                Err(none) => {
                    fetched.answer = Err(none.into());
                    return fetched;
                }
            };
            let sent = match self.data_request(get, &access) {
                Ok(request) => request,
                Err(error) => {
                    fetched.answer = Err(error);
                    return fetched;
                }
            };
            let timeouts = &self.settings.timeouts;
            let (timeout, limit) = match get.accept {
                Accept::Json | Accept::Fetching => (timeouts.data, limits::JSON),
                Accept::File => (timeouts.file, limits::FILE),
            };
            let (bytes, reply) = self.receive(sent, timeout, limit, keep.as_deref_mut()).await;
            fetched.requests += 1;
            fetched.bytes += bytes;
            fetched.answer = reply.and_then(|reply| answer(reply, get.accept));
            if fetched.answer != Err(Error::Unauthorized) || fetched.requests == 2 {
                return fetched;
            }
            token = source.renew(get.tier, &access).await;
        }
    }

    /// The validation call after a sign-in: who this access token of the account tier belongs to. One request.
    /// [`Error::Unauthorized`] and [`Error::Forbidden`] mean that the token cannot read data; other errors prove nothing.
    pub async fn profile(&self, access: &SecretString) -> Result<Profile, Error> {
        let path = "/userprofile-service/socialProfile".into();
        let get = Get { tier: Tier::Account, path, accept: Accept::Json };
        let reply = self.send(self.data_request(&get, access)?, self.settings.timeouts.data, limits::JSON).await?;
        let Answer::Body(body) = self.heard(get.tier, answer(reply, Accept::Json))? else {
            return Err(Error::unexpected("an empty profile"));
        };
        match serde_json::from_slice(&body) {
            Ok(profile @ Value::Object(_)) => Ok(read_profile(&profile)),
            _ => Err(Error::unexpected("a profile of another shape")),
        }
    }

    /// Who a bearer of the Personal tier belongs to: the number of [`Profile::profile_id`], which stands in each daily summary.
    /// One request, for the 31 days before `today`; `None` if none of them has data, as a new account's.
    pub async fn personal_owner(&self, access: &SecretString, today: NaiveDate) -> Result<Option<i64>, Error> {
        let (first, last) = (today - Days::new(31), today - Days::new(1));
        let path = format!("/usersummary-service/v2/dailysummaries?startDate={first}&endDate={last}");
        let get = Get { tier: Tier::Personal, path, accept: Accept::Json };
        let reply = self.send(self.data_request(&get, access)?, self.settings.timeouts.data, limits::JSON).await?;
        match self.heard(get.tier, answer(reply, Accept::Json))? {
            Answer::Body(body) => Ok(owner_in(&serde_json::from_slice(&body).unwrap_or_default())),
            Answer::NoData => Ok(None),
        }
    }

    /// The name that a bearer of the Personal tier goes by, for people. One request.
    pub async fn personal_name(&self, access: &SecretString) -> Result<Option<String>, Error> {
        let path = "/userprofile-service/userprofile/settings".into();
        let get = Get { tier: Tier::Personal, path, accept: Accept::Json };
        let reply = self.send(self.data_request(&get, access)?, self.settings.timeouts.data, limits::JSON).await?;
        let Answer::Body(body) = self.heard(get.tier, answer(reply, Accept::Json))? else { return Ok(None) };
        Ok(read_profile(&serde_json::from_slice(&body).unwrap_or_default()).display_name)
    }

    fn data_request(&self, get: &Get, access: &SecretString) -> Result<reqwest::Request, Error> {
        let endpoints = &self.settings.endpoints;
        let (base, mut headers, accept) = match (get.tier, get.accept) {
            (Tier::Account, Accept::Json | Accept::Fetching) => {
                (&endpoints.connectapi, native_headers(), "application/json")
            }
            (Tier::Account, Accept::File) => (&endpoints.connectapi, native_headers(), "*/*"),
            // The Personal API wants these two headers and nothing else; octet-stream alone is answered 406.
            (Tier::Personal, Accept::Json | Accept::Fetching) => {
                (&endpoints.personal, HeaderMap::new(), "application/json")
            }
            (Tier::Personal, Accept::File) => (
                &endpoints.personal,
                HeaderMap::new(),
                "application/zip, application/x-zip-compressed, application/octet-stream",
            ),
        };
        // Newer kinds of goals show only to who seems to come from Garmin's own page.
        if get.tier == Tier::Account && get.path.starts_with("/goal-service/goal/goals") {
            set(&mut headers, HeaderName::from_static("sec-fetch-site"), "same-origin");
        }
        let bearer = sensitive(&format!("Bearer {}", access.expose_secret()));
        headers.insert(AUTHORIZATION, bearer.ok_or_else(|| Error::unexpected("a token that no header can carry"))?);
        set(&mut headers, ACCEPT, accept);
        let method = if get.accept == Accept::Fetching { Method::POST } else { Method::GET };
        Ok(request(method, address(base, &get.path)?, headers))
    }
}

/// The headers of Garmin's own phone app, for the token service and the data of the account tier.
pub(crate) fn native_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    set(&mut headers, USER_AGENT, "GCM-Android-5.23");
    set(&mut headers, ACCEPT_LANGUAGE, "en-US,en;q=0.9");
    for (name, value) in [
        (
            "x-garmin-user-agent",
            "com.garmin.android.apps.connectmobile/5.23; ; Google/sdk_gphone64_arm64/google; Android/33; Dalvik/2.1.0",
        ),
        ("x-garmin-paired-app-version", "10861"),
        ("x-garmin-client-platform", "Android"),
        ("x-app-ver", "10861"),
        ("x-lang", "en"),
        ("x-gcexperience", "GC5"),
    ] {
        set(&mut headers, HeaderName::from_static(name), value);
    }
    headers
}

/// What the answer to a data request means.
fn answer(reply: Reply, accept: Accept) -> Result<Answer, Error> {
    let throttled = || Error::Throttled { retry_after: retry_after(&reply.headers, Utc::now()) };
    match reply.status {
        200 => {}
        202 if accept == Accept::Fetching => {}
        204 => return Ok(Answer::NoData),
        401 => return Err(Error::Unauthorized),
        // The services refuse in JSON or without a word; a web page is the edge, and means less speed.
        403 if is_web_page(&reply.body) => return Err(throttled()),
        403 => return Err(Error::Forbidden),
        // A thing that is not there is told in JSON; a web page means that the whole address is unknown.
        404 if accept != Accept::File && is_web_page(&reply.body) => return Err(Error::NoService),
        404 | 410 => return Err(Error::NotFound),
        427 | 429 => return Err(throttled()),
        status @ (408 | 500..=599) => return Err(Error::ServerTrouble { status }),
        status @ 400..=499 => return Err(Error::BadRequest { status }),
        300..=399 => return Err(Error::unexpected("a redirect")),
        status => return Err(Error::unexpected(format!("HTTP {status}"))),
    }
    let body = reply.body;
    match accept {
        _ if is_web_page(&body) => Err(Error::unexpected("a web page instead of data")),
        Accept::File if body.is_empty() => Err(Error::unexpected("an empty file")),
        Accept::File => Ok(Answer::Body(body)),
        Accept::Json | Accept::Fetching if body.trim_ascii().is_empty() => Ok(Answer::NoData),
        Accept::Json | Accept::Fetching => match std::str::from_utf8(&body).map(serde_json::from_str::<IgnoredAny>) {
            Ok(Ok(_)) => Ok(Answer::Body(body)),
            Ok(Err(error)) if error.is_eof() => Err(Error::unexpected("half an answer")),
            Ok(Err(_)) | Err(_) => Err(Error::unexpected("no JSON")),
        },
    }
}

/// The person of a list of daily summaries. Garmin has spelled the number's name in three ways.
fn owner_in(summaries: &Value) -> Option<i64> {
    let items = summaries["data"].as_array().or_else(|| summaries.as_array())?;
    let names = ["userProfilePk", "userProfileId", "userProfilePK"];
    items.iter().flat_map(|item| names.map(|name| item[name].as_i64())).find_map(|id| id)
}

fn read_profile(profile: &Value) -> Profile {
    let text = |key: &str| profile[key].as_str().filter(|text| !text.is_empty()).map(name);
    Profile {
        profile_id: profile["profileId"].as_i64(),
        display_name: text("displayName"),
        full_name: text("fullName"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, headers: HeaderMap::new(), body: body.to_owned().into() }
    }

    #[test]
    fn every_known_answer_to_a_data_request() {
        let body = |text: &str| Ok(Answer::Body(text.to_owned().into()));
        let odd = |what: &str| Err(Error::unexpected(what));
        let bad = |status| Err(Error::BadRequest { status });
        let trouble = |status| Err(Error::ServerTrouble { status });
        let throttled = Err(Error::Throttled { retry_after: None });
        const PAGE: &str = "<!doctype html><html><body>Access denied</body></html>";
        use Accept::{File, Json};
        for (accept, status, text, expected) in [
            (Json, 200, r#"{"a": [1, null]}"#, body(r#"{"a": [1, null]}"#)),
            (Json, 200, " []\n", body(" []\n")),
            (Json, 200, "", Ok(Answer::NoData)),
            (Json, 200, " \n", Ok(Answer::NoData)),
            (Json, 204, "", Ok(Answer::NoData)),
            (Json, 200, PAGE, odd("a web page instead of data")),
            (Json, 200, r#"{"a": [1, nul"#, odd("half an answer")),
            (Json, 200, r#"{"a": 1} {"b": 2}"#, odd("no JSON")),
            (Json, 200, "OAuthToken is invalid", odd("no JSON")),
            (Json, 202, "{}", odd("HTTP 202")),
            (Json, 302, "", odd("a redirect")),
            (Json, 400, "{}", bad(400)),
            (Json, 401, "", Err(Error::Unauthorized)),
            (Json, 401, "OAuthToken is invalid", Err(Error::Unauthorized)),
            (Json, 403, r#"{"error": "ForbiddenException"}"#, Err(Error::Forbidden)),
            (Json, 403, "", Err(Error::Forbidden)),
            (Json, 403, PAGE, throttled.clone()),
            (Json, 404, PAGE, Err(Error::NoService)),
            (Json, 404, "{}", Err(Error::NotFound)),
            (File, 404, PAGE, Err(Error::NotFound)),
            (Json, 405, "", bad(405)),
            (Json, 406, "{}", bad(406)),
            (Json, 408, "", trouble(408)),
            (Json, 429, "", throttled.clone()),
            (Json, 500, "", trouble(500)),
            (Json, 503, PAGE, trouble(503)),
            (File, 200, "PK\x03\x04", body("PK\x03\x04")),
            (File, 200, "<?xml version=\"1.0\"?>", body("<?xml version=\"1.0\"?>")),
            (File, 200, "", odd("an empty file")),
            (File, 204, "", Ok(Answer::NoData)),
            (File, 200, PAGE, odd("a web page instead of data")),
            (File, 404, "{}", Err(Error::NotFound)),
        ] {
            assert_eq!(answer(reply(status, text), accept), expected, "{accept:?} {status} {text}");
        }
    }

    #[test]
    fn names_have_an_end() {
        let long = "\u{e4}".repeat(3_000_000);
        let profile = read_profile(&serde_json::json!({ "profileId": 7, "displayName": long, "fullName": long }));
        let lengths = [profile.display_name, profile.full_name].map(|name| name.unwrap().chars().count());
        assert_eq!((profile.profile_id, lengths), (Some(7), [200, 200]));
    }

    #[test]
    fn the_owner_of_summaries_is_found_where_there_is_one() {
        for (text, owner) in [
            (r#"{"data": [{"userProfilePk": null}, {"userProfilePk": 7}]}"#, Some(7)),
            (r#"[{"userProfileId": 8}]"#, Some(8)),
            (r#"{"data": []}"#, None),
            (r#"{"data": [null, 3]}"#, None),
            ("{}", None),
            ("null", None),
        ] {
            assert_eq!(owner_in(&serde_json::from_str(text).unwrap()), owner, "{text}");
        }
    }

    #[test]
    fn text_that_is_not_utf8_is_no_json() {
        let reply = Reply { status: 200, headers: HeaderMap::new(), body: Bytes::from_static(b"{\"a\": \"\xff\"}") };
        assert_eq!(answer(reply, Accept::Json), Err(Error::unexpected("no JSON")));
    }

    #[test]
    fn a_throttled_answer_says_how_long() {
        let mut reply = reply(429, "");
        set(&mut reply.headers, reqwest::header::RETRY_AFTER, "14");
        let wait = Some(Duration::from_secs(14));
        assert_eq!(answer(reply, Accept::Json), Err(Error::Throttled { retry_after: wait }));
    }
}
