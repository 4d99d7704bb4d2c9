//! The embed widget: HTML forms, posted as a browser posts them. `sign_in` calls it, `page` reads the answers. Each page has a
//! hidden field of its own and is the Referer of what follows it; the session keeps both.

use chrono::Utc;
use reqwest::{
    Method,
    header::{CONTENT_TYPE, LOCATION, REFERER},
};
use secrecy::ExposeSecret;
use serde_json::json;
use url::{Url, form_urlencoded};

use crate::{
    Cause, Credentials, Error, Flow, Garmin, PendingSignIn, SignIn, Ticket, answers,
    client::{Reply, address, request, set},
    limits,
    page::{self, CodePage, Shown},
    sign_in::{CodeRequest, Hidden, PAGE, SCRIPT, Session, after_password, encoded, is_sent, put},
};

/// Redirects in a row that a form may lead through.
const REDIRECTS: usize = 3;

impl Garmin {
    /// Gets the page that embeds the widget, for its cookies, and the widget's form.
    pub(crate) async fn open_widget(&self) -> Result<Session, Error> {
        let endpoints = &self.settings.endpoints;
        let host = encoded(&format!("https://sso.{}/sso", endpoints.domain));
        let embed = address(&endpoints.sso, Flow::Widget.page())?;
        let url = address(
            &endpoints.sso,
            &format!("{}?id=gauth-widget&embedWidget=true&gauthHost={host}", Flow::Widget.page()),
        )?;
        let mut session = Session::new(Flow::Widget, &embed);
        let get = request(Method::GET, url.clone(), session.headers(PAGE, &url)?);
        let reply = self.send(get, self.settings.timeouts.sso, limits::SIGN_IN_PAGE).await?;
        answers::page(&reply)?;
        session.cookies.keep(&reply.headers, &url);

        let form = self.widget_address("signin")?;
        let reply = self.get_page(&mut session, &form).await?;
        session.csrf = Some(Hidden(page::sign_in_form(&reply)?));
        Ok(session)
    }

