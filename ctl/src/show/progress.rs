//! A sync on its way: a bar where stderr is a terminal, a plain line now and then where it is not.

use std::time::{Duration, Instant};

use garminsync_protocol::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text::clean;

/// At most one plain line in this time, a change of dataset excepted.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Shows the steps of one sync.
pub enum Meter {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a log.
    Lines {
        /// The dataset and the moment of the last line.
        last: Option<(Option<String>, Instant)>,
    },
}

impl Meter {
    /// A bar on stderr, or lines for the caller to write.
    pub fn new(terminal: bool) -> Self {
        if !terminal {
            return Self::Lines { last: None };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style("{spinner} {msg}"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self::Bar(bar)
    }

    /// Takes a step in; returns the line to write, if this is the moment for one.
    pub fn step(&mut self, step: &Progress) -> Option<String> {
        match self {
            Self::Bar(bar) => {
                if let Some(total) = step.total {
                    if bar.length().is_none() {
                        bar.set_style(style("{msg:40!} [{wide_bar}] {pos}/{len}, {eta} left"));
                    }
                    bar.set_length(total);
                    bar.set_position(step.done.unwrap_or(0));
                }
                bar.set_message(clean(&step.text));
                None
            }
            Self::Lines { last } => {
                let now = Instant::now();
                let due = last
                    .as_ref()
                    .is_none_or(|(dataset, at)| *dataset != step.dataset || now.duration_since(*at) >= PLAIN_EVERY);
                due.then(|| {
                    *last = Some((step.dataset.clone(), now));
                    plain(step)
                })
            }
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

fn plain(step: &Progress) -> String {
    match (step.done, step.total) {
        (Some(done), Some(total)) => format!("{} ({done}/{total})", clean(&step.text)),
        _ => clean(&step.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use garminsync_protocol::Id;

    #[test]
    fn a_log_gets_a_line_a_dataset() {
        let step = |dataset: &str, done| Progress {
            request: Id::Number(1),
            text: format!("reading {dataset}"),
            done: Some(done),
            total: Some(9),
            dataset: Some(dataset.into()),
        };
        let mut meter = Meter::new(false);
        assert_eq!(meter.step(&step("sleep", 1)).as_deref(), Some("reading sleep (1/9)"));
        assert_eq!(meter.step(&step("sleep", 2)), None);
        assert_eq!(meter.step(&step("hrv", 3)).as_deref(), Some("reading hrv (3/9)"));
    }
}
