//! The embed widget: what is sent, where its pages lead, and its codes, against pages made here and against the fake Garmin.

use std::time::Duration;

use garminsync_garmin::{Domain, Error, Flow, Garmin, PendingSignIn, SignIn};
use garminsync_test_support::{
    fake::{Effect, Filter, Host, Rule},
    people::SignInMood,
};
use secrecy::ExposeSecret;

use crate::{
    sign_in::{CHALLENGE, sign_in},
    stub::{Act, Seen, Stub, reply},
    whole::{ANA, fake, garmin, pending, ticket},
};

const E: &str = "https%3A%2F%2Fsso.garmin.com%2Fsso%2Fembed";

fn page(title: &str, body: &str) -> Act {
    reply(200, format!("<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"))
}

fn form(csrf: &str) -> Act {
    page("GARMIN Authentication Application", &format!("<input type=hidden name=_csrf value={csrf}>"))
}

fn code_page(csrf: &str, sent_to: &str) -> Act {
    let script = format!(
        "<script>var customerGuid = \"g-1\"; var mfaMethod = \"email\"; var locale = \"de_DE\"; var clientId = \"c 1\"; \
         var codeSentTo = \"{sent_to}\";</script><input type=hidden name=_csrf value={csrf}>"
    );
    page("GARMIN Authentication Application", &script)
}

fn success() -> Act {
    page("Success", "<script>var response_url = \"https://sso.garmin.com/sso/embed?ticket=ST-1-abc-cas\";</script>")
}

