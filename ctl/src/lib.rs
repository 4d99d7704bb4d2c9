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
    keep_memory_private();
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

/// Keeps passwords, codes and keys out of core files, as the daemon does: a crash writes none, and on Linux no process of the same user may
/// look into this one. A browser that is started from here may allow itself both again.
#[cfg(unix)]
fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let warn = |error: rustix::io::Errno| {
        let _ = writeln!(io::stderr(), "warning: A crash may write a core file ({error}).");
    };
    let none = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    setrlimit(Resource::Core, none).unwrap_or_else(warn);
    // A core file that goes to a program, as systemd-coredump has it, is written whatever the limit.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable).unwrap_or_else(warn);
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
    exit.unwrap_or_else(|failed| match form {
        // A person has read the steps already.
        None => report(&failed.less(&app.told), form, console),
        Some(_) => report(&failed, form, console),
    })
    .code()
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn a_crash_writes_no_core_file_and_nobody_looks_in() {
        super::keep_memory_private();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
