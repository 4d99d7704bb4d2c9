//! A Personal API key beside a login: each goes on without the other, and both are told when Garmin refuses both.

use std::time::Duration;

use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use garminsync_test_support::harness::{Daemon, until};
use garminsync_test_support::people::{KeyState, SignInMood};
use serde_json::Value;

use super::{bring, exchanges, trouble};
use crate::stage::{ANA, PASSWORD, Stage, ana};

/// Ana has signed in and brought a key, and her mirror is complete.
async fn with_both() -> (Stage, Daemon) {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(bring(&stage, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    stage.idle().await;
    (stage, daemon)
}

/// A login goes on while the key is refused, and the key while the login is dead.
#[tokio::test(flavor = "multi_thread")]
async fn one_credential_does_not_take_the_other_along() {
    let (stage, _daemon) = with_both().await;
    stage.fake.change(ANA, |person| person.key_state = KeyState::Expired);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "by the login");
    let account = stage.home.account("default").await;
    assert_eq!(
        (&account["state"], account["tiers"]["personal"]["state"].as_str()),
        (&"active".into(), Some("login_needed"))
    );
    assert!(trouble(&account, "key.refused").is_some(), "{account}");
    stage.fake.change(ANA, |person| person.key_state = KeyState::Ok);
    assert_eq!(bring(&stage, &[]).await.code, 0);
    stage.idle().await;
    stage.fake.revoke(ANA);
    stage.fake.expire_access(ANA);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "by the key");
}

/// What became of a sign-in by password is no news of an account that works with its key.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_whatever_became_of_a_password() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login("wrong", &[]).await.code, 8);
    assert_eq!(bring(&stage, &[]).await.code, 0);
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], &account["reason"]), (&"active".into(), &Value::Null), "{account}");

    stage.fake.change(ANA, |person| person.mood = SignInMood::Captcha);
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 6);
    let account = stage.home.account("default").await;
    assert_eq!(account["state"], "active", "{account}");
    assert!(account["until"].is_string(), "the pause stands: {account}");
    let status = stage.home.ctl(&["status"]).await;
    assert!(status.code == 0 && status.stdout.contains("no sign-in by password is tried until"), "{status:?}");
}

/// An account that lives on its key needs a key, whatever Garmin said to a password; and no login goes on where there is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_is_told_whatever_else_went_wrong() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(bring(&stage, &[]).await.code, 0);
    stage.idle().await;
    stage.fake.change(ANA, |person| person.key_state = KeyState::Deleted);
    stage.fake.expire_personal(ANA);
    stage.needs_login().await;
    assert_eq!(stage.login("wrong", &[]).await.code, 8);
    let refused =
        |text: &Value| text.as_str().is_some_and(|text| text.contains("no longer accepts the Personal API key"));
    let account = stage.home.account("default").await;
    let told = trouble(&account, "login.needed").expect("it is told");
    assert!(refused(&account["reason"]) && refused(&told["text"]), "{account}");

    // A pause after a block hides neither, and nothing is said to go on.
    stage.fake.change(ANA, |person| person.mood = SignInMood::Captcha);
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 6);
    let account = stage.home.account("default").await;
    let told = trouble(&account, "key.refused").expect("it is told");
    let goes_on = told["text"].as_str().is_some_and(|text| text.contains("goes on"));
    assert!(account["state"] == "cooling_down" && refused(&told["text"]) && !goes_on, "{account}");
}

/// A login and a key, and Garmin refuses both: both are told.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_login_does_not_hide_a_dead_key() {
    let (stage, _daemon) = with_both().await;
    stage.fake.change(ANA, |person| person.key_state = KeyState::Deleted);
    stage.fake.expire_personal(ANA);
    stage.fake.revoke(ANA);
    stage.fake.expire_access(ANA);
    stage.needs_login().await;
    let both = |account: &Value| ["login.needed", "key.refused"].iter().all(|kind| trouble(account, kind).is_some());
    let account = stage.account_is("both are told", both).await;
    let told = trouble(&account, "key.refused").map(|told| told["text"].to_string()).unwrap_or_default();
    assert!(account["state"] == "login_needed" && !told.contains("goes on"), "{account}");
}

/// A key that is deleted while a run reads with it: the login reads the rest, in the same run.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_dies_in_a_sync_leaves_the_rest_to_the_login() {
    for served in [1, 2, 4] {
        let stage = Stage::set(ana(SignInMood::Ok), "").await;
        let _daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.login(PASSWORD, &["--json"]).await.code, 0);
        stage.idle().await;
        assert_eq!(bring(&stage, &[]).await.code, 0);
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
        stage.idle().await;
        stage.fake.forget_requests();
        stage.fake.knobs(|knobs| knobs.latency = Duration::from_millis(100));
        let dies = async {
            while stage.fake.count(&Filter::host(Host::Personal).method("GET").status(200)) < served {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stage.fake.change(ANA, |person| person.key_state = KeyState::Deleted);
            stage.fake.expire_personal(ANA);
        };
        let (sync, ()) = tokio::join!(stage.home.ctl(&["sync", "--wait", "--json", "--since", "2020-01-01"]), dies);
        assert_eq!((sync.code, &sync.json()["outcome"]), (0, &"ok".into()), "{sync:?}");
        assert!(trouble(&stage.home.account("default").await, "key.refused").is_some(), "the key was refused in it");
    }
}

/// The key's exchange is throttled, or its service is down: what only the login can read is read all the same. The rest is not asked of it,
/// and nothing more of the key.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_bearer_holds_up_only_what_it_is_preferred_for() {
    for (effect, code, outcome, pause) in
        [(Effect::throttled(7200), 6, "rate_limited", 7200), (Effect::status(503), 1, "unreachable", 30)]
    {
        let stage = Stage::set(ana(SignInMood::Ok), "").await;
        let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
        let with_one = config.replace("hrv = true", "hrv = true\ntraining_readiness = true");
        std::fs::write(stage.home.config_file(), with_one).expect("written");
        let _daemon = Daemon::start(&stage.home).await;
        assert_eq!(bring(&stage, &[]).await.code, 0);
        stage.idle().await;
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
        stage.fake.expire_personal(ANA);
        stage.fake.misbehave(Rule::does(effect).host(Host::Personal).path("token"));
        stage.fake.forget_requests();
        // The first sync after the login is its own.
        assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
        let read = || async { (stage.asked(Host::Connectapi, "GET", "trainingreadiness") > 0).then_some(()) };
        until("the login has read what only it can", read).await;
        stage.idle().await;
        let before = stage.asked(Host::Connectapi, "GET", "trainingreadiness");
        for _ in 0..2 {
            let sync = stage.home.ctl(&["--json", "sync", "--wait"]).await;
            assert_eq!((sync.code, &sync.json()["outcome"]), (code, &outcome.into()), "{sync:?}");
        }
        let after = stage.asked(Host::Connectapi, "GET", "trainingreadiness");
        assert_eq!(after, before + 2, "once a sync: {:?}", stage.fake.counts());
        assert_eq!(stage.asked(Host::Connectapi, "GET", "sleep"), 0, "{:?}", stage.fake.counts());
        // On a slow machine half a minute may be over meanwhile.
        let between = stage.between_exchanges();
        assert!(between.len() < 3 && between.iter().all(|seconds| *seconds >= pause), "{between:?}");
        assert!(exchanges(&stage) > 0, "{:?}", stage.fake.counts());
        let account = stage.home.account("default").await;
        assert_eq!((&account["state"], &account["sync"]["state"]), (&"active".into(), &"idle".into()), "{account}");
    }
}
