//! Tokens under way: renewed once, kept through trouble, given up only when Garmin says so.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::Daemon;
use garminsync_test_support::people::SignInMood;

use crate::stage::{ANA, PASSWORD, Stage, ana};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_dies_in_a_sync_is_renewed_once() {
    let (stage, _daemon) = Stage::mirrored().await;
    let exchanged = stage.asked(Host::Diauth, "POST", "");
    stage.fake.expire_access(ANA);
    let sync = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!((sync.code, sync.json()["outcome"].as_str()), (0, Some("ok")), "{sync:?}");
    assert_eq!(stage.asked(Host::Diauth, "POST", "") - exchanged, 1, "one refresh");
    // Four requests of the re-read window, Garmin's count of activities, and the one that was answered 401 once more.
    assert_eq!(sync.json()["requests"], 6, "{sync:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_at_the_token_service_costs_no_login() {
    let (stage, daemon) = Stage::mirrored().await;
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
    let (stage, _daemon) = Stage::mirrored().await;
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

/// Who is led to a key and has none is told one way to bring it, and not to write into the daemon's home.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_login_that_no_password_brings_back_is_led_to_one_key() {
    let (stage, _daemon) = Stage::mirrored().await;
    stage.fake.revoke(ANA);
    stage.fake.expire_access(ANA);
    stage.needs_login().await;
    stage.fake.change(ANA, |person| person.mood = SignInMood::Child);
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 6);
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], &account["instead"]), (&"login_needed".into(), &"api_key".into()), "{account}");
    let status = stage.home.ctl(&["status"]).await;
    let ways: Vec<&str> = status.stdout.lines().filter(|line| line.contains("make a key at")).collect();
    assert!(ways.len() == 1 && ways[0].ends_with("login --api-key-stdin"), "{status:?}");
    let hint = account["troubles"][0]["hint"].as_str().unwrap_or_default();
    assert!(hint.ends_with("garminsyncctl login --api-key-stdin"), "{account}");
}

/// Garmin rotated the token and its answer was lost: the old one is tried once more, Garmin says no, and that is said as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_rotation_is_not_a_loop() {
    for effect in [Effect::status(503), Effect::Reset, Effect::HalfBody] {
        let (stage, daemon) = Stage::mirrored().await;
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
    let (stage, _daemon) = Stage::mirrored().await;
    let before = stage.asked(Host::Diauth, "POST", "");
    stage.fake.expire_access(ANA);
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth).times(1));
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_eq!(stage.asked(Host::Diauth, "POST", "") - before, 2);
}

/// A token service that is down for a day: restarts add next to nothing, and the login is there when it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn restarts_do_not_add_renewals() {
    let (stage, mut daemon) = Stage::mirrored().await;
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

const DAY: u64 = 86_400;

/// The moment in a place of an account's status.
fn moment(account: &serde_json::Value, tier: &str, what: &str) -> DateTime<Utc> {
    let told = account["tiers"][tier][what].as_str().unwrap_or_else(|| panic!("no {what} of {tier}: {account}"));
    told.parse().expect("a moment")
}

/// A login in its last week: told to people and machines, by the next daemon too, until Garmin renews it.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_near_its_end_is_told_until_it_is_renewed() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.knobs(|knobs| knobs.refresh_life = Duration::from_secs(6 * DAY));
    let mut daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    stage.idle().await;
    for _ in 0..2 {
        let account = stage.home.account("default").await;
        let end = moment(&account, "account", "refresh_expires_at");
        let trouble = &account["troubles"][0];
        assert_eq!(
            (&trouble["kind"], &trouble["hint"]),
            (&"login.expiring".into(), &"garminsyncctl login".into()),
            "{account}"
        );
        let words = format!("The login ends on {}", end.format("%Y-%m-%d"));
        assert!(trouble["text"].as_str().is_some_and(|text| text.starts_with(&words)), "{trouble}");
        let status = stage.home.ctl(&["status"]).await;
        assert_eq!(status.code, 0, "nothing is broken yet: {status:?}");
        assert!(status.stdout.contains(&words) && status.stdout.contains("ends in 5 days"), "{status:?}");
        daemon.kill().await;
        daemon = Daemon::start(&stage.home).await;
    }

    stage.fake.knobs(|knobs| knobs.refresh_life = Duration::from_secs(30 * DAY));
    stage.fake.expire_access(ANA);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    let account = stage.home.account("default").await;
    assert_eq!(account["troubles"], serde_json::json!([]), "{account}");
    assert!(moment(&account, "account", "refresh_expires_at") > Utc::now() + TimeDelta::days(29), "{account}");
    let status = stage.home.ctl(&["status"]).await;
    assert!(status.stdout.contains("ends in 29 days") && !status.stdout.contains("The login ends"), "{status:?}");
    drop(daemon);
}

/// Each thing that ends says when: the login, its token, the key, its token.
#[tokio::test(flavor = "multi_thread")]
async fn status_tells_when_each_thing_ends() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.knobs(|knobs| knobs.access_life = Some(Duration::from_secs(20 * 3600)));
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    let key = stage.fake.person(ANA).expect("Ana").api_key;
    let brought = stage.home.ctl_with(&["login", "--api-key-stdin", "--expires", "90"], &format!("{key}\n")).await;
    assert_eq!(brought.code, 0, "{brought:?}");
    stage.idle().await;
    daemon.kill().await;
    let _daemon = Daemon::start(&stage.home).await;

    let account = stage.home.account("default").await;
    let now = Utc::now();
    for (tier, what, hours) in [
        ("account", "access_expires_at", 20),
        ("account", "refresh_expires_at", 30 * 24),
        ("personal", "access_expires_at", 24),
    ] {
        let left = moment(&account, tier, what) - now;
        assert!(left > TimeDelta::hours(hours - 1) && left <= TimeDelta::hours(hours), "{tier} {what}: {left}");
    }
    let day = moment(&account, "personal", "key_expires_at").date_naive();
    assert_eq!(day - now.date_naive(), TimeDelta::days(90), "{account}");

    let status = stage.home.ctl(&["status"]).await.stdout;
    let line = |label: &str| {
        status.lines().find(|line| line.trim().starts_with(label)).unwrap_or_else(|| panic!("no {label}: {status}"))
    };
    assert!(line("login ").contains("ends in 29 days, token ends in 19 h, renewed "), "{status}");
    assert!(line("API key").contains("ends in 90 days, token ends in 23 h"), "{status}");
}
