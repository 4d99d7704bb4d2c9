//! Signing in: from stdin and from a terminal, with and without a code, and what the waiting login survives.

use std::time::Duration;

use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::{Daemon, Terminal, until};
use garminsync_test_support::people::SignInMood;

use crate::stage::{ANA, PASSWORD, Stage, ana};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_code_from_stdin() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    let before = stage.home.ctl(&["status"]).await;
    assert_eq!(before.code, 4, "{before:?}");

    let login = stage.login(PASSWORD, &["--json"]).await;
    assert_eq!(login.code, 0, "{login:?}");
    assert_eq!(login.json()["state"], "active");
    let account = stage.home.account("default").await;
    assert_eq!(account["state"], "active");
    assert!(account["tiers"]["account"]["refresh_expires_at"].is_string(), "{account}");
    assert_eq!(stage.asked(Host::Sso, "POST", "/api/login"), 1);
    assert_eq!(stage.asked(Host::Connectapi, "GET", "socialProfile"), 1);
    assert!(daemon.terminate().await.success());
}

/// The whole story of a headless machine: a login that nobody waits for, a wrong code from another shell, two restarts, and the
/// right code from a third. Garmin sent one code.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_login_survives_everything() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let daemon = Daemon::start(&stage.home).await;

    let login = stage.login(PASSWORD, &["--no-wait"]).await;
    assert_eq!(login.code, 5, "{login:?}");
    assert!(login.stderr.contains("garminsyncctl mfa"), "{login:?}");
    let account = stage.home.account("default").await;
    assert_eq!(account["state"], "awaiting_mfa");
    assert_eq!(account["mfa"]["attempts_left"], 3);
    assert!(account["mfa"]["sent_to"].as_str().is_some_and(|to| to.contains('*')), "{account}");
    let challenge = account["mfa"]["challenge"].clone();

    let wrong = stage.home.ctl(&["--json", "mfa", &stage.wrong_code()]).await;
    assert_eq!(wrong.code, 8, "{wrong:?}");
    assert_eq!(wrong.json()["error"]["kind"], "mfa_code_rejected");
    assert_eq!(wrong.json()["error"]["attempts_left"], 2);

    assert!(daemon.terminate().await.success());
    let daemon = Daemon::start(&stage.home).await;
    let account = stage.home.account("default").await;
    assert_eq!(account["mfa"]["challenge"], challenge);
    assert_eq!(account["mfa"]["attempts_left"], 2, "attempts survive a restart");

    // A second login joins the first: no second code.
    let joined = stage.login(PASSWORD, &["--no-wait"]).await;
    assert_eq!(joined.code, 5, "{joined:?}");

    daemon.kill().await;
    let _daemon = Daemon::start(&stage.home).await;
    let right = stage.home.ctl_with(&["mfa"], &format!(" {}\n", stage.code())).await;
    assert_eq!(right.code, 0, "{right:?}");
    assert_eq!(stage.home.account("default").await["state"], "active");
    assert_eq!(stage.fake.mail(ANA).len(), 1, "the person got exactly one code");
    assert_eq!(stage.asked(Host::Sso, "POST", "/api/login"), 1);
    assert_eq!(stage.asked(Host::Sso, "POST", "/verifyCode"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn password_and_code_from_stdin() {
    let stage = Stage::set(ana(SignInMood::MfaSms), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    // The code is not known before the login has begun: a program that brings both keeps the pipe open.
    let mut command = stage.home.command(stage.home.ctl_program());
    command.args(["login", "--email", ANA, "--password-stdin", "--code-stdin"]).stdin(std::process::Stdio::piped());
    let mut child = command.spawn().expect("ctl starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    tokio::io::AsyncWriteExt::write_all(&mut stdin, format!("{PASSWORD}\n").as_bytes()).await.expect("written");
    stage.account_is("the code is awaited", |account| account["state"] == "awaiting_mfa").await;
    tokio::io::AsyncWriteExt::write_all(&mut stdin, format!("{}\n", stage.code()).as_bytes()).await.expect("written");
    drop(stdin);
    assert_eq!(child.wait().await.expect("ends").code(), Some(0));
    assert_eq!(stage.home.account("default").await["state"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_wrong_codes_end_the_login() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    for left in [2, 1, 0] {
        // The same wrong code again: it counts, and Garmin is not asked again.
        let wrong = stage.home.ctl(&["--json", "mfa", &stage.wrong_code()]).await;
        assert_eq!((wrong.code, wrong.json()["error"]["attempts_left"].as_u64()), (8, Some(left)), "{wrong:?}");
    }
    assert_eq!(stage.asked(Host::Sso, "POST", "/verifyCode"), 1);
    let late = stage.home.ctl(&["--json", "mfa", &stage.code()]).await;
    assert_eq!(late.json()["error"]["kind"], "no_pending_login", "{late:?}");
    assert_eq!(stage.home.account("default").await["state"], "signed_out");
}

/// Killed while the password is with Garmin: the next start says so and sends nothing; a new login starts afresh.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_cut_off_by_a_kill_is_told_and_not_repeated() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    stage
        .fake
        .misbehave(Rule::does(Effect::hang(Duration::from_secs(100))).host(Host::Sso).path("/api/login").times(1));
    let daemon = Daemon::start(&stage.home).await;
    let (_, ()) = tokio::join!(stage.login(PASSWORD, &[]), async {
        until("the password is with Garmin", || async {
            (stage.asked(Host::Sso, "POST", "/api/login") == 1).then_some(())
        })
        .await;
        daemon.kill().await;
    });
    for _ in 0..2 {
        let daemon = Daemon::start(&stage.home).await;
        let account = stage.home.account("default").await;
        assert_eq!(account["state"], "signed_out");
        let why = account["reason"].as_str().unwrap_or_default();
        assert!(why.contains("was stopped while") && why.contains("log in again"), "{account}");
        let late = stage.home.ctl(&["--json", "mfa", "123456"]).await;
        assert!(late.stdout.contains("it is worthless"), "{late:?}");
        daemon.kill().await;
    }
    assert_eq!(stage.asked(Host::Sso, "POST", "/api/login"), 1, "nothing is sent by itself");
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
    assert!(stage.home.account("default").await["reason"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_given_up_takes_no_code() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    assert_eq!(stage.home.ctl(&["mfa", "--cancel"]).await.code, 0);
    let late = stage.home.ctl(&["mfa", &stage.code()]).await;
    assert_eq!(late.code, 1, "{late:?}");
    // A new login is a new code.
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
    assert_eq!(stage.fake.mail(ANA).len(), 2);
}

/// At a terminal: nothing that is typed is shown, a wrong code is asked for again, and the echo comes back.
#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let (wrong, code) = {
        let mut terminal = Terminal::ctl(&stage.home, &["login"]).expect("a terminal");
        terminal.sees("e-mail");
        terminal.types(&format!("{ANA}\n"), false);
        terminal.sees("password");
        terminal.types(&format!("{PASSWORD}\n"), true);
        terminal.sees("Code");
        let (wrong, code) = (stage.wrong_code(), stage.code());
        terminal.types(&format!("{wrong}\n"), true);
        terminal.sees("2 attempts");
        terminal.types(&format!("{code}\n"), true);
        assert_eq!(terminal.ends(), 0, "{}", terminal.screen());
        let screen = terminal.screen();
        for secret in [PASSWORD, &wrong, &code] {
            assert!(!screen.contains(secret), "{screen}");
        }
        assert!(terminal.echoes(), "the echo is back");
        (wrong, code)
    };
    assert_ne!(wrong, code);
    assert_eq!(stage.home.account("default").await["state"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_the_code_leaves_the_login_waiting() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let mut terminal = Terminal::ctl(&stage.home, &["login", "--email", ANA]).expect("a terminal");
    terminal.sees("password");
    terminal.types(&format!("{PASSWORD}\n"), true);
    terminal.sees("Code");
    terminal.types("\u{3}", true);
    assert_eq!(terminal.ends(), 5, "{}", terminal.screen());
    assert!(terminal.screen().contains("garminsyncctl mfa"), "{}", terminal.screen());
    assert!(terminal.echoes(), "the echo is back");
    assert_eq!(stage.home.account("default").await["state"], "awaiting_mfa");
    assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_forgets_the_login_and_keeps_the_data() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_eq!(stage.home.ctl(&["logout"]).await.code, 0);
    assert_eq!(stage.home.account("default").await["state"], "signed_out");
    assert_eq!(stage.home.ctl(&["sync"]).await.code, 4);
    let rows: i64 = stage
        .home
        .database()
        .and_then(|db| db.query_row("SELECT count(*) FROM daily_summary", [], |row| row.get(0)))
        .expect("rows");
    assert!(rows > 0, "the data stay");
    assert_eq!(stage.home.ctl(&["--account", "nobody", "logout"]).await.code, 1);
}

/// The Personal API key: Garmin's own door, without password or code.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_personal_key() {
    let person = ana(SignInMood::Ok);
    let key = person.api_key.clone();
    let stage = Stage::set(person, "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let wrong = stage.home.ctl_with(&["login", "--api-key-stdin"], "not-a-key\n").await;
    assert_eq!(wrong.code, 8, "{wrong:?}");
    let login = stage.home.ctl_with(&["login", "--api-key-stdin"], &format!("{key}\n")).await;
    assert_eq!(login.code, 0, "{login:?}");
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], &account["tiers"]["personal"]["state"]), (&"active".into(), &"active".into()));
    let sync = stage.home.ctl(&["sync", "--wait"]).await;
    assert_eq!(sync.code, 0, "{sync:?}");
    assert_eq!(stage.asked(Host::Connectapi, "GET", ""), 0, "the key's own tier serves all of it");
    assert_eq!(stage.asked(Host::Sso, "GET", ""), 0);
}

/// A logout that the disk refuses is no logout: it is said, and the account stands as before.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_is_on_disk_or_it_is_none() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    let vault = rusqlite::Connection::open(stage.home.state_dir().join("vault.db")).expect("the vault");
    vault.execute_batch("BEGIN EXCLUSIVE").expect("somebody else holds the vault");
    let logout = stage.home.ctl(&["--json", "logout"]).await;
    assert_eq!((logout.code, logout.json()["error"]["kind"].as_str()), (1, Some("storage")), "{logout:?}");
    assert_eq!(stage.home.account("default").await["state"], "active");
    vault.execute_batch("COMMIT").expect("released");
    assert_eq!(stage.home.ctl(&["logout"]).await.code, 0);
    let left: i64 = vault.query_row("SELECT count(*) FROM secret", [], |row| row.get(0)).expect("the vault's table");
    assert_eq!(left, 0, "no secret stays");
}

/// A stop in the middle of a sign-in waits for Garmin's answer: the code that it sends must find its login.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_signing_in_loses_no_code() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let slow = Effect::late(Duration::from_secs(2));
    stage.fake.misbehave(Rule::does(slow).host(Host::Sso).method("POST").path("/api/login"));
    let daemon = Daemon::start(&stage.home).await;
    let login = stage.login(PASSWORD, &["--no-wait"]);
    let stop = async {
        stage.account_is("the sign-in is under way", |account| account["state"] == "signing_in").await;
        assert!(daemon.terminate().await.success());
    };
    tokio::join!(login, stop);
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.account("default").await["state"], "awaiting_mfa");
    assert_eq!(stage.home.ctl(&["mfa", &stage.code()]).await.code, 0);
    assert_eq!(stage.fake.mail(ANA).len(), 1);
}

/// Garmin lets no program sign a child in: what is told at the login is told by every later page, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_childs_account_is_led_to_the_key_by_every_page() {
    let stage = Stage::set(ana(SignInMood::Child), "").await;
    let mut daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 6);
    for restarted in [false, true] {
        if restarted {
            daemon.kill().await;
            daemon = Daemon::start(&stage.home).await;
        }
        for page in ["status", "doctor"] {
            let said = stage.home.ctl(&[page]).await;
            assert!(said.stdout.contains("then: garminsyncctl login --api-key-stdin"), "{said:?}");
            assert!(!said.stdout.contains("garminsyncctl login, or"), "{said:?}");
        }
        let account = stage.home.account("default").await;
        assert!(account["reason"].as_str().is_some_and(|why| why.contains("child's")), "{restarted} {account}");
    }
    drop(daemon);
}

/// The same where a login was there before, made another way, and Garmin has ended it.
#[tokio::test(flavor = "multi_thread")]
async fn a_childs_login_that_ended_leads_to_the_key_too() {
    let (stage, _daemon) = Stage::mirrored().await;
    stage.fake.revoke(ANA);
    stage.fake.expire_access(ANA);
    stage.needs_login().await;
    stage.fake.change(ANA, |ana| ana.mood = SignInMood::Child);
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 6);
    let status = stage.home.ctl(&["status"]).await;
    assert!(status.code == 4 && status.stdout.contains("then: garminsyncctl login --api-key-stdin"), "{status:?}");
    assert!(!status.stdout.contains("garminsyncctl login, or"), "{status:?}");
}
