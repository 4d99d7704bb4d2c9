//! The sign-in page and the login POST, without codes.

use std::time::Duration;

use garminsync_test_support::fake::{Filter, Host};
use garminsync_test_support::people::SignInMood;
use serde_json::{Value, json};

use crate::client::{ANDROID, Call, PASSWORD, Page, encoded, exchange, fake};

#[test]
fn both_flows_give_a_ticket_for_their_own_service_url() {
    let fake = fake(SignInMood::Ok);
    for (page, service_url) in [(Page::mobile(&fake), ANDROID), (Page::portal(&fake), "https://connect.garmin.com/app")]
    {
        let answer = page.login(&fake).send();
        assert_eq!((answer.status, answer.kind().as_str()), (200, "SUCCESSFUL"));
        let body = answer.json();
        assert_eq!(body["serviceURL"], service_url);
        assert!(body["serviceTicketId"].as_str().unwrap().starts_with("ST-"));
        assert!(answer.all("set-cookie").iter().any(|cookie| cookie.starts_with("CASTGC=")));
        assert_eq!(exchange(&fake, body["serviceTicketId"].as_str().unwrap(), service_url).send().status, 200);
    }
    assert_eq!(fake.count(&Filter::host(Host::Sso)), 4);
    assert_eq!(fake.counts()[&(Host::Sso, "/portal/api/login".to_owned())], 1);
}

#[test]
fn a_post_without_its_page_is_throttled() {
    let fake = fake(SignInMood::Ok);
    let page = Page::mobile(&fake);
    let good = page.login(&fake);
    assert_eq!(good.clone().without("cookie").send().status, 429);
    assert_eq!(good.clone().without("referer").send().status, 429);
    assert_eq!(good.clone().replace("referer", &page.base).send().status, 429);
    assert_eq!(good.clone().replace("referer", &Page::portal(&fake).referer).send().status, 429);
    for missing in page.cookies.keys() {
        let mut cookies = page.cookies.clone();
        cookies.remove(missing);
        let partial = Page {
            cookies,
            base: page.base.clone(),
            flow: page.flow,
            query: page.query.clone(),
            referer: page.referer.clone(),
        };
        assert_eq!(partial.login(&fake).send().status, 429, "without {missing}");
    }
    assert_eq!(good.send().status, 200);
}

#[test]
fn a_malformed_post_is_refused() {
    let fake = fake(SignInMood::Ok);
    let good = Page::mobile(&fake).login(&fake);
    assert_eq!(good.clone().without("origin").send().status, 400);
    assert_eq!(good.clone().replace("origin", "https://example.org").send().status, 400);
    assert_eq!(good.clone().without("content-type").send().status, 415);
    assert_eq!(good.clone().replace("content-type", "application/x-www-form-urlencoded").send().status, 415);
    assert_eq!(good.clone().body(json!({"username": "ana@example.org", "password": PASSWORD})).send().status, 400);
    let foreign = format!("/sso/mobile/api/login?clientId=GCM_IOS_DARK&service={}", encoded(ANDROID));
    assert_eq!(good.clone().path(&foreign).send().status, 400);
    assert_eq!(good.send().status, 200);
}

#[test]
fn the_page_refuses_a_service_url_that_is_not_the_clients() {
    let fake = fake(SignInMood::Ok);
    let service = encoded("https://connect.garmin.com/app");
    let path = format!("/sso/mobile/sso/en_US/sign-in?clientId=GCM_ANDROID_DARK&service={service}");
    assert_eq!(Call::get(&fake, &path).send().status, 400);
}

#[test]
fn the_probe_is_a_json_405() {
    let answer = Call::get(&fake(SignInMood::Ok), "/sso/mobile/api/login").send();
    assert_eq!(answer.status, 405);
    assert!(answer.json()["error"].is_string());
}

