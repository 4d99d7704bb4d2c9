//! What every command has in its hands: the console, the way to the daemon, the account that was named, and what to say
//! should `Ctrl-C` come now. `run` makes it; it must not know any command.

use std::path::PathBuf;

use garminsync_protocol::{AccountParams, AccountStatus, DEFAULT_ACCOUNT, Kind, Progress, STATUS, Secret, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::cli::Cli;
use crate::client::Daemon;
use crate::console::Console;
use crate::failure::{Exit, Failed, Typed};
use crate::prompt::{Answer, Terminal, Unanswered};
use crate::show::object::Form;

/// A command's surroundings.
pub struct App {
    /// Its streams.
    pub console: Console,
    /// The daemon.
    pub daemon: Daemon,
    /// The account that was named.
    pub account: Option<String>,
    /// How to reach the same daemon and account again.
    pub typed: Typed,
    /// What stdout gets where a machine reads it.
    pub form: Option<Form>,
    /// What was said on the way, a step a line.
    pub told: Vec<String>,
    /// How the command ends if it is interrupted now. Commands change it as they go.
    pub farewell: Failed,
}

impl App {
    /// The surroundings that the command line asks for.
    pub fn new(cli: &Cli, typed: Typed, mut console: Console) -> Self {
        console.colours &= !cli.no_color;
        let farewell = Failed::interrupted("Stopped. Nothing was changed.").hint(typed.again());
        let daemon = Daemon::at(cli.socket.clone().filter(|socket| *socket != PathBuf::new()));
        Self { console, daemon, account: cli.account.clone(), form: cli.form(), typed, told: Vec::new(), farewell }
    }

    /// The account meant.
    pub fn account_name(&self) -> &str {
        self.account.as_deref().unwrap_or(DEFAULT_ACCOUNT)
    }

    /// Where nobody named an account and none is called `default`: takes the only one there is.
    ///
    /// # Errors
    /// There are several; or the daemon did not answer.
    pub async fn settle_account(&mut self) -> Result<(), Failed> {
        if self.account.is_some() {
            return Ok(());
        }
        let status: Status = self.call(STATUS, AccountParams::default()).await?;
        let names: Vec<&str> = status.accounts.iter().map(|account| account.name.as_str()).collect();
        match names[..] {
            _ if names.contains(&DEFAULT_ACCOUNT) => Ok(()),
            [] => Ok(()),
            [only] => {
                self.typed.name_account(only);
                self.account = Some(only.into());
                Ok(())
            }
            _ => {
                let message = format!(
                    "Which account is meant? None is called {DEFAULT_ACCOUNT}; there are: {}. Nothing was changed.",
                    names.join(", ")
                );
                let failed = Failed::of_kind(Kind::UnknownAccount, message, &self.typed);
                Err(failed.hint(self.typed.again_for_one()).detail("accounts", json!(names)))
            }
        }
    }

    /// The account's name as calls carry it: left out when nobody named one.
    pub fn account_params(&self) -> AccountParams {
        AccountParams { account: self.account.clone() }
    }

    /// Calls a method that needs no progress.
    pub async fn call<R: DeserializeOwned>(&self, method: &'static str, params: impl Serialize) -> Result<R, Failed> {
        self.daemon.call(method, params, |_| {}).await.map_err(|error| Failed::of_call(error, &self.typed))
    }

    /// Calls a method and says on stderr what happens meanwhile.
    pub async fn call_aloud<R: DeserializeOwned>(
        &mut self,
        method: &'static str,
        params: impl Serialize,
    ) -> Result<R, Failed> {
        let (console, told) = (&mut self.console, &mut self.told);
        let say = |step: Progress| {
            console.say(&crate::show::text::clean(&self.typed.dressed(&step.text)));
            told.push(step.text);
        };
        self.daemon.call(method, params, say).await.map_err(|error| Failed::of_call(error, &self.typed))
    }

    /// The account as it stands now; `None` before its first login.
    pub async fn find_account(&self) -> Result<Option<AccountStatus>, Failed> {
        // Asked for all and looked up here: the daemon does not know the name of an account that is about to be made.
        let status: Status = self.call(STATUS, AccountParams::default()).await?;
        Ok(status.accounts.into_iter().find(|account| account.name == self.account_name()))
    }

    /// Asks the person, again after a slip of the control key. `nobody` is the end when there is no one to ask.
    pub async fn ask(&mut self, question: &str, hidden: bool, nobody: Failed) -> Result<Secret, Failed> {
        self.answer(|terminal| terminal.ask(question, hidden), nobody).await
    }

    /// Asks the person for something hidden, on a line that changes while they think.
    pub async fn ask_live(
        &mut self,
        line: impl Fn() -> String + Clone + Send + 'static,
        nobody: Failed,
    ) -> Result<Secret, Failed> {
        self.answer(|terminal| terminal.ask_live(Box::new(line.clone())), nobody).await
    }

    async fn answer(&mut self, ask: impl Fn(&dyn Terminal) -> Answer, nobody: Failed) -> Result<Secret, Failed> {
        let Some(terminal) = self.console.terminal.clone() else { return Err(nobody) };
        loop {
            match ask(&*terminal).await {
                Ok(answer) if holds_controls(&answer) => {
                    self.console.say("That held a control character, such as Ctrl-Z, and was not sent. Once more:");
                }
                Ok(answer) => return Ok(answer),
                Err(why) => return Err(self.unanswered(why)),
            }
        }
    }

    /// Asks for something to be pasted, however long and over however many lines. `open` is called when the prompt is there.
    pub async fn paste(&mut self, question: &str, open: impl FnOnce()) -> Result<Secret, Failed> {
        let Some(terminal) = self.console.terminal.clone() else {
            return Err(Failed::usage("No terminal could be opened."));
        };
        let answer = terminal.paste(question);
        open();
        answer.await.map_err(|why| self.unanswered(why))
    }

    fn unanswered(&self, why: Unanswered) -> Failed {
        match why {
            Unanswered::Left => self.farewell.clone(),
            Unanswered::Io(error) => {
                let message = format!("The terminal could not be read ({error}). Nothing was changed.");
                Failed::new(Exit::Failed, "terminal", message).hint(self.typed.again())
            }
        }
    }

    /// A secret that stdin brings; a terminal there is asked without echo.
    pub async fn secret_line(&mut self, question: &str, what: &str) -> Result<Secret, Failed> {
        if self.console.input_is_terminal {
            let answer = self.ask(question, true, Failed::usage("No terminal could be opened.")).await?;
            return self.sound(answer, what);
        }
        match self.console.line().await {
            Ok(Some(line)) => self.sound(line, what),
            Ok(None) => {
                Err(Failed::usage(format!("stdin ended before {what}. Nothing was sent.")).hint(self.typed.again()))
            }
            Err(error) => {
                Err(Failed::usage(format!("stdin could not be read for {what} ({error}). Nothing was sent.")))
            }
        }
    }

    /// Refuses an answer that holds nothing, or what no key types on purpose.
    pub fn sound(&self, answer: Secret, what: &str) -> Result<Secret, Failed> {
        let wrong = if answer.expose().trim().is_empty() {
            format!("Nothing was given for {what}. Nothing was sent.")
        } else if holds_controls(&answer) {
            format!("There is a control character in {what}. Nothing was sent.")
        } else {
            return Ok(answer);
        };
        Err(Failed::usage(wrong).hint(self.typed.again()))
    }
}

/// Whether a line holds control characters, its end excepted.
fn holds_controls(line: &Secret) -> bool {
    line.expose().trim_end_matches(['\r', '\n']).contains(char::is_control)
}
