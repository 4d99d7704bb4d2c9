//! Data requests: what each tier sends, the one renewal on a 401, and answers that are complete or errors.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use garminsync_garmin::{
    Accept, Answer, Cause, Error, Fetched, Get, Hindrance, NoToken, Profile, Tier, TokenSource, limits,
};
use secrecy::{ExposeSecret, SecretString};

use crate::stub::{Act, Seen, Stub, reply};

/// Gives out `first`, and `next` for a renewal; remembers which tokens were refused.
struct Source {
    first: Result<&'static str, NoToken>,
    next: Result<&'static str, NoToken>,
    refused: Mutex<Vec<String>>,
}

impl Source {
    fn new() -> Self {
        Source { first: Ok("t1"), next: Ok("t2"), refused: Mutex::default() }
    }
}

impl TokenSource for Source {
    async fn token(&self, _: Tier) -> Result<SecretString, NoToken> {
        self.first.clone().map(Into::into)
    }

    async fn renew(&self, _: Tier, refused: &SecretString) -> Result<SecretString, NoToken> {
        self.refused.lock().unwrap().push(refused.expose_secret().to_owned());
        self.next.clone().map(Into::into)
    }
}

fn json(path: &str) -> Get {
    Get { tier: Tier::Account, path: path.into(), accept: Accept::Json }
}

fn file(tier: Tier) -> Get {
    Get { tier, path: "/download-service/files/activity/7".into(), accept: Accept::File }
}

async fn get(stub: &Stub, get: &Get) -> Fetched {
    stub.garmin().get(&Source::new(), get).await
}