/// The pages up to the form, and `answer` for what is posted.
async fn widget(answer: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Stub {
    Stub::start(move |request, _| match request.target.split('?').next() {
        Some("/sso/sso/embed") => {
            Act::Reply(200, vec![("set-cookie", "SESSION=s1; Path=/; Secure".into())], "<title>Embed</title>".into())
        }
        Some("/sso/sso/signin") if request.method == "GET" => form("c1"),
        _ => answer(request),
    })
    .await
}

fn waiting(signed_in: Result<SignIn, Error>) -> PendingSignIn {
    match signed_in {
        Ok(SignIn::CodeWanted(pending)) => *pending,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_widget_asks_as_a_browser_does() {
    let stub = widget(|_| success()).await;
    let Ok(SignIn::Ticket(ticket)) = sign_in(&stub.garmin(), Flow::Widget).await else { panic!() };
    assert_eq!(ticket.ticket.expose_secret(), "ST-1-abc-cas");
    assert_eq!(ticket.service_url, "https://sso.garmin.com/sso/embed");
    assert!(ticket.other_service_urls.is_empty(), "it is not portable");

    let [embed, opened, post] = &stub.seen()[..] else { panic!("{:?}", stub.paths()) };
    let host = "https%3A%2F%2Fsso.garmin.com%2Fsso";
    assert_eq!(embed.target, format!("/sso/sso/embed?id=gauth-widget&embedWidget=true&gauthHost={host}"));
    assert!(!embed.has("referer"));
    let query = format!(
        "id=gauth-widget&embedWidget=true&gauthHost={E}&service={E}&source={E}&redirectAfterAccountLoginUrl={E}\
         &redirectAfterAccountCreationUrl={E}"
    );
    assert_eq!(opened.target, format!("/sso/sso/signin?{query}"));
    assert_eq!(opened.header("referer"), format!("{}/sso/sso/embed", stub.base()));
    assert_eq!((post.target.as_str(), post.header("cookie")), (opened.target.as_str(), "SESSION=s1"));
    assert_eq!(post.header("referer"), format!("{}{}", stub.base(), opened.target));
    assert_eq!(post.header("content-type"), "application/x-www-form-urlencoded");
    let form = [("username", "ann@example.org"), ("password", "pa\"ss wörd"), ("embed", "true"), ("_csrf", "c1")];
    assert_eq!(post.form(), form.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn in_china_everything_is_chinas() {
    let stub = widget(|_| success()).await;
    let mut settings = stub.settings();
    settings.endpoints.domain = Domain::Cn;
    let Ok(SignIn::Ticket(ticket)) = sign_in(&Garmin::new(settings).unwrap(), Flow::Widget).await else { panic!() };
    assert_eq!(ticket.service_url, "https://sso.garmin.cn/sso/embed");
    assert!(stub.seen().iter().all(|seen| !seen.target.contains("garmin.com") && seen.target.contains("garmin.cn")));
    assert_eq!(Flow::order(Domain::Cn), [Flow::Widget, Flow::Portal, Flow::Mobile]);
}

#[tokio::test]
async fn the_password_goes_into_a_form_once_or_not_at_all() {
    for (act, expected) in [
        (form as fn(&str) -> Act, Error::InvalidCredentials),
        (|_| reply(403, CHALLENGE), Error::Challenged),
        (|_| reply(429, ""), Error::Throttled { retry_after: None }),
        (|_| reply(502, "<title>502 Bad Gateway</title>"), Error::ServerTrouble { status: 502 }),
        (|_| reply(504, ""), Error::AnswerLost { what: "HTTP 504".into() }),
    ] {
        let stub = widget(move |_| act("c2")).await;
        assert_eq!(sign_in(&stub.garmin(), Flow::Widget).await.unwrap_err(), expected);
        assert_eq!(stub.seen().len(), 3);
    }
    let stub = widget(|_| Act::Close).await;
    let error = sign_in(&stub.garmin(), Flow::Widget).await.unwrap_err();
    assert!(matches!(error, Error::AnswerLost { .. }), "{error:?}");
    assert_eq!(stub.seen().len(), 3);

    let formless = Stub::start(|_, _| page("GARMIN Authentication Application", "")).await;
    let error = sign_in(&formless.garmin(), Flow::Widget).await.unwrap_err();
    assert!(matches!(error, Error::Unexpected { .. }), "{error:?}");
    assert_eq!(formless.seen().len(), 2, "no password without its form");
}

#[tokio::test]
async fn a_form_may_lead_to_another_page_of_the_sign_in_and_nowhere_else() {
    let to = |place: &'static str| move || Act::Reply(302, vec![("location", place.into())], String::new());
    let there = to("https://sso.garmin.com/sso/verifyMFA/loginEnterMfaCode?x=1");
    let stub = widget(move |request| match request.method.as_str() {
        "GET" => code_page("c2", "an***"),
        _ if request.target.starts_with("/sso/sso/signin") => there(),
        _ => success(),
    })
    .await;
    let mut pending = waiting(sign_in(&stub.garmin(), Flow::Widget).await);
    stub.garmin().verify_code(&mut pending, &"123456".into()).await.unwrap();
    let [_, _, _, shown, verify] = &stub.seen()[..] else { panic!("{:?}", stub.paths()) };
    assert_eq!((shown.method.as_str(), shown.target.as_str()), ("GET", "/sso/sso/verifyMFA/loginEnterMfaCode?x=1"));
    assert_eq!((shown.header("cookie"), shown.body.as_str()), ("SESSION=s1", ""));
    assert_eq!(verify.header("referer"), format!("{}{}", stub.base(), shown.target));

    let stub = widget(move |_| to("https://sso.garmin.com/sso/embed?ticket=ST-2-x-cas")()).await;
    let Ok(SignIn::Ticket(ticket)) = sign_in(&stub.garmin(), Flow::Widget).await else { panic!() };
    assert_eq!((ticket.ticket.expose_secret(), stub.seen().len()), ("ST-2-x-cas", 3), "it is not spent by following");

    for elsewhere in ["https://example.org/sso/x", "https://sso.garmin.com.example.org/sso/x", "/portal/x", "//x/sso/"]
    {
        let stub = widget(move |_| to(elsewhere)()).await;
        let error = sign_in(&stub.garmin(), Flow::Widget).await.unwrap_err();
        assert_eq!((error, stub.seen().len()), (Error::Unexpected { what: "a redirect".into() }, 3), "{elsewhere}");
    }
    let round = widget(move |_| to("https://sso.garmin.com/sso/round")()).await;
    assert!(sign_in(&round.garmin(), Flow::Widget).await.is_err());
    assert_eq!(round.seen().len(), 6, "an end to it");
}

#[tokio::test]
async fn a_code_is_asked_for_with_what_the_page_says() {
    let stub = widget(|request| match request.target.contains("/mfaCode") {
        true => Act::Reply(200, vec![("set-cookie", "more=m; Path=/".into())], String::new()),
        false if request.target.contains("/signin") => code_page("c2", ""),
        false if request.body.contains("111111") => code_page("c3", "an***@example.org"),
        false => success(),
    })
    .await;
    let pending = waiting(sign_in(&stub.garmin(), Flow::Widget).await);
    assert_eq!((pending.method(), pending.sent_to(), pending.is_unsent()), ("email", None, false));
    assert!(!format!("{pending:?}").contains("c2") && !format!("{pending:?}").contains("g-1"), "{pending:?}");
    let [_, _, form, asked] = &stub.seen()[..] else { panic!("{:?}", stub.paths()) };
    assert_eq!(asked.target, "/sso/sso/verifyMFA/mfaCode?clientId=c+1");
    assert_eq!(asked.header("content-type"), "application/json");
    assert_eq!(asked.header("referer"), format!("{}{}", stub.base(), form.target));
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body, serde_json::json!({"customerGuid": "g-1", "mfaMethod": "email", "locale": "de_DE"}));

    // Wrong, a restart, right: the second form has the new page's hidden field.
    let text = serde_json::to_string(&pending).unwrap();
    let mut pending: PendingSignIn = serde_json::from_str(&text).unwrap();
    let wrong = stub.garmin().verify_code(&mut pending, &"111111".into()).await;
    assert_eq!(wrong.unwrap_err(), Error::CodeRejected);
    assert_eq!(pending.sent_to(), Some("an***@example.org"));
    let text = serde_json::to_string(&pending).unwrap();
    let mut pending: PendingSignIn = serde_json::from_str(&text).unwrap();
    let ticket = stub.garmin().verify_code(&mut pending, &" 222 222 ".into()).await.unwrap();
    assert_eq!(ticket.service_url, "https://sso.garmin.com/sso/embed");
    let [first, second] = &stub.seen()[4..] else { panic!("{:?}", stub.paths()) };
    assert_eq!((first.form_value("_csrf"), second.form_value("_csrf")), ("c2".into(), "c3".into()));
    assert_eq!(second.header("cookie"), "SESSION=s1; more=m");
    for (name, value) in [
        ("mfa-code", "222222"),
        ("mfa-verification-code", "222222"),
        ("embed", "true"),
        ("fromPage", "setupEnterMfaCode"),
    ] {
        assert_eq!(second.form_value(name), value);
    }
}

#[tokio::test]
async fn a_code_that_could_not_be_asked_for_leaves_the_sign_in_waiting() {
    for (answer, unsent) in [
        ((|| reply(429, "")) as fn() -> Act, true),
        (|| reply(401, "{}"), true),
        (|| reply(403, CHALLENGE), true),
        (|| reply(200, r#"{"responseStatus": {"type": "FAIL"}}"#), true),
        // Its answer was lost: it may be on its way.
        (|| Act::Close, false),
    ] {
        let stub = widget(move |request| match request.target.contains("/mfaCode") {
            true => answer(),
            false => code_page("c2", ""),
        })
        .await;
        let pending = waiting(sign_in(&stub.garmin(), Flow::Widget).await);
        assert_eq!((pending.is_unsent(), stub.seen().len()), (unsent, 4));
    }
}

#[tokio::test]
async fn what_the_page_for_a_code_answers() {
    for (answer, expected) in [
        ((|| form("c3")) as fn() -> Act, Error::SessionLost),
        (|| reply(409, ""), Error::SessionLost),
        (|| reply(429, ""), Error::Throttled { retry_after: None }),
        (|| reply(403, CHALLENGE), Error::Challenged),
        (|| reply(503, ""), Error::ServerTrouble { status: 503 }),
        (|| page("Account Locked", ""), Error::AccountLocked { kind: "Account Locked".into(), message: String::new() }),
        (|| page("Invalid code", ""), Error::CodeRejected),
    ] {
        let stub = widget(move |request| match request.target.contains("/signin") {
            true => code_page("c2", "an***"),
            false if request.form_value("_csrf") == "c2" && request.body.contains("111111") => answer(),
            false if request.form_value("_csrf") == "c2" => success(),
            false => reply(400, ""),
        })
        .await;
        let mut pending = waiting(sign_in(&stub.garmin(), Flow::Widget).await);
        let error = stub.garmin().verify_code(&mut pending, &"111111".into()).await.unwrap_err();
        assert_eq!(error, expected);
        // Its form is still good, and no other path knows this session.
        stub.garmin().verify_code(&mut pending, &"222222".into()).await.unwrap();
        let referers: Vec<String> = stub.seen()[3..].iter().map(|seen| seen.header("referer").to_owned()).collect();
        assert_eq!((referers.len(), &referers[0]), (2, &referers[1]));
    }
}

#[tokio::test]
async fn from_a_password_to_data_by_the_widget() {
    let fake = fake(SignInMood::Ok).await;
    let tokens = garmin(&fake).exchange(&ticket(&fake, Flow::Widget).await).await.unwrap();
    garmin(&fake).profile(&tokens.access).await.unwrap();
    assert_eq!(fake.count(&Filter::host(Host::Sso)), 3);
    fake.knobs(|knobs| knobs.refuse_widget_tokens = true);
    assert_eq!(garmin(&fake).profile(&tokens.access).await.unwrap_err(), Error::Unauthorized);
}

#[tokio::test]
async fn codes_of_the_widget_by_every_method_and_in_another_process() {
    for (mood, sends_itself) in [
        (SignInMood::MfaEmail, false),
        (SignInMood::MfaEmail, true),
        (SignInMood::MfaSms, false),
        (SignInMood::MfaTotp, false),
    ] {
        let fake = fake(mood.clone()).await;
        fake.knobs(|knobs| knobs.widget_sends_code = sends_itself);
        let ana = fake.person(ANA).unwrap();
        let waiting = pending(&fake, Flow::Widget).await;
        assert_eq!(waiting.sends_codes(), mood != SignInMood::MfaTotp);
        let mails = fake.mail(ANA);
        assert_eq!(mails.len(), usize::from(mood != SignInMood::MfaTotp), "{mood:?}");
        let code = mails.first().map_or_else(|| ana.totp_code(), |mail| mail.code.clone());
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let mut text = serde_json::to_string(&waiting).unwrap();
        for (code, right) in [(wrong, false), (code.as_str(), true)] {
            let mut resumed: PendingSignIn = serde_json::from_str(&text).unwrap();
            let verified = garmin(&fake).verify_code(&mut resumed, &code.into()).await;
            text = serde_json::to_string(&resumed).unwrap();
            match verified {
                Ok(ticket) => drop(garmin(&fake).exchange(&ticket).await.unwrap()),
                Err(error) => assert_eq!((error, right), (Error::CodeRejected, false)),
            }
        }
        assert_eq!(fake.mail(ANA).len(), mails.len());
    }
}

#[tokio::test]
async fn another_code_is_sent_by_every_flow_and_the_newest_counts() {
    for flow in Flow::order(Domain::Com) {
        let fake = fake(SignInMood::MfaEmail).await;
        let mut waiting = pending(&fake, flow).await;
        let soon = garmin(&fake).send_code(&mut waiting).await.unwrap_err();
        assert_eq!(soon, Error::Throttled { retry_after: None }, "{flow}: half a minute");
        fake.advance(Duration::from_secs(31));
        garmin(&fake).send_code(&mut waiting).await.unwrap();
        let codes: Vec<String> = fake.mail(ANA).iter().map(|mail| mail.code.clone()).collect();
        assert_eq!(codes.len(), 2, "{flow}");
        let old = garmin(&fake).verify_code(&mut waiting, &codes[0].as_str().into()).await;
        assert_eq!(old.unwrap_err(), Error::CodeRejected);
        garmin(&fake).verify_code(&mut waiting, &codes[1].as_str().into()).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_is_over_sends_no_code() {
    for flow in Flow::order(Domain::Com) {
        let fake = fake(SignInMood::MfaEmail).await;
        let mut older = pending(&fake, flow).await;
        pending(&fake, flow).await;
        let sent = fake.mail(ANA).len();
        assert_eq!(garmin(&fake).send_code(&mut older).await.unwrap_err(), Error::SessionLost, "{flow}");
        assert_eq!(fake.mail(ANA).len(), sent);
    }
    let fake = fake(SignInMood::MfaTotp).await;
    let mut waiting = pending(&fake, Flow::Mobile).await;
    fake.misbehave(Rule::does(Effect::status(500)).host(Host::Sso));
    let asked = fake.count(&Filter::host(Host::Sso));
    assert!(matches!(garmin(&fake).send_code(&mut waiting).await, Err(Error::Setup(_))));
    assert_eq!(fake.count(&Filter::host(Host::Sso)), asked, "an app's code is not asked for");
}
