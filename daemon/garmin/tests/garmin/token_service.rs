//! The token services of both tiers: what is sent, which refusals go on to the next client id, and what must never
//! be taken for the end of a login.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{TimeDelta, Utc};
use garminsync_garmin::{CLIENT_IDS, Cause, Domain, Error, Garmin, Ticket, Tokens};
use secrecy::ExposeSecret;

use crate::stub::{Act, Stub, reply};

const FRESH: &str = r#"{"access_token": "new-access", "token_type": "bearer", "refresh_token": "new-refresh",
    "expires_in": 81790, "refresh_token_expires_in": 2591999, "scope": "CONNECT_READ"}"#;
const SPENT: &str = r#"{"error": "invalid_request", "error_description": "invalid service ticket provided"}"#;
const MOBILE: &str = "https://mobile.integration.garmin.com/gcm/android";

fn ticket() -> Ticket {
    Ticket { service_url: MOBILE.into(), other_service_urls: vec![], ticket: "ST-1-abc-sso".into() }
}

fn tokens() -> Tokens {
    let now = Utc::now();
    Tokens {
        access: "old-access".into(),
        refresh: "old-refresh".into(),
        client_id: CLIENT_IDS[1].into(),
        domain: Domain::Com,
        issued_at: now,
        access_expires_at: now,
        refresh_expires_at: Some(now + TimeDelta::days(3)),
    }
}

