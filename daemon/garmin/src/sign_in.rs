//! Signing in with e-mail address and password, up to the service ticket, by whichever of Garmin's flows the account room
//! asks for. A sign-in that needs a code ends here as plain data ([`PendingSignIn`]), which any process can take up again with
//! the code; nothing is held open in between. What is sent in which flow stands in `json` and `widget`.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, COOKIE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded::byte_serialize};

use crate::{Cause, Domain, Error, Flow, Garmin, client::set, jar::Jar};

/// What a browser sends for a page.
pub(crate) const PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
/// What a script of a page sends.
pub(crate) const SCRIPT: &str = "application/json, text/plain, */*";

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
    pub(crate) domain: Domain,
    pub(crate) method: String,
    pub(crate) sent_to: Option<String>,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) session: Session,
    /// What the widget's page said, to ask for a code with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code_request: Option<CodeRequest>,
    /// A code was wanted and could not be asked for. Unknown to releases without the widget, whose codes came by themselves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unsent: bool,
    /// Garmin would not send one yet: how long it asked to wait, or nothing said. Only for whoever began the sign-in.
    #[serde(skip)]
    pub(crate) refused: Option<Option<Duration>>,
}

/// What the page for a code says about who asks for one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CodeRequest {
    pub client_id: Option<String>,
    pub customer_guid: Option<Hidden>,
    pub locale: Option<String>,
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

    /// Whether Garmin sends the codes of this sign-in, so that another one can be asked for; an authenticator app's it does not.
    pub fn sends_codes(&self) -> bool {
        is_sent(&self.method)
    }

    /// Whether Garmin refused to send the first code for now: then how long it asked to wait, if it said.
    pub fn refused_to_send(&self) -> Option<Option<Duration>> {
        self.refused
    }

    /// Whether a code was to be sent and none was, as far as is known. [`Garmin::send_code`] asks for one.
    pub fn is_unsent(&self) -> bool {
        self.unsent
    }
}

/// Whether codes of this method are sent to somebody.
pub(crate) fn is_sent(method: &str) -> bool {
    ["email", "sms", "phone"].iter().any(|sent| method.eq_ignore_ascii_case(sent))
}

/// A text whose `Debug` shows nothing.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What every request of one sign-in repeats: who we seem to be, where we came from, and the cookies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub flow: Flow,
    pub user_agent: String,
    /// The address of the page that is shown, exactly as it was requested. A POST without it is answered 429.
    pub referer: Url,
    pub origin: String,
    pub cookies: Jar,
    /// The hidden field of the page that is shown (widget). Each page has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf: Option<Hidden>,
}

impl Session {
    pub fn new(flow: Flow, page: &Url) -> Self {
        Session {
            flow,
            user_agent: flow.user_agent().into(),
            referer: page.clone(),
            origin: page.origin().ascii_serialization(),
            cookies: Jar::default(),
            csrf: None,
        }
    }

    /// Headers of all requests of a sign-in; `accept` is what a browser sends for a page or a script.
    pub fn headers(&self, accept: &'static str, url: &Url) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        put(&mut headers, USER_AGENT, &self.user_agent)?;
        set(&mut headers, ACCEPT, accept);
        set(&mut headers, ACCEPT_LANGUAGE, "en-US,en;q=0.9");
        if let Some(cookies) = self.cookies.header(url) {
            headers.insert(COOKIE, cookies);
        }
        Ok(headers)
    }
}

/// Sets a header whose value is made here.
pub(crate) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Error> {
    let value = HeaderValue::from_str(value).map_err(|_| Error::Setup(format!("an unusable {name}")))?;
    headers.insert(name, value);
    Ok(())
}

