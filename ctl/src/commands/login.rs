//! `login`: finds out whether a code is already waited for, else asks for what is missing and signs in; then the code.
//! Secrets come from the terminal or stdin and go into one call, nowhere else.

use garminsync_protocol::{AccountState, Kind, LOGIN_START, LoginResult, LoginStart};

use super::code::{self, Source};
use super::{Done, to_value};
use super::{browser, import, key};
use crate::app::App;
use crate::cli::Login;
use crate::failure::{Exit, Failed, quoted};
use crate::show::text;

/// Runs `login`.
pub async fn run(app: &mut App, flags: Login) -> Result<Done, Failed> {
    if flags.browser {
        return browser::run(app, flags.no_open).await;
    }
    if let Some(path) = &flags.import {
        return import::run(app, path).await;
    }
    let known = app.find_account().await?;
    if flags.api_key_stdin {
        return key::run(app, &flags).await;
    }
    let source = Source::of_login(&flags, app);
    if let Some(account) = known
        && account.state == AccountState::AwaitingMfa
        && let Some(mfa) = account.mfa
    {
        if flags.password_stdin && !app.console.input_is_terminal {
            // The line is the password's, needed or not; the code is in the next.
            let _ = app.console.line().await;
        }
        app.console.say(&format!(
            "A sign-in is waiting already; no second code is sent. To start over instead: {}",
            app.typed.command("mfa --cancel")
        ));
        let waiting = LoginResult {
            account: account.name,
            state: account.state,
            display_name: account.display_name,
            mfa: Some(mfa),
            joined: true,
        };
        return code::bring(app, waiting, source).await;
    }

    let email = match &flags.email {
        Some(email) => email.clone(),
        None => {
            let nobody = nobody(app, "the e-mail address: give it with --email", "E-MAIL");
            let email = app.ask("Garmin e-mail: ", false, nobody).await?;
            app.sound(email, "the e-mail address")?.expose().trim().to_owned()
        }
    };
    let password = if flags.password_stdin {
        app.secret_line("Garmin password: ", "the password").await?
    } else {
        let nobody = nobody(app, "the password: give it with --password-stdin", &email);
        let password = app.ask("Garmin password: ", true, nobody).await?;
        app.sound(password, "the password")?
    };

    app.farewell = signing_in(app);
    let params = LoginStart {
        account: app.account.clone(),
        email: Some(email),
        password: Some(password),
        force: flags.force,
        ..LoginStart::default()
    };
    let result: LoginResult = app.call_aloud(LOGIN_START, params).await?;
    match result.state {
        AccountState::AwaitingMfa => code::bring(app, result, source).await,
        _ => finished(app, result),
    }
}

/// There is no terminal to ask for something; what to type in a script instead.
fn nobody(app: &App, what: &str, email: &str) -> Failed {
    let login = app.typed.command(&format!("login --email {} --password-stdin", quoted(email)));
    Failed::usage(format!("No terminal to ask for {what}. Nothing was sent."))
        .hint(format!(r#"printf '%s\n' "$PASSWORD" | {login}"#))
}

pub fn signing_in(app: &App) -> Failed {
    Failed::interrupted("Stopped waiting. The sign-in may go on in the daemon; nothing is lost by looking.")
        .hint(app.typed.command("status"))
}

/// The end of a sign-in that needs nothing more.
pub fn finished(app: &App, result: LoginResult) -> Result<Done, Failed> {
    let kind = match result.state {
        AccountState::Active => {
            let who = text::clean(result.display_name.as_deref().unwrap_or(&result.account));
            let next = app.typed.command("status");
            return Ok(Done::message(&result, format!("Signed in as {who}. The first sync is under way: {next}")));
        }
        AccountState::LoginNeeded | AccountState::SignedOut => Kind::LoginNeeded,
        AccountState::CoolingDown => Kind::CoolingDown,
        AccountState::AwaitingMfa => Kind::MfaRequired,
        AccountState::SigningIn | AccountState::CheckingCode => {
            let message = "The sign-in is still under way in the daemon.";
            return Err(Failed::new(Exit::Failed, Kind::AlreadyRunning.as_str(), message)
                .hint(app.typed.command("status"))
                .data(to_value(&result)));
        }
    };
    let message = format!("The sign-in ended without a login: the account is {}.", text::state_words(result.state));
    Err(Failed::of_kind(kind, message, &app.typed).data(to_value(&result)))
}
