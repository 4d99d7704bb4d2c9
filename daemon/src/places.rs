//! Where files are: flag, environment, configuration, service manager, the platform's own, in this order. Pure: the caller hands in
//! the environment. It must not create or open anything.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use garminsync_protocol::places as agreed;

use crate::args::Args;
use crate::config::Config;

/// Longest path of a Unix socket, in bytes: `sun_path` has 104 on macOS and 108 on Linux.
pub const MAX_SOCKET_PATH: usize = 100;

/// Who said where something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This flag.
    Flag(&'static str),
    /// This variable of ours.
    Environment(&'static str),
    /// This key of the configuration file.
    File(&'static str),
    /// The service manager, by this variable.
    ServiceManager(&'static str),
    /// Nobody; the platform's usual place.
    Default,
}

impl Origin {
    /// Whether a person named it just now.
    pub fn is_explicit(self) -> bool {
        matches!(self, Self::Flag(_) | Self::Environment(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Environment(name) | Self::File(name) => f.write_str(name),
            Self::ServiceManager(name) => write!(f, "service manager, {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A path and who chose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path.
    pub path: PathBuf,
    /// Who chose it.
    pub from: Origin,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.path.display(), self.from)
    }
}

/// Every place the daemon uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `vault.db`, the lock.
    pub state_dir: Place,
    /// `garmin.db`, `activities/`.
    pub data_dir: Place,
    /// The control socket.
    pub socket: Place,
    /// Where the service manager would put the vault's key; the file may be absent.
    pub vault_key_credential: Option<PathBuf>,
    /// Where Garmin's own client of the Personal API keeps its key; the file may be absent.
    pub official_key_file: Option<PathBuf>,
    /// Where the vault's key is when it is in a file of our own.
    pub vault_key_file: PathBuf,
}

/// Why a place cannot be told. The daemon exits with 78.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// No home directory, no service manager, no flag.
    #[error("there is no home directory to put files into; say --state-dir and --data-dir")]
    Homeless,
    /// A socket path that the operating system would cut.
    #[error(
        "the socket's path {path} is {length} bytes long, {MAX_SOCKET_PATH} are possible; choose a shorter one with --socket"
    )]
    SocketPathTooLong {
        /// The path.
        path: String,
        /// Its bytes.
        length: usize,
    },
}

/// Reads a variable of the environment; `std::env::var_os` outside tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The configuration file to read.
///
/// # Errors
/// [`PlaceError::Homeless`].
pub fn config_file(args: &Args, env: Environment<'_>) -> Result<Place, PlaceError> {
    if let Some(place) = given(args, &args.config, "config", "--config", "GARMINSYNC_CONFIG") {
        return Ok(place);
    }
    if let Some(directory) = directories_of(env, "CONFIGURATION_DIRECTORY").into_iter().next() {
        return Ok(Place {
            path: directory.join("config.toml"),
            from: Origin::ServiceManager("CONFIGURATION_DIRECTORY"),
        });
    }
    let path = platform(env, Purpose::Config).ok_or(PlaceError::Homeless)?.join("config.toml");
    Ok(Place { path, from: Origin::Default })
}

impl Places {
    /// Settles every place.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn settle(args: &Args, config: &Config, env: Environment<'_>) -> Result<Self, PlaceError> {
        let handed = directories_of(env, "STATE_DIRECTORY");
        let by_manager = Origin::ServiceManager("STATE_DIRECTORY");

        let state_dir = given(args, &args.state_dir, "state_dir", "--state-dir", "GARMINSYNC_STATE_DIR")
            .or_else(|| handed.first().map(|path| Place { path: path.clone(), from: by_manager }))
            .or_else(|| platform(env, Purpose::State).map(|path| Place { path, from: Origin::Default }))
            .ok_or(PlaceError::Homeless)?;

        let beside_state = || Place { path: state_dir.path.join("data"), from: state_dir.from };
        let data_dir = given(args, &args.data_dir, "data_dir", "--data-dir", "GARMINSYNC_DATA_DIR")
            .or_else(|| handed.get(1).map(|path| Place { path: path.clone(), from: by_manager }))
            // A state directory of one's own keeps everything together; only the platform's has a separate home for data.
            .or_else(|| (state_dir.from != Origin::Default).then(beside_state))
            .or_else(|| platform(env, Purpose::Data).map(|path| Place { path, from: Origin::Default }))
            .ok_or(PlaceError::Homeless)?;

        let in_config =
            || config.control.socket.clone().map(|path| Place { path, from: Origin::File("[control] socket") });
        let handed_runtime = || directories_of(env, "RUNTIME_DIRECTORY").into_iter().next();
        let socket = given(args, &args.socket, "socket", "--socket", "GARMINSYNC_SOCKET")
            .or_else(in_config)
            .or_else(|| (cfg!(windows)).then(|| Place { path: agreed::WINDOWS_PIPE.into(), from: Origin::Default }))
            .or_else(|| {
                let path = handed_runtime()?.join("control.sock");
                Some(Place { path, from: Origin::ServiceManager("RUNTIME_DIRECTORY") })
            })
            .unwrap_or_else(|| {
                let runtime = absolute(env, "XDG_RUNTIME_DIR");
                Place { path: agreed::user_socket(runtime, state_dir.path.clone()), from: Origin::Default }
            });
        let length = socket.path.as_os_str().len();
        if cfg!(unix) && length > MAX_SOCKET_PATH {
            return Err(PlaceError::SocketPathTooLong { path: socket.path.display().to_string(), length });
        }

        Ok(Self {
            vault_key_credential: directories_of(env, "CREDENTIALS_DIRECTORY")
                .first()
                .map(|path| path.join("vault-key")),
            vault_key_file: state_dir.path.join("vault.key"),
            official_key_file: home(env).map(|home| home.join(".config/garmin/connect-personal-api-key")),
            state_dir,
            data_dir,
            socket,
        })
    }
}

