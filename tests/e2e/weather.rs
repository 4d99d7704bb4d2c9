//! Garmin's sign-in on bad days: each refusal has its own kind, words and exit code, and costs no more requests than it must.

use std::time::{Duration, Instant};

use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::Daemon;
use garminsync_test_support::people::SignInMood;

use crate::stage::{ANA, PASSWORD, Stage, ana};

/// Mood of Garmin → kind, exit code, login POSTs to the JSON ways in that a well-behaved client sends, and a word of the sentence.
fn refusals() -> [(SignInMood, &'static str, i32, usize, &'static str); 10] {
    let disabled = SignInMood::Stopped { kind: "FAIL".into(), message: "generalLoginAccountDisabled".into() };
    [
        (SignInMood::Throttled429, "rate_limited", 6, 2, "fewer sign-ins"),
        (SignInMood::ThrottledIn200, "rate_limited", 6, 2, "fewer sign-ins"),
        (SignInMood::Throttled427, "rate_limited", 6, 2, "fewer sign-ins"),
        (SignInMood::Cloudflare1015, "rate_limited", 6, 2, "fewer sign-ins"),
        (SignInMood::Challenge403, "login_blocked", 6, 2, "Cloudflare"),
        (SignInMood::Captcha, "captcha_required", 6, 2, "CAPTCHA"),
        (SignInMood::Locked, "account_locked", 1, 1, "locked"),
        (SignInMood::Html200, "garmin_unexpected", 1, 2, "makes no sense"),
        (SignInMood::ServerError, "garmin_unreachable", 1, 2, "trouble"),
        (disabled, "login_blocked", 6, 1, "generalLoginAccountDisabled"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_own_words() {
    for (mood, kind, code, posts, word) in refusals() {
        let name = format!("{mood:?}");
        let stage = Stage::set(ana(mood), "").await;
        let _daemon = Daemon::start(&stage.home).await;
        let login = stage.login(PASSWORD, &["--json"]).await;
        assert_eq!(login.code, code, "{name}: {login:?}");
        let error = &login.json()["error"];
        assert_eq!(error["kind"], kind, "{name}: {login:?}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(word)), "{name}: {login:?}");
        assert!(error["hint"].is_string(), "{name} says what to type: {login:?}");
        assert_eq!(stage.asked(Host::Sso, "POST", "/api/login"), posts, "{name}");
        assert_eq!(stage.asked(Host::Diauth, "POST", ""), 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_once_and_stored_nowhere() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    let login = stage.login("not the password", &["--json"]).await;
    assert_eq!((login.code, login.json()["error"]["kind"].as_str()), (8, Some("invalid_credentials")), "{login:?}");
    assert!(daemon.terminate().await.success());
    assert_eq!(stage.asked(Host::Sso, "POST", "/api/login"), 1, "no second attempt by the program");

    // Nothing was stored: the next daemon knows nobody.
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.account("default").await["state"], "signed_out");
    let vault = rusqlite::Connection::open(stage.home.state_dir().join("vault.db")).expect("the vault");
    let rows: i64 = vault
        .query_row("SELECT count(*) FROM secret WHERE account = 'default'", [], |row| row.get(0))
        .expect("the vault's table");
    assert_eq!(rows, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cool_down_survives_a_restart_and_yields_to_force_once() {
    let stage = Stage::set(ana(SignInMood::Throttled429), "").await;
    let daemon = Daemon::start(&stage.home).await;
    let blocked = stage.login(PASSWORD, &["--json"]).await;
    assert_eq!(blocked.json()["error"]["retry_after_s"], 7200, "{blocked:?}");
    assert_eq!(stage.home.account("default").await["state"], "cooling_down");
    daemon.kill().await;

    let daemon = Daemon::start(&stage.home).await;
    let asked = stage.asked(Host::Sso, "POST", "/api/login");
    let early = stage.login(PASSWORD, &["--json"]).await;
    assert_eq!((early.code, early.json()["error"]["kind"].as_str()), (6, Some("cooling_down")), "{early:?}");
    assert_eq!(stage.asked(Host::Sso, "POST", "/api/login"), asked, "nothing was sent");
    let seen = stage.fake.requests().len();
    let mut daemon = daemon;
    for _ in 0..100 {
        daemon.kill().await;
        daemon = Daemon::start(&stage.home).await;
    }
    assert_eq!(stage.home.account("default").await["state"], "cooling_down");
    assert_eq!(stage.fake.requests().len(), seen, "a hundred restarts send nothing to anybody");

    let forced = stage.login(PASSWORD, &["--json", "--force"]).await;
    assert_eq!(forced.json()["error"]["retry_after_s"], 4 * 3600, "{forced:?}");

    // Once means once: a forced login that reaches nobody, or whose daemon is killed, leaves the pause as it was.
    stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(600))).host(Host::Sso));
    let mut hung = stage.home.command(stage.home.ctl_program());
    hung.args(["login", "--email", ANA, "--password-stdin", "--force"]).stdin(std::process::Stdio::piped());
    let mut hung = hung.spawn().expect("ctl starts");
    let mut stdin = hung.stdin.take().expect("a pipe");
    tokio::io::AsyncWriteExt::write_all(&mut stdin, format!("{PASSWORD}\n").as_bytes()).await.expect("written");
    stage.account_is("it is with Garmin", |account| account["state"] == "signing_in").await;
    daemon.kill().await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.account("default").await["state"], "cooling_down");
}

/// One door is shut and the next is open: the login works, and the person notices nothing but a sentence.
#[tokio::test(flavor = "multi_thread")]
async fn a_shut_door_leads_to_the_next() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    stage.fake.misbehave(Rule::does(Effect::status(429)).host(Host::Sso).path("/mobile/"));
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
    assert_eq!(stage.fake.mail(ANA).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_server_is_given_up_in_time() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(120))).host(Host::Sso).method("POST"));
    let _daemon = Daemon::start(&stage.home).await;
    let began = Instant::now();
    let login = stage.login(PASSWORD, &["--json"]).await;
    assert_eq!((login.code, login.json()["error"]["kind"].as_str()), (1, Some("garmin_unreachable")), "{login:?}");
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    assert_eq!(stage.asked(Host::Sso, "POST", "/api/login"), 1, "a login whose answer was lost is not sent again");
}

/// Trouble while the code is checked costs neither the code nor an attempt.
#[tokio::test(flavor = "multi_thread")]
async fn weather_costs_no_code_and_no_attempt() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    for effect in [Effect::status(503), Effect::status(429), Effect::CloudflareChallenge, Effect::Reset] {
        stage.fake.misbehave(Rule::does(effect).host(Host::Sso).path("verifyCode").times(2));
        let tried = stage.home.ctl(&["--json", "mfa", &stage.code()]).await;
        assert_ne!(tried.code, 0, "{tried:?}");
        assert_eq!(tried.json()["error"]["attempts_left"], 3, "{tried:?}");
        stage.fake.behave();
    }
    assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
}

/// The ticket is good for a minute: trouble at the token service right after the code must not cost the login.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_at_the_exchange_does_not_waste_the_code() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Diauth).times(2));
    assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
    assert_eq!(stage.fake.mail(ANA).len(), 1);
}
