//! The door on a real Unix socket: how many come in, who is sent away, and what is left when it closes.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::connection::Called;
use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

/// Answers everything with its parameters, `slow` never.
struct Echo;

impl Desk for Echo {
    fn call(&self, method: &str, params: Value) -> Called {
        match method {
            "slow" => Called::Later(Box::new(|_| Box::pin(std::future::pending()))),
            _ => Called::Now(Ok(params)),
        }
    }
}

struct Open {
    dir: TempDir,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl Open {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let permission = Permission::of(None).unwrap();
        let bound = bind(&dir.path().join("control.sock"), permission).unwrap();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(serve_at(bound, Arc::new(Echo), permission, shutdown.clone()));
        Self { dir, shutdown, serving }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("control.sock")
    }
}

struct Client(BufReader<UnixStream>);

impl Client {
    async fn connect(socket: &Path) -> Self {
        Self(BufReader::new(UnixStream::connect(socket).await.unwrap()))
    }

    async fn read(&mut self) -> Option<Value> {
        let mut line = String::new();
        // A connection that is reset has nothing more to say either.
        let read = timeout(DEADLINE, self.0.read_line(&mut line)).await.expect("an answer in time").unwrap_or(0);
        (read > 0).then(|| serde_json::from_str(&line).unwrap())
    }

    async fn is_served(&mut self) -> bool {
        // Who was sent away may not be able to write any more.
        let _ = self.0.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"any\"}\n").await;
        self.read().await.is_some_and(|answer| answer["id"] == 1)
    }

    async fn has_a_call_under_way(&mut self) -> bool {
        self.0.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"slow\"}\n").await.unwrap();
        self.is_served().await // so the line before it was taken
    }
}

#[tokio::test]
async fn sixty_four_who_have_calls_are_served_and_the_next_is_told_to_wait() {
    let door = Open::start();
    let mut inside = Vec::new();
    for _ in 0..limits::MAX_CONNECTIONS {
        let mut client = Client::connect(&door.socket()).await;
        assert_eq!(client.read().await.unwrap()["method"], "hello");
        assert!(client.has_a_call_under_way().await);
        inside.push(client);
    }
    let mut extra = Client::connect(&door.socket()).await;
    assert_eq!(extra.read().await.unwrap()["method"], "hello");
    let refusal = extra.read().await.unwrap();
    assert_eq!((&refusal["error"]["data"]["kind"], &refusal["id"]), (&json!("rate_limited"), &Value::Null));
    assert_eq!(extra.read().await, None);
    assert!(inside[0].is_served().await && inside[63].is_served().await);

    inside.pop();
    let let_in = async {
        loop {
            let mut client = Client::connect(&door.socket()).await;
            client.read().await;
            if client.is_served().await {
                break;
            }
        }
    };
    timeout(DEADLINE, let_in).await.expect("a place that became free is given again");
}

#[tokio::test]
async fn who_has_no_call_keeps_nobody_out() {
    let door = Open::start();
    let mut inside = Vec::new();
    for _ in 0..limits::MAX_CONNECTIONS {
        let mut client = Client::connect(&door.socket()).await;
        assert_eq!(client.read().await.unwrap()["method"], "hello");
        inside.push(client);
    }
    assert!(inside[0].has_a_call_under_way().await);
    assert!(inside[1].is_served().await);
    // The longest without a call are the third and the fourth.
    for _ in 0..2 {
        let mut extra = Client::connect(&door.socket()).await;
        assert_eq!(extra.read().await.unwrap()["method"], "hello");
        assert!(extra.is_served().await);
        inside.push(extra);
    }
    for gone in [2, 3] {
        assert_eq!(inside[gone].read().await.unwrap()["error"]["data"]["kind"], "rate_limited");
        assert_eq!(inside[gone].read().await, None);
    }
    for stays in [0, 1, 4, 63, 64, 65] {
        assert!(inside[stays].is_served().await, "{stays}");
    }
}

#[tokio::test]
async fn who_writes_too_long_a_line_can_read_why() {
    let door = Open::start();
    let mut client = Client::connect(&door.socket()).await;
    client.read().await;
    let line = "x".repeat(limits::MAX_LINE_BYTES * 3);
    timeout(DEADLINE, client.0.write_all(line.as_bytes())).await.expect("in time").expect("all of it is taken");
    assert_eq!(client.read().await.unwrap()["error"]["code"], -32600);
    assert_eq!(client.read().await, None);
}

#[tokio::test]
async fn a_flood_of_garbage_harms_nobody() {
    let door = Open::start();
    let mut good = Client::connect(&door.socket()).await;
    assert!(good.read().await.is_some() && good.is_served().await);
    for seed in 0..30_u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let garbage: Vec<u8> = (0..random.usize(1..200_000)).map(|_| random.u8(..)).collect();
        let mut bad = Client::connect(&door.socket()).await;
        let _ = bad.0.write_all(&garbage[..garbage.len().min(60_000)]).await;
        drop(bad);
    }
    assert!(good.is_served().await);
}

#[tokio::test]
async fn closing_takes_the_socket_away_and_hangs_up() {
    let door = Open::start();
    let mut client = Client::connect(&door.socket()).await;
    assert!(client.read().await.is_some() && client.is_served().await);
    door.shutdown.cancel();
    assert_eq!(client.read().await, None);
    timeout(DEADLINE, door.serving).await.expect("it ends").unwrap();
    assert!(!door.dir.path().join("control.sock").exists());
}

/// The other user: connects to `DOOR_SOCKET` and prints what it is told.
#[test]
#[ignore = "run by another_user_is_sent_away, as another user"]
fn stranger() {
    use std::io::{BufRead, Write};
    let Some(socket) = std::env::var_os("DOOR_SOCKET") else { return };
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    let _ = stream.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"any\"}\n");
    for line in std::io::BufReader::new(stream).lines().map_while(Result::ok) {
        println!("TOLD {line}");
    }
}

#[tokio::test]
async fn another_user_is_sent_away() {
    use std::os::unix::fs::PermissionsExt;
    if !nix::unistd::geteuid().is_root() {
        println!("SKIPPED: only root can become another user");
        return;
    }
    let door = Open::start();
    // As wide open as it can be: what keeps a stranger out is who they are.
    for (path, mode) in [(door.dir.path().to_path_buf(), 0o755), (door.socket(), 0o666)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let child = tokio::task::spawn_blocking({
        let (program, socket) = (std::env::current_exe().unwrap(), door.socket());
        move || {
            Command::new(program)
                .args(["--exact", "door::tests::stranger", "--ignored", "--nocapture", "--test-threads", "1"])
                .env("DOOR_SOCKET", socket)
                .current_dir("/")
                .uid(65534)
                .gid(65534)
                .output()
        }
    });
    let output = match timeout(DEADLINE, child).await.expect("the stranger ends").unwrap() {
        Ok(output) => output,
        Err(error) => {
            println!("SKIPPED: another user cannot run this program here: {error}");
            return;
        }
    };
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let told: Vec<&str> = told.lines().filter_map(|line| line.split_once("TOLD ").map(|(_, told)| told)).collect();
    assert_eq!(told.len(), 2, "{told:?} {}", String::from_utf8_lossy(&output.stderr));
    assert!(
        told[0].contains("hello") && told[1].contains("\"not_allowed\"") && told[1].contains("\"id\":null"),
        "{told:?}"
    );
}
