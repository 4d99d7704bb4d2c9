//! E-mail address and password: what is sent, what is never sent twice, and what becomes of trouble.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use garminsync_garmin::{
    Cause, Credentials, Domain, Error, Flow, Garmin, Pauses, Settings, SignIn, Ticket, check_base_url,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::stub::{Act, Stub, reply};

pub const TICKET: &str =
    r#"{"serviceTicketId": "ST-1-abc-sso", "responseStatus": {"type": "SUCCESSFUL", "message": ""}}"#;
pub const CODE_WANTED: &str = r#"{"serviceTicketId": null, "responseStatus": {"type": "MFA_REQUIRED", "message": ""},
    "customerMfaInfo": {"email": "ab***@example.org", "phoneNumber": null, "mfaLastMethodUsed": "Email"}}"#;
pub const CHALLENGE: &str = "<!DOCTYPE html><html><title>Just a moment...</title></html>";

pub fn credentials() -> Credentials {
    Credentials { email: "ann@example.org".into(), password: "pa\"ss wörd".into() }
}

pub async fn sign_in(garmin: &Garmin, flow: Flow) -> Result<SignIn, Error> {
    garmin.sign_in(flow, &credentials(), &mut 1, &|_| {}).await
}

/// A sign-in page for every GET, and `answer` for the POST.
pub async fn page_then(answer: impl Fn() -> Act + Send + Sync + 'static) -> Stub {
    Stub::start(move |request, _| if request.method == "GET" { reply(200, "<html></html>") } else { answer() }).await
}

