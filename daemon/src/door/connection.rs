//! One caller: hello, lines in, answers out. A slow call holds up no other, a caller who vanishes cancels no work, and every limit of the
//! protocol is kept here. It knows frames; what methods do, it asks the [`Desk`]. A line is never echoed or logged: it may hold a password.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use garminsync_protocol::{Failure, Frame, HELLO, Hello, Id, Kind, PROGRESS, PROTOCOL, Progress, RpcError, limits};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::lines::{End, Lines};
use crate::report::{Reporter, Step};

/// Answers that may wait for a caller to read them.
const ANSWERS_WAITING: usize = 32;
/// Longest part of a method's name that is said back.
const METHOD_SHOWN: usize = 64;
/// Longest time in which the rest of a line that is too long is skipped.
const REST_OF_A_LINE: Duration = Duration::from_secs(1);

/// What became of a call.
pub type Answer = Result<Value, RpcError>;

/// A call that takes time.
pub type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Where calls are handled.
pub trait Desk: Send + Sync + 'static {
    /// Takes a call.
    fn call(&self, method: &str, params: Value) -> Called;
}

/// What a desk says to a call.
pub enum Called {
    /// Answered without waiting.
    Now(Answer),
    /// Will be answered; the work tells its steps to the reporter.
    Later(Box<dyn FnOnce(Reporter) -> Work + Send>),
}

/// What all callers share.
pub struct Hall {
    /// Cancelled when the daemon stops.
    pub shutdown: CancellationToken,
    /// One for each caller who is served.
    pub places: Arc<Semaphore>,
    /// Told when a new caller finds no place. It wakes who has waited longest, so the connection without a call for longest goes.
    pub crowded: Notify,
    /// One for each call under way, whether or not its caller is still there.
    calls: Arc<Semaphore>,
}

impl Hall {
    /// An empty one.
    pub fn new(shutdown: CancellationToken) -> Self {
        let [places, calls] = [limits::MAX_CONNECTIONS, limits::MAX_CALLS].map(|many| Arc::new(Semaphore::new(many)));
        Self { shutdown, places, crowded: Notify::new(), calls }
    }

    /// Waits until a new caller finds no place.
    async fn crowd(&self) {
        loop {
            self.crowded.notified().await;
            // The word may have been meant for an earlier moment.
            if self.places.available_permits() == 0 {
                return;
            }
        }
    }
}

/// Serves one caller until they hang up and their calls are answered, until they keep others out, or until the daemon stops.
pub async fn serve<R, W>(reader: R, writer: W, desk: Arc<impl Desk>, hall: Arc<Hall>)
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let first_line_until = Instant::now() + limits::FIRST_LINE;
    let (answers, queue) = mpsc::channel(ANSWERS_WAITING);
    // Cancelled when the caller cannot be written to any more.
    let gone = CancellationToken::new();
    let writing = tokio::spawn(write(writer, queue, gone.clone()));
    let caller = Caller {
        answers,
        gone,
        calls: TaskTracker::new(),
        places: Arc::new(Semaphore::new(limits::MAX_CALLS_PER_CONNECTION)),
        hall: hall.clone(),
    };
    caller.send(&hello()).await;

    let mut lines = Lines::new(reader, limits::MAX_LINE_BYTES);
    let mut waits_for_first = true;
    loop {
        let line = tokio::select! {
            biased;
            () = caller.gone.cancelled() => break,
            () = hall.shutdown.cancelled() => break,
            line = lines.next() => line,
            () = tokio::time::sleep_until(first_line_until), if waits_for_first => {
                caller.send_error(None, RpcError::InvalidRequest("no complete line came in time")).await;
                break;
            }
            () = caller.keeps_others_out() => {
                let words = "others wait for a connection, and this one has had no call for longest; connect again";
                caller.send_error(None, Failure::new(Kind::RateLimited, words).into()).await;
                break;
            }
        };
        waits_for_first = false;
        match line {
            Ok(line) => caller.take(line, desk.as_ref()).await,
            Err(End::TooLong) => {
                caller.send_error(None, RpcError::InvalidRequest("the line is too long")).await;
                // Who is still writing when we close may never read why.
                let _ = timeout(REST_OF_A_LINE, lines.skip(limits::MAX_LINE_BYTES * 4)).await;
                break;
            }
            Err(End::Closed) => break,
            Err(End::Broken(error)) => {
                tracing::debug!(%error, "a caller's line broke");
                break;
            }
        }
    }

    // A caller may have closed only the way to us: what they asked is still answered, if it can be soon and nobody else needs the
    // place. They cannot be told from one who is gone.
    caller.calls.close();
    tokio::select! {
        () = caller.calls.wait() => {}
        () = tokio::time::sleep(limits::LAST_ANSWERS) => caller.gone.cancel(),
        () = hall.crowd() => caller.gone.cancel(),
    }
    drop(caller);
    let _ = writing.await;
}

