//! The embed widget, and the page that people see in a browser.

use std::time::Duration;

use garminsync_test_support::fake::{Filter, Host};
use garminsync_test_support::people::{SignInFlow, SignInMood};
use serde_json::json;

use crate::browser::{Browser, EMBED};
use crate::client::{
    ANA, ANDROID, Answer, Call, PASSWORD, Page, account, exchange, fake, last_code, other_code, refresh,
};

const PROFILE: &str = "/userprofile-service/socialProfile";
const TITLE: &str = "GARMIN Authentication Application";

fn ticket(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.title().as_str()), (200, "Success"));
    answer.between("embed?ticket=", "\"").unwrap()
}

fn variable(answer: &Answer, name: &str) -> Option<String> {
    answer.between(&format!("var {name} = \""), "\";")
}

#[test]
fn the_widget_shows_a_ticket_for_its_own_page() {
    let fake = fake(SignInMood::Ok);
    let mut browser = Browser::at_widget(&fake);
    let answer = browser.sign_in();
    let ticket = ticket(&answer);
    assert!(ticket.starts_with("ST-") && ticket.ends_with("-cas"));
    assert!(browser.cookies.contains_key("CASTGC"));
    assert_eq!(exchange(&fake, &ticket, EMBED).send().status, 200);
    let other = Browser::at_widget(&fake).sign_in();
    assert_eq!(exchange(&fake, &self::ticket(&other), ANDROID).send().status, 400, "it is not portable");
    assert_eq!(fake.count(&Filter::host(Host::Sso).method("POST").user(ANA)), 2);
}

#[test]
fn a_form_needs_its_page() {
    let fake = fake(SignInMood::Ok);
    let browser = Browser::at_widget(&fake);
    let good = browser.filled_in(PASSWORD);
    assert_eq!(good.clone().without("cookie").send().status, 403);
    assert_eq!(good.clone().without("referer").send().status, 403);
    assert_eq!(good.clone().replace("content-type", "text/plain").send().status, 415);
    let stale = Browser { csrf: "stale".into(), ..Browser::at_widget(&fake) };
    assert_eq!(stale.filled_in(PASSWORD).send().status, 403);
    assert_eq!(Browser::at_service(&fake, "https://example.org/").open().status, 400);
    assert_eq!(good.send().title(), "Success");
    fake.knobs(|knobs| knobs.sign_in_pause = Duration::from_secs(2));
    let hasty = Browser::at_widget(&fake).filled_in(PASSWORD);
    assert_eq!(hasty.send().status, 429);
    fake.advance(Duration::from_secs(3));
    assert_eq!(hasty.send().title(), "Success");
}

#[test]
fn a_wrong_password_shows_the_form_again_or_a_title() {
    let fake = fake(SignInMood::Ok);
    let browser = Browser::at_widget(&fake);
    let again = browser.filled_in("wrong").send();
    assert_eq!(again.title(), TITLE);
    assert!(variable(&again, "mfaMethod").is_none() && again.between("name=\"_csrf\" value=\"", "\"").is_some());
    fake.knobs(|knobs| knobs.widget_rejection = Some("Invalid Sign In".into()));
    assert_eq!(Browser::at_widget(&fake).filled_in("wrong").send().title(), "Invalid Sign In");
}

#[test]
fn every_mood_has_its_page() {
    for (mood, status, sign) in [
        (SignInMood::Locked, 200, "<title>Account Locked</title>"),
        (SignInMood::Child, 200, "<title>Unable To Sign In</title>"),
        (SignInMood::Stopped { kind: "FAIL".into(), message: "m".into() }, 200, "<title>Account Error FAIL</title>"),
        (SignInMood::Throttled429, 429, ""),
        (SignInMood::Throttled427, 427, ""),
        (SignInMood::ThrottledIn200, 429, ""),
        (SignInMood::Challenge403, 403, "Just a moment"),
        (SignInMood::Captcha, 403, "Just a moment"),
        (SignInMood::Cloudflare1015, 429, "Error 1015"),
        (SignInMood::ServerError, 502, "502 Bad Gateway"),
        (SignInMood::Html200, 200, "We'll be right back"),
    ] {
        let fake = fake(mood.clone());
        let answer = Browser::at_widget(&fake).sign_in();
        assert_eq!(answer.status, status, "{mood:?}");
        assert!(answer.text().contains(sign), "{mood:?}: {}", answer.text());
    }
}

#[test]
fn one_flow_can_have_a_mood_of_its_own() {
    let fake = fake(SignInMood::Ok);
    fake.change(ANA, |ana| *ana = ana.clone().mood_in(SignInFlow::Mobile, SignInMood::Captcha));
    assert_eq!(Page::mobile(&fake).login(&fake).send().kind(), "CAPTCHA_REQUIRED");
    assert_eq!(Page::portal(&fake).login(&fake).send().kind(), "SUCCESSFUL");
    assert_eq!(Browser::at_widget(&fake).sign_in().title(), "Success");
}