impl Garmin {
    /// Signs in by one flow. `told` hears in short sentences what is going on.
    ///
    /// After trouble the page is asked for once more while `page_retries` lasts, which counts them down; the password is sent
    /// exactly once whatever happens. An answer to it that is lost is [`Error::AnswerLost`]: it may mean that Garmin has already
    /// sent a code. After any other error none is on its way.
    pub async fn sign_in(
        &self,
        flow: Flow,
        credentials: &Credentials,
        page_retries: &mut u32,
        told: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<SignIn, Error> {
        told("opening Garmin's sign-in page");
        let session = match self.open(flow).await {
            Err(Error::ServerTrouble { .. } | Error::Unreachable { cause: Cause::Broken, .. }) if *page_retries > 0 => {
                *page_retries -= 1;
                told("Garmin's sign-in page did not open; trying once more");
                tokio::time::sleep(self.settings.pauses.retry).await;
                self.open(flow).await?
            }
            opened => opened?,
        };
        told("waiting a moment, as a person would");
        let pauses = &self.settings.pauses;
        let pause = match flow {
            Flow::Mobile => &pauses.mobile,
            Flow::Portal => &pauses.portal,
            Flow::Widget => &pauses.widget,
        };
        let spread = pause.end().saturating_sub(*pause.start());
        tokio::time::sleep(*pause.start() + spread.mul_f64(fastrand::f64())).await;

        told("sending e-mail address and password");
        match flow {
            Flow::Mobile | Flow::Portal => self.password_by_json(session, credentials).await,
            Flow::Widget => self.password_by_widget(session, credentials, told).await,
        }
    }

    /// Opens the pages that lead to the form for the password.
    async fn open(&self, flow: Flow) -> Result<Session, Error> {
        match flow {
            Flow::Mobile | Flow::Portal => self.open_json(flow).await,
            Flow::Widget => self.open_widget().await,
        }
    }

    /// Brings the code to a sign-in that waits for it. Blanks in the code are ignored.
    ///
    /// After [`Error::CodeRejected`] the same `pending` takes another code; it also collects what each answer changes (cookies,
    /// the widget's hidden field), so keep the changed one. A code must not be sent twice by the caller. If a JSON flow's own path
    /// is throttled or in trouble, the other flow's path, which knows the same session, is tried once.
    pub async fn verify_code(&self, pending: &mut PendingSignIn, code: &SecretString) -> Result<Ticket, Error> {
        let code: String = code.expose_secret().chars().filter(|c| !c.is_whitespace()).collect();
        if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::CodeMalformed);
        }
        match pending.flow().twin() {
            Some(twin) => self.code_by_json(pending, twin, &code).await,
            None => self.code_by_widget(pending, &code).await,
        }
    }

    /// Asks Garmin to send a code, another one if one was sent. One request, never repeated: Garmin wants half a minute between
    /// two, and asking too often ends in "use a code you already have or wait 24 hours". Keep the changed `pending`.
    ///
    /// Errors leave the sign-in waiting, except [`Error::SessionLost`]: then Garmin does not know it any more.
    pub async fn send_code(&self, pending: &mut PendingSignIn) -> Result<(), Error> {
        if !pending.sends_codes() {
            return Err(Error::Setup("the codes of this sign-in are made by an app; Garmin sends none".into()));
        }
        match pending.flow() {
            Flow::Mobile | Flow::Portal => self.request_by_json(pending).await?,
            Flow::Widget => self.request_by_widget(pending).await?,
        }
        pending.unsent = false;
        Ok(())
    }
}

/// What an error means once the password is with Garmin. A 503 says that nobody looked at it, of the widget a 502 too; whoever
/// answers another 5xx, or nothing, may have.
pub(crate) fn after_password(flow: Flow, error: Error) -> Error {
    match error {
        Error::Unreachable { cause: Cause::Timeout | Cause::Broken, what } => Error::AnswerLost { what },
        Error::ServerTrouble { status: 503 } => error,
        Error::ServerTrouble { status: 502 } if flow == Flow::Widget => error,
        Error::ServerTrouble { status } => Error::AnswerLost { what: format!("HTTP {status}") },
        error => error,
    }
}

/// A URL as it stands in a query: everything but letters, digits and `-._*` encoded.
pub(crate) fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
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
    fn a_sign_in_that_an_earlier_release_left_waiting_still_waits() {
        let row = r#"{"domain":"garmin.com","method":"Email","sent_to":"ab***@example.org","started_at":"2026-11-20T10:00:00Z",
            "session":{"flow":"portal","user_agent":"x","referer":"https://sso.garmin.com/portal/sso/en-US/sign-in?clientId=GarminConnect",
            "origin":"https://sso.garmin.com","cookies":[]}}"#;
        let pending: PendingSignIn = serde_json::from_str(row).unwrap();
        assert_eq!((pending.flow(), pending.sends_codes(), pending.is_unsent()), (Flow::Portal, true, false));
        let written = serde_json::to_value(&pending).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(row).unwrap(), "and can be read by it");
    }

    #[test]
    fn an_answer_that_may_hide_a_code_is_lost() {
        let unreachable = |cause| Error::Unreachable { cause, what: "x".into() };
        for error in [unreachable(Cause::Timeout), unreachable(Cause::Broken), Error::ServerTrouble { status: 504 }] {
            assert!(matches!(after_password(Flow::Mobile, error), Error::AnswerLost { .. }));
        }
        for error in [unreachable(Cause::Connect), Error::ServerTrouble { status: 503 }, Error::Challenged] {
            assert_eq!(after_password(Flow::Portal, error.clone()), error);
        }
    }
}
