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
    let message = if list.gaps.is_empty() {
        "Nothing is missing.".into()
    } else {
        let sum = |unit| list.gaps.iter().filter(|gap| gap.unit == unit).map(|gap| gap.missing).sum();
        let parts = [(GapUnit::Day, "day"), (GapUnit::File, "file"), (GapUnit::Item, "item")];
        let parts: Vec<String> = parts
            .map(|(unit, word)| (sum(unit), word))
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, w)| count(*n, w))
            .collect();
        let more = if list.more > 0 { format!(" (and {} not shown)", count(list.more, "gap")) } else { String::new() };
        format!("Missing: {}{more}. To read only these now: {} --missing", parts.join(", "), app.typed.command("sync"))
    };
    Ok(Done { message, csv: Some(csv::gaps(&list)), ..Done::text(&list, text) })
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