#[test]
fn the_page_for_codes_asks_before_a_code_is_sent() {
    let fake = fake(SignInMood::MfaEmail);
    let mut browser = Browser::at_widget(&fake);
    let page = browser.sign_in();
    assert_eq!(page.title(), TITLE);
    let known = |name| variable(&page, name).unwrap();
    assert_eq!((known("mfaMethod").as_str(), known("codeSentTo").as_str()), ("email", ""));
    assert!(fake.mail(ANA).is_empty());

    let body = json!({"customerGuid": known("customerGuid"), "mfaMethod": "email", "locale": known("locale")});
    let client_id = known("clientId");
    let nameless = json!({"mfaMethod": "email", "locale": "en_US"});
    assert_eq!(browser.request_code(&client_id, &nameless).status, 401);
    assert_eq!(browser.request_code("", &body).status, 400);
    let stranger = Browser::at_widget(&fake);
    assert_eq!(stranger.request_code(&client_id, &body).status, 409);
    assert!(fake.mail(ANA).is_empty());
    assert_eq!(browser.request_code(&client_id, &body).status, 200);
    assert_eq!(browser.request_code(&client_id, &body).status, 429, "half a minute");
    assert_eq!(fake.mail(ANA).len(), 1);

    let code = last_code(&fake);
    let csrf = browser.csrf.clone();
    let again = browser.enter("mfa-code", &other_code(&code));
    assert_eq!(
        (again.title().as_str(), variable(&again, "codeSentTo").as_deref()),
        (TITLE, Some("an*****@example.org"))
    );
    let stale =
        Browser { csrf, cookies: browser.cookies.clone(), ..Browser::at_widget(&fake) }.enter("mfa-code", &code);
    assert_eq!(stale.status, 403, "the new page has a new _csrf");
    let done = browser.enter("mfa-verification-code", &code);
    assert_eq!(exchange(&fake, &ticket(&done), EMBED).send().status, 200);
    assert_eq!(browser.enter("mfa-code", &code).status, 409, "a code is good once");
}

#[test]
fn the_page_for_codes_may_have_sent_one() {
    let fake = fake(SignInMood::MfaSms);
    fake.knobs(|knobs| knobs.widget_sends_code = true);
    let mut browser = Browser::at_widget(&fake);
    let page = browser.sign_in();
    assert_eq!(variable(&page, "codeSentTo").as_deref(), Some("*******42"));
    let code = last_code(&fake);
    fake.advance(Duration::from_secs(31 * 60));
    assert_eq!(browser.enter("mfa-code", &code).title(), TITLE, "too old");
}

#[test]
fn an_authenticator_apps_page_has_its_own_title() {
    let fake = fake(SignInMood::MfaTotp);
    let mut browser = Browser::at_widget(&fake);
    let page = browser.sign_in();
    assert_eq!(
        (page.title().as_str(), variable(&page, "mfaMethod").as_deref()),
        ("Enter MFA code for login", Some("totp"))
    );
    let guid = variable(&page, "customerGuid").unwrap();
    let body = json!({"customerGuid": guid, "mfaMethod": "totp", "locale": "en_US"});
    assert_eq!(browser.request_code(&variable(&page, "clientId").unwrap(), &body).status, 429);
    let code = fake.person(ANA).unwrap().totp_code();
    assert!(!ticket(&browser.enter("mfa-code", &code)).is_empty());
    assert!(fake.mail(ANA).is_empty());
}

#[test]
fn too_many_wrong_codes_end_at_the_form() {
    let fake = fake(SignInMood::MfaTotp);
    fake.knobs(|knobs| knobs.code_attempts = 2);
    let mut browser = Browser::at_widget(&fake);
    browser.sign_in();
    let code = fake.person(ANA).unwrap().totp_code();
    assert!(variable(&browser.enter("mfa-code", &other_code(&code)), "mfaMethod").is_some());
    assert!(variable(&browser.enter("mfa-code", &other_code(&code)), "mfaMethod").is_none());
    assert_eq!(browser.enter("mfa-code", &code).status, 409);
}

#[test]
fn the_data_tier_can_refuse_what_comes_of_a_widgets_ticket() {
    let fake = fake(SignInMood::Ok);
    let by_widget = exchange(&fake, &ticket(&Browser::at_widget(&fake).sign_in()), EMBED).send().json();
    let by_browser = exchange(&fake, &fake.ticket(ANA, ANDROID), ANDROID).send().json();
    let status = |tokens: &serde_json::Value| {
        let answer = account(&fake, tokens["access_token"].as_str().unwrap(), PROFILE).send();
        let why = answer.all("www-authenticate").join("");
        (answer.status, why.contains("Token is not active"))
    };
    assert_eq!((status(&by_widget), status(&by_browser)), ((200, false), (200, false)));
    fake.knobs(|knobs| knobs.refuse_widget_tokens = true);
    assert_eq!((status(&by_widget), status(&by_browser)), ((401, true), (200, false)));
    let refreshed = refresh(&fake, by_widget["refresh_token"].as_str().unwrap()).send().json();
    assert_eq!(status(&refreshed), (401, true), "a refresh does not change the audience");
}

