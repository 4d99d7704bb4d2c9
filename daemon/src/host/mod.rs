//! How the operating system starts, watches and stops the daemon: systemd where it is there, signals on Unix, console events on Windows;
//! and its keyring. The wiring holds one [`Host`]. It must not know what the daemon does.

pub mod keyring;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod stop;
#[cfg(target_os = "linux")]
mod systemd;

use std::io;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How often a long start says that it goes on.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// The host of this process.
#[derive(Debug)]
pub struct Host {
    stop: stop::Signals,
    #[cfg(target_os = "linux")]
    _watchdog: Option<systemd::Watchdog>,
}

impl Host {
    /// Listens for signals from now on, and keeps the service manager's watchdog quiet as long as the runtime lives. Call it inside the
    /// runtime.
    ///
    /// # Errors
    /// When the operating system gives no signal handler.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            stop: stop::Signals::listen()?,
            #[cfg(target_os = "linux")]
            _watchdog: systemd::Watchdog::start(),
        })
    }

    /// Everything is up, the socket answers.
    pub fn ready(&self) {
        #[cfg(target_os = "linux")]
        systemd::ready();
    }

    /// Waits for work that has to be done before [`Host::ready`] and may take long; the service manager hears what it is, and that it goes
    /// on, so that it does not take the daemon for hung.
    #[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "only systemd asks"))]
    pub async fn patience<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(SIGN_OF_LIFE) => {
                    #[cfg(target_os = "linux")]
                    systemd::starting(what, SIGN_OF_LIFE * 6);
                }
            }
        }
    }

    /// The daemon goes down.
    pub fn stopping(&self) {
        #[cfg(target_os = "linux")]
        systemd::stopping();
    }

    /// Waits until the host wants the daemon to stop, and tells by what.
    pub async fn stop_signal(&mut self) -> &'static str {
        self.stop.next().await
    }
}

/// Keeps keys and tokens out of core files: a crash writes none, and on Linux no process of the same user may look into this one.
/// Windows writes none unless an administrator asks for them.
pub fn keep_memory_private() {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, setrlimit};
        if let Err(error) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
            tracing::warn!(%error, "a crash may write a core file");
        }
    }
    // A core file that goes to a program, as systemd-coredump has it, is written whatever the limit.
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        tracing::warn!(%error, "a crash may write a core file");
    }
}

/// The user that this process runs as, for a sentence: `user garminsync`.
pub fn user() -> String {
    #[cfg(unix)]
    {
        use nix::unistd::{User, geteuid};
        let id = geteuid();
        let name = User::from_uid(id).ok().flatten().map_or_else(|| id.to_string(), |user| user.name);
        format!("user {name}")
    }
    #[cfg(not(unix))]
    "the daemon's user".into()
}

/// Time that no wall clock can forge: how long the machine has been up, sleep included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uptime {
    /// Which of the machine's lives it is. Where the system does not tell, it is this process's own.
    pub life: String,
    /// Since the beginning of that life.
    pub up: Duration,
}

/// How long the machine has been up.
pub fn uptime() -> Uptime {
    #[cfg(target_os = "linux")]
    {
        use nix::time::{ClockId, clock_gettime};
        let life = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        if let (Ok(life), Ok(up)) = (life, clock_gettime(ClockId::CLOCK_BOOTTIME)) {
            return Uptime { life: life.trim().to_owned(), up: up.into() };
        }
    }
    static SINCE: LazyLock<(u64, Instant)> = LazyLock::new(|| (fastrand::u64(..), Instant::now()));
    Uptime { life: format!("{:016x}", SINCE.0), up: SINCE.1.elapsed() }
}

/// Shows one line in `systemctl status`; nothing where nobody asks. No [`Host`] is needed for it: it holds nothing.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "only systemd asks"))]
pub fn say(line: &str) {
    #[cfg(target_os = "linux")]
    systemd::status(line);
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
