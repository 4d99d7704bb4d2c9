//! `garminsyncctl`, the control client of `garminsyncd`: reads a command line, talks to the daemon over its socket, shows
//! what came back. `ctl/main.rs` calls [`main`]; tests call [`run`] with a [`Console`] of their own.
//! It must not know the daemon's files, Garmin or a database: all it knows is the protocol.

mod app;
mod cli;
mod client;
mod commands;
mod console;
mod desktop;
mod failure;
mod prompt;
mod show;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

pub use console::Console;
pub use prompt::{Answer, Line, Terminal, Unanswered};

use cli::Invocation;
use failure::{Exit, Failed};
use show::object::Form;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    #[cfg(unix)]
    write_no_core_file();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let code = match runtime {
        Ok(runtime) => runtime.block_on(async { run(std::env::args_os(), Console::of_process()).await }),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: The runtime did not start: {error}. Nothing was changed.");
            Exit::Failed.code()
        }
    };
    ExitCode::from(code)
}

/// Keeps passwords, codes and keys out of core files: a crash writes none. A browser that is started from here may allow itself one again.
#[cfg(unix)]
fn write_no_core_file() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let none = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        let _ = writeln!(io::stderr(), "warning: A crash may write a core file ({error}).");
    }
}

/// Runs one command line, program name included, and returns the exit code. `Ctrl-C` may arrive at any moment: the command
/// under way is dropped, which gives the terminal its echo back, and what it left to say about that is said.
pub async fn run(args: impl IntoIterator<Item = OsString>, mut console: Console) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let invocation = match cli::read(&args) {
        Ok(invocation) => invocation,
        Err(error) => return cli::explain(&error, cli::form(&args), &mut console).code(),
    };
    let Invocation { cli, typed } = invocation;
    let form = cli.form();
    let csv = match cli.wants_csv() {
        Ok(csv) => csv,
        Err(failed) => return report(&failed, None, &mut console).code(),
    };
    let interrupt = console.interrupt();
    let mut app = app::App::new(&cli, typed, console);
    let ended = tokio::select! {
        biased;
        () = interrupt => None,
        ended = commands::run(&mut app, cli.command) => Some(ended),
    };
    let ended = ended.unwrap_or_else(|| Err(app.farewell.clone()));
    let console = &mut app.console;
    let exit = ended.and_then(|done| {
        let text = match (done.csv.filter(|_| csv), form) {
            (Some(csv), _) => csv,
            (None, Some(form)) => show::object::done(&done.data, form),
            (None, None) => done.text,
        };
        console.data(&text).map_err(|error| Failed::unwritten(&error))?;
        if form.is_none() {
            console.say(&done.message);
        }
        Ok(done.exit)
    });
    exit.unwrap_or_else(|failed| report(&failed, form, console)).code()
}

/// Tells a failure: one object on stdout for machines, words on stderr for people, and for whoever cannot be told on stdout.
fn report(failed: &Failed, form: Option<Form>, console: &mut Console) -> Exit {
    let Some(form) = form else {
        let paint = console.paint_err();
        console.say(&show::text::failed(failed, paint));
        return failed.exit;
    };
    match console.data(&show::object::failed(failed, form)) {
        Ok(()) => failed.exit,
        Err(error) => report(&Failed::unwritten(&error), None, console),
    }
}
