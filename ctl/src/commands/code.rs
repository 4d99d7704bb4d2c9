//! The code a sign-in waits for: `mfa`, and the second half of `login`. The sign-in itself waits in the daemon; whatever
//! happens here, it goes on waiting until its code comes or its time is over.

use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use garminsync_protocol::{
    AccountState, AccountStatus, Kind, LOGIN_CANCEL, LOGIN_RESEND_MFA, LOGIN_SUBMIT_MFA, LoginResult, MfaStatus,
    Secret, SubmitMfa,
};

use super::login::finished;
use super::{Done, to_value};
use crate::app::App;
use crate::cli::{Login, Mfa};
use crate::failure::Failed;
use crate::show::text;
use crate::show::time::span_s;

/// How often the daemon is asked whether somebody else has brought the code.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for a check that another client started.
const CHECK_TAKES: chrono::TimeDelta = chrono::TimeDelta::seconds(90);

/// Where the code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The person at the terminal.
    Terminal,
    /// The next line of stdin.
    Stdin,
    /// Another client; this one waits.
    Elsewhere,
    /// Nobody here.
    Nobody,
}

impl Source {
    /// What the flags and the streams of `login` allow.
    pub fn of_login(flags: &Login, app: &App) -> Self {
        if flags.no_wait {
            Self::Nobody
        } else if flags.code_stdin && !app.console.input_is_terminal {
            Self::Stdin
        } else if app.console.terminal.is_some() {
            Self::Terminal
        } else if flags.wait {
            Self::Elsewhere
        } else {
            Self::Nobody
        }
    }
}

/// Runs `mfa`.
pub async fn run(app: &mut App, flags: Mfa) -> Result<Done, Failed> {
    if flags.cancel {
        let result: LoginResult = app.call(LOGIN_CANCEL, app.account_params()).await?;
        let message = format!(
            "The waiting sign-in was given up; its code is worthless now. The account is {}.",
            text::state_words(result.state)
        );
        return Ok(Done::message(result, message));
    }
    if flags.resend {
        app.farewell = Failed::interrupted("Stopped waiting. Garmin may send another code all the same.")
            .hint(app.typed.command("status"));
        let sent = app.call_aloud::<LoginResult>(LOGIN_RESEND_MFA, app.account_params()).await;
        let result = sent.map_err(|failed| not_sent_again(app, failed))?;
        let sent = result.mfa.as_ref().map(|mfa| text::code_sent(mfa, &Local::now())).unwrap_or_default();
        let message = format!("{sent}\nOnly the newest code counts. Bring it: {}", app.typed.command("mfa"));
        return Ok(Done::message(result, message));
    }
    let code = match flags.code {
        Some(code) => app.sound(code.into(), "the code")?,
        None if app.console.terminal.is_some() && app.console.input_is_terminal => {
            let waiting = app.find_account().await?.and_then(|account| account.mfa);
            let mfa = waiting.ok_or_else(|| {
                let message = "No sign-in is waiting for a code. Nothing was sent.";
                Failed::of_kind(Kind::NoPendingLogin, message, &app.typed)
            })?;
            ask(app, &mfa, None).await?
        }
        None => {
            let hint = app.typed.command("mfa CODE");
            app.secret_line("Code: ", "the code").await.map_err(|failed| failed.hint(hint))?
        }
    };
    let result = submit(app, code, None).await?;
    finished(app, result)
}

/// What only this command knows of a refusal: what has to wait is the next code, and the one that came is good meanwhile.
fn not_sent_again(app: &App, failed: Failed) -> Failed {
    if !failed.is(Kind::RateLimited) {
        return failed;
    }
    let mfa = app.typed.command("mfa");
    match failed.retry_after_s() {
        Some(seconds) => failed.hint(format!("in {}: {mfa} --resend; if the code has come: {mfa}", span_s(seconds))),
        None => failed.hint(mfa),
    }
}

/// Takes a waiting sign-in to its end, as far as that can be done from here.
pub async fn bring(app: &mut App, waiting: LoginResult, source: Source) -> Result<Done, Failed> {
    let Some(mfa) = waiting.mfa.clone() else { return finished(app, waiting) };
    match source {
        Source::Nobody => Err(needed(app, &mfa).data(to_value(&waiting))),
        Source::Stdin => {
            let code = app.secret_line("", "the code").await.map_err(|failed| Failed {
                message: format!("{} The sign-in keeps waiting for its code.", failed.message),
                hint: Some(app.typed.command("mfa")),
                ..failed
            })?;
            match submit(app, code, Some(&mfa)).await {
                Ok(result) => finished(app, result),
                Err(failed) => brought_meanwhile(app, failed).await,
            }
        }
        Source::Terminal => ask_until_right(app, mfa).await,
        Source::Elsewhere => {
            app.console.say(&text::code_sent(&mfa, &Local::now()));
            app.console.say(&format!("Waiting until another client brings it: {}", app.typed.command("mfa")));
            app.farewell = needed(app, &mfa);
            let account =
                settled(app, mfa.expires_at, |state| is_with_garmin(state) || state == AccountState::AwaitingMfa)
                    .await?;
            ended_elsewhere(app, account)
        }
    }
}

