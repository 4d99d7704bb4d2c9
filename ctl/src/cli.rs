//! The command line: every command and flag, defined once. `run` reads it; completions are generated from it.
//! It must not do anything but read: no socket, no prompt.

use std::ffi::OsString;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};

use crate::commands::key::last_day_from_now;
use crate::console::Console;
use crate::failure::{Exit, Failed, Typed, quoted};
use crate::show::object::Form;
const GLOBAL: &str = "Global options";

/// Talks to garminsyncd: sign in to Garmin Connect, sync, look at what is true now.
#[derive(Debug, Parser)]
#[command(
    name = "garminsyncctl",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 daemon not reachable, 4 login needed, 5 code needed, \
                  6 try later, 7 not allowed, 8 wrong credentials or code."
)]
pub struct Cli {
    /// The daemon's control socket [default: the user's service, then the system's]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME", value_hint = ValueHint::FilePath, env = "GARMINSYNC_SOCKET", hide_env_values = true)]
    pub socket: Option<PathBuf>,
    /// The account [default: default; where none is called so, the only one there is, except for login, which makes it]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME", value_hint = ValueHint::Other)]
    pub account: Option<String>,
    /// How data are printed on stdout; yaml says what json says, csv is for gaps, history and datasets
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FORMAT", default_value = "table")]
    output: Output,
    /// The same as --output json: one object with "version": 1
    #[arg(long, global = true, help_heading = GLOBAL, conflicts_with = "output")]
    json: bool,
    /// No colours, as with NO_COLOR in the environment
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub no_color: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
    Yaml,
    Csv,
}

impl Cli {
    /// Whether stdout gets comma-separated values.
    ///
    /// # Errors
    /// When the command has no table.
    pub fn wants_csv(&self) -> Result<bool, Failed> {
        let csv = self.output == Output::Csv;
        match self.command {
            _ if !csv => Ok(false),
            Command::Gaps { .. } | Command::History { .. } | Command::Datasets => Ok(true),
            _ => Err(Failed::usage("--output csv is for gaps, history and datasets. Nothing was done.")),
        }
    }

