//! Front door of `garminsyncd`: arguments, configuration, logging, then the rooms. Everything a person reads on the way to the
//! first log line is said here, and every exit code of the daemon is chosen here.

use std::process::ExitCode;

use garminsync_daemon::args::Args;
use garminsync_daemon::config::Config;
use garminsync_daemon::places::{self, Places};
use garminsync_daemon::{Failed, logging};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const LOCKED: u8 = 75;
const CONFIG: u8 = 78;

fn main() -> ExitCode {
    let args = Args::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let env = |name: &str| std::env::var_os(name);
    let read = || -> Result<_, String> {
        let file = places::config_file(&args, &env).map_err(|error| error.to_string())?;
        let config = Config::load(&file).map_err(|error| error.to_string())?;
        let places = Places::settle(&args, &config, &env).map_err(|error| error.to_string())?;
        garminsync_daemon::judge::check(&file, &config)?;
        Ok((file, config, places))
    };
    let (file, config, places) = match read() {
        Ok(read) => read,
        Err(error) => return complain(CONFIG, &error),
    };
    if args.print_config {
        say(&config.print(&file, &places, &garminsync_daemon::vault::explain(&config, &places)));
        return ExitCode::SUCCESS;
    }
    if args.check_config {
        say(&format!("{file}: right\n"));
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = args.rebuild.iter().flatten().find(|name| !garminsync_daemon::has_tables(name)) {
        return complain(USAGE, &format!("--rebuild: there is no dataset {unknown:?} with tables of its own"));
    }
    if let Err(error) = logging::start(args.level(), args.foreground) {
        return complain(FAILED, &format!("logging does not start: {error}"));
    }
    let ended = match &args.rebuild {
        Some(datasets) => garminsync_daemon::rebuild(&places, datasets),
        None => garminsync_daemon::run(&file, &config, &places),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            tracing::error!("{failed}");
            ExitCode::from(match failed {
                Failed::Locked(_) => LOCKED,
                Failed::Config(_) => CONFIG,
                Failed::Other(_) => FAILED,
            })
        }
    }
}

#[expect(clippy::print_stdout, reason = "what --print-config and --check-config are asked for")]
fn say(text: &str) {
    print!("{text}");
}

#[expect(clippy::print_stderr, reason = "there is no log yet")]
fn complain(code: u8, error: &str) -> ExitCode {
    eprintln!("garminsyncd: {error}");
    ExitCode::from(code)
}
