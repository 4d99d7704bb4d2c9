//! Garmin's token services: a service ticket or a refresh token for a token pair (account tier), a key for a bearer
//! token (Personal tier). The account room calls it, one call at a time per account, and stores what comes back. It
//! repeats nothing that may have had an effect: a lost answer may mean that the ticket or the refresh token is spent.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::Utc;
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded;

use crate::{
    Domain, Endpoints, Error, Garmin, PersonalToken, Ticket, Tokens,
    answers::{is_web_page, tidy},
    client::{Reply, address, date, request, retry_after, sensitive, set},
    data::native_headers,
    limits,
};

/// An identifier that is never called. It names garmin.com for garmin.cn too, as most clients have it.
const TICKET_GRANT: &str = "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket";

/// A refusal of the account tier's token service, in the words of OAuth.
#[derive(Debug, PartialEq)]
struct Refusal {
    status: u16,
    /// OAuth's `error`, empty if the answer has none.
    error: String,
    /// OAuth's `error_description`.
    description: String,
}

impl Refusal {
    fn read(reply: &Reply) -> Self {
        let json: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        Refusal { status: reply.status, error: text("error"), description: text("error_description") }
    }

    /// For people. What follows a colon may be the token itself.
    fn why(&self) -> String {
        let description = self.description.split(':').next().unwrap_or_default();
        match (self.error.as_str(), description) {
            ("", "") => format!("HTTP {}", self.status),
            (error, "") => tidy(error),
            ("", description) => tidy(description),
            (error, description) => tidy(&format!("{error}, {description}")),
        }
    }

    fn speaks_of_the_ticket(&self) -> bool {
        self.description.to_ascii_lowercase().contains("ticket")
    }

    /// The refresh token came to the wrong one of Garmin's two worlds, which does not know its person.
    fn is_of_another_world(&self) -> bool {
        let description = self.description.to_ascii_lowercase();
        self.error == "invalid_grant" && (description.contains("not exist") || description.contains("not found"))
    }
}

impl Garmin {
    /// Exchanges the ticket of a sign-in for tokens, by the first client id that Garmin accepts.
    ///
    /// A further service URL of the ticket is tried only where a refusal spoke of the ticket, and then by that one client id: it is
    /// alive, and the others would say the same. A refused client id does not spend the ticket; whether a refused service URL
    /// does is not known.
    ///
    /// Throttling, trouble and lost answers end the attempt at once and leave the ticket perhaps unspent: within the minute
    /// it lives the caller may try once more.
    pub async fn exchange(&self, ticket: &Ticket) -> Result<Tokens, Error> {
        let mut refused = None;
        let mut alive = None;
        for client_id in &self.settings.client_ids {
            match self.exchange_at(client_id, &ticket.service_url, &ticket.ticket).await? {
                Ok(tokens) => return Ok(tokens),
                Err(refusal) => {
                    if refusal.speaks_of_the_ticket() {
                        alive = alive.or(Some(client_id));
                    }
                    refused = Some(refusal);
                }
            }
        }
        if let Some(client_id) = alive {
            for service_url in &ticket.other_service_urls {
                match self.exchange_at(client_id, service_url, &ticket.ticket).await? {
                    Ok(tokens) => return Ok(tokens),
                    Err(refusal) => refused = Some(refusal),
                }
            }
        }
        Err(match refused {
            Some(Refusal { status: 500, .. }) => Error::ServerTrouble { status: 500 },
            Some(refusal) => Error::TicketRefused { why: refusal.why() },
            None => Error::Setup("no client id to exchange a ticket with".into()),
        })
    }

    async fn exchange_at(
        &self,
        client_id: &str,
        service_url: &str,
        ticket: &SecretString,
    ) -> Result<Result<Tokens, Refusal>, Error> {
        let form = [
            ("client_id", client_id),
            ("service_ticket", ticket.expose_secret()),
            ("grant_type", TICKET_GRANT),
            ("service_url", service_url),
        ];
        let accept = "application/json,text/html;q=0.9,*/*;q=0.8";
        let reply = self.ask_for_tokens(&self.settings.endpoints.diauth, client_id, accept, &form).await?;
        match reply.status {
            200 => {
                let domain = self.settings.endpoints.domain;
                if let Some(tokens) = read_tokens(&reply, client_id, domain, None) {
                    return Ok(Ok(tokens));
                }
            }
            // A 500 has been seen for a single client id; the others mean that the service is in trouble.
            status @ (408 | 501..=599) => return Err(Error::ServerTrouble { status }),
            _ => {}
        }
        Ok(Err(Refusal::read(&reply)))
    }

