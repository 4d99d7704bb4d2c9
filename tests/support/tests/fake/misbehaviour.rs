//! Rules: what can happen to a request, to which one, and when.

use std::time::{Duration, Instant};

use garminsync_test_support::fake::{Effect, FakeGarmin, Filter, Host, Rule};
use garminsync_test_support::people::{Person, SignInMood};
use serde_json::json;

use crate::client::{ANA, Call, Page, account, fake, refresh};

const PROFILE: &str = "/userprofile-service/socialProfile";

fn profile(fake: &FakeGarmin) -> Call {
    account(fake, &fake.tokens(ANA).access, PROFILE)
}

#[test]
fn a_rule_meets_what_it_says_as_often_as_it_says() {
    let fake = fake(SignInMood::Ok);
    fake.misbehave(Rule::does(Effect::throttled(60)).host(Host::Connectapi).path("social").skip(1).times(2));
    let statuses: Vec<_> = (0..5).map(|_| profile(&fake).send().status).collect();
    assert_eq!(statuses, [200, 429, 429, 200, 200]);
    assert_eq!(fake.count(&Filter::host(Host::Connectapi).status(429)), 2);
    fake.misbehave(Rule::does(Effect::status(500)).user("ben@example.org"));
    assert_eq!(profile(&fake).send().status, 200);
    fake.misbehave(Rule::does(Effect::status(500)).user(ANA).method("get"));
    assert_eq!(profile(&fake).send().status, 500);
    fake.behave();
    assert_eq!(profile(&fake).send().status, 200);
}

#[test]
fn one_flow_can_be_throttled_alone() {
    let fake = fake(SignInMood::Ok);
    fake.misbehave(Rule::does(Effect::Cloudflare1015).host(Host::Sso).path("/mobile/"));
    assert_eq!(Page::portal(&fake).login(&fake).send().status, 200);
    let service = crate::client::encoded(crate::client::ANDROID);
    let path = format!("/sso/mobile/sso/en_US/sign-in?clientId=GCM_ANDROID_DARK&service={service}");
    assert_eq!(Call::get(&fake, &path).send().status, 429);
}

#[test]
fn replies_that_take_the_place_of_the_real_one() {
    let fake = fake(SignInMood::Ok);
    for (effect, status, sign) in [
        (Effect::CloudflareChallenge, 403, "Just a moment"),
        (Effect::Cloudflare1015, 429, "Error 1015"),
        (Effect::ThrottledIn200, 200, "\"429\""),
        (Effect::Html200, 200, "<html>"),
        (Effect::Redirect { to: "https://example.org/".into() }, 302, ""),
    ] {
        fake.misbehave(Rule::does(effect.clone()).times(1));
        let answer = profile(&fake).send();
        assert_eq!(answer.status, status, "{effect:?}");
        assert!(answer.text().contains(sign), "{effect:?}");
    }
}

#[test]
fn connections_can_break() {
    let fake = fake(SignInMood::Ok);
    fake.misbehave(Rule::does(Effect::Reset).times(1));
    assert!(profile(&fake).try_send().is_none());
    assert_eq!(fake.requests().last().unwrap().status, None);

    let whole = profile(&fake).send();
    assert!(whole.complete);
    fake.misbehave(Rule::does(Effect::HalfBody).times(1));
    let half = profile(&fake).send();
    assert_eq!((half.status, half.complete, half.body.len()), (200, false, whole.body.len() / 2));

    fake.misbehave(Rule::does(Effect::hang(Duration::from_millis(200))).times(1));
    let start = Instant::now();
    assert!(profile(&fake).try_send().is_none());
    assert!(start.elapsed() >= Duration::from_millis(200));

    fake.misbehave(Rule::does(Effect::late(Duration::from_millis(200))).times(1));
    let start = Instant::now();
    assert_eq!(profile(&fake).send().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[test]
fn trouble_before_and_after_the_token_was_rotated() {
    let fake = fake(SignInMood::Ok);
    let token = fake.tokens(ANA).refresh;
    fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth).times(1));
    assert_eq!(refresh(&fake, &token).send().status, 503);
    assert_eq!(refresh(&fake, &token).send().status, 200, "nothing had happened");
    let token = fake.tokens(ANA).refresh;
    fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth).times(1).after());
    assert_eq!(refresh(&fake, &token).send().status, 503);
    assert_eq!(refresh(&fake, &token).send().status, 400, "it was rotated");
}

#[test]
fn a_code_can_be_sent_by_a_login_that_fails() {
    let fake = fake(SignInMood::MfaEmail);
    fake.misbehave(Rule::does(Effect::Reset).path("api/login").times(1).after());
    assert!(Page::mobile(&fake).login(&fake).try_send().is_none());
    assert_eq!(fake.mail(ANA).len(), 1);
}

#[test]
fn other_languages_control_it_over_http() {
    let fake = fake(SignInMood::MfaEmail);
    let rule = json!({"effect": {"kind": "status", "status": 418, "retry_after": "5", "body": "html"}, "host": "sso",
                      "times": 1});
    assert_eq!(Call::new(&fake, "POST", "/_fake/misbehave").body(&rule).send().status, 204);
    let answer = Call::get(&fake, "/sso/mobile/api/login").send();
    assert_eq!((answer.status, answer.all("retry-after")), (418, vec!["5"]));
    let odd = json!({"effect": {"kind": "reset"}, "hots": "sso"});
    let refused = Call::new(&fake, "POST", "/_fake/misbehave").body(&odd).send();
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("hots"));
    let kinds = ["cloudflare_challenge", "cloudflare_1015", "throttled_in_200", "html_200", "half_body", "reset"];
    for kind in kinds {
        let rule = json!({"effect": {"kind": kind}, "host": "personal"});
        assert_eq!(Call::new(&fake, "POST", "/_fake/misbehave").body(&rule).send().status, 204, "{kind}");
    }
    assert_eq!(Call::new(&fake, "POST", "/_fake/behave").send().status, 204);
    Page::mobile(&fake).login(&fake).send();
    let mail = Call::get(&fake, "/_fake/mail").send().json();
    assert_eq!(mail[0]["code"], fake.mail(ANA)[0].code);
    assert_eq!(Call::get(&fake, "/_fake/counts").send().json()["sso"]["/mobile/api/login"], 2);
    let before = fake.now();
    assert_eq!(Call::new(&fake, "POST", "/_fake/advance").body(json!({"seconds": 3600})).send().status, 204);
    assert!(fake.now() - before >= chrono::Duration::hours(1));
}

#[test]
fn stopping_cuts_hanging_connections_and_resuming_keeps_the_world() {
    let fake = fake(SignInMood::Ok);
    fake.add(Person::named("ben@example.org"));
    let call = profile(&fake);
    fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(60))).times(1));
    let hanging = {
        let call = call.clone();
        std::thread::spawn(move || call.try_send().is_none())
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while fake.requests().is_empty() {
        assert!(Instant::now() < deadline, "the request never came");
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut fake = fake;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(fake.stop());
    assert!(hanging.join().unwrap());
    assert!(call.try_send().is_none());
    runtime.block_on(fake.resume()).unwrap();
    assert_eq!(call.send().status, 200, "its token is still known");
}
