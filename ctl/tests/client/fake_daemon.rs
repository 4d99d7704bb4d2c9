//! A daemon that says what a test tells it to, on a real socket, and remembers what it heard.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use garminsync_protocol::{Failure, Frame, HELLO, Id, PROGRESS, PROTOCOL, RpcError};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// What the daemon does about a call, in order.
pub enum Act {
    /// Tells progress.
    Progress(Value),
    /// Answers.
    Answer(Value),
    /// Answers with a failure.
    Fail(Failure),
    /// Writes a line as it is.
    Line(String),
    /// Keeps the connection open and says nothing more.
    Hang,
}

type Handler = Box<dyn FnMut(&str, &Value) -> Vec<Act> + Send>;

/// The daemon.
pub struct Fake {
    _dir: TempDir,
    socket: PathBuf,
    heard: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Fake {
    /// A daemon that acts by `handler` on each call and then closes the connection.
    pub fn new(handler: impl FnMut(&str, &Value) -> Vec<Act> + Send + 'static) -> Self {
        Self::greeting(hello(PROTOCOL), handler)
    }

    /// A daemon that has one account, `default`, and acts by `handler` on all that is asked beside that.
    pub fn of_default(mut handler: impl FnMut(&str, &Value) -> Vec<Act> + Send + 'static) -> Self {
        Self::new(move |method, params| match method {
            "status" => vec![Act::Answer(status(&[account("default", "active")]))],
            _ => handler(method, params),
        })
    }

    /// A daemon with a first line of its own.
    pub fn greeting(first: String, handler: impl FnMut(&str, &Value) -> Vec<Act> + Send + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("control.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Mutex<Handler>> = Arc::new(Mutex::new(Box::new(handler)));
        let memory = heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, first.clone(), handler.clone(), memory.clone()));
            }
        });
        Self { _dir: dir, socket, heard }
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The methods that were called, in order.
    pub fn calls(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|(method, _)| method.clone()).collect()
    }

    /// The parameters of the only call of a method.
    pub fn params(&self, method: &str) -> Value {
        let heard = self.heard.lock().unwrap();
        let mut calls = heard.iter().filter(|(called, _)| called == method);
        let (_, params) = calls.next().unwrap_or_else(|| panic!("{method} was not called"));
        assert!(calls.next().is_none(), "{method} was called twice");
        params.clone()
    }
}

/// A first line that names a protocol.
pub fn hello(protocol: u32) -> String {
    Frame::notification(HELLO, json!({ "protocol": protocol, "version": "0.9.0" })).to_line()
}

async fn serve(
    stream: UnixStream,
    first: String,
    handler: Arc<Mutex<Handler>>,
    heard: Arc<Mutex<Vec<(String, Value)>>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(first.as_bytes()).await.ok()?;
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await.ok()?;
    let Ok(Frame::Request { id: Some(id), method, params }) = Frame::parse(&line) else { return None };
    heard.lock().unwrap().push((method.clone(), params.clone()));
    let acts = (handler.lock().unwrap())(&method, &params);
    for act in acts {
        let line = match act {
            Act::Progress(mut step) => {
                step["request"] = json!(id);
                Frame::notification(PROGRESS, step).to_line()
            }
            Act::Answer(result) => Frame::Result { id: id.clone(), result }.to_line(),
            Act::Fail(failure) => Frame::Error { id: Some(id.clone()), error: RpcError::Failure(failure) }.to_line(),
            Act::Line(line) => line,
            Act::Hang => std::future::pending().await,
        };
        stream.write_all(line.as_bytes()).await.ok()?;
    }
    Some(())
}

/// A failure outside any call, as a door says it to somebody it does not let in.
pub fn turned_away(failure: Failure) -> String {
    Frame::Error { id: None::<Id>, error: RpcError::Failure(failure) }.to_line()
}

/// An account as `status` tells it, in this state.
pub fn account(name: &str, state: &str) -> Value {
    let mfa = (state == "awaiting_mfa").then(|| mfa(3));
    json!({
        "name": name, "state": state, "reason": null, "since": "2026-11-20T10:00:00Z", "until": null,
        "display_name": "Jane Runner", "domain": "garmin.com", "tiers": { "account": null, "personal": null }, "mfa": mfa,
        "sync": { "state": "idle", "progress": null, "dataset": null, "last_ok_at": null, "last_error": null,
                  "next_at": null, "paused_until": null, "requests_today": 0,
                  "queues": { "account": null, "personal": null }, "complete_from": null, "newest_day": null, "gaps": 0,
                  "not_served": {} },
        "troubles": [],
    })
}

/// The answer of `status`.
pub fn status(accounts: &[Value]) -> Value {
    json!({ "version": "0.9.0", "started_at": "2026-11-20T10:00:00Z", "pid": 812, "accounts": accounts, "troubles": [] })
}

/// A challenge that waits for half an hour.
pub fn mfa(attempts_left: u32) -> Value {
    let expires_at = chrono::Utc::now() + chrono::TimeDelta::minutes(30);
    json!({ "challenge": "c1", "method": "email", "sent_to": "j***@example.com", "expires_at": expires_at, "attempts_left": attempts_left })
}

/// The answer of a login call.
pub fn login(state: &str) -> Value {
    let mfa = (state == "awaiting_mfa").then(|| mfa(3));
    json!({ "account": "default", "state": state, "display_name": "Jane Runner", "mfa": mfa, "joined": false })
}
