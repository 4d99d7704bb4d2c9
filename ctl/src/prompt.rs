//! Questions on the controlling terminal, hidden where the answer is a secret. Commands ask through [`Terminal`].
//! Whatever ends a question (an answer, `Ctrl-C`, a kill), the terminal gets its echo back.

#[cfg(unix)]
mod paste;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use garminsync_protocol::Secret;
#[cfg(unix)]
use paste::ask_for_paste;
#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
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

/// The line of a question as it should stand there now.
pub type Line = Box<dyn Fn() -> String + Send>;

/// A person who can be asked.
pub trait Terminal: Send + Sync {
    /// Asks; with `hidden`, what is typed is not seen. Dropping the answer ends the question.
    fn ask(&self, question: &str, hidden: bool) -> Answer;

    /// Asks for something hidden on a line that is written anew every second. Since nothing that is typed is seen, that disturbs
    /// nobody; a line must not become shorter, because nothing is wiped.
    fn ask_live(&self, line: Line) -> Answer {
        self.ask(&line(), true)
    }

    /// Asks for something to be pasted, which is not seen: all of it, also where it is longer than a terminal's line or has breaks in
    /// it. The prompt is there when this returns.
    fn paste(&self, question: &str) -> Answer {
        self.ask(question, true)
    }
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

/// What a question makes of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// What is typed is seen.
    Open,
    /// A line that is not seen.
    Hidden,
    /// Whatever comes, at once and unseen.
    Paste,
}

impl Terminal for ControllingTerminal {
    fn ask(&self, question: &str, hidden: bool) -> Answer {
        Self::put(question, if hidden { How::Hidden } else { How::Open }, None)
    }

    fn ask_live(&self, line: Line) -> Answer {
        Self::put(&line(), How::Hidden, Some(line))
    }

    fn paste(&self, question: &str) -> Answer {
        Self::put(question, How::Paste, None)
    }
}