#[test]
fn a_browser_is_sent_to_the_service_with_a_ticket() {
    let fake = fake(SignInMood::Ok);
    let mut browser = Browser::at_service(&fake, ANDROID);
    assert_eq!(browser.open().title(), TITLE);
    let sent = browser.sign_in();
    let there = sent.all("location")[0].to_owned();
    assert_eq!((sent.status, there.split_once("?ticket=").unwrap().0), (302, ANDROID));
    // Signed in once, the same browser gets its next ticket at once.
    let next = browser.open();
    let ticket = next.all("location")[0].split_once("?ticket=").unwrap().1.to_owned();
    assert_ne!(there.split_once("?ticket=").unwrap().1, ticket);
    assert_eq!(exchange(&fake, &ticket, ANDROID).send().status, 200);
}

#[test]
fn a_ticket_can_be_had_at_the_fakes_own_door() {
    let fake = fake(SignInMood::Ok);
    let ask =
        |user: &str| Call::new(&fake, "POST", "/_fake/ticket").body(json!({"user": user, "service": ANDROID})).send();
    let given = ask(ANA).json();
    let ticket = given["ticket"].as_str().unwrap();
    assert_eq!(given["url"], format!("{ANDROID}?ticket={ticket}"));
    assert_eq!(exchange(&fake, ticket, ANDROID).send().status, 200);
    assert_eq!(ask("nobody@example.org").status, 404);
}

#[test]
fn hosts_answer_to_their_real_names() {
    let fake = fake(SignInMood::Ok);
    let named = |path: &str, host: &str| Call::get(&fake, path).header("host", host).send();
    let page = named(&format!("/sso/signin?service={}", crate::client::encoded(ANDROID)), "sso.garmin.com");
    assert_eq!(page.title(), TITLE);
    assert!(page.all("set-cookie")[0].contains("; Path=/;"));
    assert_eq!(page.between("action=\"", "/sso/signin").unwrap(), "https://sso.garmin.com");
    assert_eq!(named(&format!("/sso/signin?service={}", crate::client::encoded(ANDROID)), "sso.garmin.cn").status, 400);
    let profile = account(&fake, &fake.tokens(ANA).access, PROFILE).path(PROFILE);
    assert_eq!(profile.header("host", "connectapi.garmin.com:443").send().status, 200);
    assert_eq!(named(PROFILE, "sso.example.org").status, 404);

    // A person of the one region cannot refresh at the other region's host.
    let token = fake.tokens(ANA).refresh;
    let path = "/di-oauth2-service/oauth/token";
    let at = |host: &str| refresh(&fake, &token).path(path).header("host", host).send();
    let refused = at("diauth.garmin.cn").json();
    assert_eq!(refused["error"], "invalid_grant");
    assert!(refused["error_description"].as_str().unwrap().contains("does not exist"));
    assert_eq!(at("diauth.garmin.com").status, 200);
}

#[test]
fn a_strict_fake_wants_what_a_careful_client_sends() {
    let fake = fake(SignInMood::MfaEmail);
    let get = |path: &str, referer: &str| Call::get(&fake, path).header("referer", referer).send().status;
    assert_eq!(get("/sso/sso/embed?id=gauth-widget", ""), 400);
    let whole = format!("/sso/sso/signin?{}", Browser::at_widget(&fake).query);
    let embed = format!("{}/sso/sso/embed", fake.base_url());
    assert_eq!((get(&whole, &embed), get(&whole, "")), (200, 400), "the page before it is the embedding one");
    let part = whole.replace("&source=", "&sauce=");
    assert_eq!(get(&part, &embed), 400);

    let page = Page::mobile(&fake);
    page.login(&fake).send();
    let verify = page.verify(&fake, &last_code(&fake));
    assert_eq!(verify.clone().replace("referer", "https://example.org/").send().status, 400);
    let mut resend = page.post(&fake, "mfa/sendCode", &json!({"mfaMethod": "email"}));
    fake.advance(Duration::from_secs(31));
    assert_eq!(resend.clone().without("referer").send().status, 400);
    fake.knobs(|knobs| knobs.strict = false);
    resend = resend.without("referer");
    assert_eq!((get(&part, ""), resend.send().status), (200, 200), "who is not careful may be right");
}