#[tokio::test]
async fn a_ticket_becomes_tokens() {
    let stub = Stub::start(|_, _| reply(200, FRESH)).await;
    let tokens = stub.garmin().exchange(&ticket()).await.unwrap();
    assert_eq!((tokens.access.expose_secret(), tokens.refresh.expose_secret()), ("new-access", "new-refresh"));
    assert_eq!(tokens.client_id, CLIENT_IDS[0]);
    assert_eq!(tokens.access_expires_at - tokens.issued_at, TimeDelta::seconds(81790));

    let [request] = &stub.seen()[..] else { panic!() };
    assert_eq!(request.target, "/diauth/di-oauth2-service/oauth/token");
    let basic = STANDARD.encode(format!("{}:", CLIENT_IDS[0]));
    assert_eq!(request.header("authorization"), format!("Basic {basic}"));
    assert_eq!(request.header("accept"), "application/json,text/html;q=0.9,*/*;q=0.8");
    assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(request.header("cache-control"), "no-cache");
    assert_eq!(request.header("user-agent"), "GCM-Android-5.23");
    assert_eq!(request.header("x-gcexperience"), "GC5");
    assert!(!request.has("cookie"));
    let form = [
        ("client_id", CLIENT_IDS[0]),
        ("service_ticket", "ST-1-abc-sso"),
        ("grant_type", "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket"),
        ("service_url", MOBILE),
    ];
    assert_eq!(request.form(), form.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_refused_client_id_is_followed_by_the_next() {
    let stub = Stub::start(|_, before| match before {
        0 => reply(401, r#"{"error": "invalid_client"}"#),
        1 => reply(500, "<html></html>"),
        2 => reply(200, "{}"),
        _ => reply(200, FRESH),
    })
    .await;
    let tokens = stub.garmin().exchange(&ticket()).await.unwrap();
    assert_eq!(tokens.client_id, CLIENT_IDS[3]);
    let asked: Vec<String> = stub.seen().iter().map(|request| request.form_value("client_id")).collect();
    assert_eq!(asked, CLIENT_IDS);
}

#[tokio::test]
async fn throttling_and_trouble_end_the_exchange_at_once() {
    let exchange = |act: fn() -> Act| async move {
        let stub = Stub::start(move |_, _| act()).await;
        let error = stub.garmin().exchange(&ticket()).await.unwrap_err();
        assert_eq!(stub.seen().len(), 1, "{error:?}");
        error
    };
    assert_eq!(exchange(|| reply(429, SPENT)).await, Error::Throttled { retry_after: None });
    assert_eq!(exchange(|| reply(503, "")).await, Error::ServerTrouble { status: 503 });
    let lost = exchange(|| Act::Close).await;
    assert!(matches!(lost, Error::Unreachable { cause: Cause::Broken, .. }), "{lost:?}");
    let endless = exchange(|| reply(200, format!("{{\"access_token\": \"{}\"}}", "x".repeat(70_000)))).await;
    assert_eq!(endless, Error::TooLarge { limit: garminsync_garmin::limits::TOKEN });
}

#[tokio::test]
async fn a_ticket_that_nobody_takes_is_refused() {
    let stub = Stub::start(|_, _| reply(400, SPENT)).await;
    let error = stub.garmin().exchange(&ticket()).await.unwrap_err();
    assert_eq!(error, Error::TicketRefused { why: "invalid_request, invalid service ticket provided".into() });
    assert_eq!(stub.seen().len(), CLIENT_IDS.len());
    let stub = Stub::start(|_, _| reply(500, "")).await;
    assert_eq!(stub.garmin().exchange(&ticket()).await.unwrap_err(), Error::ServerTrouble { status: 500 });
}

#[tokio::test]
async fn a_ticket_with_two_service_urls_is_tried_with_both() {
    let both = Ticket { other_service_urls: vec!["https://connect.garmin.com/app".into()], ..ticket() };
    let stub = Stub::start(|request, _| match request.form_value("service_url").as_str() {
        MOBILE => reply(400, SPENT),
        _ => reply(200, FRESH),
    })
    .await;
    stub.garmin().exchange(&both).await.unwrap();
    assert_eq!(stub.seen().len(), CLIENT_IDS.len() + 1);

    // The newest client id is retired; one that is alive says that the ticket does not fit, and is asked about the other URL.
    let stub = Stub::start(|request, _| match &*request.form_value("service_url") {
        MOBILE if request.form_value("client_id") == CLIENT_IDS[0] => reply(401, r#"{"error": "invalid_client"}"#),
        MOBILE => reply(400, SPENT),
        _ => reply(200, FRESH),
    })
    .await;
    assert_eq!(stub.garmin().exchange(&both).await.unwrap().client_id, CLIENT_IDS[1]);

    let stub = Stub::start(|_, _| reply(401, r#"{"error": "invalid_client"}"#)).await;
    assert!(matches!(stub.garmin().exchange(&both).await, Err(Error::TicketRefused { .. })));
    assert_eq!(stub.seen().len(), CLIENT_IDS.len(), "the ticket was not what they refused");
}

#[tokio::test]
async fn a_refresh_is_one_request_with_the_stored_client_id() {
    let stub = Stub::start(|_, _| reply(200, FRESH)).await;
    let fresh = stub.garmin().refresh(&tokens()).await.unwrap();
    assert_eq!((fresh.access.expose_secret(), fresh.refresh.expose_secret()), ("new-access", "new-refresh"));
    assert_eq!(fresh.client_id, CLIENT_IDS[1]);
    assert_eq!(fresh.refresh_expires_at, Some(fresh.issued_at + TimeDelta::seconds(2_591_999)));
    let [request] = &stub.seen()[..] else { panic!() };
    assert_eq!(request.header("accept"), "application/json");
    assert_eq!(request.header("authorization"), format!("Basic {}", STANDARD.encode(format!("{}:", CLIENT_IDS[1]))));
    let form = [("grant_type", "refresh_token"), ("client_id", CLIENT_IDS[1]), ("refresh_token", "old-refresh")];
    assert_eq!(request.form(), form.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_refresh_without_a_new_refresh_token_keeps_the_old_one() {
    let stub = Stub::start(|_, _| reply(200, r#"{"access_token": "new-access", "expires_in": 60}"#)).await;
    let old = tokens();
    let fresh = stub.garmin().refresh(&old).await.unwrap();
    assert_eq!(fresh.refresh.expose_secret(), "old-refresh");
    assert_eq!(fresh.refresh_expires_at, old.refresh_expires_at);
}

#[tokio::test]
async fn only_invalid_grant_ends_a_login() {
    let refresh = |act: fn() -> Act| async move {
        let stub = Stub::start(move |_, _| act()).await;
        let error = stub.garmin().refresh(&tokens()).await.unwrap_err();
        (error, stub.seen().len())
    };
    let dead = r#"{"error": "invalid_grant", "error_description": "Invalid refresh token: old-refresh"}"#;
    let (error, requests) = refresh(|| reply(400, r#"{"error": "invalid_grant"}"#)).await;
    assert_eq!((error, requests), (Error::InvalidGrant { why: "invalid_grant".into() }, 1));
    let stub = Stub::start(move |_, _| reply(400, dead)).await;
    let error = stub.garmin().refresh(&tokens()).await.unwrap_err();
    assert_eq!(error, Error::InvalidGrant { why: "invalid_grant, Invalid refresh token".into() });

    assert_eq!(refresh(|| reply(503, "")).await, (Error::ServerTrouble { status: 503 }, 1));
    assert_eq!(refresh(|| reply(500, "{}")).await, (Error::ServerTrouble { status: 500 }, 1));
    assert_eq!(refresh(|| reply(429, "")).await, (Error::Throttled { retry_after: None }, 1));
    assert_eq!(refresh(|| reply(403, "<html></html>")).await, (Error::Throttled { retry_after: None }, 1));
    // Answered, though not in OAuth's words: nothing was rotated, and nothing is lost.
    let refused: [fn() -> Act; 3] = [|| reply(400, ""), || reply(401, "<html></html>"), || reply(403, "{}")];
    for act in refused {
        let (error, requests) = refresh(act).await;
        assert!(matches!(error, Error::BadRequest { .. }) && !error.may_have_acted(), "{error:?}");
        assert_eq!(requests, 1);
    }
    let odd: [fn() -> Act; 3] = [
        || reply(200, "<html></html>"),
        || reply(200, "{}"),
        || Act::Reply(302, vec![("location", "/elsewhere".into())], String::new()),
    ];
    for act in odd {
        let (error, requests) = refresh(act).await;
        assert!(matches!(error, Error::Unexpected { .. }) && error.may_have_acted(), "{error:?}");
        assert_eq!(requests, 1);
    }
    let (error, requests) = refresh(|| Act::Close).await;
    assert!(matches!(error, Error::Unreachable { cause: Cause::Broken, .. }), "{error:?}");
    assert_eq!(requests, 1, "a lost answer may have rotated the token");
}

#[tokio::test]
async fn a_retired_client_id_is_replaced_by_the_others_once() {
    let stub = Stub::start(|request, _| match request.form_value("client_id").as_str() {
        id if id == CLIENT_IDS[2] => reply(200, FRESH),
        _ => reply(401, r#"{"error": "invalid_client"}"#),
    })
    .await;
    assert_eq!(stub.garmin().refresh(&tokens()).await.unwrap().client_id, CLIENT_IDS[2]);
    let asked: Vec<String> = stub.seen().iter().map(|request| request.form_value("client_id")).collect();
    assert_eq!(asked, [CLIENT_IDS[1], CLIENT_IDS[0], CLIENT_IDS[2]]);

    let stub = Stub::start(|_, _| reply(401, r#"{"error": "invalid_client"}"#)).await;
    assert!(matches!(stub.garmin().refresh(&tokens()).await, Err(Error::InvalidGrant { .. })));
    assert_eq!(stub.seen().len(), CLIENT_IDS.len());
}

#[tokio::test]
async fn a_gateway_is_not_bypassed_for_the_other_region() {
    let stub = Stub::start(|_, _| {
        reply(400, r#"{"error": "invalid_grant", "error_description": "User does not exist for Garmin GUID"}"#)
    })
    .await;
    let chinese = Tokens { domain: Domain::Cn, ..tokens() };
    assert!(matches!(stub.garmin().refresh(&chinese).await, Err(Error::InvalidGrant { .. })));
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn a_key_becomes_a_bearer_token() {
    let stub = Stub::start(|_, _| reply(200, "\"e30.eyJleHAiOjE3OTMwMDAwMDB9.c2ln\"\n")).await;
    let token = stub.garmin().personal_token(&" the-key\n".into()).await.unwrap();
    assert_eq!(token.access.expose_secret(), "e30.eyJleHAiOjE3OTMwMDAwMDB9.c2ln");
    assert_eq!(token.expires_at.timestamp(), 1_793_000_000);
    let [request] = &stub.seen()[..] else { panic!() };
    assert_eq!(request.target, "/personal/personalapitoken-service/personal-api/personal-api-key/token");
    assert_eq!((request.method.as_str(), request.body.as_str()), ("POST", ""));
    assert_eq!(request.names(), ["accept", "authorization"]);
    assert_eq!(request.header("authorization"), "ApiKey the-key");
    assert_eq!(request.header("accept"), "*/*");
}

#[tokio::test]
async fn every_refusal_of_a_key() {
    for (status, body, expected) in [
        (400, "{}", Error::InvalidCredentials),
        (401, "", Error::InvalidCredentials),
        (403, "{}", Error::Forbidden),
        (403, "<html></html>", Error::Throttled { retry_after: None }),
        (429, "", Error::Throttled { retry_after: None }),
        (503, "", Error::ServerTrouble { status: 503 }),
        (200, "<html></html>", Error::Unexpected { what: "no token for the key".into() }),
        (200, "", Error::Unexpected { what: "no token for the key".into() }),
        (404, "", Error::Unexpected { what: "HTTP 404 for a key".into() }),
    ] {
        let stub = Stub::start(move |_, _| reply(status, body)).await;
        assert_eq!(stub.garmin().personal_token(&"key".into()).await.unwrap_err(), expected, "{status} {body}");
        assert_eq!(stub.seen().len(), 1);
    }
    let unsent = Stub::start(|_, _| reply(200, "")).await;
    let error = unsent.garmin().personal_token(&"a\nkey".into()).await.unwrap_err();
    assert_eq!((error, unsent.seen().len()), (Error::InvalidCredentials, 0));
}

#[tokio::test]
async fn no_error_of_the_token_services_shows_a_secret() {
    let echo = |status: u16| async move {
        let stub = Stub::start(move |request, _| {
            let secret = request.form_value("refresh_token") + &request.form_value("service_ticket");
            let texts =
                serde_json::json!({"error": "invalid_grant", "error_description": format!("spent ticket {secret}")});
            reply(status, texts.to_string())
        })
        .await;
        let garmin: Garmin = stub.garmin();
        let secretive = Tokens { refresh: "eyJyZWZyZXNoVG9rZW5WYWx1ZSI6IngifQ==".into(), ..tokens() };
        [garmin.refresh(&secretive).await.unwrap_err(), garmin.exchange(&ticket()).await.unwrap_err()]
    };
    for error in [echo(400).await, echo(401).await, echo(403).await].into_iter().flatten() {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("ST-1") && !text.contains("eyJ"), "{text}");
    }
}
