//! The vault's key, end to end: where it is, how it moves, and what happens when it cannot be had. No login is lost by any of it.

use std::path::Path;

use garminsync_test_support::harness::{Daemon, Home, run, until};
use garminsync_test_support::people::SignInMood;

use crate::stage::{PASSWORD, Stage, ana};

/// What `--print-config` says of the key.
async fn told(home: &Home) -> String {
    let mut daemon = home.command(home.daemon_program());
    daemon.arg("--print-config");
    let ran = run(daemon, "").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let line = ran.stdout.lines().find(|line| line.starts_with("# vault's key")).expect("a line about it");
    line.trim_start_matches("# vault's key").trim().to_owned()
}

/// The names in a directory that begin so.
fn names(dir: &Path, beginning: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a directory").filter_map(Result::ok);
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with(beginning));
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_moves_to_a_credential_and_back_and_the_login_with_it() {
    let mut stage = Stage::set(ana(SignInMood::Ok), "").await;
    let file = stage.home.state_dir().join("vault.key");
    assert_eq!(told(&stage.home).await, format!("file {} (no vault yet; no credential, no keyring)", file.display()));
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "so that the next start has no run to go on with");
    stage.login_has_synced().await;
    assert!(daemon.terminate().await.success());
    assert_eq!(told(&stage.home).await, format!("file {} (the vault is sealed with it)", file.display()));
    let asked = stage.fake.requests().len();

    // A credential alone changes nothing: the vault stays with the key it was sealed with.
    let credentials = stage.home.path().join("credentials");
    std::fs::create_dir(&credentials).expect("a directory");
    std::fs::write(credentials.join("vault-key"), [7; 32]).expect("a credential");
    stage.home = stage.home.with_env("CREDENTIALS_DIRECTORY", &credentials);
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.account("default").await["state"], "active");
    assert!(daemon.terminate().await.success());

    let before = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    let credential = format!("credential {}", credentials.join("vault-key").display());
    for (wish, now, then) in [
        ("credential", format!("file {}", file.display()), credential.clone()),
        ("file", credential, format!("file {}", file.display())),
    ] {
        std::fs::write(stage.home.config_file(), format!("{before}\n[vault]\nkey = \"{wish}\"\n")).expect("written");
        assert_eq!(
            told(&stage.home).await,
            format!("{now} (the vault is sealed with it); the next start moves it to: {then}")
        );
        let daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.home.account("default").await["state"], "active");
        daemon.kill().await;
        assert_eq!(told(&stage.home).await, format!("{then} (the vault is sealed with it)"));
    }
    assert_eq!(stage.fake.requests().len(), asked, "Garmin was not asked for any of it");
    assert_eq!(names(&stage.home.state_dir(), "vault.db"), ["vault.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_lost_its_credential_loses_no_login() {
    let mut stage = Stage::set(ana(SignInMood::Ok), "").await;
    let credentials = stage.home.path().join("credentials");
    std::fs::create_dir(&credentials).expect("a directory");
    std::fs::write(credentials.join("vault-key"), [7; 32]).expect("a credential");
    stage.home = stage.home.with_env("CREDENTIALS_DIRECTORY", &credentials);
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert!(daemon.terminate().await.success());
    assert_eq!(names(&stage.home.state_dir(), "vault"), ["vault.db"], "no key file is made beside a credential");

    std::fs::remove_file(credentials.join("vault-key")).expect("removed");
    let before = std::fs::read(stage.home.state_dir().join("vault.db")).expect("the vault");
    assert_eq!(Daemon::spawn(&stage.home, &[]).ended().await.code(), Some(1), "{}", stage.home.log());
    assert!(stage.home.log().contains("LoadCredential=vault-key"), "{}", stage.home.log());
    assert_eq!(std::fs::read(stage.home.state_dir().join("vault.db")).expect("the vault"), before);
    assert_eq!(names(&stage.home.state_dir(), "vault"), ["vault.db"]);

    std::fs::write(credentials.join("vault-key"), [7; 32]).expect("a credential");
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.account("default").await["state"], "active");
}