/// Says hello and why this caller is not served.
pub async fn refuse<W: AsyncWrite + Unpin + Send + 'static>(writer: W, failure: Failure) {
    let (answers, queue) = mpsc::channel(2);
    for frame in [hello(), Frame::Error { id: None, error: failure.into() }] {
        let _ = answers.send(frame.to_line()).await;
    }
    drop(answers);
    write(writer, queue, CancellationToken::new()).await;
}

fn hello() -> Frame {
    Frame::notification(HELLO, Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").into() })
}

/// Writes lines until there are no more, or until the caller takes longer than the limit to read one.
async fn write<W: AsyncWrite + Unpin>(mut writer: W, mut queue: mpsc::Receiver<String>, gone: CancellationToken) {
    while let Some(line) = queue.recv().await {
        match timeout(limits::WRITE, writer.write_all(line.as_bytes())).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => {
                gone.cancel();
                return;
            }
        }
    }
    let _ = timeout(limits::WRITE, writer.shutdown()).await;
}

/// The daemon's side of one caller. Clones share it.
#[derive(Clone)]
struct Caller {
    answers: mpsc::Sender<String>,
    gone: CancellationToken,
    calls: TaskTracker,
    places: Arc<Semaphore>,
    hall: Arc<Hall>,
}

impl Caller {
    /// Waits until a new caller finds no place while this one has no call under way.
    async fn keeps_others_out(&self) {
        // Who holds all places knows that none is taken by a call.
        let _all = self.places.acquire_many(limits::MAX_CALLS_PER_CONNECTION as u32).await;
        self.hall.crowd().await;
    }

    /// Waits for room in the queue; the writer empties it or gives the caller up.
    async fn send(&self, frame: &Frame) {
        let _ = self.answers.send(frame.to_line()).await;
    }

    async fn send_error(&self, id: Option<Id>, error: RpcError) {
        self.send(&Frame::Error { id, error }).await;
    }

    async fn send_answer(&self, id: Id, answer: Answer) {
        let frame = match answer {
            Ok(result) => Frame::Result { id: id.clone(), result },
            Err(error) => Frame::Error { id: Some(id.clone()), error },
        };
        let line = frame.to_line();
        if line.len() > limits::MAX_LINE_BYTES {
            tracing::error!(bytes = line.len(), "an answer is longer than a line may be");
            let words = "the answer is longer than the protocol allows; the daemon's log knows more";
            return self.send_error(Some(id), Failure::new(Kind::Internal, words).into()).await;
        }
        let _ = self.answers.send(line).await;
    }

    async fn take(&self, line: &[u8], desk: &impl Desk) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let (id, method, params) = match Frame::parse(line) {
            Ok(Frame::Request { id: Some(id), method, params }) => (id, method, params),
            // Notifications and answers: there is nothing that we have asked or could say.
            Ok(_) => return,
            Err(wrong) => {
                let (id, error) = *wrong;
                return self.send_error(id, error).await;
            }
        };
        match desk.call(&method, params) {
            Called::Now(Err(RpcError::UnknownMethod(_))) => {
                let shown = method.chars().take(METHOD_SHOWN).collect();
                self.send_error(Some(id), RpcError::UnknownMethod(shown)).await;
            }
            Called::Now(answer) => self.send_answer(id, answer).await,
            Called::Later(work) => {
                let place = self.places.clone().try_acquire_owned();
                let (Ok(place), Ok(under_way)) = (place, self.hall.calls.clone().try_acquire_owned()) else {
                    let words = "too many calls are under way; try again when one has been answered";
                    return self.send_error(Some(id), Failure::new(Kind::RateLimited, words).into()).await;
                };
                let caller = self.clone();
                self.calls.spawn(async move {
                    caller.answer_later(id, work, under_way).await;
                    drop(place);
                });
            }
        }
    }

    /// Waits for the work, telling its steps. The work has a task of its own: it goes on when nobody waits any more.
    async fn answer_later(
        &self,
        id: Id,
        work: Box<dyn FnOnce(Reporter) -> Work + Send>,
        under_way: OwnedSemaphorePermit,
    ) {
        let (reporter, mut steps) = Reporter::channel();
        let work = work(reporter);
        let mut work = tokio::spawn(async move {
            let answer = work.await;
            drop(under_way);
            answer
        });
        let answer = loop {
            tokio::select! {
                biased;
                () = self.gone.cancelled() => return,
                Some(step) = steps.recv() => self.tell(&id, step),
                answer = &mut work => break answer,
            }
        };
        while let Ok(step) = steps.try_recv() {
            self.tell(&id, step);
        }
        let answer = answer.unwrap_or_else(|error| {
            tracing::error!(%error, "a call ended in a defect");
            Err(Failure::new(Kind::Internal, "a defect of the daemon; its log knows more").into())
        });
        self.send_answer(id, answer).await;
    }

    /// Progress is dropped when the caller reads slowly; answers are not.
    fn tell(&self, request: &Id, step: Step) {
        let Step { text, done, total, dataset } = step;
        let text = text.chars().take(limits::MAX_PROGRESS_TEXT).collect();
        let progress = Progress { request: request.clone(), text, done, total, dataset };
        let _ = self.answers.try_send(Frame::notification(PROGRESS, progress).to_line());
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
