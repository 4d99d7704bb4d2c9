//! Questions on the controlling terminal, hidden where the answer is a secret. Commands ask through [`Terminal`].
//! Whatever ends a question (an answer, `Ctrl-C`, a kill), the terminal gets its echo back.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::pin::Pin;
use std::sync::{Arc, mpsc};

use garminsync_protocol::Secret;
use tokio::sync::oneshot;

/// Why a question got no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// `Ctrl-C` or `Ctrl-D`.
    Left,
    /// The terminal is in trouble.
    Io(io::Error),
}

/// An answer on its way.
pub type Answer = Pin<Box<dyn Future<Output = Result<Secret, Unanswered>> + Send>>;

/// A person who can be asked.
pub trait Terminal: Send + Sync {
    /// Asks; with `hidden`, what is typed is not seen. Dropping the answer ends the question.
    fn ask(&self, question: &str, hidden: bool) -> Answer;
}

/// The terminal that controls this process, if there is one.
pub fn controlling_terminal() -> Option<Arc<dyn Terminal>> {
    File::open(TERMINAL_IN).ok().map(|_| Arc::new(ControllingTerminal) as Arc<dyn Terminal>)
}

/// Ends when somebody wants this process to stop: `Ctrl-C`, or on Unix also SIGTERM, which must not leave a terminal without
/// echo behind either. SIGHUP keeps its meaning: then the terminal is gone, and `nohup` can have its way.
pub async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

struct ControllingTerminal;

impl Terminal for ControllingTerminal {
    fn ask(&self, question: &str, hidden: bool) -> Answer {
        let (done, answer) = oneshot::channel();
        let (asking, asked) = mpsc::channel::<()>();
        let echo = KeptEcho::now(asked);
        let question = question.to_owned();
        // A thread of its own and not tokio's blocking pool, which would wait for the person when the program wants to end.
        std::thread::spawn(move || {
            let said = if hidden { rpassword::prompt_password(&question) } else { ask_openly(&question) };
            drop(asking);
            let _ = done.send(said);
        });
        Box::pin(async move {
            let mut echo = echo;
            let said = answer.await;
            echo.line_open = matches!(&said, Ok(Err(error)) if error.kind() == ErrorKind::UnexpectedEof);
            match said {
                Ok(Ok(text)) => Ok(text.into()),
                Ok(Err(error)) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::UnexpectedEof) => {
                    Err(Unanswered::Left)
                }
                Ok(Err(error)) => Err(Unanswered::Io(error)),
                Err(_) => Err(Unanswered::Left),
            }
        })
    }
}

const TERMINAL_IN: &str = if cfg!(windows) { "CONIN$" } else { "/dev/tty" };
const TERMINAL_OUT: &str = if cfg!(windows) { "CONOUT$" } else { "/dev/tty" };

fn ask_openly(question: &str) -> io::Result<String> {
    let mut out = OpenOptions::new().write(true).open(TERMINAL_OUT)?;
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut line = String::new();
    // A terminal hands out one line a read: nothing that was typed ahead is lost in the buffer.
    match BufReader::new(File::open(TERMINAL_IN)?).read_line(&mut line)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(line),
    }
}

/// Gives the terminal its echo back when it is dropped, also while the question is still open; what is said next then starts
/// on a new line.
///
/// On Unix by writing the remembered settings: the thread that asks cannot be woken. On Windows the console wakes it on
/// `Ctrl-C` and it restores the settings itself; it only needs the moment to do so before the process ends.
struct KeptEcho {
    line_open: bool,
    #[cfg(unix)]
    settings: Option<(File, rustix::termios::Termios)>,
    #[cfg(not(unix))]
    asked: mpsc::Receiver<()>,
}

impl KeptEcho {
    #[cfg(unix)]
    fn now(_asked: mpsc::Receiver<()>) -> Self {
        let settings = File::open(TERMINAL_IN).ok().and_then(|terminal| {
            let settings = rustix::termios::tcgetattr(&terminal).ok()?;
            Some((terminal, settings))
        });
        Self { line_open: true, settings }
    }

    #[cfg(not(unix))]
    fn now(asked: mpsc::Receiver<()>) -> Self {
        Self { line_open: true, asked }
    }

    #[cfg(unix)]
    fn restore(&self) {
        if let Some((terminal, settings)) = &self.settings {
            let _ = rustix::termios::tcsetattr(terminal, rustix::termios::OptionalActions::Now, settings);
        }
    }

    #[cfg(not(unix))]
    fn restore(&self) {
        let _ = self.asked.recv_timeout(std::time::Duration::from_millis(200));
    }
}

impl Drop for KeptEcho {
    fn drop(&mut self) {
        self.restore();
        if self.line_open {
            let _ = OpenOptions::new().write(true).open(TERMINAL_OUT).and_then(|mut out| out.write_all(b"\n"));
        }
    }
}
