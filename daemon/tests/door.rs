//! The control socket in front of real rooms, with a Garmin that cannot be reached.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use chrono::TimeDelta;
use garminsync_daemon::account::{Accounts, Setting};
use garminsync_daemon::args::Args;
use garminsync_daemon::board::Board;
use garminsync_daemon::config::Config;
use garminsync_daemon::doctor::Doctor;
use garminsync_daemon::door::{self, Permission, Rooms};
use garminsync_daemon::on_thread::OnThread;
use garminsync_daemon::places::{Origin, Place, Places};
use garminsync_daemon::sync::{self, Rules, Syncs};
use garminsync_garmin::{Domain, Garmin, Pauses, Settings};
use garminsync_store::{Keys, Store, Vault};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(20);
const SECRET: &str = "hunter2-correct-horse";

struct Daemon {
    dir: TempDir,
    store: OnThread<Store>,
    shutdown: CancellationToken,
}

impl Daemon {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::open(dir.path(), &Keys::file(dir.path().join("vault.key"))).unwrap().vault;
        let store = Store::open(&dir.path().join("data"), &sync::projections()).unwrap();
        let store = OnThread::start("records", store).unwrap();
        let board = Board::new(["eva".to_owned()]);
        let setting = Setting {
            vault: OnThread::start("vault", vault).unwrap(),
            records: store.clone(),
            board: board.clone(),
            garmin: Box::new(|_| Garmin::new(nowhere())),
            key_file: Box::new(|_| None),
            mfa_timeout: TimeDelta::minutes(30),
            unattended: Default::default(),
            events: tokio::sync::mpsc::unbounded_channel().0,
        };
        let accounts = Accounts::start(setting, ["eva".to_owned()]).await.unwrap();
        let rules = Rules::default().checked().unwrap();
        let syncs = Syncs::new(rules, store.clone(), accounts.clone(), Arc::new(|_, _| {}));
        let mut args = Args::default();
        args.state_dir = Some(dir.path().into());
        let config = Config::default();
        let places = Places::settle(&args, &config, &|_| None).unwrap();
        let file = Place { path: dir.path().join("config.toml"), from: Origin::Default };
        let client = Box::new(|_: &str| Garmin::new(nowhere()));
        let doctor = Doctor::new(file, config, places, board.clone(), client);
        let permission = Permission::of(None).unwrap();
        let bound = door::bind(&dir.path().join("control.sock"), permission).unwrap();
        let shutdown = CancellationToken::new();
        tokio::spawn(door::serve(bound, Rooms { board, accounts, syncs, doctor }, permission, shutdown.clone()));
        Self { dir, store, shutdown }
    }

    async fn client(&self) -> Client {
        let stream = UnixStream::connect(self.dir.path().join("control.sock")).await.unwrap();
        let mut client = Client(BufReader::new(stream));
        assert_eq!(client.read().await["method"], "hello");
        client
    }
}

/// Loopback addresses where nobody listens: port 9 (discard) is not served on any machine of today.
fn nowhere() -> Settings {
    let mut settings = Settings::of(Domain::Com);
    settings.pauses = Pauses::all(Duration::ZERO);
    let ends = &mut settings.endpoints;
    for end in [&mut ends.sso, &mut ends.diauth, &mut ends.connectapi, &mut ends.personal] {
        *end = "http://127.0.0.1:9/nowhere".into();
    }
    settings
}

struct Client(BufReader<UnixStream>);

