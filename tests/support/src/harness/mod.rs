//! Real binaries in a home of their own: a daemon that is started, stopped and killed, a ctl that is typed at, and a look into
//! the files they leave. End-to-end tests, the demo and the figures use it. It must not know what the binaries do inside.

mod daemon;
#[cfg(unix)]
mod pty;
mod readme;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

pub use daemon::Daemon;
#[cfg(unix)]
pub use pty::Terminal;
pub use readme::{Query, readme_queries};

/// How long a fact may take to come true before a test gives up on it. Generous: these machines are slow and busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where the two programs are.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// `garminsyncd`.
    pub daemon: PathBuf,
    /// `garminsyncctl`.
    pub ctl: PathBuf,
}

/// A machine as far as the programs can see: an empty home directory, a configuration file, nothing else in the environment.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
    binaries: Binaries,
    zone: String,
    environment: Vec<(String, String)>,
}

/// What a command left behind.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Standard output as one JSON value.
    ///
    /// # Panics
    /// If it is none: that is the finding.
    #[expect(clippy::panic, reason = "a harness reports by panicking")]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

impl Home {
    /// A new home whose configuration points at `endpoints` (a `[garmin.endpoints]` table) and adds `more` TOML.
    ///
    /// # Errors
    /// When the temporary directory cannot be written.
    pub fn new(binaries: &Binaries, endpoints: &str, more: &str) -> std::io::Result<Self> {
        // Socket paths must stay short, whatever TMPDIR says.
        let dir = tempfile::Builder::new().prefix("gs-").tempdir_in(if cfg!(unix) {
            "/tmp".into()
        } else {
            std::env::temp_dir()
        })?;
        let home = Self { dir, binaries: binaries.clone(), zone: "UTC".into(), environment: Vec::new() };
        std::fs::create_dir_all(home.config_file().parent().unwrap_or(Path::new("")))?;
        std::fs::write(home.config_file(), format!("{endpoints}\n{more}\n"))?;
        Ok(home)
    }

    /// The zone of the machine's clock; UTC unless told.
    #[must_use]
    pub fn in_zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.zone);
        self
    }

    /// One more variable in the environment of every program, such as a service manager sets.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_string_lossy().into_owned()));
        self
    }

    /// The home directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The daemon's configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.path().join(".config/garminsync/config.toml")
    }

    /// The directory of `vault.db`, the lock, and the socket.
    pub fn state_dir(&self) -> PathBuf {
        self.path().join(".local/state/garminsync")
    }

    /// The directory of `garmin.db` and the original files.
    pub fn data_dir(&self) -> PathBuf {
        self.path().join(".local/share/garminsync")
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.state_dir().join("control.sock")
    }

    /// What the daemons of this home have logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Where the daemons of this home log.
    pub fn log_file(&self) -> PathBuf {
        self.path().join("daemon.log")
    }

    /// A command in this home: nothing of the caller's environment comes along.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("TZ", &self.zone)
            .env("PATH", "/usr/bin:/bin")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path());
        command.kill_on_drop(true);
        command
    }

    /// The daemon's program.
    pub fn daemon_program(&self) -> &Path {
        &self.binaries.daemon
    }

    /// The control client's program.
    pub fn ctl_program(&self) -> &Path {
        &self.binaries.ctl
    }

    /// Runs `garminsyncctl` with these words, without a terminal.
    pub async fn ctl(&self, words: &[&str]) -> Ran {
        self.ctl_with(words, "").await
    }

    /// Runs `garminsyncctl` with this on its standard input.
    pub async fn ctl_with(&self, words: &[&str], input: &str) -> Ran {
        let mut command = self.command(&self.binaries.ctl);
        command.args(words);
        run(command, input).await
    }

    /// `status --json`.
    pub async fn status(&self) -> Value {
        self.ctl(&["status", "--json"]).await.json()
    }

    /// The account's part of `status --json`.
    pub async fn account(&self, name: &str) -> Value {
        let status = self.status().await;
        let accounts = status["accounts"].as_array().cloned().unwrap_or_default();
        accounts.into_iter().find(|account| account["name"] == name).unwrap_or(Value::Null)
    }

    /// Opens `garmin.db` as a user would: read only, from outside.
    ///
    /// # Errors
    /// When there is none.
    pub fn database(&self) -> rusqlite::Result<rusqlite::Connection> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = rusqlite::Connection::open_with_flags(self.data_dir().join("garmin.db"), flags)?;
        database.busy_timeout(Duration::from_secs(10))?;
        Ok(database)
    }
}

/// Runs a command to its end.
#[expect(clippy::panic, reason = "a harness reports by panicking")]
pub async fn run(mut command: Command, input: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input closes it early; that is its right.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output = match tokio::time::timeout(PATIENCE * 4, child.wait_with_output()).await {
        Ok(output) => output.unwrap_or_else(|error| panic!("{command:?}: {error}")),
        Err(_) => panic!("{command:?} did not end"),
    };
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Waits until `fact` gives something; asks often, gives up loudly.
#[expect(clippy::panic, reason = "a harness reports by panicking")]
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut fact: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = fact().await {
            return value;
        }
        if Instant::now() > deadline {
            panic!("it did not come true that {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Binaries {
    /// Builds both programs in the release profile, with the cargo that runs us, and says where they are.
    ///
    /// # Errors
    /// When cargo is not there or the build fails.
    pub fn build() -> std::io::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = std::process::Command::new(cargo);
        build.args(["build", "--quiet", "--release", "--bin", "garminsyncd", "--bin", "garminsyncctl"]);
        build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        if !build.status()?.success() {
            return Err(std::io::Error::other("the programs do not build"));
        }
        // `target/release/<this program>`: its neighbours.
        let here = std::env::current_exe()?;
        let beside = |name: &str| here.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { daemon: beside("garminsyncd"), ctl: beside("garminsyncctl") })
    }
}
