//! A disk that is full in the middle of a sync: nothing is lost, nothing is believed that was not stored, and the next sync goes on there.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use garminsync_test_support::fake::{Effect, FakeGarmin, Host, Options, Rule};
use garminsync_test_support::harness::{Binaries, Daemon, Home};
use garminsync_test_support::people::{Person, SignInMood};

use crate::stage::{ANA, PASSWORD, QUIET, Stage, binaries, today};

/// A program that runs the daemon, whose files may become so many bytes long: a write beyond fails, as on a full disk.
fn daemon_with(script: &Path, longest_file: Option<u64>) {
    let limit = longest_file.map_or_else(String::new, |bytes| format!("trap '' XFSZ\nulimit -f {}\n", bytes / 512));
    let text = format!("#!/bin/sh\n{limit}exec '{}' \"$@\"\n", binaries().daemon.display());
    // A new file each time: one that runs cannot be written.
    let new = script.with_extension("new");
    std::fs::write(&new, text).expect("a script");
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    std::fs::rename(&new, script).expect("a script");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_in_the_middle_of_a_sync_loses_nothing() {
    let fake = FakeGarmin::start(Options::default()).await.expect("the fake starts");
    fake.add(Person::named(ANA).password(PASSWORD).mood(SignInMood::Ok).lived(today(), 300, 60));
    let first = today() - chrono::Days::new(299);
    let (dir, endpoints) = (tempfile::tempdir().expect("a directory"), fake.endpoints_toml());
    let script = dir.path().join("garminsyncd");
    daemon_with(&script, None);
    let programs = Binaries { daemon: script.clone(), ..binaries() };
    let config = format!("{QUIET}\nstart = \"{first}\"\n");
    let home = Home::new(&programs, &format!("{endpoints}\nsign_in_pause_s = 0\n"), &config).expect("a home");
    let stage = Stage { fake, home };
    // Signed in, and nothing mirrored yet.
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Connectapi).path("/usersummary-service/"));
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Connectapi).path("/activitylist-service/"));
    stage.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Connectapi).path("/hrv-service/"));
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    stage.home.ctl(&["sync", "--wait"]).await;
    assert!(daemon.terminate().await.success());
    stage.fake.behave();
    stage.fake.forget_requests();

    let database = stage.home.data_dir().join("garmin.db");
    let held = || -> i64 {
        let database = stage.home.database().expect("garmin.db");
        let whole: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
        assert_eq!(whole, "ok");
        database.query_row("SELECT count(*) FROM answer", [], |row| row.get(0)).expect("a count")
    };
    daemon_with(&script, Some(std::fs::metadata(&database).expect("garmin.db").len() + (300 << 10)));
    let daemon = Daemon::start(&stage.home).await;
    let full = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!((full.code, &full.json()["error"]["kind"]), (1, &"storage".into()), "{full:?}");
    assert!(daemon.terminate().await.success(), "it lives on: {}", stage.home.log());
    let stored = held();
    assert!(stored > 30, "{stored}: it was in the middle");

    daemon_with(&script, None);
    let _daemon = Daemon::start(&stage.home).await;
    let whole = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!(whole.code, 0, "{whole:?}");
    assert!(held() > stored);
    assert_eq!(stage.home.ctl(&["gaps"]).await.stderr.trim(), "Nothing is missing.");
    // Only the answers that found no room are asked for again; and what is young, as ever.
    let mut asked = BTreeMap::<String, usize>::new();
    for seen in stage.fake.requests().into_iter().filter(|seen| seen.path.starts_with("/download-service/")) {
        *asked.entry(seen.path).or_default() += 1;
    }
    asked.retain(|_, times| *times > 1);
    let again: usize = asked.values().map(|times| times - 1).sum();
    assert!(again <= 2, "{again} files came again: {asked:?}");
}