    /// Makes a new pair from a refresh token. One request, except after two refusals that are known not to spend the token:
    /// a retired client id (the others are tried once) and the wrong region (the issuer's host is tried once).
    ///
    /// Only [`Error::InvalidGrant`] means that the refresh token is dead. Anything else says nothing about it: keep it.
    pub async fn refresh(&self, tokens: &Tokens) -> Result<Tokens, Error> {
        let hosts = refresh_hosts(&self.settings.endpoints, tokens.domain);
        let mut refusal = None;
        for host in &hosts {
            let answer = self.refresh_at(host, tokens).await?;
            match answer {
                Ok(fresh) => return Ok(fresh),
                Err(refused) if refused.is_of_another_world() => refusal = Some(refused),
                Err(refused) => {
                    refusal = Some(refused);
                    break;
                }
            }
        }
        Err(refusal.map_or_else(|| Error::Setup("no host to renew at".into()), |refusal| verdict(&refusal)))
    }

    async fn refresh_at(&self, host: &str, tokens: &Tokens) -> Result<Result<Tokens, Refusal>, Error> {
        let others = self.settings.client_ids.iter().filter(|id| **id != tokens.client_id);
        let mut refusal = None;
        for client_id in std::iter::once(&tokens.client_id).chain(others) {
            let form = [
                ("grant_type", "refresh_token"),
                ("client_id", client_id.as_str()),
                ("refresh_token", tokens.refresh.expose_secret()),
            ];
            let reply = self.ask_for_tokens(host, client_id, "application/json", &form).await?;
            match reply.status {
                200 => {
                    return read_tokens(&reply, client_id, tokens.domain, Some(tokens))
                        .map(Ok)
                        .ok_or_else(|| Error::unexpected("a renewal without a token"));
                }
                status @ (408 | 500..=599) => return Err(Error::ServerTrouble { status }),
                403 if is_web_page(&reply.body) => return Err(Error::Throttled { retry_after: None }),
                _ => {}
            }
            let refused = Refusal::read(&reply);
            let retired = refused.error == "invalid_client";
            refusal = Some(refused);
            if !retired {
                break;
            }
        }
        refusal.map(Err).ok_or_else(|| Error::Setup("no client id to renew with".into()))
    }

    /// Exchanges a Personal API key for a bearer token. [`Error::InvalidCredentials`] if the key is malformed, unknown,
    /// expired or deleted; [`Error::Forbidden`] if it may not be used (terms, eligibility).
    pub async fn personal_token(&self, key: &SecretString) -> Result<PersonalToken, Error> {
        let path = "/personalapitoken-service/personal-api/personal-api-key/token";
        let url = address(&self.settings.endpoints.personal, path)?;
        let authorization = sensitive(&format!("ApiKey {}", key.expose_secret().trim()));
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization.ok_or(Error::InvalidCredentials)?);
        set(&mut headers, ACCEPT, "*/*");
        let post = request(Method::POST, url, headers);
        let reply = self.send(post, self.settings.timeouts.token, limits::TOKEN).await?;
        match reply.status {
            200 => std::str::from_utf8(&reply.body)
                .ok()
                .and_then(|body| PersonalToken::read(body, Utc::now(), date(&reply.headers)))
                .ok_or_else(|| Error::unexpected("no token for the key")),
            400 | 401 => Err(Error::InvalidCredentials),
            403 if !is_web_page(&reply.body) => Err(Error::Forbidden),
            403 | 427 | 429 => Err(Error::Throttled { retry_after: retry_after(&reply.headers, Utc::now()) }),
            status @ (408 | 500..=599) => Err(Error::ServerTrouble { status }),
            status => Err(Error::unexpected(format!("HTTP {status} for a key"))),
        }
    }

    /// One request to the account tier's token service: HTTP Basic with the client id and an empty password, no cookies.
    async fn ask_for_tokens(
        &self,
        host: &str,
        client_id: &str,
        accept: &'static str,
        form: &[(&str, &str)],
    ) -> Result<Reply, Error> {
        let url = address(host, "/di-oauth2-service/oauth/token")?;
        let basic = sensitive(&format!("Basic {}", STANDARD.encode(format!("{client_id}:"))));
        let mut headers = native_headers();
        headers.insert(AUTHORIZATION, basic.ok_or_else(|| Error::Setup("an unusable client id".into()))?);
        set(&mut headers, ACCEPT, accept);
        set(&mut headers, CONTENT_TYPE, "application/x-www-form-urlencoded");
        set(&mut headers, CACHE_CONTROL, "no-cache");
        let mut post = request(Method::POST, url, headers);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        *post.body_mut() = Some(body.into());
        let reply = self.send(post, self.settings.timeouts.token, limits::TOKEN).await?;
        match reply.status {
            427 | 429 => Err(Error::Throttled { retry_after: retry_after(&reply.headers, Utc::now()) }),
            300..=399 => Err(Error::unexpected("a redirect")),
            _ => Ok(reply),
        }
    }
}

