//! The doctor: looks for what keeps the daemon from working, and says what to do. The door calls it, also while the vault is locked. It
//! changes nothing, brings no credential anywhere, and asks each of Garmin's hosts at most once a minute.

mod accounts;
mod machine;
mod network;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use chrono::Utc;
use garminsync_garmin::Probed;
use garminsync_protocol::{Check, Diagnosis, Verdict};
use tokio::sync::Mutex;

use crate::account::MakeGarmin;
use crate::board::Board;
use crate::config::Config;
use crate::places::{Place, Places};
use crate::report::{Reporter, Step};

/// The doctor. Clones share it.
#[derive(Clone)]
pub struct Doctor(Arc<Inner>);

struct Inner {
    file: Place,
    config: Config,
    places: Places,
    board: Board,
    garmin: MakeGarmin,
    /// When the configuration file was written that is in effect.
    written: Option<SystemTime>,
    /// What Garmin's hosts said the last time, and when.
    probed: Mutex<Option<(Instant, Vec<network::Heard>)>>,
}

impl Doctor {
    /// A doctor for this configuration, read from `file`.
    pub fn new(file: Place, config: Config, places: Places, board: Board, garmin: MakeGarmin) -> Self {
        let written = machine::written(&file.path);
        Self(Arc::new(Inner { file, config, places, board, garmin, written, probed: Mutex::default() }))
    }

    /// Looks at everything. What takes time is told on the way.
    pub async fn look(&self, reporter: &Reporter) -> Diagnosis {
        let inner = &self.0;
        reporter.say(Step::text("looking at files, disks and the database"));
        let (config, places, file) = (inner.config.clone(), inner.places.clone(), inner.file.clone());
        let written = inner.written;
        let here = tokio::task::spawn_blocking(move || machine::look(&file, &config, &places, written));
        let mut checks = here.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the doctor's look at this machine ended in a defect");
            vec![failed("machine", "a defect of the daemon; its log knows more", "please report it with the log")]
        });
        reporter.say(Step::text("asking Garmin's hosts, without signing in"));
        let heard = self.hear().await;
        checks.extend(network::clock(&heard, Utc::now()));
        checks.extend(network::checks(&heard));
        checks.extend(accounts::checks(&inner.board.snapshot(), Utc::now()));
        Diagnosis { checks }
    }
}

/// As it should be.
fn ok(name: impl Into<String>, text: impl Into<String>) -> Check {
    Check { name: name.into(), verdict: Verdict::Ok, text: text.into(), hint: None }
}

/// It works, and something is worth a look.
fn warning(name: impl Into<String>, text: impl Into<String>, hint: impl Into<String>) -> Check {
    Check { name: name.into(), verdict: Verdict::Warning, text: text.into(), hint: Some(hint.into()) }
}

/// It keeps the daemon, or an account, from working.
fn failed(name: impl Into<String>, text: impl Into<String>, hint: impl Into<String>) -> Check {
    Check { name: name.into(), verdict: Verdict::Failed, text: text.into(), hint: Some(hint.into()) }
}

/// It could not be looked at, or does not apply here.
fn skipped(name: impl Into<String>, text: impl Into<String>) -> Check {
    Check { name: name.into(), verdict: Verdict::Skipped, text: text.into(), hint: None }
}

/// The clock of one of Garmin's hosts, as a probe heard it.
fn clock_of(probed: &Probed) -> Option<chrono::TimeDelta> {
    probed.clock.map(|(theirs, ours)| ours - theirs)
}

#[cfg(test)]
mod tests;
