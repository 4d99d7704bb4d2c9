//! The code: a sign-in that waits as plain data, goes on in another process, and what becomes of wrong codes and
//! trouble on the way.

use garminsync_garmin::{Cause, Error, Flow, PendingSignIn, SignIn, Ticket};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    sign_in::{CHALLENGE, CODE_WANTED, TICKET, sign_in},
    stub::{Act, Seen, Stub, reply},
};

const MOBILE: &str = "POST /sso/mobile/api/mfa/verifyCode";
const PORTAL: &str = "POST /sso/portal/api/mfa/verifyCode";

/// A sign-in that waits, and what answers its codes: `own` at its own path, `other` at the other flow's.
async fn waiting(
    flow: Flow,
    own: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    other: impl Fn(&Seen) -> Act + Send + Sync + 'static,
) -> (Stub, PendingSignIn) {
    let own_path = format!("/sso/{flow}/api/mfa/verifyCode?");
    let stub = Stub::start(move |request, _| {
        let cookie = |value: &str| vec![("set-cookie", value.to_owned())];
        match request.target.as_str() {
            page if page.contains("/sign-in?") => {
                Act::Reply(200, cookie("SESSION=s1; Path=/; Secure; HttpOnly"), "<html></html>".into())
            }
            login if login.contains("/api/login?") => {
                Act::Reply(200, cookie("__cf_bm=c2; Domain=garmin.com; Path=/; Max-Age=1800"), CODE_WANTED.into())
            }
            verify if verify.starts_with(&own_path) => own(request),
            _ => other(request),
        }
    })
    .await;
    let Ok(SignIn::CodeWanted(pending)) = sign_in(&stub.garmin(), flow).await else { panic!() };
    (stub, *pending)
}

fn said(status: u16, kind: &str) -> Act {
    reply(status, json!({"serviceTicketId": null, "responseStatus": {"type": kind, "message": ""}}).to_string())
}

fn never(request: &Seen) -> Act {
    panic!("{} was not to be asked", request.target)
}

async fn verify(stub: &Stub, pending: &mut PendingSignIn) -> Result<Ticket, Error> {
    stub.garmin().verify_code(pending, &"123456".into()).await
}

