//! `status`: the board's snapshot, once or whenever it changes. The exit code says whether an account needs somebody.

use std::io::ErrorKind;
use std::time::Duration;

use chrono::Local;
use garminsync_protocol::{AccountState, STATUS, Status};

use super::Done;
use crate::app::App;
use crate::failure::{Exit, Failed};
use crate::show::object::{self, Form};
use crate::show::text;

const LOOK_EVERY: Duration = Duration::from_secs(1);
const CLEAR_SCREEN: &str = "\x1b[H\x1b[2J";

/// Runs `status`.
pub async fn run(app: &mut App) -> Result<Done, Failed> {
    let status = look(app).await?;
    let text = text::status(&status, &Local::now(), app.console.paint_out(), &app.typed);
    Ok(Done { exit: exit(&status), ..Done::text(object::status(&status), text) })
}

/// Runs `status --watch`: one text, one line of JSON or one document of YAML for every change.
pub async fn watch(app: &mut App) -> Result<Done, Failed> {
    app.farewell = Failed::interrupted("");
    // Ages ("12 min ago") move on a screen; in a file or for a machine only the facts are a change.
    let screen = app.console.out_is_terminal && app.form.is_none();
    let mut shown = String::new();
    let mut status = look(app).await?;
    loop {
        let facts = object::done(&object::status(&status), app.form.unwrap_or(Form::Json));
        let text = text::status(&status, &Local::now(), app.console.paint_out(), &app.typed);
        let (show, key) = match (app.form, screen) {
            (Some(Form::Json), _) => (facts.clone(), facts),
            (Some(Form::Yaml), _) => (format!("---\n{facts}"), facts),
            (None, true) => (format!("{CLEAR_SCREEN}{text}"), text),
            (None, false) => (text, facts),
        };
        if shown != key {
            app.console.data(&show).map_err(|error| Failed::unwritten(&error))?;
            shown = key;
        }
        tokio::time::sleep(LOOK_EVERY).await;
        if (app.console.out_is_lost)() {
            return Err(Failed::unwritten(&ErrorKind::BrokenPipe.into()));
        }
        status = match look(app).await {
            Ok(status) => status,
            // A daemon that is being restarted is no reason to stop looking.
            Err(failed) if failed.exit == Exit::Unreachable || failed.kind == "connection_lost" => continue,
            Err(failed) => return Err(failed),
        };
    }
}

async fn look(app: &App) -> Result<Status, Failed> {
    app.call(STATUS, app.account_params()).await
}

/// The most urgent need of any account.
fn exit(status: &Status) -> Exit {
    let needs = |state: AccountState| match state {
        AccountState::SignedOut | AccountState::LoginNeeded => Exit::LoginNeeded,
        AccountState::AwaitingMfa => Exit::CodeNeeded,
        AccountState::CoolingDown => Exit::TryLater,
        AccountState::Active | AccountState::SigningIn | AccountState::CheckingCode => Exit::Done,
    };
    if text::waits_for_its_key(status) {
        return Exit::Failed;
    }
    if status.accounts.is_empty() {
        return Exit::LoginNeeded;
    }
    // The codes are numbered by urgency: a login before a code, a code before patience.
    status
        .accounts
        .iter()
        .map(|account| needs(account.state))
        .filter(|exit| *exit != Exit::Done)
        .min()
        .unwrap_or(Exit::Done)
}
