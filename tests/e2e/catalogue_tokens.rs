//! The failure catalogue of Garmin's token service (`diauth`), one test an answer: what is said, the exit code, how many requests a
//! well-behaved client sends, and that no row loops, asks for a sign-in, or loses a login.

use garminsync_test_support::fake::{Body, Effect, Host, Knobs, Rule};
use garminsync_test_support::harness::{Daemon, Ran};
use garminsync_test_support::people::{Person, SignInMood};

use crate::stage::{ANA, PASSWORD, Stage, ana, today};

/// Ana with a life of a few days: what a sync brings is not the matter here.
fn person() -> Person {
    ana(SignInMood::Ok).lived(today(), 3, 0)
}

fn posts(stage: &Stage) -> usize {
    stage.asked(Host::Diauth, "POST", "")
}

async fn sync(stage: &Stage) -> Ran {
    stage.home.ctl(&["--json", "sync", "--wait"]).await
}

/// Signed in, synced, and the access token has ended: the next sync has to renew.
async fn about_to_renew() -> (Stage, Daemon) {
    let stage = Stage::set(person(), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(sync(&stage).await.code, 0);
    stage.idle().await;
    stage.fake.expire_access(ANA);
    stage.fake.forget_requests();
    (stage, daemon)
}

/// A renewal that Garmin answers so: how the sync ends, the account's state, renewals that were sent; then once more after a
/// restart, when no further one is sent or the login is back.
struct Row {
    what: &'static str,
    rule: Rule,
    code: i32,
    kind: &'static str,
    state: &'static str,
    posts: usize,
    /// What has to be in the reason, or in the sync's error.
    words: &'static str,
}

async fn plays(row: Row) {
    let Row { what, rule, code, kind, state, posts: wanted, words } = row;
    let (stage, daemon) = about_to_renew().await;
    stage.fake.misbehave(rule.host(Host::Diauth));
    let ran = sync(&stage).await;
    assert_eq!(ran.code, code, "{what}: {ran:?}");
    let account = stage.home.account("default").await;
    assert_eq!(account["state"], state, "{what}: {account}");
    assert!(format!("{account}{}", ran.stdout).contains(words), "{what}: {account} {ran:?}");
    assert_eq!(posts(&stage), wanted, "{what}");
    let data = stage.asked(Host::Connectapi, "GET", "");
    let again = sync(&stage).await;
    for ran in [&ran, &again] {
        assert_eq!((ran.code, ran.json()["error"]["kind"].as_str()), (code, Some(kind)), "{what}: {ran:?}");
    }
    assert_eq!(stage.asked(Host::Connectapi, "GET", ""), data, "{what}: the refused token is not sent again");
    assert_eq!(posts(&stage), wanted, "{what}: not in a loop");
    daemon.kill().await;
    stage.fake.behave();
    let _daemon = Daemon::start(&stage.home).await;
    let after = sync(&stage).await;
    assert_eq!(
        after.code,
        if state == "active" { 0 } else { 4 },
        "{what}: the login is kept, or known to be dead: {after:?}"
    );
    assert_eq!(stage.asked(Host::Sso, "POST", ""), 0, "{what}: nobody asked for a sign-in");
}

/// Garmin has rotated the token, and nobody heard of it: it is tried once more, and then a person is needed.
async fn is_lost(what: &'static str, rule: Rule) {
    let (code, kind, state) = (4, "login_needed", "login_needed");
    plays(Row { what, rule, code, kind, state, posts: 2, words: "lost on the way" }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_meets_5xx_before_anything_was_rotated() {
    let rule = Rule::does(Effect::status(503));
    plays(Row { what: "503", rule, code: 1, kind: "garmin_unreachable", state: "active", posts: 2, words: "HTTP 503" })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_whose_answer_is_lost_after_the_rotation() {
    is_lost("502 after", Rule::does(Effect::status(502)).times(1).after()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_reset() {
    let rule = Rule::does(Effect::Reset);
    plays(Row {
        what: "reset",
        rule,
        code: 1,
        kind: "garmin_unreachable",
        state: "active",
        posts: 2,
        words: "could not be renewed",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_whose_answer_is_cut_in_half() {
    is_lost("half", Rule::does(Effect::HalfBody).times(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_answered_with_a_page() {
    let rule = Rule::does(Effect::Html200);
    plays(Row {
        what: "page",
        rule,
        code: 1,
        kind: "garmin_unexpected",
        state: "active",
        posts: 2,
        words: "could not be renewed",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_throttled() {
    let rule = Rule::does(Effect::Status { status: 429, retry_after: None, body: Body::Json });
    plays(Row { what: "429", rule, code: 6, kind: "rate_limited", state: "active", posts: 1, words: "asks to wait" })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_gets_an_empty_400() {
    let rule = Rule::does(Effect::Status { status: 400, retry_after: None, body: Body::Empty });
    plays(Row {
        what: "empty 400",
        rule,
        code: 1,
        kind: "garmin_unexpected",
        state: "active",
        posts: 1,
        words: "HTTP 400",
    })
    .await;
}

/// A 429 that says how long holds over restarts.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_garmin_asked_for_outlives_the_process() {
    let (stage, mut daemon) = about_to_renew().await;
    stage.fake.misbehave(Rule::does(Effect::throttled(3600)).host(Host::Diauth));
    for _ in 0..4 {
        let ran = sync(&stage).await;
        assert_eq!((ran.code, ran.json()["error"]["kind"].as_str()), (6, Some("rate_limited")), "{ran:?}");
        assert!(ran.json()["retry_at"].is_string(), "it says until when: {ran:?}");
        daemon.kill().await;
        daemon = Daemon::start(&stage.home).await;
    }
    assert_eq!((posts(&stage), stage.home.account("default").await["state"].as_str()), (1, Some("active")));
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_is_dead() {
    let (stage, daemon) = about_to_renew().await;
    stage.fake.revoke(ANA);
    for _ in 0..2 {
        assert_eq!(sync(&stage).await.code, 4);
    }
    let account = stage.home.account("default").await;
    assert!(account["reason"].as_str().is_some_and(|why| why.contains("no longer accepts")), "{account}");
    assert_eq!(posts(&stage), 1);
    daemon.kill().await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!((sync(&stage).await.code, posts(&stage)), (4, 1));
}

/// Garmin retires client ids. The others are tried once; here they belong to other tokens, so that a sign-in is needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_id_that_is_retired() {
    let (stage, _daemon) = about_to_renew().await;
    stage.fake.knobs(|knobs| drop(knobs.client_ids.remove(0)));
    assert_eq!(sync(&stage).await.code, 4);
    assert_eq!(posts(&stage), 2, "the retired one and the next");
    assert_eq!((sync(&stage).await.code, posts(&stage)), (4, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let (stage, _daemon) = about_to_renew().await;
    stage.fake.knobs(|knobs| knobs.omit_refresh_token = true);
    for renewals in 1..=2 {
        assert_eq!((sync(&stage).await.code, posts(&stage)), (0, renewals));
        stage.fake.expire_access(ANA);
    }
}

/// A login whose ticket meets this: exit code, kind, exchanges that were tried.
async fn exchange(turn: impl FnOnce(&mut Knobs), rule: Option<Rule>) -> (Ran, usize) {
    let stage = Stage::set(person(), "").await;
    stage.fake.knobs(turn);
    rule.into_iter().for_each(|rule| stage.fake.misbehave(rule.host(Host::Diauth)));
    let _daemon = Daemon::start(&stage.home).await;
    let login = stage.login(PASSWORD, &["--json"]).await;
    (login, posts(&stage))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_goes_to_the_next_client_id() {
    let last = |knobs: &mut Knobs| drop(knobs.client_ids.drain(..3));
    let (login, tried) = exchange(last, None).await;
    assert_eq!((login.code, tried), (0, 4), "{login:?}");
    let (login, tried) = exchange(|_| (), Some(Rule::does(Effect::status(403)).times(1))).await;
    assert_eq!((login.code, tried), (0, 2), "{login:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_too_old_is_said() {
    let (login, _) = exchange(|knobs| knobs.ticket_life = std::time::Duration::ZERO, None).await;
    assert_eq!((login.code, login.json()["error"]["kind"].as_str()), (1, Some("garmin_unexpected")), "{login:?}");
    assert!(login.stdout.contains("Nothing was stored"), "{login:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_throttled_ends_the_chain() {
    let rule = Rule::does(Effect::Status { status: 429, retry_after: None, body: Body::Json });
    let (login, tried) = exchange(|_| (), Some(rule)).await;
    assert_eq!((login.code, tried), (6, 1), "{login:?}");
}

/// A machine whose clock is hours or years off: Garmin's `Date` tells it, the login lives, and nothing is renewed but what has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_costs_nothing_and_is_told() {
    for days in [0, 1500] {
        let stage = Stage::set(person(), "").await;
        stage.fake.advance(std::time::Duration::from_secs(days * 86_400 + 3 * 3600));
        let _daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
        for _ in 0..3 {
            assert_eq!(sync(&stage).await.code, 0);
        }
        assert_eq!(posts(&stage), 1, "the ticket's exchange, and no renewal");
        let account = stage.home.account("default").await;
        let told = account["troubles"].as_array().expect("troubles").iter().find(|trouble| trouble["kind"] == "clock");
        assert!(
            told.is_some_and(|told| told["text"].as_str().is_some_and(|text| text.contains("behind"))),
            "{account}"
        );
    }
}
