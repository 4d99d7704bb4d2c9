//! diauth: tickets, rotation, and everything it refuses.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use garminsync_test_support::people::SignInMood;
use serde_json::Value;

use crate::client::{ANA, ANDROID, CLIENT_ID, account, exchange, fake, form, refresh, token_call};

const PROFILE: &str = "/userprofile-service/socialProfile";

fn error(answer: &crate::client::Answer) -> (u16, String) {
    (answer.status, answer.json()["error_description"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_ticket_becomes_tokens_once() {
    let fake = fake(SignInMood::Ok);
    let ticket = fake.ticket(ANA, ANDROID);
    let answer = exchange(&fake, &ticket, ANDROID).send();
    assert_eq!(answer.status, 200);
    let body = answer.json();
    let token = body["access_token"].as_str().unwrap();
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    assert_eq!(claims["client_id"], CLIENT_ID);
    assert_eq!(claims["iss"], "https://diauth.garmin.com");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), body["expires_in"].as_i64().unwrap());
    assert_eq!(body["refresh_token_expires_in"], 2_591_999);
    assert_eq!(account(&fake, token, PROFILE).send().status, 200);
    assert_eq!(error(&exchange(&fake, &ticket, ANDROID).send()), (400, "invalid service ticket provided".into()));
}

#[test]
fn a_ticket_is_bound_to_its_url_and_to_a_minute() {
    let fake = fake(SignInMood::Ok);
    let refused = (400, "invalid service ticket provided".to_owned());
    let ticket = fake.ticket(ANA, ANDROID);
    assert_eq!(error(&exchange(&fake, &ticket, "https://connect.garmin.com/app").send()), refused);
    let ticket = fake.ticket(ANA, ANDROID);
    fake.advance(Duration::from_secs(61));
    assert_eq!(error(&exchange(&fake, &ticket, ANDROID).send()), refused);
    assert_eq!(error(&exchange(&fake, "ST-0000000-nosuchticket-sso", ANDROID).send()), refused);
}

#[test]
fn a_refused_client_id_does_not_spend_the_ticket() {
    let fake = fake(SignInMood::Ok);
    fake.knobs(|knobs| knobs.client_ids.retain(|id| id != CLIENT_ID));
    let ticket = fake.ticket(ANA, ANDROID);
    assert_eq!(exchange(&fake, &ticket, ANDROID).send().status, 400);
    fake.knobs(|knobs| knobs.client_ids.push(CLIENT_ID.into()));
    assert_eq!(exchange(&fake, &ticket, ANDROID).send().status, 200);
}

#[test]
fn malformed_token_calls_are_refused() {
    let fake = fake(SignInMood::Ok);
    let good = refresh(&fake, &fake.tokens(ANA).refresh);
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));

    let doubled = good.clone().header("content-type", "application/x-www-form-urlencoded").send();
    assert_eq!((doubled.status, doubled.body.len()), (400, 0));
    let missing = good.clone().without("content-type").send();
    assert_eq!((missing.status, missing.body.len()), (400, 0));
    assert_eq!(good.clone().without("authorization").send().status, 401);
    assert_eq!(good.clone().replace("authorization", &basic(&format!("{CLIENT_ID}:x"))).send().status, 401);
    assert_eq!(good.clone().replace("authorization", &basic("OTHER:")).send().status, 401);
    assert_eq!(token_call(&fake, "OTHER", &[("grant_type", "refresh_token")]).send().status, 400);
    assert_eq!(good.clone().body(form(&[("client_id", CLIENT_ID), ("grant_type", "password")])).send().status, 400);
    assert_eq!(good.clone().without("x-app-ver").send().status, 400);
    assert_eq!(good.clone().header("cookie", "SESSION=1").send().status, 400);
    fake.knobs(|knobs| knobs.strict = false);
    assert_eq!(good.without("x-app-ver").header("cookie", "SESSION=1").send().status, 200);
}