impl Client {
    async fn read(&mut self) -> Value {
        let mut line = String::new();
        timeout(DEADLINE, self.0.read_line(&mut line)).await.expect("an answer in time").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Calls, and gives the answer without the progress before it.
    async fn call(&mut self, method: &str, params: Value) -> Value {
        let frame = json!({ "jsonrpc": "2.0", "id": method, "method": method, "params": params });
        self.0.write_all(format!("{frame}\n").as_bytes()).await.unwrap();
        loop {
            let answer = self.read().await;
            if answer["id"] == method {
                return answer;
            }
            assert_eq!((&answer["method"], &answer["params"]["request"]), (&json!("progress"), &json!(method)));
        }
    }
}

fn kind(answer: &Value) -> &str {
    answer["error"]["data"]["kind"].as_str().unwrap_or_else(|| panic!("no kind in {answer}"))
}

#[tokio::test]
async fn every_documented_method_is_served_and_says_what_the_document_says() {
    let daemon = Daemon::start().await;
    let mut client = daemon.client().await;
    let document = client.call("rpc.discover", json!({})).await["result"].take();
    assert_eq!(document, garminsync_protocol::openrpc::document());
    for method in document["methods"].as_array().unwrap() {
        let name = method["name"].as_str().unwrap();
        let answer = client.call(name, json!({})).await;
        assert_ne!(answer["error"]["code"], -32601, "{answer}");
    }
    assert_eq!(client.call("data.read", json!({})).await["error"]["code"], -32601);
    let version = client.call("version", json!({})).await;
    assert_eq!(version["result"], json!({ "version": env!("CARGO_PKG_VERSION"), "protocol": 1 }));
}

#[tokio::test]
async fn status_does_not_wait_for_a_busy_database() {
    let daemon = Daemon::start().await;
    let mut client = daemon.client().await;
    let (release, held) = mpsc::channel::<()>();
    let busy = daemon.store.clone();
    let holding = tokio::spawn(async move { busy.call(move |_| held.recv_timeout(DEADLINE)).await });
    for _ in 0..100 {
        let status = client.call("status", json!({})).await;
        assert_eq!(status["result"]["accounts"][0]["name"], "eva");
        assert_eq!(status["result"]["accounts"][0]["state"], "signed_out");
    }
    assert!(!holding.is_finished());
    release.send(()).unwrap();
    holding.await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn what_cannot_be_done_has_its_kind() {
    let daemon = Daemon::start().await;
    let mut client = daemon.client().await;
    let cases = [
        ("status", json!({ "account": "nobody" }), "unknown_account"),
        ("status", json!({ "account": "../../etc/passwd" }), "invalid_argument"),
        ("login.submit_mfa", json!({ "account": "eva", "code": "123456" }), "no_pending_login"),
        ("login.cancel", json!({ "account": "eva" }), "no_pending_login"),
        ("sync.start", json!({ "account": "nobody" }), "unknown_account"),
        ("sync.start", json!({ "account": "eva" }), "login_needed"),
        ("sync.start", json!({ "account": "eva", "datasets": ["nonsense"] }), "unknown_dataset"),
        ("sync.start", json!({ "account": "eva", "since": "2020-01-02", "until": "2020-01-01" }), "invalid_argument"),
        ("sync.cancel", json!({ "account": "eva" }), "invalid_argument"),
        ("login.start", json!({ "account": "eva", "email": "eva@example.com", "password": "x" }), "garmin_unreachable"),
    ];
    for (method, params, expected) in cases {
        let answer = client.call(method, params.clone()).await;
        assert_eq!(kind(&answer), expected, "{method} {params}: {answer}");
        assert_eq!(answer["error"]["code"], -32000);
    }
}

#[tokio::test]
async fn no_answer_repeats_a_secret() {
    let daemon = Daemon::start().await;
    let mut client = daemon.client().await;
    for params in [
        json!({ "account": "eva", "email": "eva@example.com", "password": SECRET }),
        json!({ "account": "eva", "email": { "x": SECRET }, "password": SECRET }),
        json!({ "account": "eva", "password": [SECRET] }),
        json!({ "account": "eva", "force": SECRET }),
        json!({ "account": "eva", "api_key": SECRET }),
        json!({ "account": SECRET.repeat(1000), "password": SECRET }),
        json!({ "account": "eva", "email": "eva@example.com", "password": SECRET.repeat(10_000) }),
    ] {
        for method in ["login.start", "login.submit_mfa", "sync.start", "status"] {
            let answer = client.call(method, params.clone()).await;
            assert!(answer.get("error").is_some() || method == "status", "{answer}");
            assert!(!answer.to_string().contains(SECRET), "{method}: {answer}");
        }
    }
    let code = client.call("login.submit_mfa", json!({ "account": "eva", "code": [SECRET] })).await;
    assert_eq!(code["error"]["code"], -32602);
    assert!(!code.to_string().contains(SECRET), "{code}");
}

#[tokio::test]
async fn after_the_word_to_stop_nobody_is_let_in() {
    let daemon = Daemon::start().await;
    let mut client = daemon.client().await;
    client.call("version", json!({})).await;
    daemon.shutdown.cancel();
    let mut rest = String::new();
    timeout(DEADLINE, client.0.read_line(&mut rest)).await.expect("hung up in time").unwrap();
    assert_eq!(rest, "");
    let gone = async {
        while daemon.dir.path().join("control.sock").exists() {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, gone).await.expect("the socket is taken away");
}
