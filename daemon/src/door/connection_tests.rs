//! A caller on a pipe in memory, with time standing still unless waited for.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, ReadHalf, WriteHalf, split};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;

/// `quick` echoes its parameters; `slow` waits until `release`; `watch` until nobody listens; `talk` tells three steps first, `ramble` a long
/// one; `huge` says too much; `break` has a defect.
struct Fake {
    release: Arc<Semaphore>,
    done: Arc<Notify>,
}

impl Desk for Fake {
    fn call(&self, method: &str, params: Value) -> Called {
        let (release, done) = (self.release.clone(), self.done.clone());
        match method {
            "quick" => Called::Now(Ok(params)),
            "slow" => Called::Later(Box::new(move |_| {
                Box::pin(async move {
                    let _ = release.acquire().await.map(tokio::sync::SemaphorePermit::forget);
                    done.notify_one();
                    Ok(params)
                })
            })),
            "watch" => Called::Later(Box::new(move |reporter| {
                Box::pin(async move {
                    reporter.unheard().await;
                    done.notify_one();
                    Ok(params)
                })
            })),
            "ramble" => Called::Later(Box::new(|reporter| {
                Box::pin(async move {
                    reporter.say(Step::text("\u{e4}".repeat(limits::MAX_LINE_BYTES)));
                    Ok(json!("said"))
                })
            })),
            "huge" => Called::Now(Ok(json!("x".repeat(limits::MAX_LINE_BYTES)))),
            "talk" => Called::Later(Box::new(|reporter| {
                Box::pin(async move {
                    for text in ["one", "two", "three"] {
                        reporter.say(Step::text(text));
                    }
                    Ok(json!("said"))
                })
            })),
            "break" => Called::Later(Box::new(|_| Box::pin(async { panic!("on purpose") }))),
            unknown => Called::Now(Err(RpcError::UnknownMethod(unknown.into()))),
        }
    }
}

struct Client {
    lines: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
    writer: WriteHalf<DuplexStream>,
    desk: Arc<Fake>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

async fn client() -> Client {
    let desk = Arc::new(Fake { release: Arc::new(Semaphore::new(0)), done: Arc::default() });
    client_in(Arc::new(Hall::new(CancellationToken::new())), desk).await
}

async fn client_in(hall: Arc<Hall>, desk: Arc<Fake>) -> Client {
    let (near, far) = tokio::io::duplex(4096);
    let (reader, writer) = split(far);
    let shutdown = hall.shutdown.clone();
    let serving = tokio::spawn(serve(reader, writer, desk.clone(), hall));
    let (reader, writer) = split(near);
    let mut client = Client { lines: BufReader::new(reader).lines(), writer, desk, shutdown, serving };
    let hello = client.read().await.expect("a hello");
    assert_eq!(
        hello,
        json!({ "jsonrpc": "2.0", "method": "hello", "params": { "protocol": 1, "version": env!("CARGO_PKG_VERSION") } })
    );
    client
}

impl Client {
    async fn send(&mut self, line: &str) {
        self.writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn call(&mut self, id: u32, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()).await;
    }

    /// The next line; `None` at the end.
    async fn read(&mut self) -> Option<Value> {
        let line = timeout(Duration::from_secs(60), self.lines.next_line()).await.expect("an answer in time");
        line.ok().flatten().map(|line| serde_json::from_str(&line).unwrap())
    }

