//! The two JSON flows, mobile and portal: the page for its cookies, then what the page's script would post. `sign_in` calls
//! it. The paths of both know each other's sessions.

use chrono::Utc;
use reqwest::{
    Method,
    header::{CONTENT_TYPE, ORIGIN, REFERER},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    Credentials, Error, Flow, Garmin, PendingSignIn, SignIn, Ticket,
    answers::{self, Outcome},
    client::{Reply, address, request, set},
    limits,
    sign_in::{PAGE, SCRIPT, Session, after_password, encoded, put},
};

impl Garmin {
    /// Gets the sign-in page for its cookies.
    pub(crate) async fn open_json(&self, flow: Flow) -> Result<Session, Error> {
        let endpoints = &self.settings.endpoints;
        let service = encoded(&flow.service_url(endpoints.domain));
        let path = format!("{}?clientId={}&service={service}", flow.page(), flow.client_id());
        let url = address(&endpoints.sso, &path)?;
        let mut session = Session::new(flow, &url);
        let get = request(Method::GET, url.clone(), session.headers(PAGE, &url)?);
        let reply = self.send(get, self.settings.timeouts.sso, limits::SIGN_IN_PAGE).await?;
        answers::page(&reply)?;
        session.cookies.keep(&reply.headers, &url);
        Ok(session)
    }

    pub(crate) async fn password_by_json(
        &self,
        mut session: Session,
        credentials: &Credentials,
    ) -> Result<SignIn, Error> {
        let flow = session.flow;
        let domain = self.settings.endpoints.domain;
        let lost = |error| after_password(flow, error);
        let body = json!({
            "username": credentials.email,
            "password": credentials.password.expose_secret(),
            "rememberMe": true,
            "captchaToken": "",
        });
        let reply = self.post(&mut session, flow, "login", &body).await.map_err(lost)?;
        match answers::login(&reply).map_err(lost)? {
            Outcome::Ticket(ticket) => Ok(SignIn::Ticket(Ticket {
                service_url: flow.service_url(domain),
                other_service_urls: Vec::new(),
                ticket: ticket.into(),
            })),
            Outcome::CodeWanted(info) => {
                let (method, sent_to) = code_source(&info);
                Ok(SignIn::CodeWanted(Box::new(PendingSignIn {
                    domain,
                    method,
                    sent_to,
                    started_at: Utc::now(),
                    session,
                    code_request: None,
                    unsent: false,
                    refused: None,
                })))
            }
        }
    }

    pub(crate) async fn code_by_json(
        &self,
        pending: &mut PendingSignIn,
        twin: Flow,
        code: &str,
    ) -> Result<Ticket, Error> {
        let body = json!({
            "mfaMethod": pending.method,
            "mfaVerificationCode": code,
            "rememberMyBrowser": true,
            "reconsentList": [],
            "mfaSetup": false,
        });
        let first = self.verify_at(pending, pending.flow(), &body).await;
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
        match self.verify_at(pending, twin, &body).await {
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
                other_service_urls: (flow != pending.flow())
                    .then(|| pending.flow().service_url(pending.domain))
                    .into_iter()
                    .collect(),
                ticket: ticket.into(),
            }),
            Outcome::CodeWanted(_) => Err(Error::CodeRejected),
        }
    }

    pub(crate) async fn request_by_json(&self, pending: &mut PendingSignIn) -> Result<(), Error> {
        let flow = pending.flow();
        let body = json!({ "mfaMethod": pending.method });
        let reply = self.post(&mut pending.session, flow, "mfa/sendCode", &body).await?;
        answers::sent(&reply)
    }

    /// Posts JSON as the script of the sign-in page does, to a path of `flow`, and keeps the cookies of the answer.
    async fn post(&self, session: &mut Session, flow: Flow, what: &str, body: &Value) -> Result<Reply, Error> {
        let endpoints = &self.settings.endpoints;
        let service = encoded(&flow.service_url(endpoints.domain));
        let query = format!("clientId={}&locale=en-US&service={service}", flow.client_id());
        let url = address(&endpoints.sso, &format!("/{flow}/api/{what}?{query}"))?;
        let mut headers = session.headers(SCRIPT, &url)?;
        set(&mut headers, CONTENT_TYPE, "application/json");
        put(&mut headers, ORIGIN, &session.origin)?;
        put(&mut headers, REFERER, session.referer.as_str())?;
        let mut post = request(Method::POST, url.clone(), headers);
        *post.body_mut() = Some(body.to_string().into());
        let reply = self.send(post, self.settings.timeouts.sso, limits::SIGN_IN).await?;
        session.cookies.keep(&reply.headers, &url);
        Ok(reply)
    }
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
