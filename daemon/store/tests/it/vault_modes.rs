//! Permissions on Unix, under every umask. The umask belongs to the whole process, so each test runs itself again in a child.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use garminsync_store::{Error, Keys, Kind, Originals, Store, Vault};

use crate::steps;

const INNER: &str = "GARMINSYNC_TEST_UMASK";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs the test `name` again under each umask; `true` in the child.
fn under_each_umask(name: &str) -> Option<u32> {
    if let Ok(umask) = std::env::var(INNER) {
        return Some(u32::from_str_radix(&umask, 8).unwrap());
    }
    for umask in ["000", "022", "027", "077"] {
        let child = Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(INNER, umask)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains("1 passed"), "umask {umask}: {said}");
    }
    None
}

#[test]
fn the_vault_is_ours_alone_under_any_umask() {
    if under_each_umask("vault_modes::the_vault_is_ours_alone_under_any_umask").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("a/state");
    let mut opened = Vault::open(&state, &Keys::file(state.join("vault.key"))).unwrap();
    assert_eq!(opened.tightened, Vec::<std::path::PathBuf>::new());
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(&state.join("vault.key")), 0o600);
    assert_eq!(mode(&state.join("vault.db")), 0o600);
    opened.vault.put("default", Kind::Tokens, b"secret").unwrap();
    // The journal of a transaction that is under way, as another program would leave it.
    let connection = rusqlite::Connection::open(state.join("vault.db")).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM secret; PRAGMA cache_spill = 1").unwrap();
    connection.cache_flush().unwrap();
    assert_eq!(mode(&state.join("vault.db-journal")), 0o600);
}

#[test]
fn the_data_may_be_shared_with_a_group_as_far_as_the_umask_says() {
    let Some(umask) = under_each_umask("vault_modes::the_data_may_be_shared_with_a_group_as_far_as_the_umask_says")
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut store = Store::open(&data, &[steps()]).unwrap();
    store.begin_run("default", "manual", crate::noon()).unwrap();
    Originals::new(&data).unwrap().save_from("activities/2026/x.fit", &mut &b"x"[..]).unwrap();
    for directory in ["", "activities", "activities/2026"] {
        assert_eq!(mode(&data.join(directory)), 0o750 & !umask, "{directory}");
    }
    for file in ["garmin.db", "garmin.db-wal", "activities/2026/x.fit"] {
        assert_eq!(mode(&data.join(file)), 0o640 & !umask, "{file}");
    }
}

#[test]
fn a_data_directory_that_exists_keeps_its_mode() {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o775);
    drop(Store::open(dir.path(), &[]).unwrap());
    Originals::new(dir.path()).unwrap();
    assert_eq!(mode(dir.path()), 0o775);
}

#[test]
fn a_state_directory_of_ours_is_tightened_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::file(dir.path().join("vault.key"));
    drop(Vault::open(dir.path(), &keys).unwrap());
    fs::write(dir.path().join("lock"), "").unwrap();
    fs::write(dir.path().join("config.toml"), "").unwrap();
    fs::create_dir(dir.path().join("data")).unwrap();
    set_mode(dir.path(), 0o755);
    set_mode(&dir.path().join("vault.db"), 0o644);
    let opened = Vault::open(dir.path(), &keys).unwrap();
    assert_eq!(opened.tightened, [dir.path().to_path_buf(), dir.path().join("vault.db")]);
    assert_eq!((mode(dir.path()), mode(&dir.path().join("vault.db"))), (0o700, 0o600));
}

#[test]
fn a_directory_of_others_is_refused_not_tightened() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("www")).unwrap();
    set_mode(dir.path(), 0o755);
    let error = Vault::open(dir.path(), &Keys::file(dir.path().join("vault.key"))).unwrap_err();
    assert!(matches!(error, Error::Exposed { mode: 0o755, .. }));
    assert!(error.to_string().ends_with(&format!("or type: chmod 700 '{}'", dir.path().display())), "{error}");
    assert_eq!(mode(dir.path()), 0o755);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_key_file_that_others_can_read_is_refused_with_words_how_to_mend() {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o700);
    let key = dir.path().join("vault.key");
    drop(Vault::open(dir.path(), &Keys::file(&key)).unwrap());
    let before = fs::read(dir.path().join("vault.db")).unwrap();
    for wide in [0o640, 0o604, 0o644] {
        set_mode(&key, wide);
        let error = Vault::open(dir.path(), &Keys::file(&key)).unwrap_err();
        let words = format!(
            "can be read by others (mode {wide:04o}); the vault was not touched; type: chmod 600 '{}'",
            key.display()
        );
        assert!(error.to_string().ends_with(&words), "{error}");
    }
    assert_eq!(fs::read(dir.path().join("vault.db")).unwrap(), before);
    // A credential's mode is the service manager's business.
    assert!(
        Vault::open(dir.path(), &Keys { credential: Some(key.clone()), ..Keys::file(dir.path().join("none")) })
            .unwrap()
            .kept_aside
            .is_none()
    );
}

#[test]
fn links_and_pipes_are_refused_and_never_waited_for() {
    for name in ["vault.key", "vault.db"] {
        let dir = tempfile::tempdir().unwrap();
        set_mode(dir.path(), 0o700);
        let keys = Keys::file(dir.path().join("vault.key"));
        drop(Vault::open(dir.path(), &keys).unwrap());
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        fs::rename(dir.path().join(name), elsewhere.path()).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(name)).unwrap();
        let error = Vault::open(dir.path(), &keys).unwrap_err();
        assert!(matches!(&error, Error::NotAFile(path) if path.ends_with(name)), "{error}");

        fs::remove_file(dir.path().join(name)).unwrap();
        assert!(Command::new("mkfifo").args(["-m", "600"]).arg(dir.path().join(name)).status().unwrap().success());
        let (done, waits) = std::sync::mpsc::channel();
        std::thread::spawn({
            let dir = dir.path().to_owned();
            move || done.send(Vault::open(&dir, &keys).unwrap_err())
        });
        let error = waits.recv_timeout(std::time::Duration::from_secs(20)).expect("it does not wait for a writer");
        assert!(matches!(&error, Error::NotAFile(path) if path.ends_with(name)), "{error}");
    }
}

#[test]
fn what_another_user_has_put_there_is_refused() {
    use std::os::unix::fs::chown;
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o700);
    let keys = Keys::file(dir.path().join("vault.key"));
    drop(Vault::open(dir.path(), &keys).unwrap());
    if chown(dir.path(), Some(65534), None).is_err() {
        println!("SKIPPED: only root can give files away");
        return;
    }
    let refused = |path: &Path| match Vault::open(dir.path(), &keys) {
        Err(Error::Foreign { path: found, owner: 65534, .. }) => found == path,
        _ => false,
    };
    assert!(refused(dir.path()));
    chown(dir.path(), Some(0), None).unwrap();
    for name in ["vault.key", "vault.db"] {
        let path = dir.path().join(name);
        chown(&path, Some(65534), None).unwrap();
        assert!(refused(&path), "{name}");
        chown(&path, Some(0), None).unwrap();
    }
    assert!(Vault::open(dir.path(), &keys).unwrap().kept_aside.is_none());
}
