//! A sync on its way: a bar where stderr is a terminal, a plain line a dataset where it is not. `sync` feeds it; it must not
//! know how the sync ends.

use std::collections::HashSet;

use console::{Term, truncate_str};
use garminsync_protocol::Progress;

use super::text::clean;

/// Cells of the bar.
const BAR: usize = 20;
/// On a terminal of fewer columns the words matter more than the bar.
const NARROW: usize = 40;

/// Shows the steps of one sync.
pub enum Meter {
    /// On a terminal: one line, written over and over.
    Bar(Term),
    /// In a log.
    Lines {
        /// The datasets that had their line. A sync goes back through the days, so each comes up many times.
        told: HashSet<Option<String>>,
        /// The newest step, if it had none.
        held: Option<Progress>,
    },
}

impl Meter {
    /// A bar on stderr, or lines for the caller to write.
    pub fn new(terminal: bool) -> Self {
        if terminal { Self::Bar(Term::stderr()) } else { Self::Lines { told: HashSet::new(), held: None } }
    }

    /// Takes a step in; returns the line to write, if this is the moment for one.
    pub fn step(&mut self, step: Progress) -> Option<String> {
        match self {
            Self::Bar(term) => {
                let (_, columns) = term.size();
                let _ = term.clear_line().and_then(|()| term.write_str(&bar(&step, columns.into())));
                None
            }
            Self::Lines { told, held } => {
                let line = told.insert(step.dataset.clone()).then(|| plain(&step));
                *held = line.is_none().then_some(step);
                line
            }
        }
    }

    /// The sync has ended; returns the last line to write.
    pub fn end(mut self) -> Option<String> {
        match &mut self {
            Self::Bar(_) => None,
            Self::Lines { held, .. } => held.take().map(|step| plain(&step)),
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Self::Bar(term) = self {
            let _ = term.clear_line();
        }
    }
}

/// One line for a terminal of so many columns. The last column stays free: terminals differ in what a full line does, and in
/// how wide they think some characters are.
fn bar(step: &Progress, columns: usize) -> String {
    let counted = match (step.done, step.total) {
        (Some(done), Some(total)) if columns < NARROW => format!("{done}/{total} "),
        (Some(done), Some(total)) => {
            let share = done.min(total) as f64 / total.max(1) as f64;
            let filled = (share * BAR as f64) as usize;
            format!("[{:<BAR$}] {done}/{total} ", "=".repeat(filled))
        }
        _ => String::new(),
    };
    truncate_str(&format!("{counted}{}", clean(&step.text)), columns.saturating_sub(1), "…").into_owned()
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
    use console::measure_text_width;
    use garminsync_protocol::Id;

    fn step(dataset: &str, text: &str, done: u64) -> Progress {
        Progress {
            request: Id::Number(1),
            text: text.into(),
            done: Some(done),
            total: Some(9),
            dataset: Some(dataset.into()),
        }
    }

    #[test]
    fn a_log_gets_a_line_a_dataset_and_the_last() {
        let mut meter = Meter::new(false);
        assert_eq!(meter.step(step("sleep", "sleep: today", 1)).as_deref(), Some("sleep: today (1/9)"));
        assert_eq!(meter.step(step("hrv", "hrv: today", 2)).as_deref(), Some("hrv: today (2/9)"));
        assert_eq!(meter.step(step("sleep", "sleep: yesterday", 3)), None);
        assert_eq!(meter.step(step("hrv", "hrv: yesterday", 4)), None);
        assert_eq!(meter.end().as_deref(), Some("hrv: yesterday (4/9)"));

        let mut meter = Meter::new(false);
        assert!(meter.step(step("sleep", "sleep: today", 1)).is_some());
        assert_eq!(meter.end(), None);
    }

    #[test]
    fn a_bar_leaves_the_last_column_free_at_every_width() {
        for name in ["Fläming – Skate 🚴🚴🚴🚴🚴🚴🚴🚴", "休息日休息日休息日休息日休息日休息日休息日", "a"]
        {
            let step = step("activities", &format!("originals: {name}"), 3);
            for columns in 0..120_usize {
                let line = bar(&step, columns);
                // The mark of a cut needs a column itself.
                assert!(measure_text_width(&line) <= columns.saturating_sub(1).max(1), "{columns}: {line}");
                assert_eq!(line.contains('['), columns >= NARROW, "{columns}: {line}");
            }
        }
        assert_eq!(bar(&step("sleep", "sleep: today", 3), 80), "[======              ] 3/9 sleep: today");
        assert_eq!(bar(&step("sleep", "sleep: today", 99), 80), "[====================] 99/9 sleep: today");
    }
}