async fn ask_until_right(app: &mut App, mfa: MfaStatus) -> Result<Done, Failed> {
    let mut attempts_left = None;
    loop {
        let code = ask(app, &mfa, attempts_left).await?;
        match submit(app, code, Some(&mfa)).await {
            Ok(result) => return finished(app, result),
            Err(failed) if failed.is(Kind::MfaCodeRejected) && failed.attempts_left() != Some(0) => {
                attempts_left = failed.attempts_left();
                app.console.say(&text::clean(&failed.message));
            }
            Err(failed) => return brought_meanwhile(app, failed).await,
        }
    }
}

/// Asks for the code. Until it is there, `Ctrl-C` leaves the sign-in waiting.
async fn ask(app: &mut App, mfa: &MfaStatus, attempts_left: Option<u64>) -> Result<Secret, Failed> {
    let left_now = attempts_left.and_then(|left| left.try_into().ok());
    let mfa = MfaStatus { attempts_left: left_now.unwrap_or(mfa.attempts_left), ..mfa.clone() };
    app.farewell = needed(app, &mfa);
    let sent = text::code_sent(&mfa, &Local::now());
    if left_now.is_some() {
        // To say again after a wrong code that one was sent would be untrue.
        app.console.say(sent.lines().last().unwrap_or_default());
    } else {
        app.console.say(&sent);
        if let Some(at) = mfa.resend_at {
            app.console.say(&text::code_missing(at, &Local::now(), &app.typed));
        }
    }
    let deadline = mfa.expires_at;
    let line = move || text::code_prompt(&mfa, Utc::now());
    loop {
        let nobody = Failed::usage("No terminal to ask for the code.");
        let code = tokio::select! {
            code = app.ask_live(line.clone(), nobody) => code?,
            () = passed(deadline) => {
                let message = "The time for the code ran out; the login has ended. Nothing else was changed.";
                return Err(Failed::of_kind(Kind::MfaExpired, message, &app.typed));
            }
        };
        if !code.expose().trim().is_empty() {
            return Ok(code);
        }
    }
}

/// Ends when a moment has passed by the clock on the wall, also after a machine was suspended.
async fn passed(moment: DateTime<Utc>) {
    while Utc::now() < moment {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn submit(app: &mut App, code: Secret, mfa: Option<&MfaStatus>) -> Result<LoginResult, Failed> {
    app.farewell =
        Failed::interrupted("Stopped waiting. The daemon goes on checking the code.").hint(app.typed.command("status"));
    let challenge = mfa.map(|mfa| mfa.challenge.clone());
    app.call_aloud(LOGIN_SUBMIT_MFA, SubmitMfa { account: app.account.clone(), code, challenge }).await
}

/// A code that is needed and that nobody here can bring.
fn needed(app: &App, mfa: &MfaStatus) -> Failed {
    let message = format!("{} The sign-in waits for it in the daemon.", text::code_sent(mfa, &Local::now()));
    let needed = Failed::of_kind(Kind::MfaRequired, message, &app.typed);
    if mfa.unsent { needed.hint(app.typed.command("mfa --resend")) } else { needed }
}

/// A code could not be brought: perhaps because another client was faster.
async fn brought_meanwhile(app: &mut App, failed: Failed) -> Result<Done, Failed> {
    if failed.is(Kind::MfaCodeRejected) {
        return Err(failed);
    }
    // A login that goes on waiting for its code has nothing under way that could still end well.
    match settled(app, Utc::now() + CHECK_TAKES, is_with_garmin).await {
        Ok(Some(account)) if account.state == AccountState::Active => ended_elsewhere(app, Some(account)),
        _ => Err(failed),
    }
}

fn is_with_garmin(state: AccountState) -> bool {
    matches!(state, AccountState::CheckingCode | AccountState::SigningIn)
}

/// Looks once a second as long as the account is in such a state. One that still is at `deadline` is returned as it is.
async fn settled(
    app: &App,
    deadline: DateTime<Utc>,
    waits: impl Fn(AccountState) -> bool,
) -> Result<Option<AccountStatus>, Failed> {
    loop {
        let account = app.find_account().await?;
        if !account.as_ref().is_some_and(|account| waits(account.state)) || Utc::now() >= deadline {
            return Ok(account);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn ended_elsewhere(app: &App, account: Option<AccountStatus>) -> Result<Done, Failed> {
    match account {
        Some(account) if account.state == AccountState::Active => finished(
            app,
            LoginResult {
                account: account.name,
                state: account.state,
                display_name: account.display_name,
                mfa: None,
                joined: true,
            },
        ),
        account => {
            let message = "The time for the code ran out, or the sign-in was given up. Nothing else was changed.";
            let data = account.map(|account| serde_json::json!({ "account": account.name, "state": account.state }));
            Err(Failed::of_kind(Kind::MfaExpired, message, &app.typed).data(data.unwrap_or_default()))
        }
    }
}
