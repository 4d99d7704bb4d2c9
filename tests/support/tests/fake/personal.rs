//! The Personal tier: keys, and the rules that differ from the account tier's.

use std::time::Duration;

use chrono::{Days, NaiveDate};
use garminsync_test_support::fake::{Effect, Host, Rule, TokenForm};
use garminsync_test_support::people::{KeyState, SignInMood};
use serde_json::Value;

use crate::client::{ANA, fake, key_call, personal, personal_token};

#[test]
fn a_key_becomes_a_token_in_every_form() {
    let fake = fake(SignInMood::Ok);
    let raw = personal_token(&fake);
    assert_eq!(raw.split('.').count(), 3);
    let key = fake.person(ANA).unwrap().api_key;
    for (form, start, end) in [
        (TokenForm::Quoted, "\"ey", "\""),
        (TokenForm::Newline, "ey", "\n"),
        (TokenForm::Object, "{\"access_token\":\"ey", "\"}"),
    ] {
        fake.knobs(|knobs| knobs.personal_token_form = form);
        let text = key_call(&fake, &key).send().text();
        assert!(text.starts_with(start) && text.ends_with(end), "{form:?}");
    }
    let path = "/userprofile-service/userprofile/settings";
    assert_eq!(personal(&fake, &raw, path).send().status, 200);
    fake.advance(Duration::from_secs(24 * 3600 + 1));
    assert_eq!(personal(&fake, &raw, path).send().status, 401);
}

#[test]
fn keys_are_refused_by_their_state() {
    let fake = fake(SignInMood::Ok);
    let key = fake.person(ANA).unwrap().api_key;
    let token = personal_token(&fake);
    assert_eq!(key_call(&fake, "unknown").send().status, 401);
    assert_eq!(key_call(&fake, "with blank").send().status, 400);
    assert_eq!(key_call(&fake, &key).replace("authorization", &format!("Bearer {key}")).send().status, 401);
    for (state, status) in
        [(KeyState::Expired, 401), (KeyState::Deleted, 401), (KeyState::Malformed, 400), (KeyState::Forbidden, 403)]
    {
        fake.change(ANA, |ana| ana.key_state = state);
        assert_eq!(key_call(&fake, &key).send().status, status, "{state:?}");
        let data = personal(&fake, &token, "/userprofile-service/userprofile/settings").send();
        assert_eq!(data.status, 401, "a dead key's tokens die with it");
    }
}

#[test]
fn a_token_ends_with_its_key() {
    let fake = fake(SignInMood::Ok);
    let soon = fake.now() + chrono::Duration::hours(1);
    fake.change(ANA, |ana| ana.key_expires = Some(soon));
    let token = personal_token(&fake);
    fake.advance(Duration::from_secs(3601));
    assert_eq!(personal(&fake, &token, "/userprofile-service/userprofile/settings").send().status, 401);
    assert_eq!(key_call(&fake, &fake.person(ANA).unwrap().api_key).send().status, 401);
}

#[test]
fn tokens_of_the_other_tier_native_headers_and_cookies_are_refused() {
    let fake = fake(SignInMood::Ok);
    let path = "/userprofile-service/userprofile/settings";
    assert_eq!(personal(&fake, &fake.tokens(ANA).access, path).send().status, 401);
    let good = personal(&fake, &personal_token(&fake), path);
    assert_eq!(good.clone().header("x-app-ver", "10861").send().status, 400);
    assert_eq!(good.clone().header("cookie", "a=b").send().status, 400);
    assert_eq!(good.send().status, 200);
    let account_only = "/userprofile-service/socialProfile";
    assert_eq!(personal(&fake, &personal_token(&fake), account_only).send().status, 404);
}

#[test]
fn its_caps_are_its_own() {
    let fake = fake(SignInMood::Ok);
    let token = personal_token(&fake);
    let last = NaiveDate::from_ymd_opt(2026, 10, 20).unwrap();
    let range = |path: &str, days: u64| {
        let first = last - Days::new(days - 1);
        let path = path.replace("{s}", &first.to_string()).replace("{e}", &last.to_string());
        personal(&fake, &token, &path).send().status
    };
    for (path, cap, refusal) in [
        ("/usersummary-service/v2/dailysummaries?startDate={s}&endDate={e}", 90, 500),
        ("/sleep-service/sleep/dailySleepSummariesByDate?startDate={s}&endDate={e}", 31, 400),
        ("/hrv-service/hrv/daily/{s}/{e}", 365, 400),
        ("/usersummary-service/stats/steps/daily/{s}/{e}", 28, 400),
        ("/usersummary-service/stats/stress/daily/{s}/{e}", 28, 400),
        ("/usersummary-service/stats/hydration/daily/{s}/{e}", 31, 400),
        ("/wellness-service/wellness/bodyBattery/reports/daily?startDate={s}&endDate={e}", 31, 400),
    ] {
        assert_eq!((range(path, cap), range(path, cap + 1)), (200, refusal), "{path}");
    }
    assert_eq!(range("/weight-service/weight/all/{s}/{e}", 1), 400, "always");
    assert_eq!(range("/weight-service/weight/range/{s}/{e}?includeAll=true", 400), 200);
    assert_eq!(range("/sleep-service/stats/sleep/daily/{s}/{e}", 28), 404);
    let list = |query: &str| {
        personal(&fake, &token, &format!("/activitylist-service/activities/search/activities{query}")).send().status
    };
    assert_eq!([list("?limit=45"), list("?limit=46"), list("")], [200, 500, 500]);
    let today = fake.person(ANA).unwrap().life.plan().today;
    assert_eq!(personal(&fake, &token, &format!("/hrv-service/hrv/{today}")).send().status, 400);
}

