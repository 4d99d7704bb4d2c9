//! `accounts`: every account on a line. What an account needs, and how badly, `status` says.

use chrono::Local;
use garminsync_protocol::{ACCOUNTS_LIST, AccountsList, NoParams};

use super::Done;
use crate::app::App;
use crate::failure::Failed;
use crate::show::table;

/// Runs `accounts`.
pub async fn run(app: &mut App) -> Result<Done, Failed> {
    let list: AccountsList = app.call(ACCOUNTS_LIST, NoParams::default()).await?;
    let text = table::accounts(&list, &Local::now(), app.console.paint_out());
    let message = if list.accounts.is_empty() {
        format!("No account yet: {}", app.typed.command_for_all("login"))
    } else {
        String::new()
    };
    Ok(Done { message, ..Done::text(&list, text) })
}
