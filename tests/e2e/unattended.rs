//! The sign-in that the daemon does by itself, for those who configured it: once a day, after Garmin refused to renew the login, and
//! never in a way that Garmin or a person would mind.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use garminsync_test_support::harness::{Daemon, until};
use garminsync_test_support::people::{Person, SignInMood};
use serde_json::Value;

use crate::stage::{ANA, PASSWORD, Stage, ana};

/// A stage whose daemon may sign Ana in by itself. The scripts are run by `sh` in a directory that they know as `$HOME`.
async fn stage(person: Person, password: &str, code: Option<&str>) -> Stage {
    let stage = Stage::set(person, "").await;
    let words = |script: &str| format!("[\"sh\", \"-c\", {}]", serde_json::json!(format!("cd; {script}")));
    let mut config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    config += &format!("[accounts.default]\nemail = \"{ANA}\"\npassword_command = {}\n", words(password));
    if let Some(code) = code {
        config += &format!("[mfa]\ncommand = {}\n", words(code));
    }
    std::fs::write(stage.home.config_file(), config).expect("written");
    stage
}

/// Prints the right password, and leaves a line in `runs`.
fn right() -> String {
    format!("echo \"$GARMINSYNC_ACCOUNT\" >> runs; tr '\\0' '\\n' < /proc/self/environ > environ; echo '{PASSWORD}'")
}

fn file(stage: &Stage, name: &str) -> PathBuf {
    stage.home.path().join(name)
}

fn runs(stage: &Stage) -> usize {
    std::fs::read_to_string(file(stage, "runs")).unwrap_or_default().lines().count()
}

/// Ana's login, as a person does it; then Garmin ends it.
async fn a_login_that_garmin_ends(stage: &Stage) {
    let login = stage.login(PASSWORD, &["--no-wait"]).await;
    if login.code == 5 {
        assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
    }
    stage.idle().await;
    end_login(stage).await;
}

async fn end_login(stage: &Stage) {
    stage.fake.revoke(ANA);
    stage.fake.expire_access(ANA);
    // Whatever it says: it finds out that the login is dead.
    stage.home.ctl(&["sync", "--wait"]).await;
}

fn logins(stage: &Stage) -> usize {
    stage.asked(Host::Sso, "POST", "/api/login")
}

fn has_trouble(account: &Value, kind: &str, words: &str) -> bool {
    let troubles = account["troubles"].as_array().cloned().unwrap_or_default();
    troubles.iter().any(|t| t["kind"] == kind && t["text"].as_str().is_some_and(|text| text.contains(words)))
}