#[tokio::test]
async fn a_sign_in_goes_on_in_another_process() {
    let (stub, pending) = waiting(Flow::Portal, |_| reply(200, TICKET), never).await;
    let text = serde_json::to_string(&pending).unwrap();
    assert!(!format!("{pending:?}").contains("s1"), "cookies do not show: {pending:?}");
    let login = stub.seen().pop().unwrap();
    drop(pending);

    let mut resumed: PendingSignIn = serde_json::from_str(&text).unwrap();
    let ticket = stub.garmin().verify_code(&mut resumed, &" 123 456\n".into()).await.unwrap();
    assert_eq!(ticket.ticket.expose_secret(), "ST-1-abc-sso");
    assert_eq!(ticket.service_url, "https://connect.garmin.com/app");
    assert!(!format!("{ticket:?}").contains("ST-1"));

    let verify = stub.seen().pop().unwrap();
    let query = "clientId=GarminConnect&locale=en-US&service=https%3A%2F%2Fconnect.garmin.com%2Fapp";
    assert_eq!(verify.target, format!("/sso/portal/api/mfa/verifyCode?{query}"));
    assert_eq!(verify.header("cookie"), "SESSION=s1; __cf_bm=c2");
    for name in ["user-agent", "referer", "origin", "accept", "accept-language", "content-type"] {
        assert_eq!(verify.header(name), login.header(name), "{name}");
    }
    let body: Value = serde_json::from_str(&verify.body).unwrap();
    let expected = json!({"mfaMethod": "Email", "mfaVerificationCode": "123456", "rememberMyBrowser": true,
        "reconsentList": [], "mfaSetup": false});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_wrong_code_leaves_the_sign_in_waiting_for_the_next() {
    let own = |request: &Seen| match request.body.contains("111111") {
        true => Act::Reply(401, vec![("set-cookie", "__cf_bm=c3; Path=/".into())], r#"{"responseStatus": {}}"#.into()),
        false => reply(200, TICKET),
    };
    let (stub, mut pending) = waiting(Flow::Mobile, own, never).await;
    let wrong = stub.garmin().verify_code(&mut pending, &"111111".into()).await;
    assert_eq!(wrong.unwrap_err(), Error::CodeRejected);
    verify(&stub, &mut pending).await.unwrap();
    assert_eq!(stub.seen().pop().unwrap().header("cookie"), "SESSION=s1; __cf_bm=c3", "new cookies are kept");
}

#[tokio::test]
async fn what_cannot_be_a_code_is_not_sent() {
    let (stub, mut pending) = waiting(Flow::Mobile, never, never).await;
    for code in ["", "123", "1234", "12345", "1234567", "12345678901", "12345a", "１２３４５６", "-12345"] {
        let error = stub.garmin().verify_code(&mut pending, &code.into()).await.unwrap_err();
        assert_eq!(error, Error::CodeMalformed, "{code}");
    }
    assert_eq!(stub.seen().len(), 2);
}

#[tokio::test]
async fn refusals_of_a_code_are_final() {
    for (answer, expected) in [
        ((200, "INVALID_MFA_CODE"), Error::CodeRejected),
        ((400, "MFA_FAILED"), Error::CodeRejected),
        ((200, "MFA_CODE_EXPIRED"), Error::CodeExpired),
        ((200, "SESSION_EXPIRED"), Error::SessionLost),
        ((409, "x"), Error::SessionLost),
        ((200, "CAPTCHA_REQUIRED"), Error::CaptchaRequired),
    ] {
        let (stub, mut pending) = waiting(Flow::Mobile, move |_| said(answer.0, answer.1), never).await;
        assert_eq!(verify(&stub, &mut pending).await.unwrap_err(), expected, "{answer:?}");
        assert_eq!(stub.seen().len(), 3, "{answer:?}");
    }
}

#[tokio::test]
async fn an_edge_block_or_a_lost_answer_does_not_send_the_code_again() {
    let (stub, mut pending) = waiting(Flow::Mobile, |_| reply(403, CHALLENGE), never).await;
    assert_eq!(verify(&stub, &mut pending).await.unwrap_err(), Error::Challenged);
    let (stub, mut pending) = waiting(Flow::Mobile, |_| Act::Close, never).await;
    let error = verify(&stub, &mut pending).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { cause: Cause::Broken, .. }), "{error:?}");
    assert_eq!(stub.seen().len(), 3);
}

#[tokio::test]
async fn the_other_path_helps_when_the_own_one_is_in_trouble() {
    for trouble in [|| reply(429, ""), || reply(503, "{}"), || reply(200, "<html></html>"), || reply(400, "")] {
        let (stub, mut pending) = waiting(Flow::Mobile, move |_| trouble(), |_| reply(200, TICKET)).await;
        let ticket = verify(&stub, &mut pending).await.unwrap();
        assert_eq!(ticket.service_url, "https://connect.garmin.com/app", "of the path that answered");
        let own = "https://mobile.integration.garmin.com/gcm/android";
        assert_eq!(ticket.other_service_urls, [own]);
        assert_eq!(stub.paths()[2..], [MOBILE, PORTAL]);
        let other = stub.seen().pop().unwrap();
        assert!(other.target.contains("clientId=GarminConnect&") && other.target.ends_with("connect.garmin.com%2Fapp"));
        assert_eq!(other.header("cookie"), "SESSION=s1; __cf_bm=c2");
    }
}

#[tokio::test]
async fn the_other_path_counts_only_for_what_it_says_about_the_code() {
    let (stub, mut pending) = waiting(Flow::Portal, |_| reply(429, ""), |_| said(401, "INVALID")).await;
    assert_eq!(verify(&stub, &mut pending).await.unwrap_err(), Error::CodeRejected);
    assert_eq!(stub.paths()[2..], [PORTAL, MOBILE]);
    for useless in [|| reply(409, ""), || reply(503, ""), || reply(403, CHALLENGE), || Act::Close] {
        let throttled = |_: &Seen| Act::Reply(429, vec![("retry-after", "60".into())], String::new());
        let (stub, mut pending) = waiting(Flow::Mobile, throttled, move |_| useless()).await;
        let error = verify(&stub, &mut pending).await.unwrap_err();
        assert!(matches!(error, Error::Throttled { retry_after: Some(_) }), "{error:?}");
        assert_eq!(stub.seen().len(), 4);
    }
}