    /// The form of the object that stdout gets, where a machine reads it.
    pub fn form(&self) -> Option<Form> {
        match self.output {
            _ if self.json => Some(Form::Json),
            Output::Json => Some(Form::Json),
            Output::Yaml => Some(Form::Yaml),
            Output::Table | Output::Csv => None,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in to Garmin, or go on with the sign-in that waits for its code
    Login(Login),
    /// Bring the code that a waiting sign-in needs
    Mfa(Mfa),
    /// Forget the account's secrets; its data stay
    Logout(Logout),
    /// Show every account: its login, its mirror, its troubles
    Status {
        /// Show it again whenever it changes, until Ctrl-C; with --json one object a line
        #[arg(long)]
        watch: bool,
    },
    /// List the accounts, one a line
    Accounts,
    /// Read what is new from Garmin, or join the sync under way
    Sync(Sync),
    /// Stop the sync under way; what it has read stays
    Cancel,
    /// List the days and files that are wanted and missing: why, since when, and when they are tried next
    Gaps {
        /// Only of this dataset; may be given several times
        #[arg(long = "dataset", value_name = "NAME", value_hint = ValueHint::Other)]
        datasets: Vec<String>,
    },
    /// List the syncs, newest first: why, when, how they ended, what they brought and cost
    History {
        /// How many [default: 20]
        #[arg(long, value_name = "N", value_hint = ValueHint::Other, value_parser = clap::value_parser!(u32).range(1..=500))]
        last: Option<u32>,
    },
    /// List what can be mirrored: on or off, the tiers that serve it, what is held, what it costs
    Datasets,
    /// Look for what keeps garminsync from working, and say what to do; exit code 1 if something does
    Doctor,
    /// Show the release and the protocol of the client and the daemon
    Version,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Flags of `login`.
#[derive(Debug, Args)]
pub struct Login {
    /// The e-mail address of the Garmin account [default: asked for]
    #[arg(long, value_name = "E-MAIL", value_hint = ValueHint::EmailAddress)]
    pub email: Option<String>,
    /// Read the password from the first line of stdin
    #[arg(long)]
    pub password_stdin: bool,
    /// Read the code from the next line of stdin
    #[arg(long)]
    pub code_stdin: bool,
    /// Where nobody can be asked: wait until another client brings the code
    #[arg(long, conflicts_with = "no_wait")]
    pub wait: bool,
    /// When a code is needed, leave with exit code 5; the sign-in goes on waiting
    #[arg(long, conflicts_with = "code_stdin")]
    pub no_wait: bool,
    /// Read a Personal API key from the first line of stdin, instead of e-mail and password
    #[arg(long, conflicts_with_all = ["email", "password_stdin", "code_stdin", "wait", "no_wait"])]
    pub api_key_stdin: bool,
    /// When that key ends: days from today, or its last day as 2027-01-31 [default: asked for at a terminal]
    #[arg(long, value_name = "DATE|DAYS", requires = "api_key_stdin", value_parser = last_day_from_now, value_hint = ValueHint::Other)]
    pub expires: Option<NaiveDate>,
    /// Sign in with your own browser and paste where it leads: works whatever Garmin asks there, and no password comes here
    #[arg(long, conflicts_with_all = ["email", "password_stdin", "code_stdin", "wait", "no_wait", "api_key_stdin"])]
    pub browser: bool,
    /// Only print the browser's address, and open nothing
    #[arg(long, requires = "browser")]
    pub no_open: bool,
    /// Take over the login of another program from its token file, or from a directory with it; from files only, never from the
    /// environment
    #[arg(
        long,
        value_name = "PATH",
        value_hint = ValueHint::AnyPath,
        conflicts_with_all = ["email", "password_stdin", "code_stdin", "wait", "no_wait", "api_key_stdin", "browser"]
    )]
    pub import: Option<PathBuf>,
    /// Ask Garmin once although the daemon is waiting after a refusal
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `mfa`.
#[derive(Debug, Args)]
pub struct Mfa {
    /// The code [default: asked for, or one line of stdin]
    #[arg(value_hint = ValueHint::Other)]
    pub code: Option<String>,
    /// Ask Garmin to send another code; the waiting sign-in takes the newest
    #[arg(long, conflicts_with_all = ["code", "cancel"])]
    pub resend: bool,
    /// Give the waiting sign-in up
    #[arg(long, conflicts_with = "code")]
    pub cancel: bool,
}

/// Flags of `logout`.
#[derive(Debug, Args)]
pub struct Logout {
    /// Remove the account's data too: its rows in every table, its original files. Asks first
    #[arg(long)]
    pub forget_data: bool,
    /// Do not ask; needed where nobody can be asked
    #[arg(long, requires = "forget_data")]
    pub yes: bool,
}

/// Flags of `sync`.
#[derive(Debug, Args)]
pub struct Sync {
    /// Stay until the sync has ended (the default)
    #[arg(long, conflicts_with = "no_wait")]
    pub wait: bool,
    /// Start it and leave
    #[arg(long)]
    pub no_wait: bool,
    /// First day to read, as 2026-01-31 [default: the configured start]
    #[arg(long, value_name = "DATE", value_parser = day, value_hint = ValueHint::Other)]
    pub since: Option<NaiveDate>,
    /// Last day to read [default: today]
    #[arg(long, value_name = "DATE", value_parser = day, value_hint = ValueHint::Other)]
    pub until: Option<NaiveDate>,
    /// Only this dataset; may be given several times
    #[arg(long = "dataset", value_name = "NAME", value_hint = ValueHint::Other)]
    pub datasets: Vec<String>,
    /// Read only what `gaps` lists; nothing because it may have changed since
    #[arg(long)]
    pub missing: bool,
}

/// The shells completions are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

fn day(text: &str) -> Result<NaiveDate, &'static str> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| "a day looks like 2026-01-31")
}

/// A command line that could be read.
#[derive(Debug)]
pub struct Invocation {
    /// The command and its flags.
    pub cli: Cli,
    /// How a person reaches the same daemon and account again.
    pub typed: Typed,
}

/// The flag that makes another command of a command: typed again without it, it would be something else.
fn way(cli: &Cli) -> String {
    match &cli.command {
        Command::Login(login) if login.api_key_stdin => " --api-key-stdin".into(),
        Command::Login(login) if login.browser => " --browser".into(),
        Command::Login(Login { import: Some(path), .. }) => {
            format!(" --import {}", quoted(&path.to_string_lossy()))
        }
        Command::Mfa(mfa) if mfa.resend => " --resend".into(),
        _ => String::new(),
    }
}

/// Reads a command line, program name included.
pub fn read(args: &[OsString]) -> Result<Invocation, clap::Error> {
    let matches = Cli::command().try_get_matches_from(args)?;
    let cli = Cli::from_arg_matches(&matches)?;
    // A socket from the environment is still there for the next command; one from a flag has to be typed again.
    let socket = match matches.value_source("socket") {
        Some(ValueSource::CommandLine) => cli.socket.as_deref(),
        _ => None,
    };
    let command = matches.subcommand_name().unwrap_or("status");
    let typed = Typed::new(socket, cli.account.as_deref(), &format!("{command}{}", way(&cli)));
    Ok(Invocation { cli, typed })
}

/// What [`Cli::form`] would say of a command line that could not be read.
pub fn form(args: &[OsString]) -> Option<Form> {
    let asked = |name: &str| {
        args.iter().any(|arg| *arg == *format!("--output={name}"))
            || args.windows(2).any(|pair| pair[0] == "--output" && pair[1] == name)
    };
    if args.iter().any(|arg| arg == "--json") || asked("json") {
        return Some(Form::Json);
    }
    asked("yaml").then_some(Form::Yaml)
}

/// Prints help, the release, or what was wrong with the command line.
pub fn explain(error: &clap::Error, form: Option<Form>, console: &mut Console) -> Exit {
    if !error.use_stderr() {
        return match console.data(&error.to_string()) {
            Ok(()) => Exit::Done,
            Err(error) => crate::report(&Failed::unwritten(&error), None, console),
        };
    }
    if form.is_some() {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return crate::report(&Failed::usage(first).hint("garminsyncctl --help"), form, console);
    }
    console.say(&error.to_string());
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Invocation, clap::Error> {
        read(&text.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_of_the_interface_is_read() {
        for text in [
            "garminsyncctl login --email a@b.c --password-stdin --code-stdin",
            "garminsyncctl login --email a@b.c --no-wait",
            "garminsyncctl login --wait --force",
            "garminsyncctl login --api-key-stdin",
            "garminsyncctl login --browser",
            "garminsyncctl login --browser --no-open --account eva",
            "garminsyncctl login --import /home/ana/.garminconnect",
            "garminsyncctl login --api-key-stdin --expires 90",
            "garminsyncctl mfa",
            "garminsyncctl mfa 123456",
            "garminsyncctl mfa --cancel",
            "garminsyncctl mfa --resend",
            "garminsyncctl logout --account work",
            "garminsyncctl --account eva logout --forget-data --yes --json",
            "garminsyncctl accounts --json",
            "garminsyncctl status --watch --no-color",
            "garminsyncctl --socket /tmp/s sync --wait --since 2026-01-31 --until 2026-02-01 --dataset sleep --dataset hrv",
            "garminsyncctl sync --no-wait --output json",
            "garminsyncctl cancel",
            "garminsyncctl sync --missing",
            "garminsyncctl sync --no-wait --output yaml",
            "garminsyncctl gaps --dataset hrv --dataset sleep --output csv",
            "garminsyncctl history --last 500 --json",
            "garminsyncctl datasets",
            "garminsyncctl doctor --json",
            "garminsyncctl version --json",
            "garminsyncctl completions fish",
        ] {
            line(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "garminsyncctl",
            "garminsyncctl login --wait --no-wait",
            "garminsyncctl login --no-wait --code-stdin",
            "garminsyncctl login --api-key-stdin --email a@b.c",
            "garminsyncctl login --no-open",
            "garminsyncctl login --browser ST-1-abc-cas",
            "garminsyncctl login --browser --email a@b.c",
            "garminsyncctl login --browser --import /tmp/x",
            "garminsyncctl login --import",
            "garminsyncctl login --from-env",
            "garminsyncctl login --password hunter2",
            "garminsyncctl login --api-key hunter2",
            "garminsyncctl login --expires 90",
            "garminsyncctl login --api-key-stdin --expires soon",
            "garminsyncctl mfa 123456 --cancel",
            "garminsyncctl mfa 123456 --resend",
            "garminsyncctl mfa --resend --cancel",
            "garminsyncctl logout --yes",
            "garminsyncctl sync --since yesterday",
            "garminsyncctl history --last 0",
            "garminsyncctl history --last 501",
            "garminsyncctl status --json --output table",
            "garminsyncctl completions powershell",
        ] {
            assert!(line(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_hint_repeats_the_flags_that_were_typed() {
        let typed = line("garminsyncctl --account work sync --socket /tmp/a.sock").unwrap().typed;
        assert_eq!(typed.command("mfa"), "garminsyncctl --socket /tmp/a.sock --account work mfa");
        assert_eq!(typed.again(), "garminsyncctl --socket /tmp/a.sock --account work sync");
        for again in ["login --api-key-stdin", "login --browser", "login --import '/tmp/a b'", "mfa --resend"] {
            let words: Vec<OsString> = match again.strip_suffix(" '/tmp/a b'") {
                Some(start) => start.split(' ').chain(["/tmp/a b"]).map(OsString::from).collect(),
                None => again.split(' ').map(OsString::from).collect(),
            };
            let all: Vec<OsString> = std::iter::once(OsString::from("garminsyncctl")).chain(words).collect();
            assert_eq!(read(&all).unwrap().typed.again(), format!("garminsyncctl {again}"));
        }
    }

    #[test]
    fn its_form_is_noticed_in_a_line_that_cannot_be_read() {
        let args = |text: &str| text.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(form(&args("garminsyncctl dance --json")), Some(Form::Json));
        assert_eq!(form(&args("garminsyncctl --output json dance")), Some(Form::Json));
        assert_eq!(form(&args("garminsyncctl --output=yaml dance")), Some(Form::Yaml));
        assert_eq!(form(&args("garminsyncctl --output table dance")), None);
    }
}