/// A vault whose key is in a keyring, on a machine where that cannot be asked: the daemon says so, waits, and goes on by itself.
/// A machine restarts before anybody looks: that the logins are in a file beside must still be told then.
#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_was_kept_aside_is_told_of_until_it_is_gone() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert!(daemon.terminate().await.success());
    let dir = stage.home.state_dir();
    std::fs::rename(dir.join("vault.key"), dir.join("moved")).expect("the key is moved away");
    for start in ["first", "second"] {
        let daemon = Daemon::start(&stage.home).await;
        let said = stage.home.ctl(&["status"]).await;
        let kept = names(&dir, "vault.db.unreadable-");
        assert_eq!(kept.len(), 1, "{start}: {kept:?}");
        assert!(said.stdout.contains(&kept[0]) && said.stdout.contains("put back"), "{start}: {said:?}");
        assert!(daemon.terminate().await.success());
    }
    for kept in names(&dir, "vault.db.unreadable-") {
        std::fs::remove_file(dir.join(kept)).expect("removed");
    }
    let _daemon = Daemon::start(&stage.home).await;
    assert!(!stage.home.ctl(&["status"]).await.stdout.contains("unreadable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_cannot_be_asked_is_waited_for() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "so that the next start has no run to go on with");
    stage.login_has_synced().await;
    assert!(daemon.terminate().await.success());
    // Kept elsewhere, because the key file would open the vault: a key that is at hand is used wherever it is.
    let file = stage.home.state_dir().join("vault.key");
    let aside = stage.home.path().join("carried-away");
    std::fs::rename(&file, &aside).expect("renamed");
    stage.vault().execute_batch("UPDATE key_source SET source = 'keyring', entry = 'vault-key 00'").expect("a label");
    let before = std::fs::read(stage.home.state_dir().join("vault.db")).expect("the vault");

    let daemon = Daemon::start(&stage.home).await;
    let status = stage.home.ctl(&["status", "--json"]).await;
    assert_eq!(status.code, 1, "{status:?}");
    assert_eq!(status.json()["troubles"][0]["kind"], "vault.locked", "{status:?}");
    let page = stage.home.ctl(&["status"]).await;
    assert!(page.stdout.contains("No login is lost") && !page.stdout.contains("No account yet"), "{page:?}");
    let login = stage.login(PASSWORD, &["--json"]).await;
    assert_eq!((login.code, login.json()["error"]["kind"].as_str()), (1, Some("storage")), "{login:?}");
    assert_eq!(stage.home.ctl(&["version"]).await.code, 0);
    let doctor = stage.home.ctl(&["doctor", "--json"]).await;
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(doctor.stdout.contains("The vault waits for its key"), "{doctor:?}");
    stage.fake.forget_requests(); // the doctor's own
    assert!(daemon.terminate().await.success(), "it stops when it is asked to");

    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(std::fs::read(stage.home.state_dir().join("vault.db")).expect("the vault"), before);
    assert_eq!(names(&stage.home.state_dir(), "vault"), ["vault.db"], "no other key, no other vault");
    std::fs::rename(&aside, &file).expect("renamed");
    until("the vault is open", || async {
        let ran = stage.home.ctl(&["status", "--json"]).await;
        (ran.code == 0 && ran.json()["accounts"][0]["state"] == "active").then_some(())
    })
    .await;
    assert_eq!(stage.home.status().await["troubles"], serde_json::json!([]));
    assert_eq!(stage.fake.requests().len(), 0, "Garmin was not asked for any of it");
    assert!(daemon.terminate().await.success());
}

/// A row that was copied to another account does not open there; that is said, and costs nobody else anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_copied_to_another_account_opens_no_door() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "so that the next start has no run to go on with");
    stage.login_has_synced().await;
    assert!(daemon.terminate().await.success());
    let asked = stage.fake.requests().len();
    let sql = "INSERT INTO secret SELECT 'mallory', kind, nonce, sealed, updated_utc FROM secret";
    stage.vault().execute_batch(sql).expect("copied");

    let daemon = Daemon::start(&stage.home).await;
    let status = stage.home.ctl(&["status", "--json"]).await;
    assert_eq!(status.code, 4, "{status:?}");
    let account = stage.home.account("mallory").await;
    assert_eq!(account["state"], "login_needed", "{account}");
    assert!(account["troubles"].to_string().contains("cannot be opened"), "{account}");
    assert!(account["display_name"].is_null() && account["tiers"]["account"].is_null(), "{account}");
    assert_eq!(stage.home.account("default").await["state"], "active");
    assert_eq!(stage.home.ctl(&["--account", "mallory", "sync"]).await.code, 4);
    assert_eq!(stage.fake.requests().len(), asked, "nothing was asked in that name");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "the other account goes on");
    assert!(daemon.terminate().await.success());
    let rows = "SELECT count(*) FROM secret WHERE account = 'mallory'";
    let kept: i64 = stage.vault().query_row(rows, [], |row| row.get(0)).expect("rows");
    assert!(kept >= 2, "what does not open is kept");
}
