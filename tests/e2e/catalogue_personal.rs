//! The failure catalogue of the Personal tier, one test an answer: what is said, the exit code, how many requests a well-behaved
//! client sends, and that no row loops or loses a key.

use garminsync_test_support::fake::{Body, Effect, Host, Rule};
use garminsync_test_support::harness::{Daemon, Ran};
use garminsync_test_support::people::{KeyState, Person, SignInMood};

use crate::stage::{ANA, Stage, ana, today};

fn person() -> Person {
    ana(SignInMood::Ok).lived(today(), 3, 0)
}

fn exchanges(stage: &Stage) -> usize {
    stage.asked(Host::Personal, "POST", "token")
}

async fn sync(stage: &Stage) -> Ran {
    stage.home.ctl(&["--json", "sync", "--wait"]).await
}

async fn bring(stage: &Stage) -> Ran {
    let key = person().api_key;
    stage.home.ctl_with(&["--json", "login", "--api-key-stdin"], &format!("{key}\n")).await
}

/// With a key that works and everything read.
async fn with_key() -> (Stage, Daemon) {
    let stage = Stage::set(person(), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(bring(&stage).await.code, 0);
    assert_eq!(sync(&stage).await.code, 0);
    stage.idle().await;
    stage.fake.forget_requests();
    (stage, daemon)
}

/// The key's exchange refused at the login: nothing is stored, one request, and the person may try again at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_garmin_does_not_take() {
    for (state, words) in [
        (KeyState::Deleted, "does not accept"),
        (KeyState::Malformed, "does not accept"),
        (KeyState::Forbidden, "terms"),
    ] {
        let stage = Stage::set(person(), "").await;
        stage.fake.change(ANA, |person| person.key_state = state);
        let daemon = Daemon::start(&stage.home).await;
        let refused = bring(&stage).await;
        let error = &refused.json()["error"];
        assert_eq!((refused.code, error["kind"].as_str()), (8, Some("invalid_credentials")), "{refused:?}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(words)), "{refused:?}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("personalApiToken")), "{refused:?}");
        assert_eq!((exchanges(&stage), stage.asked(Host::Personal, "GET", "")), (1, 0));
        assert_eq!(stage.home.account("default").await["state"], "signed_out");
        stage.fake.change(ANA, |person| person.key_state = KeyState::Ok);
        assert_eq!(bring(&stage).await.code, 0);
        drop(daemon);
    }
}

/// The exchange of a key in use refused (401, 400, 403): key needed, once, and not again before an hour, over restarts.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_use_that_dies() {
    for (state, words) in [
        (KeyState::Deleted, "no longer accepts"),
        (KeyState::Malformed, "no longer accepts"),
        (KeyState::Forbidden, "terms"),
    ] {
        let (stage, daemon) = with_key().await;
        stage.fake.change(ANA, |person| person.key_state = state);
        stage.fake.expire_personal(ANA);
        for _ in 0..2 {
            assert_eq!(sync(&stage).await.code, 4, "{state:?}");
        }
        let account = stage.home.account("default").await;
        assert_eq!(account["state"], "login_needed", "{account}");
        assert_eq!(account["troubles"][0]["kind"], "login.needed", "{account}");
        assert!(account["reason"].as_str().is_some_and(|why| why.contains(words)), "{account}");
        assert_eq!(exchanges(&stage), 1, "{state:?}");
        daemon.kill().await;
        let _daemon = Daemon::start(&stage.home).await;
        assert_eq!((sync(&stage).await.code, exchanges(&stage)), (4, 1), "{state:?}: remembered");
        stage.fake.change(ANA, |person| person.key_state = KeyState::Ok);
        assert_eq!(bring(&stage).await.code, 0, "a person is heard");
        assert_eq!(sync(&stage).await.code, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_that_ends_is_exchanged_once_and_the_request_sent_once_more() {
    let (stage, _daemon) = with_key().await;
    stage.fake.expire_personal(ANA);
    assert_eq!(sync(&stage).await.code, 0);
    assert_eq!(exchanges(&stage), 1);
    assert_eq!(stage.fake.count(&garminsync_test_support::fake::Filter::host(Host::Personal).status(401)), 1);
}

/// Data answers 401 to a fresh bearer, too: one exchange, one repetition, then the key is needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_bearers_the_data_tier_refuses() {
    let (stage, _daemon) = with_key().await;
    stage.fake.misbehave(Rule::does(Effect::status(401)).host(Host::Personal).method("GET"));
    for _ in 0..2 {
        assert_eq!(sync(&stage).await.code, 4);
    }
    assert_eq!((exchanges(&stage), stage.asked(Host::Personal, "GET", "")), (1, 2), "{:?}", stage.fake.counts());
}

/// Trouble at the exchange (5xx, a page, no answer) is not the key's fault.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_at_the_exchange_costs_no_key() {
    for effect in [Effect::status(503), Effect::Html200, Effect::Reset, Effect::HalfBody] {
        let (stage, daemon) = with_key().await;
        stage.fake.expire_personal(ANA);
        stage.fake.misbehave(Rule::does(effect.clone()).host(Host::Personal).path("token"));
        for _ in 0..2 {
            assert_eq!(sync(&stage).await.code, 1, "{effect:?}");
        }
        assert_eq!(stage.home.account("default").await["state"], "active", "{effect:?}");
        // On a slow machine the second sync may come when the half minute after the first refusal is over.
        let between = stage.between_exchanges();
        assert!(between.len() < 2 && between.iter().all(|seconds| *seconds >= 30), "{effect:?}: {between:?}");
        assert!(exchanges(&stage) > 0, "{effect:?}");
        daemon.kill().await;
        stage.fake.behave();
        let _daemon = Daemon::start(&stage.home).await;
        assert_eq!(sync(&stage).await.code, 0, "{effect:?}");
    }
}

/// No data is not an error, however it is said.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_there_is_an_answer() {
    for status in [204, 404] {
        let (stage, _daemon) = with_key().await;
        let nothing = Effect::Status { status, retry_after: None, body: Body::Empty };
        stage.fake.misbehave(Rule::does(nothing).host(Host::Personal).path("hrv-service"));
        let ran = sync(&stage).await;
        assert_eq!((ran.code, exchanges(&stage)), (0, 0), "{status}: {ran:?}");
    }
}

/// An area that is not granted: asked for once, and the others go on.
#[tokio::test(flavor = "multi_thread")]
async fn an_area_that_is_not_granted_leaves_the_others() {
    let (stage, _daemon) = with_key().await;
    stage.fake.misbehave(Rule::does(Effect::status(403)).host(Host::Personal).path("hrv-service"));
    sync(&stage).await;
    assert_eq!(stage.asked(Host::Personal, "GET", "hrv-service"), 1);
    assert!(stage.asked(Host::Personal, "GET", "sleep-service") >= 1);
    assert_eq!(exchanges(&stage), 0, "the key is not to blame");
    assert_eq!(stage.home.account("default").await["state"], "active");
}
