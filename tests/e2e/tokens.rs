//! Tokens under way: renewed once, kept through trouble, given up only when Garmin says so.

use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::Daemon;
use garminsync_test_support::people::SignInMood;

use crate::stage::{ANA, PASSWORD, Stage, ana};

async fn signed_in() -> (Stage, Daemon) {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    // The first sync, or what the login's own run has left of it.
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    (stage, daemon)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_dies_in_a_sync_is_renewed_once() {
    let (stage, _daemon) = signed_in().await;
    let exchanged = stage.asked(Host::Diauth, "POST", "");
    stage.fake.expire_access(ANA);
    let sync = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!((sync.code, sync.json()["outcome"].as_str()), (0, Some("ok")), "{sync:?}");
    assert_eq!(stage.asked(Host::Diauth, "POST", "") - exchanged, 1, "one refresh");
    // Four requests of the re-read window, and the one that was answered 401 once more.
    assert_eq!(sync.json()["requests"], 5, "{sync:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_at_the_token_service_costs_no_login() {
    let (stage, daemon) = signed_in().await;
    stage.fake.expire_access(ANA);
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth));
    let sync = stage.home.ctl(&["sync", "--wait"]).await;
    assert_eq!(sync.code, 1, "{sync:?}");
    assert_eq!(stage.home.account("default").await["state"], "active", "the tokens are kept");
    daemon.kill().await;

    stage.fake.behave();
    let _daemon = Daemon::start(&stage.home).await;
    let sync = stage.home.ctl(&["sync", "--wait"]).await;
    assert_eq!(sync.code, 0, "{sync:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_login_is_said_and_not_repeated() {
    let (stage, _daemon) = signed_in().await;
    stage.fake.revoke(ANA);
    stage.fake.expire_access(ANA);
    let posts = stage.asked(Host::Sso, "POST", "");
    let sync = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!(sync.code, 4, "{sync:?}");
    let account = stage.home.account("default").await;
    assert_eq!(account["state"], "login_needed", "{account}");
    assert_eq!(account["troubles"][0]["kind"], "login.needed", "{account}");
    let again = stage.home.ctl(&["sync"]).await;
    assert_eq!(again.code, 4, "{again:?}");
    assert_eq!(stage.home.ctl(&["status"]).await.code, 4);
    assert_eq!(stage.asked(Host::Sso, "POST", ""), posts, "nobody asked for a login");
    let rows: i64 = stage
        .home
        .database()
        .and_then(|db| db.query_row("SELECT count(*) FROM daily_summary", [], |row| row.get(0)))
        .expect("the data stay readable");
    assert!(rows > 0);
    // A new login mends it.
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
}

/// Garmin rotated the token and its answer was lost: the old one is tried once more, Garmin says no, and that is said as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_rotation_is_not_a_loop() {
    for effect in [Effect::status(503), Effect::Reset, Effect::HalfBody] {
        let (stage, daemon) = signed_in().await;
        let before = stage.asked(Host::Diauth, "POST", "");
        stage.fake.expire_access(ANA);
        stage.fake.misbehave(Rule::does(effect.clone()).host(Host::Diauth).times(1).after());
        let sync = stage.home.ctl(&["sync", "--wait"]).await;
        assert_eq!(sync.code, 4, "{effect:?}: {sync:?}");
        assert_eq!(stage.asked(Host::Diauth, "POST", "") - before, 2, "{effect:?}: once more, and no more");
        let account = stage.home.account("default").await;
        assert_eq!(account["state"], "login_needed", "{account}");
        assert!(account["reason"].as_str().is_some_and(|why| why.contains("lost on the way")), "{account}");
        assert!(daemon.terminate().await.success());
        let _daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.home.ctl(&["sync"]).await.code, 4);
        assert_eq!(stage.asked(Host::Diauth, "POST", "") - before, 2, "{effect:?}: nor after a restart");
        assert_eq!(stage.asked(Host::Sso, "POST", "/api/login"), 1, "nobody asked for a sign-in");
    }
}

/// An answer that is lost before anything was rotated costs nothing: the same token is good a moment later.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_without_a_rotation_costs_nothing() {
    let (stage, _daemon) = signed_in().await;
    let before = stage.asked(Host::Diauth, "POST", "");
    stage.fake.expire_access(ANA);
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth).times(1));
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_eq!(stage.asked(Host::Diauth, "POST", "") - before, 2);
}

/// A token service that is down for a day: restarts add next to nothing, and the login is there when it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn restarts_do_not_add_renewals() {
    let (stage, mut daemon) = signed_in().await;
    let before = stage.asked(Host::Diauth, "POST", "");
    stage.fake.expire_access(ANA);
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth));
    for _ in 0..6 {
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 1);
        daemon.kill().await;
        daemon = Daemon::start(&stage.home).await;
    }
    assert_eq!(stage.asked(Host::Diauth, "POST", "") - before, 3, "the renewal, its repetition, and one more");
    assert_eq!(stage.home.account("default").await["state"], "active");
    drop(daemon);
}
