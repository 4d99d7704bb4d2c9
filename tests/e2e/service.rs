//! A good system service: one at a time, private, quick to answer, quick to stop.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use garminsync_protocol::limits::{MAX_CALLS, MAX_CALLS_PER_CONNECTION};
use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::{Daemon, Home, PATIENCE, until};
use garminsync_test_support::people::SignInMood;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::stage::{PASSWORD, Stage, ana, binaries};

/// A client that speaks lines itself.
struct Raw(BufReader<UnixStream>);

impl Raw {
    async fn connect(home: &Home) -> Self {
        let mut raw = Self(BufReader::new(UnixStream::connect(home.socket()).await.expect("the daemon listens")));
        assert_eq!(raw.read().await["method"], "hello");
        raw
    }

    async fn call(&mut self, id: usize, method: &str, params: Value) {
        let line = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string() + "\n";
        self.0.write_all(line.as_bytes()).await.expect("the daemon reads");
    }

    async fn read(&mut self) -> Value {
        let mut line = String::new();
        timeout(PATIENCE, self.0.read_line(&mut line)).await.expect("a line in time").expect("a line");
        serde_json::from_str(&line).expect("a frame")
    }

    /// The answer to a call; what comes before it is left out.
    async fn answer(&mut self, id: usize) -> Value {
        loop {
            let frame = self.read().await;
            if frame["id"] == id {
                return frame;
            }
        }
    }
}

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

/// A directory that is closed to this user: whose it is, and what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_directory_is_told_with_what_to_do() {
    let home = home();
    let closed = home.path().join("closed");
    std::fs::create_dir(&closed).expect("a directory");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o500)).expect("its mode");
    let open = home.path().join("open");
    std::fs::create_dir(&open).expect("a directory");
    let program = home.path().join("daemon");
    std::fs::copy(home.daemon_program(), &program).expect("a copy");
    let is_root = std::process::Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if is_root {
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).expect("its mode");
        std::os::unix::fs::chown(&open, Some(65534), Some(65534)).expect("its owner");
    }
    for (state, data, flag) in [(&closed, &open, "--state-dir DIR"), (&open, &closed, "--data-dir DIR")] {
        let mut command = if is_root {
            let mut command = home.command("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
            command
        } else {
            home.command(&program)
        };
        command
            .arg("--foreground")
            .arg("--state-dir")
            .arg(state.join("state"))
            .arg("--data-dir")
            .arg(data.join("data"));
        let ran = garminsync_test_support::harness::run(command, "").await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains("ermission denied") && ran.stderr.contains(flag), "{ran:?}");
    }
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

/// A stop waits for a code that is with Garmin, because its answer is the login; whoever asks again does not want to wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let stage = Stage::set(ana(SignInMood::MfaEmail), "").await;
    let mut daemon = Daemon::start(&stage.home).await;
    stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(100))).host(Host::Sso).path("verifyCode"));
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 5);
    let mut raw = Raw::connect(&stage.home).await;
    raw.call(1, "login.submit_mfa", json!({ "code": stage.code() })).await;
    stage.account_is("the code is with Garmin", |account| account["state"] == "checking_code").await;
    daemon.signal("TERM");
    until("it stops", || async { stage.home.log().contains("stopping").then_some(()) }).await;
    let began = Instant::now();
    daemon.signal("TERM");
    assert!(daemon.ended().await.success(), "{}", stage.home.log());
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(stage.home.log().contains("asked again"), "{}", stage.home.log());
}

/// Whoever waits for a sync and hangs up leaves nothing behind, however long that sync still takes.
#[tokio::test(flavor = "multi_thread")]
async fn callers_who_hang_up_leave_room_for_others() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(100))).host(Host::Connectapi).path("hrv"));
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    stage.account_is("the sync hangs", |account| account["sync"]["dataset"] == "hrv").await;
    for _ in 0..MAX_CALLS / MAX_CALLS_PER_CONNECTION {
        let mut raw = Raw::connect(&stage.home).await;
        for id in 0..MAX_CALLS_PER_CONNECTION {
            raw.call(id, "sync.start", json!({ "wait": true })).await;
        }
        raw.call(99, "status", json!({})).await;
        raw.answer(99).await; // so all before it have been taken
    }
    let began = Instant::now();
    until("there is room again", || async {
        let mut raw = Raw::connect(&stage.home).await;
        raw.call(1, "sync.start", json!({})).await;
        let answer = raw.answer(1).await;
        (answer["result"]["joined"] == true).then_some(())
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(28), "the sync has ended: {:?}", began.elapsed());
    assert!(daemon.terminate().await.success());
}

/// A crash must not put keys and tokens into a core file.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn core_files_are_switched_off() {
    let home = home();
    let daemon = Daemon::start(&home).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
}

/// What lies at the place of the lock is not written through, and a pipe at the place of the vault is not waited for.
#[tokio::test(flavor = "multi_thread")]
async fn traps_in_the_state_directory_are_refused() {
    let home = home();
    std::fs::create_dir_all(home.state_dir()).expect("a directory");
    let precious = home.path().join("precious");
    std::fs::write(&precious, "data").expect("written");
    std::os::unix::fs::symlink(&precious, home.state_dir().join("lock")).expect("a link");
    assert_eq!(Daemon::spawn(&home, &[]).ended().await.code(), Some(1), "{}", home.log());
    assert_eq!(std::fs::read_to_string(&precious).expect("still there"), "data");
    std::fs::remove_file(home.state_dir().join("lock")).expect("removed");

    let vault = home.state_dir().join("vault.db");
    assert!(std::process::Command::new("mkfifo").arg(&vault).status().is_ok_and(|status| status.success()));
    assert_eq!(Daemon::spawn(&home, &[]).ended().await.code(), Some(1), "{}", home.log());
    assert!(home.log().contains("vault.db is no ordinary file"), "{}", home.log());
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
