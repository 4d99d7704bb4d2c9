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
        missing: flags.missing,
    };
    let mut meter = Meter::new(app.console.err_is_terminal);
    let console = &mut app.console;
    let result = app
        .daemon
        .call(SYNC_START, params, |step| {
            if let Some(line) = meter.step(step) {
                console.say(&line);
            }
        })
        .await;
    if let Some(line) = meter.end() {
        app.console.say(&line);
    }
    let result: SyncResult = result.map_err(|error| Failed::of_call(error, &app.typed))?;
    ended(app, result)
}

/// Runs `cancel`.
pub async fn cancel(app: &mut App) -> Result<Done, Failed> {
    let cancelled = app.call(SYNC_CANCEL, app.account_params()).await;
    let result: SyncResult = cancelled.map_err(|failed| match failed.is(Kind::InvalidArgument) {
        // Nobody typed anything wrong.
        true => Failed { exit: Exit::Failed, message: "Nothing is under way.".into(), ..failed }
            .hint(app.typed.command("status")),
        false => failed,
    })?;
    let message = format!(
        "Sync {} is being stopped. What it has read stays; the rest follows with the next sync: {}",
        result.sync,
        app.typed.command("sync")
    );
    Ok(Done::message(result, message))
}

/// What the daemon's records say after the cause; here it is said once, behind the counts.
const ALREADY_SAID: &str = "; what was stored before is safe";

fn ended(app: &App, result: SyncResult) -> Result<Done, Failed> {
    let counts = format!(
        "{} new, {} changed, {}",
        result.new_items,
        result.changed_items,
        text::count(result.requests, "request")
    );
    let why = result.error.as_deref().map(|why| text::sentence(text::clean(why).trim_end_matches(ALREADY_SAID)));
    let because = |otherwise: &str| why.clone().unwrap_or_else(|| otherwise.into());
    let failed = |exit: Exit, kind: &'static str, cause: &str, safe: &str| {
        Failed::new(exit, kind, format!("{cause} {counts}; {safe}."))
    };
    let stored = "everything read so far is stored";
    let again = app.typed.again();
    let status = app.typed.command("status");
    let failed = match result.outcome {
        Outcome::Running => {
            let is = match (result.joined, result.follows) {
                (true, _) => "was under way already",
                (false, true) => "is under way, and yours follows it at once",
                (false, false) => "is under way",
            };
            return Ok(Done::message(&result, format!("Sync {} {is}: {status}", result.sync)));
        }
        Outcome::Ok => return Ok(Done::message(&result, format!("Synced: {counts}."))),
        Outcome::Partial => {
            let cause = format!("Synced with gaps: {}", because("not everything could be read."));
            failed(Exit::Failed, "partial", &cause, "what is missing comes with a later sync").hint(status)
        }
        Outcome::RateLimited => {
            let when = match result.retry_at {
                Some(at) => format!("after {}: {again}", time::clock(at, &Local::now())),
                None => format!("later: {again}"),
            };
            let safe = format!("{stored}, and the daemon goes on by itself");
            failed(Exit::TryLater, Kind::RateLimited.as_str(), "Garmin asks for a pause.", &safe).hint(when)
        }
        Outcome::BudgetUsed => {
            let when = match result.retry_at {
                Some(at) => format!("after {}", time::clock(at, &Local::now())),
                None => "on the next day".into(),
            };
            let safe = format!("{stored}, newest days first; the daemon goes on by itself {when}");
            let cause = "Today's budget of requests is used.";
            failed(Exit::TryLater, Kind::BudgetUsed.as_str(), cause, &safe).hint(status)
        }
        Outcome::LoginNeeded => {
            let cause = because("Garmin no longer accepts the login.");
            failed(Exit::LoginNeeded, Kind::LoginNeeded.as_str(), &cause, stored).hint(app.typed.command("login"))
        }
        Outcome::Unreachable => {
            let cause = because("Garmin could not be reached.");
            failed(Exit::Failed, Kind::GarminUnreachable.as_str(), &cause, stored).hint(again)
        }
        Outcome::Unexpected => {
            let cause = because("Garmin answered what makes no sense.");
            failed(Exit::Failed, Kind::GarminUnexpected.as_str(), &cause, stored).hint(format!("later: {again}"))
        }
        Outcome::Cancelled => failed(Exit::Failed, "cancelled", "The sync was stopped.", stored).hint(again),
        Outcome::Interrupted => {
            failed(Exit::Failed, "interrupted", "The daemon stopped during the sync.", stored).hint(again)
        }
        Outcome::Failed => {
            let cause = because("The daemon could not store what it read.");
            failed(Exit::Failed, Kind::Storage.as_str(), &cause, "what was stored before is safe").hint(status)
        }
    };
    Err(failed.data(to_value(&result)))
}