#[test]
fn refresh_rotates_and_the_old_token_is_dead() {
    let fake = fake(SignInMood::Ok);
    let first = fake.tokens(ANA).refresh;
    let answer = refresh(&fake, &first).send().json();
    let second = answer["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(account(&fake, answer["access_token"].as_str().unwrap(), PROFILE).send().status, 200);
    let refused = refresh(&fake, &first).send();
    assert_eq!((refused.status, refused.json()["error"].as_str().unwrap()), (400, "invalid_grant"));
    assert_eq!(refresh(&fake, &second).send().status, 200, "a reused old token leaves the new one alone");
}

#[test]
fn reuse_can_be_told_to_kill_the_successor() {
    let fake = fake(SignInMood::Ok);
    fake.knobs(|knobs| knobs.reuse_kills_successor = true);
    let first = fake.tokens(ANA).refresh;
    let second = refresh(&fake, &first).send().json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(refresh(&fake, &first).send().status, 400);
    assert_eq!(refresh(&fake, &second).send().status, 400);
}

#[test]
fn an_answer_without_a_refresh_token_leaves_the_old_one_good() {
    let fake = fake(SignInMood::Ok);
    fake.knobs(|knobs| knobs.omit_refresh_token = true);
    let token = fake.tokens(ANA).refresh;
    for _ in 0..2 {
        let answer = refresh(&fake, &token).send();
        assert_eq!(answer.status, 200);
        assert!(answer.json().get("refresh_token").is_none());
    }
}

#[test]
fn revoked_expired_and_foreign_refresh_tokens_are_dead() {
    let fake = fake(SignInMood::Ok);
    let revoked = fake.tokens(ANA).refresh;
    fake.revoke(ANA);
    let old = fake.tokens(ANA).refresh;
    for token in [&revoked, "nonsense"] {
        assert_eq!(refresh(&fake, token).send().json()["error"], "invalid_grant");
    }
    let other_client = "GARMIN_CONNECT_MOBILE_IOS_DI";
    let fields = [("grant_type", "refresh_token"), ("refresh_token", old.as_str())];
    assert_eq!(token_call(&fake, other_client, &fields).send().json()["error"], "invalid_grant");
    fake.advance(Duration::from_secs(31 * 24 * 3600));
    assert_eq!(refresh(&fake, &old).send().json()["error"], "invalid_grant");
}

#[test]
fn a_person_of_the_other_region_cannot_refresh_here() {
    let fake = fake(SignInMood::Ok);
    fake.change(ANA, |ana| ana.domain = "garmin.cn".into());
    let answer = exchange(&fake, &fake.ticket(ANA, ANDROID), ANDROID).send();
    assert_eq!(answer.status, 200);
    let refused = refresh(&fake, answer.json()["refresh_token"].as_str().unwrap()).send();
    assert_eq!(refused.json()["error"], "invalid_grant");
    assert!(refused.json()["error_description"].as_str().unwrap().contains("User does not exist"));
}

#[test]
fn lives_vary_as_recorded_and_can_be_fixed() {
    let fake = fake(SignInMood::Ok);
    let lives: BTreeSet<_> = (0..20).map(|_| fake.tokens(ANA).expires_in_s).collect();
    assert!(lives.len() > 10 && lives.iter().all(|life| (65_000..=107_000).contains(life)), "{lives:?}");
    fake.knobs(|knobs| knobs.access_life = Some(Duration::from_secs(90)));
    let tokens = fake.tokens(ANA);
    assert_eq!(tokens.expires_in_s, 90);
    assert_eq!(account(&fake, &tokens.access, PROFILE).send().status, 200);
    fake.advance(Duration::from_secs(91));
    let refused = account(&fake, &tokens.access, PROFILE).send();
    assert_eq!((refused.status, refused.body.len()), (401, 0));
    assert!(refused.all("www-authenticate")[0].contains("Token is not active"));
}