impl ControllingTerminal {
    fn put(question: &str, how: How, live: Option<Line>) -> Answer {
        let (done, answer) = oneshot::channel();
        let (asking, asked) = mpsc::channel::<()>();
        let echo = match KeptEcho::now(how, asked) {
            Ok(echo) => echo,
            Err(error) => return Box::pin(std::future::ready(Err(Unanswered::Io(error)))),
        };
        let question = question.to_owned();
        // A thread of its own and not tokio's blocking pool, which would wait for the person when the program wants to end.
        std::thread::spawn(move || {
            let said = match how {
                How::Open => ask_openly(&question),
                How::Hidden => ask_hidden(&question),
                How::Paste => ask_for_paste(&question),
            };
            drop(asking);
            let _ = done.send(said);
        });
        let live = live.map(Redrawn::every_second);
        Box::pin(async move {
            let mut echo = echo;
            let said = answer.await;
            drop(live);
            echo.line_open =
                how == How::Paste || matches!(&said, Ok(Err(error)) if error.kind() == ErrorKind::UnexpectedEof);
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

/// A line that a thread of its own writes anew, until this is dropped.
struct Redrawn {
    over: Arc<Mutex<bool>>,
    _ends: mpsc::Sender<()>,
}

impl Redrawn {
    fn every_second(line: Line) -> Self {
        let over = Arc::new(Mutex::new(false));
        let (ends, ended) = mpsc::channel::<()>();
        let pen = over.clone();
        std::thread::spawn(move || {
            while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(Duration::from_secs(1)) {
                let over = pen.lock().unwrap_or_else(PoisonError::into_inner);
                let written = OpenOptions::new().write(true).open(TERMINAL_OUT).and_then(|mut out| match *over {
                    false => out.write_all(format!("\r{}", line()).as_bytes()),
                    true => Err(ErrorKind::Other.into()),
                });
                if written.is_err() {
                    return;
                }
            }
        });
        Self { over, _ends: ends }
    }
}

impl Drop for Redrawn {
    fn drop(&mut self) {
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

const TERMINAL_IN: &str = if cfg!(windows) { "CONIN$" } else { "/dev/tty" };
const TERMINAL_OUT: &str = if cfg!(windows) { "CONOUT$" } else { "/dev/tty" };

fn show(question: &str) -> io::Result<()> {
    let mut out = OpenOptions::new().write(true).open(TERMINAL_OUT)?;
    out.write_all(question.as_bytes())?;
    out.flush()
}

fn ask_openly(question: &str) -> io::Result<String> {
    show(question)?;
    let mut line = String::new();
    // A terminal hands out one line a read: nothing that was typed ahead is lost in the buffer.
    match BufReader::new(File::open(TERMINAL_IN)?).read_line(&mut line)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(line),
    }
}

/// The echo is off already, the line's end excepted.
#[cfg(unix)]
fn ask_hidden(question: &str) -> io::Result<String> {
    let mut line = ask_openly(question)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

#[cfg(not(unix))]
fn ask_hidden(question: &str) -> io::Result<String> {
    rpassword::prompt_password(question)
}

/// The console reads a line, of any length; of a paste over several lines it is the first.
#[cfg(not(unix))]
fn ask_for_paste(question: &str) -> io::Result<String> {
    ask_hidden(question)
}

/// Turns the echo off for a hidden question, and gives it back when it is dropped, also while the question is still open; what is said next then starts
/// on a new line.
///
/// On Unix by writing the remembered settings: the thread that asks cannot be woken. On Windows the console wakes it on
/// `Ctrl-C` and it restores the settings itself; it only needs the moment to do so before the process ends.
struct KeptEcho {
    line_open: bool,
    #[cfg(unix)]
    settings: Option<(File, Termios)>,
    #[cfg(not(unix))]
    asked: mpsc::Receiver<()>,
}

impl KeptEcho {
    #[cfg(unix)]
    fn now(how: How, _asked: mpsc::Receiver<()>) -> io::Result<Self> {
        let settings = if how != How::Open {
            let terminal = File::open(TERMINAL_IN)?;
            let settings = tcgetattr(&terminal)?;
            let mut wanted = without_echo(settings.clone());
            if how == How::Paste {
                wanted.local_modes.remove(LocalModes::ICANON | LocalModes::ECHONL);
                wanted.special_codes[SpecialCodeIndex::VMIN] = 1;
                wanted.special_codes[SpecialCodeIndex::VTIME] = 0;
            }
            tcsetattr(&terminal, OptionalActions::Now, &wanted)?;
            Some((terminal, settings))
        } else {
            None
        };
        Ok(Self { line_open: true, settings })
    }

    #[cfg(not(unix))]
    fn now(_how: How, asked: mpsc::Receiver<()>) -> io::Result<Self> {
        Ok(Self { line_open: true, asked })
    }

    #[cfg(unix)]
    fn restore(&self) {
        if let Some((terminal, settings)) = &self.settings {
            let _ = tcsetattr(terminal, OptionalActions::Now, settings);
        }
    }

    #[cfg(not(unix))]
    fn restore(&self) {
        let _ = self.asked.recv_timeout(std::time::Duration::from_millis(200));
    }
}

/// Lines are still edited by the terminal, and `Ctrl-C` still interrupts. A question that is stopped (`Ctrl-Z`) or killed with a
/// dump would leave the shell without echo, or go on with it: those keys become characters, which no answer may hold.
#[cfg(unix)]
fn without_echo(mut settings: Termios) -> Termios {
    const NO_KEY: u8 = if cfg!(any(target_os = "linux", target_os = "android")) { 0 } else { 0xff };
    settings.local_modes.remove(LocalModes::ECHO);
    settings.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
    for key in [SpecialCodeIndex::VSUSP, SpecialCodeIndex::VQUIT] {
        settings.special_codes[key] = NO_KEY;
    }
    #[cfg(target_vendor = "apple")]
    {
        settings.special_codes[SpecialCodeIndex::VDSUSP] = NO_KEY;
    }
    settings
}

impl Drop for KeptEcho {
    fn drop(&mut self) {
        self.restore();
        if self.line_open {
            let _ = OpenOptions::new().write(true).open(TERMINAL_OUT).and_then(|mut out| out.write_all(b"\n"));
        }
    }
}
