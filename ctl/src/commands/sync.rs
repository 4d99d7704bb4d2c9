//! `sync` and `cancel`: start or join a run, watch it with a bar, tell how it ended. The run belongs to the daemon; leaving
//! here does not stop it.

use chrono::Local;
use garminsync_protocol::{Kind, Outcome, SYNC_CANCEL, SYNC_START, SyncResult, SyncStart};

use super::{Done, to_value};
use crate::app::App;
use crate::cli::Sync;
use crate::failure::{Exit, Failed};
use crate::show::progress::Meter;
use crate::show::{text, time};

/// Runs `sync`.
pub async fn run(app: &mut App, flags: Sync) -> Result<Done, Failed> {
    app.farewell = Failed::interrupted("Stopped watching. The sync goes on in the daemon; nothing is lost.")
        .hint(format!("{}; to stop the sync itself: {}", app.typed.command("status"), app.typed.command("cancel")));
    let params = SyncStart {
        account: app.account.clone(),
        wait: !flags.no_wait,
        since: flags.since,
        until: flags.until,
        datasets: flags.datasets,
    };
    let mut meter = Meter::new(app.console.err_is_terminal);
    let console = &mut app.console;
    let result = app
        .daemon
        .call(SYNC_START, params, |step| {
            if let Some(line) = meter.step(&step) {
                console.say(&line);
            }
        })
        .await;
    drop(meter);
    let result: SyncResult = result.map_err(|error| Failed::of_call(error, &app.typed))?;
    ended(app, result)
}

/// Runs `cancel`.
pub async fn cancel(app: &mut App) -> Result<Done, Failed> {
    let result: SyncResult = app.call(SYNC_CANCEL, app.account_params()).await?;
    let message = format!(
        "Sync {} is being stopped. What it has read stays; the rest follows with the next sync: {}",
        result.sync,
        app.typed.command("sync")
    );
    Ok(Done::message(result, message))
}

fn ended(app: &App, result: SyncResult) -> Result<Done, Failed> {
    let counts = format!(
        "{} new, {} changed, {}.",
        result.new_items,
        result.changed_items,
        text::count(result.requests, "request")
    );
    let why = result.error.as_deref().map(|why| format!(" {}", text::clean(why))).unwrap_or_default();
    let stored = "Everything read so far is stored.";
    let failed = |exit: Exit, kind: &'static str, message: String| Failed::new(exit, kind, message);
    let again = app.typed.again();
    let status = app.typed.command("status");
    let failed = match result.outcome {
        Outcome::Running => {
            let (sync, joined) = (result.sync, if result.joined { " was under way already" } else { " is under way" });
            return Ok(Done::message(&result, format!("Sync {sync}{joined}: {status}")));
        }
        Outcome::Ok => return Ok(Done::message(&result, format!("Synced: {counts}"))),
        Outcome::Partial => failed(
            Exit::Failed,
            "partial",
            format!(
                "Synced with gaps: {counts}{why} What could not be read is remembered and comes with a later sync."
            ),
        )
        .hint(status),
        Outcome::RateLimited => {
            let when = match result.retry_at {
                Some(at) => format!("after {}: {again}", time::clock(at, &Local::now())),
                None => format!("later: {again}"),
            };
            let message = format!("Garmin asks for a pause: {counts}{why} {stored} The daemon goes on by itself.");
            failed(Exit::TryLater, Kind::RateLimited.as_str(), message).hint(when)
        }
        Outcome::LoginNeeded => {
            let message = format!("Garmin no longer accepts the login: {counts}{why} {stored}");
            failed(Exit::LoginNeeded, Kind::LoginNeeded.as_str(), message).hint(app.typed.command("login"))
        }
        Outcome::Unreachable => {
            let message = format!("Garmin could not be reached: {counts}{why} {stored}");
            failed(Exit::Failed, Kind::GarminUnreachable.as_str(), message).hint(again)
        }
        Outcome::Cancelled => {
            failed(Exit::Failed, "cancelled", format!("The sync was stopped: {counts} {stored}")).hint(again)
        }
        Outcome::Interrupted => {
            failed(Exit::Failed, "interrupted", format!("The daemon stopped during the sync: {counts} {stored}"))
                .hint(again)
        }
        Outcome::Failed => {
            let message =
                format!("The daemon could not store what it read: {counts}{why} What was stored before is safe.");
            failed(Exit::Failed, Kind::Storage.as_str(), message).hint(status)
        }
    };
    Err(failed.data(to_value(&result)))
}
