//! The Personal API key over its life: brought, found in a file, exchanged as seldom as it can be, refused, replaced, ended.

mod beside_a_login;

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::{Daemon, Ran, Terminal};
use garminsync_test_support::people::{KeyState, SignInMood};
use serde_json::Value;

use crate::stage::{ANA, Stage, ana, today};

fn exchanges(stage: &Stage) -> usize {
    stage.asked(Host::Personal, "POST", "token")
}

fn key() -> String {
    ana(SignInMood::Ok).api_key
}

async fn bring(stage: &Stage, more: &[&str]) -> Ran {
    let words = [&["--json", "login", "--api-key-stdin"], more].concat();
    stage.home.ctl_with(&words, &format!("{}\n", key())).await
}

fn trouble<'a>(account: &'a Value, kind: &str) -> Option<&'a Value> {
    account["troubles"].as_array()?.iter().find(|trouble| trouble["kind"] == kind)
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("the directory");
    std::fs::write(path, text).expect("the file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_that_a_person_says_is_kept_and_told() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(bring(&stage, &["--expires", "90"]).await.code, 0);
    let account = stage.home.account("default").await;
    let day = today() + TimeDelta::days(90);
    assert_eq!(account["tiers"]["personal"]["key_expires_at"], format!("{day}T23:59:59Z"), "{account}");
    assert!(trouble(&account, "key.expiring").is_none(), "{account}");
    assert!(daemon.terminate().await.success());

    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.account("default").await["tiers"]["personal"]["key_expires_at"], format!("{day}T23:59:59Z"));
    // The same key once more, and nothing said of its end: it is still known.
    assert_eq!(bring(&stage, &[]).await.code, 0);
    assert_eq!(stage.home.account("default").await["tiers"]["personal"]["key_expires_at"], format!("{day}T23:59:59Z"));
    for (days, words) in [("10", "make a new one before"), ("2", "Make a new one now")] {
        assert_eq!(bring(&stage, &["--expires", days]).await.code, 0);
        let account = stage.home.account("default").await;
        let told = trouble(&account, "key.expiring").expect("it is told");
        assert!(told["text"].as_str().is_some_and(|text| text.contains(words)), "{told}");
        assert!(
            told["hint"].as_str().is_some_and(|hint| hint.contains("personalApiToken, then: garminsyncctl")),
            "{told}"
        );
    }
    let status = stage.home.ctl(&["status"]).await;
    assert!(status.stdout.contains("API key") && status.stdout.contains("ends in"), "{status:?}");
    drop(daemon);
}

/// A token that lives less than its day shows when its key ends, whatever was said.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_learned_from_the_token() {
    let mut person = ana(SignInMood::Ok);
    let end = Utc::now() + TimeDelta::hours(7);
    person.key_expires = Some(end);
    let stage = Stage::set(person, "").await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(bring(&stage, &["--expires", "300"]).await.code, 0);
    let account = stage.home.account("default").await;
    let told = account["tiers"]["personal"]["key_expires_at"].as_str().expect("an end").to_owned();
    let told: chrono::DateTime<Utc> = told.parse().expect("a moment");
    assert!((told - end).abs() < TimeDelta::seconds(2), "{told} {end}");
    assert!(trouble(&account, "key.expiring").is_some(), "{account}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_the_key_is_not_shown_and_its_end_is_asked_for() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    let mut terminal = Terminal::ctl(&stage.home, &["login", "--api-key-stdin"]).expect("a terminal");
    terminal.sees("Personal API key");
    terminal.types(&format!("{}\n", key()), true);
    terminal.sees("When does it end?");
    terminal.types("soon\n", false);
    terminal.sees("Not that");
    terminal.types("180\n", false);
    assert_eq!(terminal.ends(), 0, "{}", terminal.screen());
    assert!(!terminal.screen().contains(&key()), "{}", terminal.screen());
    let day = today() + TimeDelta::days(180);
    assert_eq!(stage.home.account("default").await["tiers"]["personal"]["key_expires_at"], format!("{day}T23:59:59Z"));
}

