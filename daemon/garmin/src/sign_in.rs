//! Signing in with e-mail address and password by Garmin's two JSON flows, up to the service ticket. The account room
//! drives it. A sign-in that needs a code ends here as plain data ([`PendingSignIn`]), which any process can take up
//! again with the code; nothing is held open in between.

use std::fmt;

use chrono::{DateTime, Utc};
use reqwest::{
    Method,
    header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, ORIGIN, REFERER, USER_AGENT},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::{Url, form_urlencoded::byte_serialize};

use crate::{
    Cause, Domain, Error, Garmin,
    answers::{self, Outcome},
    client::{Reply, address, request, set},
    jar::Jar,
    limits,
};

/// Garmin's two JSON sign-in flows. Each is throttled in its own bucket, so a refusal of one does not condemn the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// As the phone app signs in. Seen to accept ordinary programs most often.
    Mobile,
    /// As the web page signs in.
    Portal,
}

impl Flow {
    /// All flows, in the order to try.
    pub const ALL: [Flow; 2] = [Flow::Mobile, Flow::Portal];

    /// `mobile` or `portal`, which is also how its paths begin.
    pub fn as_str(self) -> &'static str {
        match self {
            Flow::Mobile => "mobile",
            Flow::Portal => "portal",
        }
    }

    fn other(self) -> Flow {
        match self {
            Flow::Mobile => Flow::Portal,
            Flow::Portal => Flow::Mobile,
        }
    }

    fn client_id(self) -> &'static str {
        match self {
            Flow::Mobile => "GCM_ANDROID_DARK",
            Flow::Portal => "GarminConnect",
        }
    }

    /// The service URL a ticket of this flow is bound to. Nothing is ever requested from the mobile one.
    fn service_url(self, domain: Domain) -> String {
        match self {
            Flow::Mobile => format!("https://mobile.integration.{domain}/gcm/android"),
            Flow::Portal => format!("https://connect.{domain}/app"),
        }
    }

    /// The page a person would open first; how Garmin spells the locale differs.
    fn page(self) -> &'static str {
        match self {
            Flow::Mobile => "/mobile/sso/en_US/sign-in",
            Flow::Portal => "/portal/sso/en-US/sign-in",
        }
    }

    fn user_agent(self) -> &'static str {
        match self {
            Flow::Mobile => {
                "Mozilla/5.0 (Linux; Android 13; sdk_gphone64_arm64 Build/TE1A.220922.025; wv) AppleWebKit/537.36 \
                 (KHTML, like Gecko) Version/4.0 Chrome/132.0.0.0 Mobile Safari/537.36"
            }
            Flow::Portal => {
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 \
                 Safari/537.36"
            }
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a person signs in with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The e-mail address of the account.
    pub email: String,
    /// Its password.
    pub password: SecretString,
}

/// How far e-mail address and password lead.
#[derive(Debug)]
pub enum SignIn {
    /// All the way. The ticket lives about a minute: exchange it at once.
    Ticket(Ticket),
    /// Garmin wants a code and, unless an app makes it, has just sent one.
    CodeWanted(Box<PendingSignIn>),
}

/// A service ticket: single use, about a minute, bound to one service URL. `Debug` hides the ticket.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// The service URL the ticket was issued for.
    pub service_url: String,
    /// Further service URLs to try, in this order, if Garmin says that the ticket does not fit the first one.
    pub other_service_urls: Vec<String>,
    /// The ticket itself, `ST-...`.
    pub ticket: SecretString,
}

/// A sign-in that waits for its code, as plain data. It holds session cookies, so its serialized form is a secret;
/// `Debug` hides them. Codes sent by e-mail or text message are good for 30 minutes by Garmin's own words, and a newer
/// sign-in of the same account voids them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingSignIn {
    domain: Domain,
    method: String,
    sent_to: Option<String>,
    started_at: DateTime<Utc>,
    session: Session,
}

impl PendingSignIn {
    /// Which of Garmin's worlds this sign-in belongs to.
    pub fn domain(&self) -> Domain {
        self.domain
    }

    /// The flow that wants the code.
    pub fn flow(&self) -> Flow {
        self.session.flow
    }

    /// Garmin's word for where the code comes from, such as `email`, `sms` or `totp`, in any letter case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The masked address or number the code was sent to, if it was sent and Garmin tells.
    pub fn sent_to(&self) -> Option<&str> {
        self.sent_to.as_deref()
    }

    /// When Garmin asked for the code.
    pub fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }
}

/// What every request of one sign-in repeats: who we seem to be, where we came from, and the cookies.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session {
    flow: Flow,
    user_agent: String,
    /// The address of the sign-in page exactly as it was requested. A POST without it is answered 429.
    referer: Url,
    origin: String,
    cookies: Jar,
}

