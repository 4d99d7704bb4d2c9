//! `logout`: the daemon forgets the account's secrets. Data are not touched by anything here.

use garminsync_protocol::{LOGOUT, LoginResult};

use super::Done;
use crate::app::App;
use crate::failure::Failed;
use crate::show::text;

/// Runs `logout`.
pub async fn run(app: &mut App) -> Result<Done, Failed> {
    let result: LoginResult = app.call(LOGOUT, app.account_params()).await?;
    let message = format!(
        "Signed out of {}: its tokens and keys are deleted, its data stay. To sign in again: {}",
        text::clean(&result.account),
        app.typed.command("login")
    );
    Ok(Done::message(result, message))
}
