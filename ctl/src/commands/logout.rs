//! `logout`: the daemon forgets the account's secrets, and, if a person wants that and says so twice, its data.

use garminsync_protocol::{AccountState, Holdings, LOGOUT, LOGOUT_PREVIEW, Logout, LogoutResult};

use super::Done;
use crate::app::App;
use crate::cli;
use crate::failure::{Exit, Failed};
use crate::show::text;

/// Runs `logout`.
pub async fn run(app: &mut App, flags: cli::Logout) -> Result<Done, Failed> {
    if flags.forget_data && !flags.yes {
        confirm(app).await?;
    }
    let params = Logout { account: app.account.clone(), forget_data: flags.forget_data };
    if flags.forget_data {
        app.farewell = Failed::interrupted("Stopped waiting. The daemon goes on removing; what is gone is gone.")
            .hint(app.typed.command_for_all("status"));
    }
    let result: LogoutResult = app.call_aloud(LOGOUT, params).await?;
    let (account, login) = (text::clean(&result.account), app.typed.command("login"));
    let message = match &result.forgotten {
        // Nothing of it is stored here, so there was nothing to forget.
        None if result.state == AccountState::Active => format!(
            "Signed out of {account}, but for the Personal API key in its file, which is no secret of the daemon's: it goes on being \
             used. To end that, take the file, or the configuration's api_key_file, away. All data stay."
        ),
        None => format!(
            "Signed out of {account}: its tokens and keys are deleted, its data stay. To sign in again: {login}"
        ),
        Some(gone) if result.state == AccountState::Active => format!(
            "The data of {account} are gone ({}), but the Personal API key in its file goes on being used, and the next sync reads them \
             again. To end that, take the file, or the configuration's api_key_file, away.",
            what(gone)
        ),
        Some(gone) => format!("Signed out of {account}, and its data are gone: {}.", what(gone)),
    };
    // Garmin's block does not care who is signed in here, or what is stored.
    let message = match result.state {
        AccountState::CoolingDown => format!(
            "{message}\nThe pause after Garmin turned a sign-in away goes on all the same: {}",
            app.typed.command_for_all("status")
        ),
        _ => message,
    };
    Ok(Done::message(result, message))
}

/// Shows what will go, and has the account's name typed.
async fn confirm(app: &mut App) -> Result<(), Failed> {
    let held: Holdings = app.call(LOGOUT_PREVIEW, app.account_params()).await?;
    let name = app.account_name().to_owned();
    app.farewell = Failed::interrupted("Stopped. Nothing was changed.").hint(app.typed.command("status"));
    let nobody =
        Failed::usage("This removes data, and there is no terminal to ask whether that is meant. Nothing was changed.")
            .hint(app.typed.command("logout --forget-data --yes"));
    if app.console.terminal.is_some() {
        app.console.say(&format!(
            "This signs {} out and removes all that was mirrored of it, for good: {}.\n\
             What Garmin still has can be read again after a new login; what was deleted there cannot.",
            text::clean(&name),
            what(&held)
        ));
    }
    let typed = app.ask("Type the account's name to go on: ", false, nobody).await?;
    if typed.expose().trim() == name {
        return Ok(());
    }
    let message = "That is not the account's name. Nothing was changed.";
    Err(Failed::new(Exit::Failed, "not_confirmed", message).hint(app.typed.command("logout --forget-data")))
}

fn what(held: &Holdings) -> String {
    let size = match held.bytes {
        bytes @ 0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        bytes => format!("{:.1} MB", bytes as f64 / 1e6),
    };
    format!("{}, {}, {size}", text::count(held.rows, "row"), text::count(held.files, "original file"))
}
