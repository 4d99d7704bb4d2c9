//! One file a command: what it asks the daemon and what it makes of the answer. [`run`] hands out the work.
//! Commands must not print data and must not choose exit codes for the daemon's failures: `lib.rs` and `failure.rs` do.

mod accounts;
mod browser;
mod code;
mod doctor;
mod import;
pub mod key;
mod ledger;
mod login;
mod logout;
mod status;
mod sync;
mod version;

use clap::CommandFactory;
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::cli::{Cli, Command, Shell};
use crate::failure::{Exit, Failed};

/// The end of a command that succeeded, told in every way it may be asked for.
#[derive(Debug)]
pub struct Done {
    /// For `--json`: an object.
    pub data: Value,
    /// For stdout.
    pub text: String,
    /// For the person, on stderr.
    pub message: String,
    /// For `--output csv`, where the command has a table.
    pub csv: Option<String>,
    /// 0, or what `status` found.
    pub exit: Exit,
}

impl Done {
    /// Nothing to show but a sentence.
    fn message(data: impl Serialize, message: impl Into<String>) -> Self {
        Self { data: to_value(data), text: String::new(), message: message.into(), csv: None, exit: Exit::Done }
    }

    /// Data.
    fn text(data: impl Serialize, text: impl Into<String>) -> Self {
        Self { data: to_value(data), text: text.into(), message: String::new(), csv: None, exit: Exit::Done }
    }
}

fn to_value(data: impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}

/// Does what the command line says.
pub async fn run(app: &mut App, command: Command) -> Result<Done, Failed> {
    if is_about_an_account_there_is(&command) {
        app.settle_account().await?;
    }
    match command {
        Command::Login(flags) => login::run(app, flags).await,
        Command::Mfa(flags) => code::run(app, flags).await,
        Command::Logout(flags) => logout::run(app, flags).await,
        Command::Status { watch: false } => status::run(app).await,
        Command::Status { watch: true } => status::watch(app).await,
        Command::Accounts => accounts::run(app).await,
        Command::Sync(flags) => sync::run(app, flags).await,
        Command::Cancel => sync::cancel(app).await,
        Command::Gaps { datasets } => ledger::gaps(app, datasets).await,
        Command::History { last } => ledger::history(app, last).await,
        Command::Datasets => ledger::datasets(app).await,
        Command::Doctor => doctor::run(app).await,
        Command::Version => version::run(app).await,
        Command::Completions { shell } => Ok(completions(shell)),
    }
}

/// A login makes the account it needs, and the others speak of all accounts or of none.
fn is_about_an_account_there_is(command: &Command) -> bool {
    match command {
        Command::Mfa(_)
        | Command::Logout(_)
        | Command::Sync(_)
        | Command::Cancel
        | Command::Gaps { .. }
        | Command::History { .. }
        | Command::Datasets => true,
        Command::Login(_)
        | Command::Status { .. }
        | Command::Accounts
        | Command::Doctor
        | Command::Version
        | Command::Completions { .. } => false,
    }
}

fn completions(shell: Shell) -> Done {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "garminsyncctl", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Done::text(serde_json::json!({ "shell": shell.to_string(), "script": script }), script)
}
