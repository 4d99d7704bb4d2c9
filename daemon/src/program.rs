//! Programs that a person configured, such as a password manager: run without a shell, in an environment of our choosing, for a limited
//! time. The first line of what they print is a secret. Rooms that need one call it; it must not know what for.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use garminsync_store::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use crate::host;

/// Longest first line, in bytes; passwords and codes are short.
const LONGEST_LINE: usize = 4096;
/// Most that a program may print after it, before it is stopped.
const MOST_OUTPUT: usize = 64 * 1024;
/// How long its output is waited for once it has ended: another program may hold the pipe open for ever.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// What of our environment a program gets. Neither our own variables nor the service manager's sockets are among it; `env` as the
/// program sets others.
const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    // Where password managers find their agents and stores.
    "DBUS_SESSION_BUS_ADDRESS",
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
    "SSH_AUTH_SOCK",
    // systemd's LoadCredential=: a password in a file that no other service sees.
    "CREDENTIALS_DIRECTORY",
    // Without these, hardly a program starts on Windows.
    "SystemRoot",
    "SystemDrive",
    "windir",
    "ComSpec",
    "PATHEXT",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramData",
    "ProgramFiles",
];

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    program: String,
    arguments: Vec<String>,
}

/// Why a program brought no secret. Nothing that it printed is in it: a careless script may well complain with the secret in its words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It is not there, or may not be run.
    #[error("it could not be started ({0})")]
    NotStarted(String),
    /// It took too long, and was killed.
    #[error("it did not end within {} s and was stopped", .0.as_secs())]
    TooSlow(Duration),
    /// It printed more than a secret, and was killed.
    #[error("it printed more than a line of {LONGEST_LINE} bytes and was stopped")]
    TooMuch,
    /// It said itself that it failed.
    #[error("it ended with {0}; to see what it says, run it by hand as {user}", user = host::user())]
    Unsuccessful(String),
    /// It ended well and printed nothing.
    #[error("it printed nothing; to see what it says, run it by hand as {user}", user = host::user())]
    Nothing,
    /// What it printed is no text, or holds control characters.
    #[error("the first line it printed is no plain text")]
    NoText,
}

impl Program {
    /// Reads a command line that was split already. The program is an absolute path, or a name that is looked up in `PATH`.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn new(words: &[String]) -> Result<Self, String> {
        let [program, arguments @ ..] = words else {
            return Err("the list is empty; it names a program and its arguments".into());
        };
        if program.trim().is_empty() {
            return Err("the program's name is empty".into());
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err("a word holds a NUL character".into());
        }
        if program.contains(std::path::is_separator) && !Path::new(program).is_absolute() {
            return Err(format!("{program:?} is neither an absolute path nor a plain name that PATH finds"));
        }
        Ok(Self { program: program.clone(), arguments: arguments.to_vec() })
    }

    /// Runs it and takes the first line it prints, without its end. It gets the variables `told`, an empty standard input, and
    /// at most `longest`; then it is killed with everything it has started (on Windows: itself). So it is when the caller stops waiting.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn first_line(&self, told: &[(&str, &str)], longest: Duration) -> Result<SecretString, Failed> {
        let mut command = self.command(told);
        // On a thread of its own: a program on a network drive may take its time to be found.
        let started = tokio::task::spawn_blocking(move || command.spawn().map(Running)).await;
        let started = started.unwrap_or_else(|died| Err(io::Error::other(died)));
        let running = started.map_err(|error| Failed::NotStarted(error.to_string()))?;
        let talk = tokio::time::timeout(longest, running.talk()).await;
        talk.unwrap_or(Err(Failed::TooSlow(longest)))
    }

    fn command(&self, told: &[(&str, &str)]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        let known = |name: &&str| std::env::var_os(name).map(|value| (OsString::from(name), value));
        command.envs(PASSED_ON.iter().filter_map(known)).envs(told.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        // A group of its own, so that what it starts can be stopped with it.
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

/// A program that runs. Dropped before it has ended, it is killed.
struct Running(Child);

impl Running {
    async fn talk(mut self) -> Result<SecretString, Failed> {
        let mut out = Output::new();
        let stdout = self.0.stdout.take();
        let mut reading = Box::pin(out.first_line(stdout));
        let mut read_all = false;
        let status = loop {
            tokio::select! {
                status = self.0.wait() => break status.map_err(|error| Failed::NotStarted(error.to_string()))?,
                read = &mut reading, if !read_all => {
                    read?;
                    read_all = true;
                }
            }
        };
        // All it has written is in the pipe by now.
        if !read_all && let Ok(read) = tokio::time::timeout(LAST_OUTPUT, &mut reading).await {
            read?;
        }
        drop(reading);
        if !status.success() {
            return Err(Failed::Unsuccessful(status.to_string()));
        }
        let line = out.into_line()?;
        if line.expose_secret().is_empty() { Err(Failed::Nothing) } else { Ok(line) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Until it is waited for, its number belongs to nobody else.
        #[cfg(unix)]
        if let Some(id) = self.0.id().and_then(|id| i32::try_from(id).ok()) {
            use nix::sys::signal::{Signal, killpg};
            let _ = killpg(nix::unistd::Pid::from_raw(id), Signal::SIGKILL);
        }
        let _ = self.0.start_kill();
    }
}

/// The part of an output that is kept. Its room is there from the beginning: nothing of it is copied to a larger one and left behind.
struct Output(Zeroizing<Vec<u8>>);

impl Output {
    fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(LONGEST_LINE + 1)))
    }

    /// Reads to the end; keeps the first line.
    async fn first_line(&mut self, stream: Option<impl AsyncRead + Unpin>) -> Result<(), Failed> {
        let Some(mut stream) = stream else { return Ok(()) };
        let mut part = Zeroizing::new([0; 1024]);
        let (mut whole, mut after) = (false, 0);
        loop {
            let count = stream.read(part.as_mut()).await.unwrap_or(0);
            if count == 0 {
                return Ok(());
            }
            for byte in part.iter().take(count) {
                match (whole, *byte) {
                    (true, _) => after += 1,
                    (false, b'\n') => whole = true,
                    (false, _) if self.0.len() == LONGEST_LINE => return Err(Failed::TooMuch),
                    (false, byte) => self.0.push(byte),
                }
            }
            if after > MOST_OUTPUT {
                return Err(Failed::TooMuch);
            }
        }
    }

    fn into_line(self) -> Result<SecretString, Failed> {
        let text = std::str::from_utf8(&self.0).map_err(|_| Failed::NoText)?;
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.contains(char::is_control) { Err(Failed::NoText) } else { Ok(text.to_owned().into()) }
    }
}

#[cfg(test)]
#[cfg(unix)]
#[path = "program_test.rs"]
mod tests;
