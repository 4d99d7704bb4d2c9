//! `gaps`, `history`, `datasets`: what the mirror holds, what it lacks, and how it came to that.

use chrono::Local;
use garminsync_protocol::{
    DATASETS_LIST, DatasetsList, GAPS_LIST, GapUnit, GapsList, GapsParams, History, HistoryParams, SYNC_HISTORY,
};

use super::Done;
use crate::app::App;
use crate::failure::Failed;
use crate::show::text::count;
use crate::show::{csv, ledger};

/// Runs `gaps`.
pub async fn gaps(app: &mut App, datasets: Vec<String>) -> Result<Done, Failed> {
    let params = GapsParams { account: app.account.clone(), datasets };
    let list: GapsList = app.call(GAPS_LIST, params).await?;
    let text = ledger::gaps(&list, &Local::now(), app.console.paint_out());
    let message = match list.gaps.is_empty() {
        true => "Nothing is missing.".into(),
        false => format!("Missing: {}. {}", missing(&list), next(app, &list)),
    };
    Ok(Done { message, csv: Some(csv::gaps(&list)), ..Done::text(&list, text) })
}

/// How much is missing, in words.
fn missing(list: &GapsList) -> String {
    let sum = |unit| list.gaps.iter().filter(|gap| gap.unit == unit).map(|gap| gap.missing).sum();
    let units = [(GapUnit::Day, "day"), (GapUnit::File, "file"), (GapUnit::Item, "item")];
    let counted = units.map(|(unit, word)| (sum(unit), word));
    let parts: Vec<String> = counted.iter().filter(|(n, _)| *n > 0).map(|(n, word)| count(*n, word)).collect();
    let more = if list.more > 0 { format!(" (and {} not shown)", count(list.more, "gap")) } else { String::new() };
    format!("{}{more}", parts.join(", "))
}

/// What to type next, if anything helps.
fn next(app: &App, list: &GapsList) -> String {
    let rests = list.gaps.iter().filter(|gap| gap.rests_until.is_some()).count();
    if list.login_needed {
        return format!("Nothing can be read before a login: {}", app.typed.command("login"));
    }
    if rests == list.gaps.len() {
        return "Garmin has refused all of it too often to be asked now: it is tried again by itself, see NEXT TRY."
            .into();
    }
    let but = if rests > 0 { " (what rests is left out until the time under NEXT TRY)" } else { "" };
    format!("To read only these now{but}: {} --missing", app.typed.command("sync"))
}

/// Runs `history`.
pub async fn history(app: &mut App, last: Option<u32>) -> Result<Done, Failed> {
    let history: History = app.call(SYNC_HISTORY, HistoryParams { account: app.account.clone(), last }).await?;
    let text = ledger::history(&history, &Local::now(), app.console.paint_out());
    let message =
        if history.runs.is_empty() { format!("No sync yet: {}", app.typed.command("sync")) } else { String::new() };
    Ok(Done { message, csv: Some(csv::history(&history)), ..Done::text(&history, text) })
}

/// Runs `datasets`.
pub async fn datasets(app: &mut App) -> Result<Done, Failed> {
    let list: DatasetsList = app.call(DATASETS_LIST, app.account_params()).await?;
    let text = ledger::datasets(&list, &Local::now(), app.console.paint_out());
    Ok(Done { csv: Some(csv::datasets(&list)), ..Done::text(&list, text) })
}