fn read_tokens(reply: &Reply, client_id: &str, domain: Domain, old: Option<&Tokens>) -> Option<Tokens> {
    Tokens::read(&serde_json::from_slice(&reply.body).ok()?, client_id, domain, old, Utc::now(), date(&reply.headers))
}

/// Where a pair is renewed: at the host of the world that issued it, then at the configured one. A gateway stands for
/// the whole of Garmin and is never bypassed.
fn refresh_hosts(endpoints: &Endpoints, issuer: Domain) -> Vec<String> {
    let mut hosts = Vec::new();
    if endpoints.diauth == Endpoints::of(endpoints.domain).diauth && issuer != endpoints.domain {
        hosts.push(Endpoints::of(issuer).diauth);
    }
    hosts.push(endpoints.diauth.clone());
    hosts
}

/// What a refused renewal means. Only OAuth's own words can end a login; an answer without them is some proxy's.
fn verdict(refusal: &Refusal) -> Error {
    match (refusal.status, refusal.error.as_str()) {
        (400 | 401, "invalid_grant") => Error::InvalidGrant { why: refusal.why() },
        (400 | 401, "invalid_client") => Error::InvalidGrant { why: "no known client id is accepted any more".into() },
        // Answered, so nothing was rotated.
        (status, _) => Error::BadRequest { status },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::read(&Reply { status, headers: HeaderMap::new(), body: body.to_owned().into() })
    }

    #[test]
    fn only_oauths_own_words_end_a_login() {
        let dead = refusal(400, r#"{"error": "invalid_grant", "error_description": "Invalid refresh token: abc"}"#);
        assert_eq!(verdict(&dead), Error::InvalidGrant { why: "invalid_grant, Invalid refresh token".into() });
        let retired = refusal(401, r#"{"error": "invalid_client"}"#);
        assert!(matches!(verdict(&retired), Error::InvalidGrant { .. }));
        for (status, body) in [
            (400, ""),
            (400, "<html>"),
            (401, "{}"),
            (400, r#"{"error": "invalid_request"}"#),
            (403, r#"{"error": "invalid_grant"}"#),
            (404, ""),
        ] {
            assert_eq!(verdict(&refusal(status, body)), Error::BadRequest { status }, "{body}");
        }
    }

    #[test]
    fn a_pair_is_renewed_where_it_was_issued() {
        let com = Endpoints::of(Domain::Com);
        assert_eq!(refresh_hosts(&com, Domain::Com), ["https://diauth.garmin.com"]);
        assert_eq!(refresh_hosts(&com, Domain::Cn), ["https://diauth.garmin.cn", "https://diauth.garmin.com"]);
        let gateway = Endpoints { diauth: "http://127.0.0.1:1/diauth".into(), ..com };
        assert_eq!(refresh_hosts(&gateway, Domain::Cn), ["http://127.0.0.1:1/diauth"]);
    }

    #[test]
    fn the_wrong_world_is_recognised() {
        let body = r#"{"error": "invalid_grant", "error_description": "User does not exist for Garmin GUID"}"#;
        assert!(refusal(400, body).is_of_another_world());
        assert!(!refusal(400, r#"{"error": "invalid_grant"}"#).is_of_another_world());
    }
}