    /// The next answer's id, with `None` at the end.
    async fn id(&mut self) -> Option<i64> {
        self.read().await.and_then(|answer| answer["id"].as_i64())
    }
}

#[tokio::test(start_paused = true)]
async fn pipelined_calls_are_all_answered() {
    let mut client = client().await;
    for id in 0..100 {
        client.call(id, "quick", json!({ "n": id })).await;
    }
    for id in 0..100 {
        assert_eq!(client.read().await.unwrap(), json!({ "jsonrpc": "2.0", "id": id, "result": { "n": id } }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_holds_up_no_other_and_the_17th_is_refused() {
    let mut client = client().await;
    for id in 0..17 {
        client.call(id, "slow", json!({})).await;
    }
    let refused = client.read().await.unwrap();
    assert_eq!((&refused["id"], &refused["error"]["data"]["kind"]), (&json!(16), &json!("rate_limited")));
    client.call(17, "quick", json!({})).await;
    assert_eq!(client.id().await, Some(17));

    client.desk.release.add_permits(1);
    assert!(client.id().await.unwrap() < 16);
    client.call(18, "slow", json!({})).await; // there is room again
    client.desk.release.add_permits(16);
    let mut rest = Vec::new();
    for _ in 0..16 {
        rest.push(client.id().await.unwrap());
    }
    assert!(rest.contains(&18), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_call_is_answered_and_never_quoted() {
    let mut client = client().await;
    let cases = [
        ("hunter2", -32700, Value::Null),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"quick\",\"params\":{\"password\":\"hunter2\"",
            -32700,
            Value::Null,
        ),
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hunter2\"}]", -32600, Value::Null),
        ("\"hunter2\"", -32600, Value::Null),
        ("{\"id\":2,\"method\":\"quick\",\"params\":{\"x\":\"hunter2\"}}", -32600, json!(2)),
        ("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":[\"hunter2\"]}", -32600, json!(3)),
        ("{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"quick\",\"params\":[\"hunter2\"]}", -32600, json!(4)),
        ("{\"jsonrpc\":\"2.0\",\"id\":{\"hunter2\":1},\"method\":\"quick\"}", -32600, Value::Null),
        ("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"quick\"}", -32600, Value::Null),
        ("\u{0}\u{1}\u{1b}[31mhunter2", -32700, Value::Null),
        ("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"__proto__\"}", -32601, json!("a")),
        ("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"\"}", -32601, json!(5)),
    ];
    for (line, code, id) in cases {
        client.send(line).await;
        let answer = client.read().await.unwrap();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{line}");
        assert!(!answer.to_string().contains("hunter2"), "{answer}");
    }
    let deep = "[".repeat(100_000);
    client.send(&deep).await;
    assert_eq!(client.read().await.unwrap()["error"]["code"], -32700);
    client.writer.write_all(b"\xff\xfe\x00garbage\n").await.unwrap();
    assert_eq!(client.read().await.unwrap()["error"]["code"], -32700);

    // Blank lines, notifications and answers want nothing; the connection is as good as before.
    client.send("").await;
    client.send("\r").await;
    client.send("{\"jsonrpc\":\"2.0\",\"method\":\"quick\"}").await;
    client.send("{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":1}").await;
    client.call(10, "quick", json!({})).await;
    assert_eq!(client.id().await, Some(10));
}

#[tokio::test(start_paused = true)]
async fn a_long_name_of_a_method_is_not_sent_back_whole() {
    let mut client = client().await;
    client.call(1, &"x".repeat(50_000), json!({})).await;
    assert!(client.read().await.unwrap().to_string().len() < 300);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_is_answered_and_ends_it() {
    let mut client = client().await;
    let Client { writer, .. } = &mut client;
    let piece = vec![b'x'; 64 * 1024];
    let mut sent = 0;
    while sent < limits::MAX_LINE_BYTES + 1 && writer.write_all(&piece).await.is_ok() {
        sent += piece.len();
    }
    let answer = client.read().await.unwrap();
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &Value::Null));
    assert_eq!(client.read().await, None);
    client.serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_longest_allowed_line_is_served() {
    let mut client = client().await;
    let frame = |fill: usize| {
        json!({ "jsonrpc": "2.0", "id": 1, "method": "slow", "params": { "x": "y".repeat(fill) } }).to_string()
    };
    let line = frame(limits::MAX_LINE_BYTES - 1 - frame(0).len());
    assert_eq!(line.len() + 1, limits::MAX_LINE_BYTES);
    client.send(&line).await;
    client.desk.release.add_permits(1);
    assert_eq!(client.id().await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_finish_a_first_line_is_sent_away() {
    let mut client = client().await;
    let begun = Instant::now();
    let Client { writer, serving, .. } = &mut client;
    for byte in b"{\"jsonrpc\"".iter().cycle() {
        if serving.is_finished() || writer.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(begun.elapsed() < limits::FIRST_LINE * 2, "still served");
    }
    assert!(begun.elapsed() >= limits::FIRST_LINE);
    assert_eq!(client.read().await.unwrap()["error"]["code"], -32600);
    assert_eq!(client.read().await, None);
}

#[tokio::test(start_paused = true)]
async fn who_has_finished_a_first_line_may_be_silent() {
    let mut client = client().await;
    client.call(1, "quick", json!({})).await;
    assert_eq!(client.id().await, Some(1));
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    client.call(2, "quick", json!({})).await;
    assert_eq!(client.id().await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_vanishes_cancels_no_work() {
    let mut client = client().await;
    client.call(1, "slow", json!({})).await;
    client.call(2, "quick", json!({})).await;
    assert_eq!(client.id().await, Some(2)); // so the slow one is under way
    let Client { lines, writer, desk, serving, .. } = client;
    drop((lines, writer));
    desk.release.add_permits(1);
    timeout(Duration::from_secs(60), desk.done.notified()).await.expect("the work goes on to its end");
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_only_stops_asking_gets_the_answers() {
    let mut client = client().await;
    client.call(1, "slow", json!({})).await;
    client.writer.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"quick\"}").await.unwrap(); // no newline
    client.writer.shutdown().await.unwrap();
    assert_eq!(client.id().await, Some(2));
    client.desk.release.add_permits(1);
    assert_eq!(client.id().await, Some(1));
    assert_eq!(client.read().await, None);
}

#[tokio::test(start_paused = true)]
async fn who_has_stopped_asking_is_not_served_for_ever() {
    let mut client = client().await;
    client.call(1, "watch", json!({})).await;
    client.call(2, "slow", json!({})).await;
    client.writer.shutdown().await.unwrap();
    let begun = Instant::now();
    assert_eq!(client.read().await, None);
    assert_eq!(begun.elapsed().as_secs(), limits::LAST_ANSWERS.as_secs());
    client.serving.await.unwrap();
    // What only waited has heard of it, so that nothing of a caller stays when they are gone.
    timeout(Duration::from_secs(60), client.desk.done.notified()).await.expect("it hears that nobody listens");
}

#[tokio::test(start_paused = true)]
async fn calls_that_callers_leave_behind_are_bounded() {
    let (hall, desk) = (
        Arc::new(Hall::new(CancellationToken::new())),
        Arc::new(Fake { release: Arc::new(Semaphore::new(0)), done: Arc::default() }),
    );
    for _ in 0..limits::MAX_CALLS / limits::MAX_CALLS_PER_CONNECTION {
        let mut client = client_in(hall.clone(), desk.clone()).await;
        for id in 0..limits::MAX_CALLS_PER_CONNECTION as u32 {
            client.call(id, "slow", json!({})).await;
        }
        let Client { lines, writer, serving, .. } = client;
        drop((lines, writer));
        serving.await.unwrap();
    }
    let mut client = client_in(hall, desk).await;
    client.call(1, "slow", json!({})).await;
    assert_eq!(client.read().await.unwrap()["error"]["data"]["kind"], "rate_limited");
    client.call(2, "quick", json!({})).await;
    assert_eq!(client.id().await, Some(2));
    client.desk.release.add_permits(1);
    client.desk.done.notified().await;
    client.call(3, "watch", json!({})).await;
    client.call(4, "quick", json!({})).await;
    assert_eq!(client.read().await.unwrap(), json!({ "jsonrpc": "2.0", "id": 4, "result": {} }));
}

#[tokio::test(start_paused = true)]
async fn no_line_of_ours_is_longer_than_a_line_may_be() {
    let mut client = client().await;
    client.call(1, "huge", json!({})).await;
    let answer = client.read().await.unwrap();
    assert_eq!((&answer["id"], &answer["error"]["data"]["kind"]), (&json!(1), &json!("internal")));
    client.call(2, "ramble", json!({})).await;
    let text = client.read().await.unwrap()["params"]["text"].as_str().unwrap().chars().count();
    assert_eq!(text, limits::MAX_PROGRESS_TEXT);
    assert_eq!(client.id().await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_does_not_read_is_given_up() {
    let Client { mut writer, serving, lines, .. } = client().await;
    let begun = Instant::now();
    let line =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "quick", "params": { "x": "y".repeat(1000) } }).to_string() + "\n";
    while writer.write_all(line.as_bytes()).await.is_ok() {}
    serving.await.unwrap();
    assert!(begun.elapsed() < limits::WRITE * 2, "{:?}", begun.elapsed());
    drop(lines);
}

#[tokio::test(start_paused = true)]
async fn steps_come_before_the_answer_and_name_their_call() {
    let mut client = client().await;
    client.call(7, "talk", json!({})).await;
    for text in ["one", "two", "three"] {
        let progress = client.read().await.unwrap();
        assert_eq!(
            progress,
            json!({ "jsonrpc": "2.0", "method": "progress", "params": { "request": 7, "text": text } })
        );
    }
    assert_eq!(client.read().await.unwrap()["result"], "said");
}

#[tokio::test(start_paused = true)]
async fn a_defect_is_told_without_its_words() {
    let mut client = client().await;
    client.call(1, "break", json!({})).await;
    let answer = client.read().await.unwrap();
    assert_eq!(answer["error"]["data"]["kind"], "internal");
    assert!(!answer.to_string().contains("purpose"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn when_the_daemon_stops_running_calls_still_answer() {
    let mut client = client().await;
    client.call(1, "slow", json!({})).await;
    client.call(2, "quick", json!({})).await;
    assert_eq!(client.id().await, Some(2));
    client.shutdown.cancel();
    client.desk.release.add_permits(1);
    assert_eq!(client.id().await, Some(1));
    assert_eq!(client.read().await, None);
    client.serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_gets_hello_and_the_reason() {
    let (near, far) = tokio::io::duplex(4096);
    tokio::spawn(refuse(far, Failure::new(Kind::NotAllowed, "no")));
    let mut lines = BufReader::new(near).lines();
    assert!(lines.next_line().await.unwrap().unwrap().contains("hello"));
    let refusal: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!((&refusal["error"]["data"]["kind"], &refusal["id"]), (&json!("not_allowed"), &Value::Null));
    assert_eq!(lines.next_line().await.unwrap(), None);
}
