//! The streams a command talks through: data to stdout, words to stderr, lines from stdin, a person at the terminal, `Ctrl-C`.
//! `main` takes those of the process, tests bring their own. It must not know what is said.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use garminsync_protocol::Secret;
use tokio::sync::{oneshot, watch};

use crate::prompt::{self, Terminal};
use crate::show::Paint;

/// Longest line that is taken from stdin, in bytes.
const MAX_INPUT: u64 = 64 * 1024;

/// Everything that connects a command to the world outside the daemon.
pub struct Console {
    /// stdout: data only.
    pub out: Box<dyn Write + Send>,
    /// stderr: messages, progress.
    pub err: Box<dyn Write + Send>,
    /// stdin.
    pub input: Arc<Mutex<dyn BufRead + Send>>,
    /// Somebody who can be asked; none in a pipe, a cron job, a service.
    pub terminal: Option<Arc<dyn Terminal>>,
    /// Whether stdin is a terminal.
    pub input_is_terminal: bool,
    /// Whether stdout is one.
    pub out_is_terminal: bool,
    /// Looks whether nobody reads stdout any more.
    pub out_is_lost: fn() -> bool,
    /// Whether stderr is one.
    pub err_is_terminal: bool,
    /// False when the environment asks for no colours.
    pub colours: bool,
    /// Becomes true when the command should stop.
    pub stop: watch::Receiver<bool>,
}

impl Console {
    /// The streams of this process. Needs a running tokio runtime: it listens for `Ctrl-C` from now on.
    pub fn of_process() -> Self {
        let (input_is_terminal, err_is_terminal) = (io::stdin().is_terminal(), io::stderr().is_terminal());
        let (stopped, stop) = watch::channel(false);
        tokio::spawn(async move {
            prompt::told_to_stop().await;
            let _ = stopped.send(true);
            std::future::pending::<()>().await;
        });
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            input: Arc::new(Mutex::new(BufReader::new(io::stdin()))),
            // A terminal may control a process that has none of its streams there (a script's inner command): then nobody
            // is looking, and a question would hang.
            terminal: if input_is_terminal || err_is_terminal { prompt::controlling_terminal() } else { None },
            input_is_terminal,
            out_is_terminal: io::stdout().is_terminal(),
            out_is_lost: nobody_reads_stdout,
            err_is_terminal,
            colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && std::env::var_os("TERM").is_none_or(|value| value != "dumb"),
            stop,
        }
    }

    /// Ends when the command should stop.
    pub fn interrupt(&self) -> impl Future<Output = ()> + use<> {
        let mut stop = self.stop.clone();
        async move {
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending().await
            }
        }
    }

    /// Writes data to stdout, with a newline at its end.
    pub fn data(&mut self, text: &str) -> io::Result<()> {
        write_line(&mut self.out, text)
    }

    /// Says something to the person, if anybody hears it.
    pub fn say(&mut self, text: &str) {
        let _ = write_line(&mut self.err, text);
    }

    /// Colours for stdout.
    pub fn paint_out(&self) -> Paint {
        Paint(self.colours && self.out_is_terminal)
    }

    /// Colours for stderr.
    pub fn paint_err(&self) -> Paint {
        Paint(self.colours && self.err_is_terminal)
    }

    /// The next line of stdin without its end; `None` when there is no more. Reads on a thread of its own, so that `Ctrl-C`
    /// is heard meanwhile.
    pub async fn line(&self) -> io::Result<Option<Secret>> {
        let (done, line) = oneshot::channel();
        let input = self.input.clone();
        std::thread::spawn(move || {
            let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = done.send(read_line(&mut *input));
        });
        line.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
    }
}

fn write_line(stream: &mut dyn Write, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    write!(stream, "{text}{end}")?;
    stream.flush()
}

/// A pipe whose reader is gone says so without being written to.
#[cfg(unix)]
fn nobody_reads_stdout() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = io::stdout();
    let mut watched = [PollFd::new(&stdout, PollFlags::OUT)];
    poll(&mut watched, Some(&Timespec::default())).is_ok()
        && watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// Here only the next write can tell.
#[cfg(not(unix))]
fn nobody_reads_stdout() -> bool {
    false
}

fn read_line(input: &mut dyn BufRead) -> io::Result<Option<Secret>> {
    let mut line = String::new();
    let read = input.take(MAX_INPUT).read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok((read > 0).then(|| line.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_line_is_cut() {
        let mut input: &[u8] = b" pass word \r\n123456\nlast";
        let mut next = || read_line(&mut input).unwrap().map(|line| line.expose().to_owned());
        assert_eq!(next().as_deref(), Some(" pass word "));
        assert_eq!(next().as_deref(), Some("123456"));
        assert_eq!(next().as_deref(), Some("last"));
        assert_eq!(next(), None);
    }
}