/// The configured file: read instead of a stored key, its loss told, a new key in it taken without a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_configured_file_counts_and_is_read_again() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("keys/garmin");
    let stage = Stage::set(ana(SignInMood::Ok), &format!("[accounts.default]\napi_key_file = {:?}\n", file)).await;
    let daemon = Daemon::start(&stage.home).await;
    let account = stage.home.account("default").await;
    assert_eq!(account["state"], "login_needed", "{account}");
    let told = trouble(&account, "key.file").expect("its loss is told");
    let path = file.display().to_string();
    assert!(told["text"].as_str().is_some_and(|text| text.contains(&path)), "{told}");
    assert!(
        told["hint"].as_str().is_some_and(|hint| hint.contains(&path) && hint.contains("personalApiToken")),
        "{told}"
    );

    let refused = bring(&stage, &[]).await;
    assert_eq!(refused.json()["error"]["kind"], "invalid_argument", "{refused:?}");
    assert!(refused.stdout.contains(&path), "{refused:?}");
    assert_eq!(exchanges(&stage), 0, "nothing was sent");

    // There it is, and the daemon needs no word about it but the question for a sync.
    write(&file, &format!("  {}\n\n", key()));
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], trouble(&account, "key.file")), (&"active".into(), None), "{account}");
    assert_eq!(exchanges(&stage), 1);
    assert_eq!(trouble(&account, "key.exposed"), None, "{account}");
    let vault = std::fs::read(stage.home.state_dir().join("vault.db")).expect("the vault");
    let key = key();
    assert!(!vault.windows(key.len()).any(|part| part == key.as_bytes()), "the key stays in its file");

    // Replaced at Garmin: the old one is refused, and the new one in the file is tried in the same breath.
    let new = "newkey0123456789abcdef0123456789".to_owned();
    stage.fake.change(ANA, |person| person.api_key.clone_from(&new));
    stage.fake.expire_personal(ANA);
    write(&file, &new);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("its mode");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    let account = stage.home.account("default").await;
    let told = trouble(&account, "key.exposed").expect("others may read it, which is told");
    assert!(told["hint"].as_str().is_some_and(|hint| hint.contains("chmod") && hint.contains(&path)), "{told}");
    assert_eq!(exchanges(&stage), 2, "the old key is not tried again");
    assert_eq!(stage.home.account("default").await["state"], "active");

    // An empty file is an error and no other key is taken; a bearer that lives is used up.
    write(&file, "\n");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert!(trouble(&stage.home.account("default").await, "key.file").is_some());
    stage.fake.expire_personal(ANA);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 4);
    drop(daemon);
}

/// The official client's file: for the default account, if it is there; a stored key goes first; others may not read it.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_official_clients_file_is_read_last() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let file = stage.home.path().join(".config/garmin/connect-personal-api-key");
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(bring(&stage, &[]).await.code, 0);
    write(&file, "some-other-key\n"); // a stored key goes before it
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    stage.idle().await;
    assert_eq!(exchanges(&stage), 1);
    assert_eq!(stage.home.ctl(&["logout"]).await.code, 0);
    write(&file, &key());
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("its mode");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    let account = stage.home.account("default").await;
    assert_eq!(account["state"], "active");
    let told = trouble(&account, "key.exposed").expect("it is told");
    assert!(told["hint"].as_str().is_some_and(|hint| hint.starts_with("chmod")), "{told}");
    let logout = stage.home.ctl(&["logout"]).await;
    assert!(logout.code == 0 && logout.stderr.contains("goes on being used"), "{logout:?}");
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(stage.home.ctl(&["sync"]).await.code, 4);
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], &account["tiers"]["personal"]), (&"signed_out".into(), &Value::Null), "{account}");
    drop(daemon);
}

/// Restarts ask nothing: not with a key that works, not with one that was refused, not with one in a file.
#[tokio::test(flavor = "multi_thread")]
async fn restarts_exchange_nothing() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let mut daemon = Daemon::start(&stage.home).await;
    assert_eq!(bring(&stage, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    stage.idle().await;
    for round in 0..6 {
        daemon.kill().await;
        daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "{round}");
    }
    assert_eq!(exchanges(&stage), 1, "the bearer outlives the process");

    stage.fake.change(ANA, |person| person.key_state = KeyState::Deleted);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 4);
    let refused = exchanges(&stage);
    assert_eq!(refused, 2, "once more, and Garmin said no");
    for _ in 0..6 {
        daemon.kill().await;
        daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.home.ctl(&["sync"]).await.code, 4);
        assert_eq!(stage.home.account("default").await["state"], "login_needed");
    }
    assert_eq!(exchanges(&stage), refused);
    assert_eq!(stage.asked(Host::Sso, "POST", ""), 0);
    drop(daemon);
}