/// A flag's value, with whether it came as the flag or as its variable.
fn given(args: &Args, value: &Option<PathBuf>, id: &str, flag: &'static str, variable: &'static str) -> Option<Place> {
    let from = if args.from_environment.contains(&id) { Origin::Environment(variable) } else { Origin::Flag(flag) };
    value.clone().map(|path| Place { path, from })
}

/// The directories a service manager hands over: absolute, separated by colons.
fn directories_of(env: Environment<'_>, variable: &str) -> Vec<PathBuf> {
    let list = env(variable).unwrap_or_default();
    std::env::split_paths(&list).filter(|path| path.is_absolute()).collect()
}

/// A variable that holds an absolute path; XDG says to ignore others.
fn absolute(env: Environment<'_>, variable: &str) -> Option<PathBuf> {
    env(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    Config,
    State,
    Data,
}

/// A plain user's directory: XDG on Linux and its kin; one folder with `data` in it on macOS and Windows.
fn platform(env: Environment<'_>, purpose: Purpose) -> Option<PathBuf> {
    let base = directories::BaseDirs::new();
    if cfg!(any(target_os = "macos", windows)) {
        let own = base?.data_local_dir().join("garminsync");
        return Some(if purpose == Purpose::Data { own.join("data") } else { own });
    }
    let (variable, below_home) = match purpose {
        Purpose::Config => ("XDG_CONFIG_HOME", ".config"),
        Purpose::State => ("XDG_STATE_HOME", ".local/state"),
        Purpose::Data => ("XDG_DATA_HOME", ".local/share"),
    };
    let parent = absolute(env, variable).or_else(|| home(env).map(|home| home.join(below_home)))?;
    Some(parent.join("garminsync"))
}

fn home(env: Environment<'_>) -> Option<PathBuf> {
    absolute(env, "HOME").or_else(|| Some(directories::BaseDirs::new()?.home_dir().to_path_buf()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn settle(args: &Args, config: &Config, variables: &[(&str, &str)]) -> Result<Places, PlaceError> {
        Places::settle(args, config, &environment(variables))
    }

    fn environment(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        let variables: Vec<(String, OsString)> =
            variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        move |name| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn paths(places: &Places) -> [&str; 3] {
        [&places.state_dir, &places.data_dir, &places.socket].map(|place| place.path.to_str().unwrap())
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_plain_user_gets_xdg() {
        let places = settle(&Args::default(), &Config::default(), &[("HOME", "/home/ana")]).unwrap();
        assert_eq!(
            paths(&places),
            [
                "/home/ana/.local/state/garminsync",
                "/home/ana/.local/share/garminsync",
                "/home/ana/.local/state/garminsync/control.sock"
            ]
        );
        assert_eq!(places.vault_key_file, Path::new("/home/ana/.local/state/garminsync/vault.key"));
        assert_eq!(places.vault_key_credential, None);

        let variables = [
            ("HOME", "/home/ana"),
            ("XDG_STATE_HOME", "/s"),
            ("XDG_DATA_HOME", "not/absolute"),
            ("XDG_RUNTIME_DIR", "/run/user/7"),
        ];
        let places = settle(&Args::default(), &Config::default(), &variables).unwrap();
        assert_eq!(
            paths(&places),
            ["/s/garminsync", "/home/ana/.local/share/garminsync", "/run/user/7/garminsync/control.sock"]
        );
        let file = config_file(&Args::default(), &environment(&variables)).unwrap();
        assert_eq!(file.path, Path::new("/home/ana/.config/garminsync/config.toml"));
        assert!(!file.from.is_explicit());
    }

    #[cfg(unix)]
    #[test]
    fn a_service_manager_hands_directories_over() {
        let variables = [
            ("HOME", "/"),
            ("STATE_DIRECTORY", "/var/lib/garminsync"),
            ("RUNTIME_DIRECTORY", "/run/garminsync"),
            ("CONFIGURATION_DIRECTORY", "/etc/garminsync"),
            ("CREDENTIALS_DIRECTORY", "/run/credentials/garminsyncd.service"),
        ];
        let places = settle(&Args::default(), &Config::default(), &variables).unwrap();
        assert_eq!(paths(&places), ["/var/lib/garminsync", "/var/lib/garminsync/data", "/run/garminsync/control.sock"]);
        assert_eq!(places.socket.from.to_string(), "service manager, RUNTIME_DIRECTORY");
        let credential = places.vault_key_credential.unwrap();
        assert_eq!(credential, Path::new("/run/credentials/garminsyncd.service/vault-key"));
        let file = config_file(&Args::default(), &environment(&variables)).unwrap();
        assert_eq!(file.path, Path::new("/etc/garminsync/config.toml"));

        let two = [("STATE_DIRECTORY", "/var/lib/garminsync:/srv/garmin")];
        let places = settle(&Args { socket: Some("/x".into()), ..Args::default() }, &Config::default(), &two).unwrap();
        assert_eq!(paths(&places), ["/var/lib/garminsync", "/srv/garmin", "/x"]);
    }

    #[cfg(unix)]
    #[test]
    fn flag_wins_over_file_and_file_over_default() {
        let variables = [("HOME", "/home/ana"), ("RUNTIME_DIRECTORY", "/run/garminsync")];
        let mut config = Config::default();
        config.control.socket = Some("/file.sock".into());
        let args = Args { state_dir: Some("/flag".into()), ..Args::default() };
        let places = settle(&args, &config, &variables).unwrap();
        assert_eq!(paths(&places), ["/flag", "/flag/data", "/file.sock"]);
        assert_eq!(places.state_dir.from.to_string(), "--state-dir");

        let args = Args { socket: Some("/flag.sock".into()), from_environment: vec!["socket"], ..args };
        let places = settle(&args, &config, &variables).unwrap();
        assert_eq!(places.socket.to_string(), "/flag.sock (GARMINSYNC_SOCKET)");
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_path_the_system_would_cut_is_refused() {
        let args = Args {
            state_dir: Some("/".into()),
            socket: Some(format!("/{}", "x".repeat(100)).into()),
            ..Args::default()
        };
        let error = settle(&args, &Config::default(), &[]).unwrap_err();
        assert!(error.to_string().contains("is 101 bytes long"), "{error}");
    }
}
