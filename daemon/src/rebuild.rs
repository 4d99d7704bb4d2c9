//! Tables made anew from the archive: by itself where a release has changed a dataset's SQL, on the board and beside everything else, or
//! by `garminsyncd --rebuild` with nothing else running. Garmin is never asked. It must not know a dataset by name.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use garminsync_store::{Error, Rebuilt, Step, Store};
use tokio_util::sync::CancellationToken;

use crate::Failed;
use crate::board::{Board, trouble};
use crate::on_thread::OnThread;
use crate::sync;

/// The trouble that stands while tables are made anew.
pub const REBUILDING: &str = "tables.rebuilding";
/// The trouble that stands where that failed.
const OUTDATED: &str = "tables.outdated";

/// Makes the tables of all outdated datasets anew, one after the other, between what else the store has to do: what syncs bring
/// meanwhile is archived, and is in the tables afterwards. Ends early when `stopping`.
pub async fn outdated(store: OnThread<Store>, board: Board, stopping: CancellationToken) {
    let Ok(names) = store.call(|store| store.outdated().iter().cloned().collect::<Vec<_>>()).await else { return };
    let all = names.len();
    for (at, name) in names.into_iter().enumerate() {
        let (dataset, shown, stop) = (name.clone(), board.clone(), stopping.clone());
        let work = move |store: &mut Store| {
            timed(store, &dataset, &mut |step| {
                let text = format!(
                    "The tables of {dataset} are being made anew from the archive ({} of {} answers; dataset {} of {all}). \
                     The old ones can be read meanwhile.",
                    step.done,
                    step.total,
                    at + 1
                );
                say(&shown, REBUILDING, Some(&text), "nothing: it goes on by itself");
                go_on(&stop)
            })
        };
        match store.call(work).await {
            Ok(Ok(_)) => {}
            Ok(Err(Error::Stopped)) | Err(_) => break,
            Ok(Err(error)) => {
                tracing::error!(dataset = name, %error, "tables could not be made anew; the old ones stay");
                let text = format!(
                    "The tables of {name} stay as an older version made them: {error}. New answers are archived."
                );
                say(&board, OUTDATED, Some(&text), "garminsyncd --rebuild, once it is mended");
            }
        }
    }
    let settled = store.call(|store| store.settle()).await;
    if let Ok(Err(error)) = settled {
        tracing::warn!(%error, "what was made anew stays in the database's log for now");
    }
    say(&board, REBUILDING, None, "");
}

fn go_on(stop: &CancellationToken) -> ControlFlow<()> {
    if stop.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Puts a trouble up, changes its words, or takes it down.
fn say(board: &Board, kind: &str, text: Option<&str>, hint: &str) {
    board.change(|status| match (status.troubles.iter_mut().find(|known| known.kind == kind), text) {
        (Some(known), Some(text)) => text.clone_into(&mut known.text),
        (None, Some(text)) => status.troubles.push(trouble(kind, text, hint)),
        (_, None) => status.troubles.retain(|known| known.kind != kind),
    });
}

/// For `--rebuild`: makes the tables of these datasets anew, of all when none is named. The caller holds the lock.
///
/// # Errors
/// [`Failed::Other`]; each dataset is whole, the new way or the old.
pub fn now(data_dir: &Path, datasets: &[String], stop: &CancellationToken) -> Result<(), Failed> {
    let projections = sync::projections();
    let mut store = Store::open(data_dir, &projections).map_err(Failed::other)?;
    let wanted = projections.iter().map(|projection| projection.dataset.as_str());
    let mut total = Rebuilt::default();
    let began = Instant::now();
    for dataset in wanted.filter(|name| datasets.is_empty() || datasets.iter().any(|wanted| wanted == name)) {
        let bar = Bar::of(dataset);
        let rebuilt = timed(&mut store, dataset, &mut |step| {
            bar.show(step);
            go_on(stop)
        });
        bar.clear();
        match rebuilt {
            Ok(rebuilt) => {
                total.answers += rebuilt.answers;
                total.rows += rebuilt.rows;
            }
            Err(Error::Stopped) => return Err(Failed::Other(format!("stopped at {dataset}, whose old tables stay"))),
            Err(error) => return Err(Failed::other(error)),
        }
    }
    store.settle().map_err(Failed::other)?;
    tracing::info!(answers = total.answers, rows = total.rows, seconds = seconds(began), "rebuilt");
    Ok(())
}

fn timed(store: &mut Store, dataset: &str, step: &mut dyn FnMut(Step) -> ControlFlow<()>) -> Result<Rebuilt, Error> {
    let began = Instant::now();
    let rebuilt = store.rebuild(dataset, step)?;
    let Rebuilt { answers, rows, refused } = rebuilt;
    tracing::info!(dataset, answers, rows, seconds = seconds(began), "tables made anew from the archive");
    if refused > 0 {
        tracing::warn!(
            dataset,
            refused,
            "answers that do not fit the tables; they stay in the archive and are asked for again: garminsyncctl gaps"
        );
    }
    Ok(rebuilt)
}

fn seconds(began: Instant) -> f64 {
    (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

/// One line on a terminal that says how far it is.
struct Bar<'a> {
    dataset: &'a str,
    shown: bool,
}

impl<'a> Bar<'a> {
    fn of(dataset: &'a str) -> Self {
        Self { dataset, shown: std::io::stderr().is_terminal() }
    }

    fn show(&self, step: Step) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K{}: {} of {}", self.dataset, step.done, step.total);
        }
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