impl Session {
    /// Headers of all requests of a sign-in; `accept` is what a browser sends for a page or a script.
    fn headers(&self, accept: &'static str, url: &Url) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        let user_agent = HeaderValue::from_str(&self.user_agent);
        headers.insert(USER_AGENT, user_agent.map_err(|_| Error::Setup("an unusable user agent".into()))?);
        set(&mut headers, ACCEPT, accept);
        set(&mut headers, ACCEPT_LANGUAGE, "en-US,en;q=0.9");
        if let Some(cookies) = self.cookies.header(url) {
            headers.insert(COOKIE, cookies);
        }
        Ok(headers)
    }
}

impl Garmin {
    /// Signs in by one flow. `told` hears in short sentences what is going on.
    ///
    /// The page is asked for a second time after trouble; the password is sent exactly once whatever happens, because a
    /// lost answer may mean that Garmin has already sent a code.
    pub async fn sign_in(
        &self,
        flow: Flow,
        credentials: &Credentials,
        told: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<SignIn, Error> {
        told("opening Garmin's sign-in page");
        let mut session = match self.open_page(flow).await {
            Err(Error::ServerTrouble { .. } | Error::Unreachable { cause: Cause::Broken, .. }) => {
                told("Garmin's sign-in page did not open; trying once more");
                tokio::time::sleep(self.settings.pauses.retry).await;
                self.open_page(flow).await?
            }
            opened => opened?,
        };
        told("waiting a moment, as a person would");
        let pauses = &self.settings.pauses;
        let pause = match flow {
            Flow::Mobile => &pauses.mobile,
            Flow::Portal => &pauses.portal,
        };
        let spread = pause.end().saturating_sub(*pause.start());
        tokio::time::sleep(*pause.start() + spread.mul_f64(fastrand::f64())).await;

        told("sending e-mail address and password");
        let body = json!({
            "username": credentials.email,
            "password": credentials.password.expose_secret(),
            "rememberMe": true,
            "captchaToken": "",
        });
        let reply = self.post(&mut session, flow, "login", &body).await?;
        match answers::login(&reply)? {
            Outcome::Ticket(ticket) => Ok(SignIn::Ticket(Ticket {
                service_url: flow.service_url(self.settings.endpoints.domain),
                other_service_urls: Vec::new(),
                ticket: ticket.into(),
            })),
            Outcome::CodeWanted(info) => {
                let (method, sent_to) = code_source(&info);
                let domain = self.settings.endpoints.domain;
                Ok(SignIn::CodeWanted(Box::new(PendingSignIn {
                    domain,
                    method,
                    sent_to,
                    started_at: Utc::now(),
                    session,
                })))
            }
        }
    }

    /// Brings the code to a sign-in that waits for it. Blanks in the code are ignored.
    ///
    /// After [`Error::CodeRejected`] the same `pending` takes another code; it also collects the cookies of each answer, so
    /// keep the changed one. A code must not be sent twice by the caller. If the flow's own path is throttled or in trouble,
    /// the other flow's path, which knows the same session, is tried once.
    pub async fn verify_code(&self, pending: &mut PendingSignIn, code: &SecretString) -> Result<Ticket, Error> {
        let code: String = code.expose_secret().chars().filter(|c| !c.is_whitespace()).collect();
        if !(4..=10).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::CodeMalformed);
        }
        let body = json!({
            "mfaMethod": pending.method,
            "mfaVerificationCode": code,
            "rememberMyBrowser": true,
            "reconsentList": [],
            "mfaSetup": false,
        });
        let own = pending.session.flow;
        let first = self.verify_at(pending, own, &body).await;
        let in_the_way = matches!(
            first,
            Err(Error::Throttled { .. }
                | Error::ServerTrouble { .. }
                | Error::Unexpected { .. }
                | Error::TooLarge { .. })
        );
        if !in_the_way {
            return first;
        }
        match self.verify_at(pending, own.other(), &body).await {
            // Only what the second path says about the code itself is worth more than the first refusal.
            second @ (Ok(_)
            | Err(
                Error::CodeRejected | Error::CodeExpired | Error::AccountLocked { .. } | Error::CaptchaRequired,
            )) => second,
            Err(_) => first,
        }
    }

    async fn verify_at(&self, pending: &mut PendingSignIn, flow: Flow, body: &Value) -> Result<Ticket, Error> {
        let reply = self.post(&mut pending.session, flow, "mfa/verifyCode", body).await?;
        match answers::verify(&reply)? {
            Outcome::Ticket(ticket) => Ok(Ticket {
                service_url: flow.service_url(pending.domain),
                // Clients disagree whose service URL counts when the other path answered.
                other_service_urls: (flow != pending.session.flow)
                    .then(|| pending.session.flow.service_url(pending.domain))
                    .into_iter()
                    .collect(),
                ticket: ticket.into(),
            }),
            Outcome::CodeWanted(_) => Err(Error::CodeRejected),
        }
    }

    /// Gets the sign-in page for its cookies.
    async fn open_page(&self, flow: Flow) -> Result<Session, Error> {
        let endpoints = &self.settings.endpoints;
        let service = encoded(&flow.service_url(endpoints.domain));
        let path = format!("{}?clientId={}&service={service}", flow.page(), flow.client_id());
        let url = address(&endpoints.sso, &path)?;
        let mut session = Session {
            flow,
            user_agent: flow.user_agent().into(),
            referer: url.clone(),
            origin: url.origin().ascii_serialization(),
            cookies: Jar::default(),
        };
        let headers = session.headers("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", &url)?;
        let timeout = self.settings.timeouts.sso;
        let reply = self.send(request(Method::GET, url.clone(), headers), timeout, limits::SIGN_IN_PAGE).await?;
        answers::page(&reply)?;
        session.cookies.keep(&reply.headers, &url);
        Ok(session)
    }

    /// Posts JSON as the script of the sign-in page does, to a path of `flow`, and keeps the cookies of the answer.
    async fn post(&self, session: &mut Session, flow: Flow, what: &str, body: &Value) -> Result<Reply, Error> {
        let endpoints = &self.settings.endpoints;
        let service = encoded(&flow.service_url(endpoints.domain));
        let query = format!("clientId={}&locale=en-US&service={service}", flow.client_id());
        let url = address(&endpoints.sso, &format!("/{flow}/api/{what}?{query}"))?;
        let mut headers = session.headers("application/json, text/plain, */*", &url)?;
        set(&mut headers, CONTENT_TYPE, "application/json");
        for (name, value) in [(ORIGIN, &*session.origin), (REFERER, session.referer.as_str())] {
            let value = HeaderValue::from_str(value).map_err(|_| Error::Setup(format!("an unusable {name}")))?;
            headers.insert(name, value);
        }
        let mut post = request(Method::POST, url.clone(), headers);
        *post.body_mut() = Some(body.to_string().into());
        let reply = self.send(post, self.settings.timeouts.sso, limits::SIGN_IN).await?;
        session.cookies.keep(&reply.headers, &url);
        Ok(reply)
    }
}

