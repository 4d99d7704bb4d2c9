//! A running `garminsyncd`: started until it answers, stopped with a signal, killed without one.

use std::fs::OpenOptions;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::Child;

use super::{Home, PATIENCE};

/// A daemon under test. Dropping it kills it.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts the daemon of this home and waits until it says hello on its socket.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn start(home: &Home) -> Self {
        Self::start_with(home, &[]).await
    }

    /// The same, with more arguments.
    ///
    /// # Panics
    /// If it does not come up.
    #[expect(clippy::panic, reason = "a harness reports by panicking")]
    pub async fn start_with(home: &Home, arguments: &[&str]) -> Self {
        let mut daemon = Self::spawn(home, arguments);
        let deadline = Instant::now() + PATIENCE;
        while !daemon.answers(home).await {
            if let Ok(Some(status)) = daemon.child.try_wait() {
                panic!("the daemon ended at once ({status}):\n{}", home.log());
            }
            if Instant::now() > deadline {
                panic!("the daemon does not answer:\n{}", home.log());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        daemon
    }

    /// Starts the daemon of this home with more arguments and does not wait.
    ///
    /// # Panics
    /// If there is no such program.
    #[expect(clippy::panic, reason = "a harness reports by panicking")]
    pub fn spawn(home: &Home, arguments: &[&str]) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(home.log_file());
        let log = log.unwrap_or_else(|error| panic!("no log file: {error}"));
        let mut command = home.command(home.daemon_program());
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("the daemon does not start: {error}"));
        Self { child }
    }

    /// Whether somebody says hello on the home's socket.
    async fn answers(&self, home: &Home) -> bool {
        #[cfg(unix)]
        {
            use tokio::io::{AsyncBufReadExt, BufReader};
            let Ok(stream) = tokio::net::UnixStream::connect(home.socket()).await else { return false };
            let mut line = String::new();
            matches!(BufReader::new(stream).read_line(&mut line).await, Ok(n) if n > 0)
        }
        #[cfg(not(unix))]
        {
            home.ctl(&["version"]).await.code == 0
        }
    }

    /// The process id; 0 once it has ended.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Asks it to stop, as a service manager does, and waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    #[expect(clippy::panic, reason = "a harness reports by panicking")]
    pub async fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => panic!("the daemon cannot be waited for: {error}"),
            Err(_) => panic!("the daemon does not stop"),
        }
    }

    /// Kills it without a word (SIGKILL) and waits until it is gone.
    pub async fn kill(mut self) {
        let _ = self.child.kill().await;
    }

    /// Waits for it to end by itself.
    ///
    /// # Panics
    /// If it does not end.
    #[expect(clippy::panic, reason = "a harness reports by panicking")]
    pub async fn ended(&mut self) -> ExitStatus {
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => panic!("the daemon cannot be waited for: {error}"),
            Err(_) => panic!("the daemon does not end"),
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        // The shell's own `kill` is there on every Unix; no library is needed for one signal.
        let _ = std::process::Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
    }
}
