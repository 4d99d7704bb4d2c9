//! The daemon's log: lines on stderr, or fields in the journal when systemd listens there. The wiring starts it once. It must not know
//! what is logged; that no secret is, is the duty of those who log.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry, fmt};

/// Starts logging. With `foreground`, to stderr even if a journal listens.
///
/// # Errors
/// When this process already logs.
pub fn start(level: LevelFilter, foreground: bool) -> Result<(), TryInitError> {
    let output = match journal() {
        Some(journal) if !foreground => journal,
        _ => lines(),
    };
    tracing_subscriber::registry().with(output.with_filter(targets(level))).try_init()
}

/// Our own crates at the level; libraries only when something is wrong (the scheduler is noisy at INFO).
fn targets(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("garminsync", level)
}

fn lines() -> Box<dyn Layer<Registry> + Send + Sync> {
    let terminal = std::io::stderr().is_terminal();
    let lines = fmt::layer().compact().with_writer(std::io::stderr).with_ansi(terminal).with_target(false);
    // A journal or container runtime that reads our stderr stamps every line itself.
    if std::env::var_os("JOURNAL_STREAM").is_some() { lines.without_time().boxed() } else { lines.boxed() }
}

/// The journal, if it is what stderr is connected to (`JOURNAL_STREAM` is `device:inode` of it).
#[cfg(target_os = "linux")]
fn journal() -> Option<Box<dyn Layer<Registry> + Send + Sync>> {
    use tracing_journald::{Priority, PriorityMappings};
    let told = std::env::var("JOURNAL_STREAM").ok()?;
    let stderr = nix::sys::stat::fstat(std::io::stderr()).ok()?;
    if told != format!("{}:{}", stderr.st_dev, stderr.st_ino) {
        return None;
    }
    // The library's own defaults: INFO as NOTICE (5), and every field with an F_ before its name.
    let priorities = PriorityMappings {
        info: Priority::Informational,
        debug: Priority::Debug,
        trace: Priority::Debug,
        ..PriorityMappings::new()
    };
    let journal = tracing_journald::layer().ok()?.with_priority_mappings(priorities).with_field_prefix(None);
    Some(journal.with_syslog_identifier("garminsyncd".into()).boxed())
}

#[cfg(not(target_os = "linux"))]
fn journal() -> Option<Box<dyn Layer<Registry> + Send + Sync>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn libraries_are_quieter_than_we_are() {
        let debug = targets(LevelFilter::DEBUG);
        assert!(debug.would_enable("garminsync_daemon::clock", &Level::DEBUG));
        assert!(debug.would_enable("tokio_cron_scheduler", &Level::WARN));
        assert!(!debug.would_enable("tokio_cron_scheduler::job", &Level::INFO));
        assert!(!targets(LevelFilter::ERROR).would_enable("reqwest", &Level::WARN));
        assert!(!targets(LevelFilter::OFF).would_enable("reqwest", &Level::ERROR));
    }
}
