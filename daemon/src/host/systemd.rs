//! What systemd is told over `NOTIFY_SOCKET`; nothing happens where there is none.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;

/// The task that pings systemd's watchdog, until it is dropped.
#[derive(Debug)]
pub struct Watchdog(JoinHandle<()>);

impl Watchdog {
    /// Pings at half the interval, if systemd watches. The pings come from the async runtime: when that hangs they stop, and systemd
    /// restarts the daemon.
    pub fn start() -> Option<Self> {
        let interval = sd_notify::watchdog_enabled()?;
        Some(Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(interval / 2);
            loop {
                ticks.tick().await;
                tell(NotifyState::Watchdog);
            }
        })))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub fn ready() {
    tell(NotifyState::Ready);
}

pub fn status(line: &str) {
    // The message is made of lines: a newline in ours would begin another message.
    tell(NotifyState::Status(&line.replace('\n', " ")));
}

/// The start goes on, and takes up to `more` from now.
pub fn starting(what: &str, more: Duration) {
    tell(NotifyState::ExtendTimeoutUsec(u32::try_from(more.as_micros()).unwrap_or(u32::MAX)));
    status(what);
}

pub fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager does not listen");
    }
}