/// A service URL as it stands in a query: everything but letters, digits and `-._*` encoded.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Where the code comes from, from Garmin's `customerMfaInfo`: its word for the method, to be echoed unchanged, and the
/// masked destination if the code was sent somewhere.
fn code_source(info: &Value) -> (String, Option<String>) {
    let text = |key: &str| info[key].as_str().filter(|text| !text.is_empty()).map(answers::name);
    let method = text("mfaLastMethodUsed").or_else(|| text("defaultMfaMethod")).unwrap_or_else(|| "email".into());
    let sent_to = match method.to_ascii_lowercase().as_str() {
        "email" => text("email"),
        "sms" | "phone" => text("phoneNumber"),
        _ => None,
    };
    (method, sent_to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_urls_are_encoded_as_garmin_expects() {
        let service = Flow::Portal.service_url(Domain::Cn);
        assert_eq!(encoded(&service), "https%3A%2F%2Fconnect.garmin.cn%2Fapp");
    }

    #[test]
    fn the_source_of_a_code_is_told() {
        let source = |info: Value| {
            let (method, sent_to) = code_source(&info);
            (method, sent_to.unwrap_or_default())
        };
        let both =
            |method: &str| json!({"email": "ab***@example.org", "phoneNumber": "**12", "mfaLastMethodUsed": method});
        assert_eq!(source(both("email")), ("email".into(), "ab***@example.org".into()));
        assert_eq!(source(both("EMAIL")), ("EMAIL".into(), "ab***@example.org".into()));
        assert_eq!(source(both("sms")), ("sms".into(), "**12".into()));
        assert_eq!(source(both("AUTHENTICATOR_APP")), ("AUTHENTICATOR_APP".into(), String::new()));
        assert_eq!(
            source(json!({"mfaLastMethodUsed": null, "defaultMfaMethod": "sms"})),
            ("sms".into(), String::new())
        );
        assert_eq!(source(Value::Null), ("email".into(), String::new()));
        let (_, long) = source(json!({"mfaLastMethodUsed": "email", "email": "a".repeat(100_000)}));
        assert_eq!(long.len(), 200);
        assert_eq!(source(both(&"m".repeat(100_000))).0.len(), 200);
    }
}
