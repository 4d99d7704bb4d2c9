//! HTTP around the world: reads a request, notes it, applies the rule it falls under, writes the answer.
//! `FakeGarmin` starts and stops it. What Garmin would answer is the world's business.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::control;
use super::http::{Host, Reply, Request};
use super::rules::{Effect, Rule};
use super::wire::{Wire, WireListener};
use super::world::World;

/// Far above anything a client of Garmin sends.
const LARGEST_REQUEST: usize = 1 << 20;

/// The world behind its lock, as handlers and handle share it.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub fn new(world: World) -> Shared {
        Shared(Arc::new(Mutex::new(world)))
    }

    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server. It has a thread and a runtime of its own, so that stopping it cuts every connection, hanging
/// ones too, and blocking tests can use it.
pub(crate) struct Server {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub fn start(listen: SocketAddr, shared: Shared) -> io::Result<Server> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(handle).with_state(shared);
        let thread = std::thread::Builder::new().name("fake-garmin".into()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                let service = router.into_make_service_with_connect_info::<Wire>();
                tokio::select! {
                    _ = axum::serve(WireListener(listener), service) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Closes the port and every connection, and waits until that is done.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A receiver that is gone has stopped already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Counts a request as under way until it is answered or its client goes away.
struct UnderWay {
    shared: Shared,
    number: usize,
    host: Host,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.shared.lock().log.leave(self.host);
    }
}

async fn handle(State(shared): State<Shared>, ConnectInfo(wire): ConnectInfo<Wire>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_REQUEST).await else { return write(Reply::empty(413)) };
    if let Some(path) = parts.uri.path().strip_prefix("/_fake/") {
        return write(control::answer(&mut shared.lock(), &parts.method, path, &body));
    }
    let Some(request) = Request::of(parts.method, &parts.uri, parts.headers, body) else {
        return write(Reply::typed(404, "text/plain", "hosts here: /sso /diauth /connectapi /personal\n"));
    };
    let (rule, under_way, latency) = {
        let mut world = shared.lock();
        let (user, now) = (world.user_of(&request), world.now());
        let names: Vec<_> = world.people.iter().map(|person| person.display_name.clone()).collect();
        let rule = world.rules.pick(&request, user.as_deref());
        let number = world.log.arrive(&request, user, now, &names);
        (rule, UnderWay { shared: shared.clone(), number, host: request.host }, world.knobs.latency)
    };
    tokio::time::sleep(latency).await;
    let answer = || shared.lock().answer(&request);
    let outcome = match rule {
        None => Outcome::Whole(answer()),
        Some(rule) => misbehave(&rule, answer).await,
    };
    let mut response = match outcome {
        Outcome::Whole(reply) => {
            shared.lock().log.answered(under_way.number, reply.status, reply.body.len());
            write(reply)
        }
        Outcome::Slow(reply, time) => {
            shared.lock().log.answered(under_way.number, reply.status, reply.body.len());
            write_slow(reply, time, under_way)
        }
        Outcome::Half(reply) => {
            shared.lock().log.answered(under_way.number, reply.status, reply.body.len() / 2);
            write_half(reply)
        }
        Outcome::Nothing => {
            wire.cut();
            write(Reply::empty(200))
        }
    };
    // Garmin's answers are dated by its own clock.
    let date = shared.lock().now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert("date", date);
    }
    response
}

enum Outcome {
    Whole(Reply),
    Half(Reply),
    Slow(Reply, Duration),
    Nothing,
}

/// Plays a rule. `answer` acts on the request; it is called once, or not at all if the rule comes first.
async fn misbehave(rule: &Rule, answer: impl Fn() -> Reply) -> Outcome {
    if let Some(reply) = rule.effect.instead() {
        if rule.after {
            drop(answer());
        }
        return Outcome::Whole(reply);
    }
    match rule.effect {
        Effect::Late { ms } => {
            let early = rule.after.then(&answer);
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Outcome::Whole(early.unwrap_or_else(answer))
        }
        Effect::Hang { ms } => {
            if rule.after {
                drop(answer());
            }
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Outcome::Nothing
        }
        Effect::HalfBody => Outcome::Half(answer()),
        Effect::Slow { ms } => Outcome::Slow(answer(), Duration::from_millis(ms)),
        _ => {
            if rule.after {
                drop(answer());
            }
            Outcome::Nothing
        }
    }
}

fn head(reply: &Reply) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(*name, value);
        }
    }
    response
}

fn write(reply: Reply) -> Response {
    let mut response = head(&reply);
    *response.body_mut() = Body::from(reply.body);
    response
}

/// The body in ten pieces, spread over this time. The request is under way until the last one is sent.
fn write_slow(reply: Reply, time: Duration, under_way: UnderWay) -> Response {
    let mut response = head(&reply);
    response.headers_mut().insert("content-length", HeaderValue::from(reply.body.len()));
    let piece = reply.body.len().div_ceil(10).max(1);
    let body = stream::unfold((reply.body, under_way), move |(mut left, under_way)| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(time / 10).await;
        let next = left.split_to(piece.min(left.len()));
        Some((Ok::<_, io::Error>(next), (left, under_way)))
    });
    *response.body_mut() = Body::from_stream(body);
    response
}

/// The whole length announced, half the body sent, then the connection breaks.
fn write_half(reply: Reply) -> Response {
    let mut response = head(&reply);
    response.headers_mut().insert("content-length", HeaderValue::from(reply.body.len()));
    let half = reply.body.slice(..reply.body.len() / 2);
    let body = stream::unfold(Some(half), |left| async move {
        match left {
            Some(half) if !half.is_empty() => Some((Ok(half), Some(Bytes::new()))),
            _ => {
                // Long enough for the first half to leave the buffer.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None))
            }
        }
    });
    *response.body_mut() = Body::from_stream(body);
    response
}