async fn restarted(stage: &Stage, daemon: Daemon) -> Daemon {
    daemon.kill().await;
    let daemon = Daemon::start(&stage.home).await;
    // By then it has looked at the tokens, as every start does.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(300) {
        stage.home.ctl(&["status"]).await;
    }
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_login_is_mended_once_a_day() {
    let stage = stage(ana(SignInMood::Ok), &right(), None).await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!((runs(&stage), logins(&stage)), (0, 0), "the first login is a person's");
    a_login_that_garmin_ends(&stage).await;
    stage.account_is("it is signed in again", |account| account["state"] == "active").await;
    assert_eq!((runs(&stage), logins(&stage)), (1, 2));
    stage.idle().await;
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    let environment = std::fs::read_to_string(file(&stage, "environ")).expect("the program ran");
    assert!(environment.contains("GARMINSYNC_ACCOUNT=default") && !environment.contains("horse"), "{environment}");

    // The same day again: a person is needed, and no restart changes that.
    end_login(&stage).await;
    let needed = stage.account_is("it says so", |account| account["state"] == "login_needed").await;
    assert!(has_trouble(&needed, "login.unattended", "once a day"), "{needed}");
    let mut daemon = daemon;
    for _ in 0..3 {
        daemon = restarted(&stage, daemon).await;
    }
    assert_eq!((runs(&stage), logins(&stage)), (1, 2));
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert!(!stage.home.log().contains("horse"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_sent_once_and_then_a_person_is_needed() {
    let stage = stage(ana(SignInMood::Ok), "echo x >> runs; echo wrong horse", None).await;
    let mut daemon = Daemon::start(&stage.home).await;
    a_login_that_garmin_ends(&stage).await;
    let account = stage
        .account_is("it says so", |account| {
            has_trouble(account, "login.unattended", "does not sign in by itself any more")
        })
        .await;
    assert_eq!(account["state"], "login_needed", "{account}");
    for _ in 0..5 {
        daemon = restarted(&stage, daemon).await;
    }
    let account = stage.home.account("default").await;
    assert!(has_trouble(&account, "login.unattended", "does not accept"), "{account}");
    assert_eq!((runs(&stage), logins(&stage)), (1, 2), "the person's login, and one of ours");
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    let account = stage.home.account("default").await;
    assert!(account["troubles"].as_array().is_some_and(Vec::is_empty), "{account}");
    assert!(!stage.home.log().contains("wrong horse"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_brought_by_its_program_across_a_kill() {
    let waits = "echo $GARMINSYNC_MFA_METHOD >> code-runs; while ! test -s code; do sleep 0.1; done; cat code";
    let stage = stage(ana(SignInMood::MfaTotp), &right(), Some(waits)).await;
    let daemon = Daemon::start(&stage.home).await;
    let login = stage.login(PASSWORD, &["--no-wait"]).await;
    assert_eq!(login.code, 5, "{login:?}");
    let totp = |stage: &Stage| stage.fake.person(ANA).map(|person| person.totp_code()).expect("Ana");
    assert_eq!(stage.home.ctl(&["mfa", &totp(&stage)]).await.code, 0);
    assert!(!file(&stage, "code-runs").exists(), "a person's login is a person's");
    stage.idle().await;
    end_login(&stage).await;
    until("the program waits for the code", || async { file(&stage, "code-runs").exists().then_some(()) }).await;
    let daemon = restarted(&stage, daemon).await;
    let account = stage.home.account("default").await;
    assert_eq!(account["state"], "awaiting_mfa", "{account}");
    std::fs::write(file(&stage, "code"), totp(&stage)).expect("written");
    stage.account_is("it is signed in again", |account| account["state"] == "active").await;
    assert_eq!((runs(&stage), logins(&stage)), (1, 2));
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_is_tried_once_and_a_person_goes_on() {
    let stage = stage(ana(SignInMood::MfaEmail), &right(), Some("echo x >> code-runs; echo 000000")).await;
    let mut daemon = Daemon::start(&stage.home).await;
    a_login_that_garmin_ends(&stage).await;
    let account = stage
        .account_is("a person is asked", |account| has_trouble(account, "mfa.required", "did not accept the code"))
        .await;
    assert_eq!((&account["state"], &account["mfa"]["attempts_left"]), (&"awaiting_mfa".into(), &2.into()));
    for _ in 0..2 {
        daemon = restarted(&stage, daemon).await;
    }
    assert_eq!(std::fs::read_to_string(file(&stage, "code-runs")).unwrap_or_default().lines().count(), 1);
    assert_eq!(stage.fake.mail(ANA).len(), 2, "one for the first login, one for this");
    assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
    assert_eq!(stage.home.account("default").await["state"], "active");
    assert_eq!(logins(&stage), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_for_codes_that_fails_leaves_the_login_waiting() {
    let stage = stage(ana(SignInMood::MfaEmail), &right(), Some("exit 1")).await;
    let _daemon = Daemon::start(&stage.home).await;
    a_login_that_garmin_ends(&stage).await;
    stage.account_is("a person is asked", |account| has_trouble(account, "mfa.required", "exit status: 1")).await;
    let status = stage.home.ctl(&["status"]).await;
    assert_eq!(status.code, 5, "{status:?}");
    assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
}

/// Killed while the program for the password runs: nothing was sent, and the day is used all the same. A daemon that is
/// restarted over and over must not ask a password store each time.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_is_no_second_try() {
    let stage = stage(ana(SignInMood::Ok), "echo x >> runs; exec sleep 600", None).await;
    let mut daemon = Daemon::start(&stage.home).await;
    a_login_that_garmin_ends(&stage).await;
    until("the program runs", || async { (runs(&stage) == 1).then_some(()) }).await;
    let account = stage.home.account("default").await;
    assert!(has_trouble(&account, "login.unattended", "the program for the password runs"), "{account}");
    // Nobody waits for it: not even the same account.
    let begun = Instant::now();
    assert_eq!(stage.home.ctl(&["sync"]).await.code, 4);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for _ in 0..3 {
        daemon = restarted(&stage, daemon).await;
    }
    let account = stage.home.account("default").await;
    assert!(has_trouble(&account, "login.unattended", "the daemon ended while it was under way"), "{account}");
    assert_eq!((runs(&stage), logins(&stage)), (1, 1));
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0, "a person is welcome at any time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_program_is_told_and_nothing_is_sent() {
    let stage = stage(ana(SignInMood::Ok), "echo hunter2; echo 'is it hunter2?' >&2; exit 2", None).await;
    let _daemon = Daemon::start(&stage.home).await;
    a_login_that_garmin_ends(&stage).await;
    let account = stage
        .account_is("it says so", |account| {
            has_trouble(account, "login.unattended", "exit status: 2; to see what it says")
        })
        .await;
    assert!(!account.to_string().contains("hunter2") && !stage.home.log().contains("hunter2"));
    assert_eq!(logins(&stage), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_cools_down_and_a_logout_stays_one() {
    let stage = stage(ana(SignInMood::Ok), &right(), None).await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    stage.idle().await;
    stage.fake.misbehave(Rule::does(Effect::CloudflareChallenge).host(Host::Sso));
    end_login(&stage).await;
    let account = stage.account_is("it cools down", |account| account["state"] == "cooling_down").await;
    assert!(has_trouble(&account, "login.unattended", "once a day"), "{account}");
    let asked = stage.fake.count(&Filter::host(Host::Sso));
    stage.fake.behave();
    let daemon = restarted(&stage, daemon).await;
    assert_eq!(stage.home.ctl(&["logout"]).await.code, 0);
    let _daemon = restarted(&stage, daemon).await;
    assert_eq!((runs(&stage), stage.fake.count(&Filter::host(Host::Sso))), (1, asked));
}