    pub(crate) async fn password_by_widget(
        &self,
        mut session: Session,
        credentials: &Credentials,
        told: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<SignIn, Error> {
        let fields = [("username", credentials.email.as_str()), ("password", credentials.password.expose_secret())];
        let answered = self.post_form(&mut session, "signin", &fields).await;
        let page = match answered.map_err(|error| after_password(Flow::Widget, error))? {
            Shown::Ticket(ticket) => return Ok(SignIn::Ticket(self.widget_ticket(ticket))),
            // The form once more is how the widget rejects.
            Shown::Form => return Err(Error::InvalidCredentials),
            Shown::Code(page) => page,
        };
        session.csrf = Some(Hidden(page.csrf));
        let CodePage { method, sent_to, customer_guid, locale, client_id, .. } = page;
        let must_ask = is_sent(&method) && sent_to.is_none();
        let mut pending = PendingSignIn {
            domain: self.settings.endpoints.domain,
            method,
            sent_to,
            started_at: Utc::now(),
            session,
            code_request: Some(CodeRequest { client_id, customer_guid: customer_guid.map(Hidden), locale }),
            unsent: must_ask,
            refused: None,
        };
        if must_ask {
            told("asking Garmin to send the code");
            match self.send_code(&mut pending).await {
                Ok(()) => {}
                // It may be on its way.
                Err(Error::Unreachable { cause: Cause::Timeout | Cause::Broken, .. }) => pending.unsent = false,
                // The sign-in waits all the same: another sign-in is no way to a code.
                Err(error) => {
                    if let Error::Throttled { retry_after } = &error {
                        pending.refused = Some(*retry_after);
                    }
                    told(&format!("the code could not be asked for: {error}"));
                }
            }
        }
        Ok(SignIn::CodeWanted(Box::new(pending)))
    }

    pub(crate) async fn code_by_widget(&self, pending: &mut PendingSignIn, code: &str) -> Result<Ticket, Error> {
        // Older pages called the field by its second name; sending both is harmless.
        let fields = [("mfa-code", code), ("mfa-verification-code", code), ("fromPage", "setupEnterMfaCode")];
        match self.post_form(&mut pending.session, "verifyMFA/loginEnterMfaCode", &fields).await {
            Ok(Shown::Ticket(ticket)) => Ok(self.widget_ticket(ticket)),
            Ok(Shown::Code(page)) => {
                pending.session.csrf = Some(Hidden(page.csrf));
                pending.sent_to = page.sent_to.or(pending.sent_to.take());
                Err(Error::CodeRejected)
            }
            // Back at the start: this sign-in is over.
            Ok(Shown::Form) => Err(Error::SessionLost),
            Err(Error::InvalidCredentials) => Err(Error::CodeRejected),
            Err(error) => Err(error),
        }
    }

    /// What the page's own script does when a person asks for a code.
    pub(crate) async fn request_by_widget(&self, pending: &mut PendingSignIn) -> Result<(), Error> {
        let asked = pending.code_request.as_ref();
        let client_id = asked.and_then(|it| it.client_id.as_deref()).unwrap_or(Flow::Widget.client_id());
        let path = format!("/sso/verifyMFA/mfaCode?clientId={}", encoded(client_id));
        let url = address(&self.settings.endpoints.sso, &path)?;
        let mut headers = pending.session.headers(SCRIPT, &url)?;
        set(&mut headers, CONTENT_TYPE, "application/json");
        put(&mut headers, REFERER, pending.session.referer.as_str())?;
        let body = json!({
            "customerGuid": asked.and_then(|it| it.customer_guid.as_ref()).map(|guid| &guid.0),
            "mfaMethod": pending.method,
            "locale": asked.and_then(|it| it.locale.as_deref()).unwrap_or("en_US"),
        });
        let mut post = request(Method::POST, url.clone(), headers);
        *post.body_mut() = Some(body.to_string().into());
        let reply = self.send(post, self.settings.timeouts.sso, limits::SIGN_IN_PAGE).await?;
        pending.session.cookies.keep(&reply.headers, &url);
        answers::sent(&reply)
    }

    fn widget_ticket(&self, ticket: String) -> Ticket {
        let service_url = Flow::Widget.service_url(self.settings.endpoints.domain);
        Ticket { service_url, other_service_urls: Vec::new(), ticket: ticket.into() }
    }

    /// A page of the widget, with the query that all its forms repeat.
    fn widget_address(&self, page: &str) -> Result<Url, Error> {
        let endpoints = &self.settings.endpoints;
        let embed = encoded(&Flow::Widget.service_url(endpoints.domain));
        let names =
            ["gauthHost", "service", "source", "redirectAfterAccountLoginUrl", "redirectAfterAccountCreationUrl"];
        let query = names
            .iter()
            .fold("id=gauth-widget&embedWidget=true".to_owned(), |query, name| format!("{query}&{name}={embed}"));
        address(&endpoints.sso, &format!("/sso/{page}?{query}"))
    }

    /// Gets a page, whose address is then the session's.
    async fn get_page(&self, session: &mut Session, url: &Url) -> Result<Reply, Error> {
        let mut headers = session.headers(PAGE, url)?;
        put(&mut headers, REFERER, session.referer.as_str())?;
        let get = request(Method::GET, url.clone(), headers);
        let reply = self.send(get, self.settings.timeouts.sso, limits::SIGN_IN_PAGE).await?;
        session.cookies.keep(&reply.headers, url);
        session.referer = url.clone();
        Ok(reply)
    }

    /// Posts a form of the page that is shown, and reads the page that this leads to. The session is then at that page, unless
    /// the answer is none of the widget's pages: the form before it is still good then.
    async fn post_form(&self, session: &mut Session, to: &str, fields: &[(&str, &str)]) -> Result<Shown, Error> {
        let url = self.widget_address(to)?;
        let mut headers = session.headers(PAGE, &url)?;
        set(&mut headers, CONTENT_TYPE, "application/x-www-form-urlencoded");
        put(&mut headers, REFERER, session.referer.as_str())?;
        let csrf = session.csrf.as_ref().map(|csrf| csrf.0.as_str()).unwrap_or_default();
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .extend_pairs([("embed", "true"), ("_csrf", csrf)])
            .finish();
        let mut post = request(Method::POST, url.clone(), headers);
        *post.body_mut() = Some(form.into());
        let mut reply = self.send(post, self.settings.timeouts.sso, limits::SIGN_IN_PAGE).await?;
        session.cookies.keep(&reply.headers, &url);
        let (before, mut at) = (session.referer.clone(), url);
        session.referer = at.clone();
        for _ in 0..REDIRECTS {
            // A browser goes on by GET; what was posted goes nowhere else.
            let Some(location) = location(&reply) else { break };
            if let Some(ticket) = page::ticket(location) {
                return Ok(Shown::Ticket(ticket));
            }
            let Some(next) = self.within_sign_in(&at, location) else { break };
            // The form itself has arrived, whatever becomes of this.
            reply = self.get_page(session, &next).await.map_err(|error| match error {
                Error::Unreachable { what, .. } => Error::Unreachable { cause: Cause::Broken, what },
                error => error,
            })?;
            at = next;
        }
        let shown = page::shown(&reply);
        if !matches!(shown, Ok(Shown::Code(_))) {
            session.referer = before;
        }
        shown
    }

    /// Where a redirect leads, if that is a page of the sign-in: by Garmin's own name of the host, or by the configured one.
    fn within_sign_in(&self, at: &Url, location: &str) -> Option<Url> {
        let endpoints = &self.settings.endpoints;
        let to = at.join(location).ok()?;
        let own = format!("https://sso.{}", endpoints.domain);
        let path = to.as_str().strip_prefix(&endpoints.sso).or_else(|| to.as_str().strip_prefix(&own))?;
        if path.starts_with("/sso/") { address(&endpoints.sso, path).ok() } else { None }
    }
}

fn location(reply: &Reply) -> Option<&str> {
    if !matches!(reply.status, 301..=303) {
        return None;
    }
    reply.headers.get(LOCATION)?.to_str().ok()
}