/// What a JSON request gets out of one way to answer.
async fn answer(act: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Fetched {
    let stub = Stub::start(move |request, _| act(request)).await;
    get(&stub, &json("/x")).await
}

fn body(text: &str) -> Result<Answer, Error> {
    Ok(Answer::Body(text.to_owned().into()))
}

fn odd(what: &str) -> Result<Answer, Error> {
    Err(Error::Unexpected { what: what.into() })
}

#[tokio::test]
async fn the_account_tier_asks_as_the_phone_app_does() {
    let stub = Stub::start(|_, _| reply(200, r#"{"a": [1]}"#)).await;
    let path = "/usersummary-service/usersummary/daily/Ann%20B?calendarDate=2026-10-21";
    let fetched = get(&stub, &json(path)).await;
    assert_eq!(fetched.answer, body(r#"{"a": [1]}"#));
    assert_eq!((fetched.requests, fetched.bytes), (1, 10));
    get(&stub, &file(Tier::Account)).await;

    let [data, download] = &stub.seen()[..] else { panic!() };
    assert_eq!((data.method.as_str(), &*data.target), ("GET", &*format!("/connectapi{path}")));
    assert_eq!(data.header("authorization"), "Bearer t1");
    assert_eq!(data.header("accept"), "application/json");
    assert_eq!(download.header("accept"), "*/*");
    assert_eq!(
        data.names(),
        [
            "accept",
            "accept-language",
            "authorization",
            "user-agent",
            "x-app-ver",
            "x-garmin-client-platform",
            "x-garmin-paired-app-version",
            "x-garmin-user-agent",
            "x-gcexperience",
            "x-lang"
        ]
    );
}

#[tokio::test]
async fn the_personal_tier_gets_two_headers_and_nothing_else() {
    let stub = Stub::start(|_, _| Act::Reply(200, vec![("set-cookie", "a=b; Path=/".into())], "[]".into())).await;
    let garmin = stub.garmin();
    let data = Get { tier: Tier::Personal, ..json("/hrv-service/hrv/2026-10-21") };
    garmin.get(&Source::new(), &data).await.answer.unwrap();
    garmin.get(&Source::new(), &file(Tier::Personal)).await.answer.unwrap();
    let [data, download] = &stub.seen()[..] else { panic!() };
    assert_eq!(data.target, "/personal/hrv-service/hrv/2026-10-21");
    for request in [data, download] {
        assert_eq!(request.names(), ["accept", "authorization"], "no cookie comes back either");
    }
    let zip = "application/zip, application/x-zip-compressed, application/octet-stream";
    assert_eq!(download.header("accept"), zip);
}

#[tokio::test]
async fn a_401_renews_the_token_and_repeats_the_request_once() {
    let stub = Stub::start(|request, _| match request.header("authorization") {
        "Bearer t2" => reply(200, "[2]"),
        _ => reply(401, "OAuthToken is invalid"),
    })
    .await;
    let source = Source::new();
    let fetched = stub.garmin().get(&source, &json("/x?y=z")).await;
    assert_eq!(fetched.answer, body("[2]"));
    assert_eq!((fetched.requests, fetched.bytes), (2, 24));
    assert_eq!(*source.refused.lock().unwrap(), ["t1"]);
    let seen = stub.seen();
    assert_eq!(seen[0].target, seen[1].target);
}

#[tokio::test]
async fn a_second_401_is_final_and_any_other_error_is_not_repeated() {
    let stub = Stub::start(|_, _| reply(401, "")).await;
    let source = Source::new();
    let fetched = stub.garmin().get(&source, &json("/x")).await;
    assert_eq!((fetched.answer, fetched.requests), (Err(Error::Unauthorized), 2));
    assert_eq!(source.refused.lock().unwrap().len(), 1);

    let stub = Stub::start(|_, before| if before == 0 { reply(401, "") } else { reply(503, "") }).await;
    let fetched = get(&stub, &json("/x")).await;
    assert_eq!((fetched.answer, fetched.requests), (Err(Error::ServerTrouble { status: 503 }), 2));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let stub = Stub::start(|_, _| reply(401, "")).await;
    let gone = NoToken::LoginNeeded("revoked".into());
    let later = NoToken::Later {
        retry_after: Some(Duration::from_secs(9)),
        why: "throttled".into(),
        cause: Hindrance::Throttled,
    };
    let none = Source { first: Err(gone.clone()), ..Source::new() };
    let fetched = stub.garmin().get(&none, &json("/x")).await;
    assert_eq!((fetched.answer, fetched.requests), (Err(Error::NoToken(gone)), 0));
    assert_eq!(stub.seen().len(), 0);

    let no_next = Source { next: Err(later.clone()), ..Source::new() };
    let fetched = stub.garmin().get(&no_next, &json("/x")).await;
    assert_eq!((fetched.answer, fetched.requests), (Err(Error::NoToken(later)), 1));
}

#[tokio::test]
async fn no_data_is_not_an_error() {
    assert_eq!(answer(|_| Act::Raw(b"HTTP/1.1 204 X\r\n\r\n".into())).await.answer, Ok(Answer::NoData));
    assert_eq!(answer(|_| reply(200, "")).await.answer, Ok(Answer::NoData));
}

#[tokio::test]
async fn half_answers_are_errors() {
    let claims_more = |_: &Seen| Act::Raw(b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n[1, 2".into());
    let broken_chunks =
        |_: &Seen| Act::Raw(b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1, 2\r\n".into());
    for fetched in [answer(claims_more).await, answer(broken_chunks).await] {
        assert!(matches!(fetched.answer, Err(Error::Unreachable { cause: Cause::Broken, .. })), "{fetched:?}");
        assert_eq!((fetched.requests, fetched.bytes), (1, 5), "what arrived is counted");
    }
    let claims_nothing = answer(|_| Act::Raw(b"HTTP/1.1 200 X\r\n\r\n[1, 2".into())).await;
    assert_eq!(claims_nothing.answer, odd("half an answer"));
}

#[tokio::test]
async fn half_a_refusal_is_still_a_refusal() {
    let fetched =
        answer(|_| Act::Raw(b"HTTP/1.1 429 X\r\nretry-after: 14\r\ncontent-length: 99\r\n\r\n{".into())).await;
    assert_eq!(fetched.answer, Err(Error::Throttled { retry_after: Some(Duration::from_secs(14)) }));
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back() {
    let at = chrono::Utc::now() + chrono::TimeDelta::seconds(600);
    let date = at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let fetched = answer(move |_| Act::Reply(429, vec![("retry-after", date.clone())], String::new())).await;
    let Err(Error::Throttled { retry_after: Some(wait) }) = fetched.answer else { panic!("{fetched:?}") };
    assert!((Duration::from_secs(580)..=Duration::from_secs(600)).contains(&wait), "{wait:?}");
}

#[tokio::test]
async fn a_redirect_takes_no_token_elsewhere() {
    let stub = Stub::start(|_, _| Act::Reply(302, vec![("location", "/elsewhere".into())], String::new())).await;
    let fetched = get(&stub, &json("/x")).await;
    assert_eq!((fetched.answer, stub.seen().len()), (odd("a redirect"), 1));
}

#[tokio::test]
async fn endless_answers_are_cut_off() {
    fn endless(limit: u64) -> Act {
        // Without a length: what counts is what arrives.
        let mut bytes = b"HTTP/1.1 200 X\r\n\r\n".to_vec();
        bytes.resize(bytes.len() + usize::try_from(limit).unwrap() + 1, b' ');
        Act::Raw(bytes)
    }
    let stub = Stub::start(|request, _| {
        endless(if request.target.contains("download") { limits::FILE } else { limits::JSON })
    })
    .await;
    let data = get(&stub, &json("/x")).await;
    assert_eq!(data.answer, Err(Error::TooLarge { limit: limits::JSON }));
    assert!(data.bytes > limits::JSON && data.bytes < limits::JSON + 1024 * 1024);
    let download = get(&stub, &file(Tier::Account)).await;
    assert_eq!(download.answer, Err(Error::TooLarge { limit: limits::FILE }));

    // Valid, and far larger than any known answer: it would be held several times over while it is stored.
    let large = answer(|_| Act::Raw(format!("HTTP/1.1 200 X\r\n\r\n[\"{}\"]", "x".repeat(9 << 20)).into())).await;
    assert!(matches!(large.answer, Err(Error::TooLarge { .. })), "{:?}", large.bytes);

    let boastful = answer(|_| Act::Raw(b"HTTP/1.1 200 X\r\ncontent-length: 99999999999\r\n\r\n".into())).await;
    assert!(matches!(boastful.answer, Err(Error::Unreachable { cause: Cause::Broken, .. })), "{boastful:?}");
}

#[tokio::test]
async fn a_hung_server_costs_no_more_than_the_time_out() {
    let silent = Stub::start(|_, _| Act::Hang).await;
    let began = Instant::now();
    let garmin = silent.hasty_garmin();
    for wanted in [json("/x"), file(Tier::Personal)] {
        let fetched = garmin.get(&Source::new(), &wanted).await;
        assert!(matches!(fetched.answer, Err(Error::Unreachable { cause: Cause::Timeout, .. })), "{fetched:?}");
        assert_eq!(fetched.requests, 1);
    }
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn files_are_bytes_and_never_web_pages_or_nothing() {
    let download = |act: fn() -> Act| async move {
        let stub = Stub::start(move |_, _| act()).await;
        get(&stub, &file(Tier::Account)).await.answer
    };
    let zip = download(|| Act::Raw(b"HTTP/1.1 200 X\r\ncontent-length: 6\r\n\r\nPK\x03\x04\xff\x00".into())).await;
    assert_eq!(zip, Ok(Answer::Body(b"PK\x03\x04\xff\x00"[..].into())));
    assert_eq!(download(|| reply(200, "")).await, odd("an empty file"));
    assert_eq!(download(|| reply(200, "<!DOCTYPE html><html></html>")).await, odd("a web page instead of data"));
    assert_eq!(download(|| reply(404, "{}")).await, Err(Error::NotFound));
}

#[tokio::test]
async fn a_profile_is_one_request() {
    let profile = |act: fn() -> Act| async move {
        let stub = Stub::start(move |_, _| act()).await;
        let profile = stub.garmin().profile(&"t1".into()).await;
        assert_eq!(stub.paths(), ["GET /connectapi/userprofile-service/socialProfile"]);
        profile
    };
    let ann = profile(|| reply(200, r#"{"id": 1, "profileId": 42, "displayName": "dn", "fullName": ""}"#)).await;
    let expected = Profile { profile_id: Some(42), display_name: Some("dn".into()), full_name: None };
    assert_eq!(ann, Ok(expected));
    assert_eq!(profile(|| reply(401, "")).await, Err(Error::Unauthorized));
    assert_eq!(profile(|| reply(403, "{}")).await, Err(Error::Forbidden));
    assert_eq!(profile(|| reply(503, "")).await, Err(Error::ServerTrouble { status: 503 }));
    assert!(matches!(profile(|| reply(200, "[]")).await, Err(Error::Unexpected { .. })));
    assert!(matches!(profile(|| reply(200, "")).await, Err(Error::Unexpected { .. })));
}