#[test]
fn a_wrong_password_is_401_whatever_the_second_factor() {
    for mood in [SignInMood::Ok, SignInMood::MfaEmail, SignInMood::Locked] {
        let fake = fake(mood);
        let answer = Page::mobile(&fake).login_with(&fake, "wrong").send();
        assert_eq!((answer.status, answer.kind().as_str()), (401, "INVALID_USERNAME_PASSWORD"));
        assert!(fake.mail("ana@example.org").is_empty());
    }
}

#[test]
fn every_mood_has_its_answer() {
    let stopped = SignInMood::Stopped { kind: "FAIL".into(), message: "generalLoginAccountDisabled".into() };
    for (mood, status, sign) in [
        (SignInMood::Captcha, 200, "CAPTCHA_REQUIRED"),
        (SignInMood::Locked, 200, "ACCOUNT_LOCKED"),
        (stopped, 200, "generalLoginAccountDisabled"),
        (SignInMood::Throttled429, 429, ""),
        (SignInMood::Throttled427, 427, ""),
        (SignInMood::ThrottledIn200, 200, "\"status-code\":\"429\""),
        (SignInMood::Challenge403, 403, "Just a moment"),
        (SignInMood::Cloudflare1015, 429, "used Cloudflare to restrict access"),
        (SignInMood::ServerError, 503, "<html>"),
        (SignInMood::Html200, 200, "<html>"),
    ] {
        let fake = fake(mood.clone());
        let answer = Page::portal(&fake).login(&fake).send();
        assert_eq!(answer.status, status, "{mood:?}");
        assert!(answer.text().contains(sign), "{mood:?}: {}", answer.text());
        assert!(!answer.text().contains("ST-"));
    }
}

#[test]
fn a_hasty_post_is_throttled_when_the_rule_is_on() {
    let fake = fake(SignInMood::Ok);
    fake.knobs(|knobs| knobs.sign_in_pause = Duration::from_secs(2));
    let login = Page::mobile(&fake).login(&fake);
    assert_eq!(login.send().status, 429);
    fake.advance(Duration::from_secs(3));
    assert_eq!(login.send().status, 200);
}

#[test]
fn cookies_can_come_folded_into_one_line() {
    let fake = fake(SignInMood::Ok);
    fake.knobs(|knobs| knobs.folded_cookies = true);
    let query = format!("clientId=GCM_ANDROID_DARK&service={}", encoded(ANDROID));
    let answer = Call::get(&fake, &format!("/sso/mobile/sso/en_US/sign-in?{query}")).send();
    let [line] = answer.all("set-cookie")[..] else { panic!("{:?}", answer.headers) };
    assert!(line.contains("SESSION=") && line.contains(", _cfuvid=") && line.contains("Expires="));
}

#[test]
fn people_of_the_other_region_use_its_service_urls() {
    let fake = fake(SignInMood::Ok);
    fake.knobs(|knobs| knobs.domain = "garmin.cn".into());
    let path = |domain: &str| {
        let service = encoded(&format!("https://connect.{domain}/app"));
        format!("/sso/portal/sso/en-US/sign-in?clientId=GarminConnect&service={service}")
    };
    assert_eq!(Call::get(&fake, &path("garmin.com")).send().status, 400);
    assert_eq!(Call::get(&fake, &path("garmin.cn")).send().status, 200);
}

#[test]
fn the_log_tells_whose_request_it_was_and_nothing_secret() {
    let fake = fake(SignInMood::Ok);
    let answer = Page::mobile(&fake).login(&fake).send();
    let ticket = answer.json()["serviceTicketId"].as_str().unwrap().to_owned();
    let tokens = exchange(&fake, &ticket, ANDROID).send().json();
    let seen = fake.requests();
    assert_eq!(seen[1].user.as_deref(), Some("ana@example.org"));
    assert_eq!(seen[2].user.as_deref(), Some("ana@example.org"));
    assert!(seen[1].cookies && !seen[2].cookies && seen[2].native_headers);
    let log: Value = serde_json::to_value(&seen).unwrap();
    for secret in
        [PASSWORD, &ticket, tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap()]
    {
        assert!(!log.to_string().contains(secret));
    }
}
