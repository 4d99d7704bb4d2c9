//! The command line of `garminsyncd`: flags, and the environment variables that stand in for them. `places` and `logging` read the
//! result. It must not look at files or decide anything.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser};
use tracing::level_filters::LevelFilter;

/// What was typed, or stands in the environment.
#[derive(Clone, Debug, Default, Parser)]
#[command(
    name = "garminsyncd",
    version,
    about = "Keeps Garmin Connect data mirrored on this machine",
    after_help = "Flags win over the environment, the environment over the file, the file over defaults.\n\
                  Exit codes: 0 stopped on request, 1 failed, 2 usage, 75 another instance runs, 78 configuration wrong."
)]
pub struct Args {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = "GARMINSYNC_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of vault.db and the lock
    #[arg(long, value_name = "DIR", env = "GARMINSYNC_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Directory of garmin.db and the activity files
    #[arg(long, value_name = "DIR", env = "GARMINSYNC_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Control socket (a pipe name on Windows)
    #[arg(long, value_name = "NAME", env = "GARMINSYNC_SOCKET")]
    pub socket: Option<PathBuf>,
    /// How much to log: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", env = "GARMINSYNC_LOG", default_value = "info")]
    pub(crate) log: Option<LevelFilter>,
    /// Log to stderr even when a journal listens (it never forks either way)
    #[arg(long)]
    pub foreground: bool,
    /// Read the configuration, say whether it is right (exit 0 or 78), and stop
    #[arg(long)]
    pub check_config: bool,
    /// Print the configuration in effect, with where the places come from, and stop
    #[arg(long)]
    pub print_config: bool,
    /// Make tables anew from the archive, without asking Garmin, and stop; all of them when no dataset is named
    #[arg(long, value_name = "DATASET", num_args = 0.., conflicts_with_all = ["check_config", "print_config"])]
    pub rebuild: Option<Vec<String>>,
    /// The arguments above that came from the environment, by their id.
    #[arg(skip)]
    pub from_environment: Vec<&'static str>,
}

impl Args {
    /// Reads arguments; the first is the program's name.
    ///
    /// # Errors
    /// Clap's, which also carries `--help` and `--version`; its `exit()` ends the process with 0 or 2.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(words)?;
        let mut args = Self::from_arg_matches(&matches)?;
        args.from_environment = ["config", "state_dir", "data_dir", "socket"]
            .into_iter()
            .filter(|id| matches.value_source(id) == Some(ValueSource::EnvVariable))
            .collect();
        // `GARMINSYNC_SOCKET=` in a unit or a shell means "not set".
        for place in [&mut args.config, &mut args.state_dir, &mut args.data_dir, &mut args.socket] {
            place.take_if(|path| path.as_os_str().is_empty());
        }
        Ok(args)
    }

    /// How much to log.
    pub fn level(&self) -> LevelFilter {
        self.log.unwrap_or(LevelFilter::INFO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Args, clap::Error> {
        Args::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn flags_are_read() {
        Args::command().debug_assert();
        let args = read("garminsyncd --state-dir /s --log debug --foreground").unwrap();
        assert_eq!(args.state_dir, Some("/s".into()));
        assert_eq!(args.level(), LevelFilter::DEBUG);
        assert!(args.foreground && !args.check_config);
        assert_eq!(read("garminsyncd").unwrap().level(), LevelFilter::INFO);
    }

    #[test]
    fn wrong_usage_is_exit_code_2_and_help_is_0() {
        assert_eq!(read("garminsyncd --nonsense").unwrap_err().exit_code(), 2);
        assert_eq!(read("garminsyncd --log loud").unwrap_err().exit_code(), 2);
        assert_eq!(read("garminsyncd --version").unwrap_err().exit_code(), 0);
    }
}