#[test]
fn a_download_wants_a_zip() {
    let fake = fake(SignInMood::Ok);
    let id = fake.person(ANA).unwrap().life.activities()[0].activity_id;
    let good = personal(&fake, &personal_token(&fake), &format!("/download-service/files/activity/{id}"));
    assert_eq!(good.clone().replace("accept", "application/octet-stream").send().status, 406);
    let accept = "application/zip, application/x-zip-compressed, application/octet-stream";
    assert_eq!(&good.replace("accept", accept).send().body[..4], b"PK\x03\x04");
}

#[test]
fn more_than_ten_at_once_are_throttled() {
    let fake = fake(SignInMood::Ok);
    fake.knobs(|knobs| knobs.latency = Duration::from_millis(300));
    let call = personal(&fake, &personal_token(&fake), "/userprofile-service/userprofile/settings");
    let threads: Vec<_> = (0..14)
        .map(|_| {
            let call = call.clone();
            std::thread::spawn(move || call.send())
        })
        .collect();
    let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let throttled: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!throttled.is_empty());
    assert!(throttled.iter().all(|answer| answer.all("retry-after") == ["14"]));
    assert!(answers.iter().any(|answer| answer.status == 200));
}

#[test]
fn lists_for_one_measure_tell_the_same_truth() {
    let fake = fake(SignInMood::Ok);
    let token = personal_token(&fake);
    let list = |kind: &str| {
        let path = format!("/usersummary-service/stats/{kind}/daily/2026-09-24/2026-10-20");
        personal(&fake, &token, &path).send().json().as_array().unwrap().clone()
    };
    let life = fake.person(ANA).unwrap().life;
    let truth = |item: &Value| life.daily(item["calendarDate"].as_str().unwrap().parse().unwrap()).unwrap().clone();
    let (steps, stress, hydration) = (list("steps"), list("stress"), list("hydration"));
    assert!(steps.len() > 15 && stress.len() > 15 && !hydration.is_empty());
    assert!(steps.iter().all(|item| item["totalSteps"].as_i64() == truth(item).steps));
    assert!(stress.iter().all(|item| item["values"]["restStressDuration"].as_i64() == truth(item).rest_stress_s));
    // Sweat alone is a row too; then 0 ml were drunk.
    assert!(hydration.iter().all(|item| item["valueInML"].as_f64() == Some(truth(item).hydration_ml.unwrap_or(0.0))));
}

#[test]
fn a_range_of_nights_holds_objects_of_nulls() {
    let fake = fake(SignInMood::Ok);
    let token = personal_token(&fake);
    let path = "/sleep-service/sleep/dailySleepSummariesByDate?startDate=2026-05-01&endDate=2026-05-31";
    let life = fake.person(ANA).unwrap().life;
    let items = personal(&fake, &token, path).send().json();
    let (nights, nothing): (Vec<_>, Vec<_>) = items.as_array().unwrap().iter().partition(|item| item["id"].is_number());
    let day = |item: &&Value| -> NaiveDate { item["calendarDate"].as_str().unwrap().parse().unwrap() };
    assert!(nights.iter().all(|item| life.sleep(day(item)).is_some()) && nights.len() > 20);
    assert!(!nothing.is_empty(), "no night without the watch in this month");
    assert!(nothing.iter().all(|item| life.sleep(day(item)).is_none() && item["sleepTimeSeconds"].is_null()));
}

#[test]
fn an_area_can_be_closed_and_areas_can_be_empty() {
    let fake = fake(SignInMood::Ok);
    let token = personal_token(&fake);
    let status = |path: &str| personal(&fake, &token, path).send().status;
    fake.misbehave(Rule::does(Effect::status(403)).host(Host::Personal).path("/hrv-service/"));
    assert_eq!(status("/hrv-service/hrv/2026-10-20"), 403);
    assert_eq!(status("/biometric-service/heartRateZones/v2?generateDefaults=true"), 200);
    assert_eq!(status("/nutrition-service/food/logs/2026-10-20"), 204);
    assert_eq!(status("/nutrition-service/food/logs/today"), 400);
    assert_eq!(status("/no-service/of/this/name"), 404);
}
