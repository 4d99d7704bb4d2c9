//! Stands in for systemd: listens on a notify socket while a child process, this test binary again, plays the daemon.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Host, say};

/// The child: ready, then a status, then until SIGTERM.
#[test]
#[ignore = "run by systemd_is_told, in a process of its own"]
fn child() {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
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
    while heard.iter().filter(|message| *message == "WATCHDOG=1").count() < 3 || !heard.contains(&"READY=1".to_owned())
    {
        heard.push(next());
    }
    assert!(heard.contains(&"STATUS=1 account READY=0".to_owned()), "{heard:?}");

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