fn ticket(signed_in: Result<SignIn, Error>) -> Ticket {
    match signed_in {
        Ok(SignIn::Ticket(ticket)) => ticket,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_mobile_flow_asks_as_the_phone_does() {
    let stub = Stub::start(|request, _| match request.method.as_str() {
        "GET" => Act::Reply(
            200,
            vec![
                // As Garmin sends them, relayed by a gateway that changes nothing, two of them folded.
                ("set-cookie", "SESSION=s1; Path=/mobile; Domain=sso.garmin.com; Secure; HttpOnly".into()),
                (
                    "set-cookie",
                    "__cf_bm=c1; Domain=garmin.com; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Secure,__cflb=l1; Path=/"
                        .into(),
                ),
            ],
            "<html></html>".into(),
        ),
        _ => reply(200, TICKET),
    })
    .await;
    let told = Mutex::new(Vec::new());
    let tell = |text: &str| told.lock().unwrap().push(text.to_owned());
    let ticket = ticket(stub.garmin().sign_in(Flow::Mobile, &credentials(), &mut 1, &tell).await);
    assert_eq!(ticket.ticket.expose_secret(), "ST-1-abc-sso");
    assert_eq!(ticket.service_url, "https://mobile.integration.garmin.com/gcm/android");
    assert!(ticket.other_service_urls.is_empty());
    assert_eq!(told.lock().unwrap().len(), 3);

    let [get, post] = &stub.seen()[..] else { panic!("{:?}", stub.paths()) };
    let query = "service=https%3A%2F%2Fmobile.integration.garmin.com%2Fgcm%2Fandroid";
    assert_eq!(get.target, format!("/sso/mobile/sso/en_US/sign-in?clientId=GCM_ANDROID_DARK&{query}"));
    assert_eq!(get.names(), ["accept", "accept-language", "user-agent"]);
    assert_eq!(get.header("accept"), "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    assert_eq!(get.header("accept-language"), "en-US,en;q=0.9");

    assert_eq!(post.target, format!("/sso/mobile/api/login?clientId=GCM_ANDROID_DARK&locale=en-US&{query}"));
    let names = ["accept", "accept-language", "content-type", "cookie", "origin", "referer", "user-agent"];
    assert_eq!(post.names(), names);
    assert_eq!(post.header("accept"), "application/json, text/plain, */*");
    assert_eq!(post.header("content-type"), "application/json");
    assert_eq!(post.header("cookie"), "SESSION=s1; __cf_bm=c1; __cflb=l1");
    assert_eq!(post.header("origin"), stub.base());
    assert_eq!(post.header("referer"), format!("{}{}", stub.base(), get.target));
    assert_eq!(post.header("user-agent"), get.header("user-agent"));
    let body: Value = serde_json::from_str(&post.body).unwrap();
    let expected =
        json!({"username": "ann@example.org", "password": "pa\"ss wörd", "rememberMe": true, "captchaToken": ""});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn the_portal_flow_asks_as_a_browser_does_also_in_china() {
    let stub = page_then(|| reply(200, TICKET)).await;
    let mut settings = stub.settings();
    settings.endpoints.domain = Domain::Cn;
    let ticket = ticket(sign_in(&Garmin::new(settings).unwrap(), Flow::Portal).await);
    assert_eq!(ticket.service_url, "https://connect.garmin.cn/app");
    let [get, post] = &stub.seen()[..] else { panic!("{:?}", stub.paths()) };
    let query = "service=https%3A%2F%2Fconnect.garmin.cn%2Fapp";
    assert_eq!(get.target, format!("/sso/portal/sso/en-US/sign-in?clientId=GarminConnect&{query}"));
    assert_eq!(post.target, format!("/sso/portal/api/login?clientId=GarminConnect&locale=en-US&{query}"));
    assert!(post.header("user-agent").contains("Windows NT 10.0"));
    assert!(!post.has("cookie"));
}

#[tokio::test]
async fn a_wanted_code_is_told_with_its_method_and_masked_address() {
    let stub = page_then(|| reply(200, CODE_WANTED)).await;
    let Ok(SignIn::CodeWanted(pending)) = sign_in(&stub.garmin(), Flow::Mobile).await else { panic!() };
    assert_eq!((pending.method(), pending.sent_to()), ("Email", Some("ab***@example.org")));
    assert_eq!((pending.flow(), pending.domain()), (Flow::Mobile, Domain::Com));
}

#[tokio::test]
async fn the_page_is_asked_for_once_more_after_trouble() {
    for trouble in [|| reply(503, ""), || Act::Close] {
        let stub = Stub::start(move |request, before| match (request.method.as_str(), before) {
            (_, 0) => trouble(),
            ("GET", _) => reply(200, "<html></html>"),
            _ => reply(200, TICKET),
        })
        .await;
        ticket(sign_in(&stub.garmin(), Flow::Mobile).await);
        assert_eq!(stub.seen().len(), 3);
    }
    let stub = Stub::start(|_, _| reply(502, "<html>Bad Gateway</html>")).await;
    let error = sign_in(&stub.garmin(), Flow::Mobile).await.unwrap_err();
    assert_eq!(error, Error::ServerTrouble { status: 502 });
    assert_eq!(stub.seen().len(), 2, "one more, not two");
}

#[tokio::test]
async fn refusals_of_the_page_are_not_repeated_and_keep_the_password_home() {
    let page = |status: u16, body: &'static str| move || reply(status, body);
    let throttled = Error::Throttled { retry_after: None };
    check_page(page(403, CHALLENGE), Error::Challenged).await;
    check_page(page(200, CHALLENGE), Error::Challenged).await;
    check_page(page(429, "<title>Access denied | sso.garmin.com used Cloudflare</title>"), throttled.clone()).await;
    check_page(page(427, ""), throttled).await;
    let elsewhere = || Act::Reply(302, vec![("location", "/elsewhere".into())], String::new());
    check_page(elsewhere, Error::Unexpected { what: "a redirect".into() }).await;
}

async fn check_page(page: impl Fn() -> Act + Send + Sync + 'static, expected: Error) {
    let stub = Stub::start(move |_, _| page()).await;
    assert_eq!(sign_in(&stub.garmin(), Flow::Portal).await.unwrap_err(), expected);
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn the_password_is_sent_once_whatever_happens() {
    let broken = page_then(|| Act::Close).await;
    let error = sign_in(&broken.garmin(), Flow::Mobile).await.unwrap_err();
    assert!(matches!(error, Error::AnswerLost { .. }), "{error:?}");
    assert_eq!(broken.seen().len(), 2);

    let troubled = page_then(|| reply(503, "")).await;
    assert_eq!(sign_in(&troubled.garmin(), Flow::Mobile).await.unwrap_err(), Error::ServerTrouble { status: 503 });
    assert_eq!(troubled.seen().len(), 2);

    let redirecting = page_then(|| Act::Reply(307, vec![("location", "/elsewhere".into())], String::new())).await;
    let error = sign_in(&redirecting.garmin(), Flow::Mobile).await.unwrap_err();
    assert_eq!(error, Error::Unexpected { what: "a redirect".into() });
    assert_eq!(redirecting.seen().len(), 2);
}

#[tokio::test]
async fn a_hung_sign_in_ends_in_time_and_is_not_repeated() {
    let began = Instant::now();
    let hung_page = Stub::start(|_, _| Act::Hang).await;
    let hung_post = page_then(|| Act::Hang).await;
    let error = sign_in(&hung_page.hasty_garmin(), Flow::Mobile).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { cause: Cause::Timeout, .. }), "{error:?}");
    let error = sign_in(&hung_post.hasty_garmin(), Flow::Mobile).await.unwrap_err();
    assert!(matches!(error, Error::AnswerLost { .. }), "{error:?}");
    assert_eq!((hung_page.seen().len(), hung_post.seen().len()), (1, 2));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let stub = page_then(|| reply(200, "x".repeat(300 * 1024))).await;
    let error = sign_in(&stub.garmin(), Flow::Mobile).await.unwrap_err();
    assert_eq!(error, Error::TooLarge { limit: garminsync_garmin::limits::SIGN_IN });
    // A refusal stays what it is, however long its page.
    let stub = page_then(|| reply(429, "x".repeat(300 * 1024))).await;
    let error = sign_in(&stub.garmin(), Flow::Mobile).await.unwrap_err();
    assert_eq!(error, Error::Throttled { retry_after: None });
}

#[tokio::test]
async fn nothing_listens_there() {
    let stub = page_then(|| reply(200, TICKET)).await;
    let mut settings = stub.settings();
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    settings.endpoints.sso = format!("http://{free}/sso");
    let error = sign_in(&Garmin::new(settings).unwrap(), Flow::Mobile).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { cause: Cause::Connect, .. }), "{error:?}");
    assert!(error.to_string().contains("refused") && !error.to_string().contains("sign-in"), "{error}");
}

#[tokio::test]
async fn a_person_would_pause_between_page_and_password() {
    let stub = page_then(|| reply(200, TICKET)).await;
    let pause = Duration::from_millis(150);
    let pauses = Pauses { mobile: pause..=pause, ..Pauses::all(Duration::ZERO) };
    let garmin = Garmin::new(Settings { pauses, ..stub.settings() }).unwrap();
    let began = Instant::now();
    ticket(sign_in(&garmin, Flow::Mobile).await);
    assert!(began.elapsed() >= pause);
}

#[test]
fn endpoints_that_would_leak_secrets_are_refused() {
    let with_sso = |sso: &str| {
        let mut settings = Settings::of(Domain::Com);
        settings.endpoints.sso = sso.into();
        Garmin::new(settings).map(drop)
    };
    for bad in [
        "http://sso.garmin.com",
        "http://192.0.2.1/sso",
        "ftp://127.0.0.1",
        "sso.garmin.com",
        "https://user:secret@gateway.example",
        "https://gateway.example/?x=1",
        "https://gateway.example/",
        "",
    ] {
        let error = with_sso(bad).unwrap_err();
        assert!(matches!(error, Error::Setup(_)), "{bad}");
        assert!(!error.to_string().contains("secret"));
    }
    for good in ["https://sso.garmin.cn", "http://127.0.0.1:1/sso", "http://[::1]:1", "http://localhost:1/sso"] {
        check_base_url(good).unwrap();
    }
    assert!(Garmin::new(Settings { client_ids: Vec::new(), ..Settings::of(Domain::Com) }).is_err());
}
