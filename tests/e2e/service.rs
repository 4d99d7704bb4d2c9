//! A good system service: one at a time, private, quick to answer, quick to stop.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::{Daemon, Home};
use garminsync_test_support::people::SignInMood;

use crate::stage::{PASSWORD, Stage, ana, binaries};

fn home() -> Home {
    Home::new(&binaries(), "", "").expect("a home")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_daemon_leaves_the_first_alone() {
    let home = home();
    let first = Daemon::start(&home).await;
    let mut second = Daemon::spawn(&home, &[]);
    assert_eq!(second.ended().await.code(), Some(75), "{}", home.log());
    assert_eq!(home.ctl(&["version"]).await.code, 0);
    let status = home.status().await;
    assert_eq!(status["daemon"]["pid"], first.pid());
    assert!(first.terminate().await.success());
    assert!(!home.socket().exists(), "the socket goes with its daemon");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_socket_is_taken_over() {
    let home = home();
    Daemon::start(&home).await.kill().await;
    assert!(home.socket().exists(), "a killed daemon leaves its socket");
    let daemon = Daemon::start(&home).await;
    assert_eq!(home.ctl(&["status"]).await.code, 4);
    assert!(daemon.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_read_or_call() {
    let home = home();
    let _daemon = Daemon::start(&home).await;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).map(|meta| meta.permissions().mode() & 0o777).expect("a file");
    assert_eq!(mode(&home.state_dir()), 0o700);
    for entry in std::fs::read_dir(home.state_dir()).expect("the state directory").filter_map(Result::ok) {
        assert_eq!(mode(&entry.path()) & 0o077, 0, "{}", entry.path().display());
    }
    let is_root = std::process::Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root {
        eprintln!("NOT SHOWN: that another user is refused (it takes root to become another user)");
        return;
    }
    // Let another user reach the socket's file, so that only the daemon's own check is left.
    for path in [home.path().to_owned(), home.path().join(".local"), home.path().join(".local/state"), home.state_dir()]
    {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    std::fs::set_permissions(home.socket(), std::fs::Permissions::from_mode(0o666)).expect("a mode");
    // The program itself must be where that user can run it.
    let program = home.path().join("ctl");
    std::fs::copy(home.ctl_program(), &program).expect("a copy");
    let mut command = home.command("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program)
        .arg("--socket")
        .arg(home.socket())
        .arg("status");
    let refused = garminsync_test_support::harness::run(command, "").await;
    assert_eq!(refused.code, 7, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_people_are_told_how_to_start_one() {
    let home = home();
    let ran = home.ctl(&["status"]).await;
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("garminsyncd"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_named_by_file_line_and_key() {
    let home = Home::new(&binaries(), "[sync]", "shedule = \"* * * * *\"").expect("a home");
    let mut daemon = home.command(home.daemon_program());
    daemon.arg("--check-config");
    let ran = garminsync_test_support::harness::run(daemon, "").await;
    assert_eq!(ran.code, 78, "{ran:?}");
    for word in ["config.toml", ":2", "shedule"] {
        assert!(ran.stderr.contains(word), "{ran:?}");
    }
    let unknown = Home::new(&binaries(), "[datasets]", "slep = false").expect("a home");
    let mut daemon = Daemon::spawn(&unknown, &[]);
    assert_eq!(daemon.ended().await.code(), Some(78), "{}", unknown.log());
    assert!(unknown.log().contains("slep"), "{}", unknown.log());
}

/// `status` answers while Garmin hangs in the middle of a sync, and a stop does not wait for Garmin.
#[tokio::test(flavor = "multi_thread")]
async fn status_never_waits_and_stop_is_quick() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(100))).host(Host::Connectapi).path("hrv"));
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    stage.account_is("the sync hangs", |account| account["sync"]["dataset"] == "hrv").await;
    let began = Instant::now();
    for _ in 0..10 {
        assert_eq!(stage.home.account("default").await["sync"]["state"], "running");
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let began = Instant::now();
    assert!(daemon.terminate().await.success());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

/// Periodic syncs happen without anybody asking, and their time is told.
#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_syncs() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    std::fs::write(stage.home.config_file(), config.replace("schedule = \"\"", "schedule = \"* * * * *\""))
        .expect("written");
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    stage.idle().await;
    stage.account_is("the next time is told", |account| account["sync"]["next_at"].is_string()).await;
    let deadline = Instant::now() + Duration::from_secs(100);
    let scheduled = || {
        let database = stage.home.database().expect("garmin.db");
        database
            .query_row("SELECT count(*) FROM sync_run WHERE trigger = 'schedule'", [], |row| row.get::<_, i64>(0))
            .expect("runs")
    };
    while scheduled() == 0 {
        assert!(Instant::now() < deadline, "the minute passed and nothing happened:\n{}", stage.home.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(daemon.terminate().await.success());
}