/// 429 at the key's exchange: nothing is sent before the pause is over, also after restarts.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_outlives_the_process() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let mut daemon = Daemon::start(&stage.home).await;
    assert_eq!(bring(&stage, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    stage.idle().await;
    stage.fake.expire_personal(ANA);
    stage.fake.misbehave(Rule::does(Effect::throttled(3600)).host(Host::Personal).path("token"));
    let before = exchanges(&stage);
    // On a slow machine the login's own sync may come only now, with nothing left to ask; this one joins it.
    stage.home.ctl(&["sync", "--wait"]).await;
    for _ in 0..4 {
        let sync = stage.home.ctl(&["--json", "sync", "--wait"]).await;
        assert_ne!(sync.code, 0, "{sync:?}");
        daemon.kill().await;
        daemon = Daemon::start(&stage.home).await;
    }
    assert_eq!(exchanges(&stage) - before, 1);
    assert_eq!(stage.home.account("default").await["state"], "active", "the key is not to blame");
    // A person with a key in the hand is heard all the same.
    stage.fake.behave();
    assert_eq!(bring(&stage, &[]).await.code, 0);
    assert!(tokio::time::timeout(Duration::from_secs(60), daemon.terminate()).await.expect("ends").success());
}

/// Nobody syncs, and nobody looks: a key that is dead is noticed all the same, and told.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_key_is_noticed_although_nobody_syncs() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("key");
    write(&file, &key());
    let mut person = ana(SignInMood::Ok);
    person.key_state = KeyState::Deleted;
    let more = format!("[tokens]\nrefresh = \"* * * * *\"\n[accounts.default]\napi_key_file = {file:?}\n");
    let stage = Stage::set(person, &more).await;
    let _daemon = Daemon::start(&stage.home).await;
    // The look that comes with the start asks nothing; a later one does, within the minute.
    let begun = Instant::now();
    while exchanges(&stage) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(120), "nobody looked at the key");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let account = stage.account_is("it is told", |account| trouble(account, "login.needed").is_some()).await;
    let told = trouble(&account, "login.needed").expect("it is told");
    assert!(
        told["text"].as_str().is_some_and(|text| text.contains("no longer accepts the Personal API key")),
        "{told}"
    );
    assert!(told["hint"].as_str().is_some_and(|hint| hint.contains("personalApiToken")), "{told}");
    assert_eq!(stage.home.ctl(&["status"]).await.code, 4);
    assert_eq!(stage.asked(Host::Connectapi, "", "") + stage.asked(Host::Sso, "", ""), 0, "nothing else was asked for");
}

/// The end of a key in a file is known by the configuration, and told two weeks before.
#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_says_when_a_key_file_ends() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("key");
    write(&file, &key());
    let day = today() + TimeDelta::days(10);
    let more = format!("[accounts.default]\napi_key_file = {file:?}\napi_key_expires = \"{day}\"\n");
    let stage = Stage::set(ana(SignInMood::Ok), &more).await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    let account = stage.home.account("default").await;
    assert_eq!(account["tiers"]["personal"]["key_expires_at"], format!("{day}T23:59:59Z"), "{account}");
    let told = trouble(&account, "key.expiring").expect("it is told");
    assert!(told["hint"].as_str().is_some_and(|hint| hint.contains(&file.display().to_string())), "{told}");

    // The next key's day is written before the key itself, which may be done as well after it.
    assert!(daemon.terminate().await.success());
    let next = today() + TimeDelta::days(300);
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    std::fs::write(stage.home.config_file(), config.replace(&day.to_string(), &next.to_string())).expect("written");
    let _daemon = Daemon::start(&stage.home).await;
    let new = "newkey0123456789abcdef0123456789".to_owned();
    stage.fake.change(ANA, |person| person.api_key.clone_from(&new));
    write(&file, &new);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    let account = stage.home.account("default").await;
    assert_eq!(account["tiers"]["personal"]["key_expires_at"], format!("{next}T23:59:59Z"), "{account}");
}
