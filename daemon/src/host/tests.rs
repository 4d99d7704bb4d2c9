//! Stands in for systemd: listens on a notify socket while a child process, this test binary again, plays the daemon.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Host, SIGN_OF_LIFE, say};

/// The child: a long start, ready, then a status, then until SIGTERM.
#[test]
#[ignore = "run by systemd_is_told, in a process of its own"]
fn child() {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    // Here time passes as soon as there is nothing else to do: a long start takes none.
    let hurried = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    hurried.block_on(async {
        let host = Host::new().unwrap();
        host.patience("changing\nthe schema", tokio::time::sleep(SIGN_OF_LIFE * 2 + SIGN_OF_LIFE / 2)).await;
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut host = Host::new().unwrap();
        host.ready();
        say("1 account\nREADY=0");
        assert_eq!(host.stop_signal().await, "SIGTERM");
        host.stopping();
    });
}

#[test]
fn systemd_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "host::tests::child", "--ignored", "--test-threads", "1"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000")
        .env_remove("WATCHDOG_PID")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();

    let next = || {
        let mut message = [0; 256];
        let length = socket.recv(&mut message).expect("a message within the deadline");
        String::from_utf8_lossy(&message[..length]).trim().to_owned()
    };
    let mut heard = Vec::new();
    let (is_watched, status) = (|message: &&String| *message == "WATCHDOG=1", "STATUS=1 account READY=0".to_owned());
    while heard.iter().filter(is_watched).count() < 3 || !heard.contains(&status) {
        heard.push(next());
    }
    assert!(heard.contains(&"READY=1".to_owned()), "{heard:?}");
    // Before it was ready it said twice what takes so long, and asked for more time than it takes to say so again.
    let before = heard.iter().take_while(|message| *message != "READY=1");
    let start: Vec<_> = before.filter(|message| !message.starts_with("WATCHDOG")).map(String::as_str).collect();
    let (more, what) = ("EXTEND_TIMEOUT_USEC=30000000", "STATUS=changing the schema");
    assert_eq!(start, [more, what, more, what], "{heard:?}");

    let terminate = |signal: &str| Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(terminate("-HUP").success() && terminate("-TERM").success());
    while next() != "STOPPING=1" {}
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_crash_writes_no_core_file() {
    super::keep_memory_private();
    let limit = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_CORE).unwrap();
    assert_eq!((limit, nix::sys::prctl::get_dumpable()), ((0, 0), Ok(false)));
}
