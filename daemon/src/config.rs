//! The configuration file: TOML to [`Config`], everything checked, unknown keys refused with file, line and key. The wiring
//! reads it once at start. It must not know which room uses what, and no secret ever stands in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use garminsync_garmin::Domain;
use garminsync_store::KeySource;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Spanned;

pub use self::keep::Keep;
pub use self::values::{ACCOUNT_NAMES, AccountName, BaseUrl, LastDay, Start, valid_account_name};
use crate::clock::Schedule;
use crate::places::{Place, Places};
use crate::program::Program;
use crate::sync::budget::DAILY;

mod found;
mod keep;
mod values;
mod words;

/// The configuration in effect; `Config::default()` is what holds without a file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[garmin]`: whom to talk to.
    pub garmin: GarminSection,
    /// `[sync]`: what is mirrored, and when.
    pub sync: SyncSection,
    /// `[tokens]`: when to look for tokens that need renewal.
    pub tokens: TokensSection,
    /// `[mfa]`: how long a login waits for its code.
    pub mfa: MfaSection,
    /// `[control]`: the control socket.
    pub control: ControlSection,
    /// `[vault]`: where its key is.
    pub vault: VaultSection,
    /// `[accounts.NAME]`: what differs for one account.
    pub accounts: BTreeMap<AccountName, AccountSection>,
    /// `[datasets]`: on or off by name; whether the names exist, the sync room knows.
    pub datasets: BTreeMap<String, bool>,
    /// `[retention]`: how long samples and files are kept.
    pub retention: RetentionSection,
}

/// `[retention]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSection {
    /// Samples within a day, and Garmin's answers that they were made of.
    pub samples: Keep,
    /// FIT, TCX and GPX files.
    pub originals: Keep,
}

/// `[garmin]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GarminSection {
    /// `garmin.com`, or `garmin.cn` for accounts of mainland China.
    pub domain: Domain,
    /// The OAuth client ids to try in the ticket exchange, in this order; the built-in list when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ids: Option<Vec<String>>,
    /// Other hosts than Garmin's, for tests and gateways.
    pub endpoints: EndpointsSection,
}

impl Default for GarminSection {
    fn default() -> Self {
        Self { domain: Domain::Com, client_ids: None, endpoints: EndpointsSection::default() }
    }
}

/// `[garmin.endpoints]`: base addresses; those that are absent stay Garmin's own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "snake_case")]
pub struct EndpointsSection {
    /// Sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sso: Option<BaseUrl>,
    /// Ticket exchange and refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diauth: Option<BaseUrl>,
    /// Data of the account tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectapi: Option<BaseUrl>,
    /// Data of the Personal tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal: Option<BaseUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in_pause_s: Option<Spanned<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_gap_s: Option<Spanned<f64>>,
}

impl EndpointsSection {
    /// Seconds to wait where a person would read and type; only against a sign-in server on this machine.
    pub fn sign_in_pause_s(&self) -> Option<f64> {
        self.sign_in_pause_s.as_ref().map(|pause| *pause.get_ref())
    }

    /// Seconds between the starts of two data requests to a tier; only against data servers on this machine.
    pub fn request_gap_s(&self) -> Option<f64> {
        self.request_gap_s.as_ref().map(|gap| *gap.get_ref())
    }

    /// Where what is meant for servers on this machine stands beside others, or makes no sense.
    fn wrong(&self) -> Option<(usize, String)> {
        let here = |end: &Option<BaseUrl>| end.as_ref().is_some_and(BaseUrl::on_this_machine);
        let data = here(&self.connectapi) && here(&self.personal);
        [
            (&self.sign_in_pause_s, here(&self.sso), "sign_in_pause_s", "an sso endpoint"),
            (&self.request_gap_s, data, "request_gap_s", "connectapi and personal endpoints"),
        ]
        .into_iter()
        .find_map(|(seconds, here, key, of)| match seconds.as_ref()? {
            given if !here => Some((given.span().start, format!("{key} is for {of} on a loopback address only"))),
            given if !(0.0..=60.0).contains(given.get_ref()) => {
                Some((given.span().start, format!("{key}: 0 to 60 seconds make sense")))
            }
            _ => None,
        })
    }
}

/// `[sync]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncSection {
    /// When to sync.
    pub schedule: Schedule,
    /// How far back the mirror goes.
    pub start: Start,
    /// Heart rate, stress, Body Battery and other samples within the day.
    pub intraday: bool,
    /// FIT, TCX and GPX files.
    pub originals: bool,
    /// Data requests of a local day, for each account and tier; 0: no limit.
    #[serde(deserialize_with = "requests")]
    pub daily_requests: u64,
}

impl Default for SyncSection {
    fn default() -> Self {
        Self {
            schedule: Schedule::fixed("*/30 * * * *"),
            start: Start::Auto,
            intraday: true,
            originals: true,
            daily_requests: DAILY,
        }
    }
}

/// `[tokens]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokensSection {
    /// When to look for tokens that need renewal.
    pub refresh: Schedule,
}

impl Default for TokensSection {
    fn default() -> Self {
        Self { refresh: Schedule::fixed("*/10 * * * *") }
    }
}

/// `[mfa]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MfaSection {
    /// Minutes a login waits for its code. Garmin's own codes live about 30.
    #[serde(deserialize_with = "minutes")]
    pub timeout_minutes: u32,
    /// A program that prints the code of an unattended sign-in: its path and arguments, run without a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Spanned<Vec<String>>>,
}

impl Default for MfaSection {
    fn default() -> Self {
        Self { timeout_minutes: 30, command: None }
    }
}

/// `[control]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ControlSection {
    /// The control socket's path (a pipe name on Windows).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    /// The Unix group whose members may use it, besides root and the daemon's own user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// `[vault]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct VaultSection {
    /// Where the key shall be; a change moves it at the next start.
    pub key: KeyWish,
}

/// Where the vault's key shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum KeyWish {
    /// Where it is; a new vault's in the best place there is.
    #[default]
    Auto,
    /// In the service manager's credential `vault-key`.
    Credential,
    /// In the keyring of the operating system.
    Keyring,
    /// In the file `vault.key`.
    File,
}

impl TryFrom<String> for KeyWish {
    type Error = &'static str;

    /// What is wrong is not quoted: it may be the key itself.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            "credential" => Ok(Self::Credential),
            "keyring" => Ok(Self::Keyring),
            "file" => Ok(Self::File),
            _ => Err("it says where the key is: auto, credential, keyring or file; the key itself never stands here"),
        }
    }
}

impl KeyWish {
    /// The place, if one was named.
    pub fn source(self) -> Option<KeySource> {
        match self {
            Self::Auto => None,
            Self::Credential => Some(KeySource::Credential),
            Self::Keyring => Some(KeySource::Keyring),
            Self::File => Some(KeySource::File),
        }
    }
}

/// `[accounts.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSection {
    /// Another domain than `[garmin]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// Another start than `[sync]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// A file with a Personal API key, read instead of a stored key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_file: Option<PathBuf>,
    /// The last day of the key in that file; Garmin tells it on that day only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_expires: Option<LastDay>,
    /// The e-mail address of an unattended sign-in; `password_command` goes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Spanned<String>>,
    /// A program that prints the password: its path and arguments, run without a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_command: Option<Spanned<Vec<String>>>,
    /// Another program for the code than `[mfa]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_command: Option<Spanned<Vec<String>>>,
}

fn minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let minutes = i64::deserialize(deserializer)?;
    let sensible = u32::try_from(minutes).ok().filter(|minutes| (1..=60).contains(minutes));
    sensible.ok_or_else(|| serde::de::Error::custom("1 to 60 minutes make sense"))
}

fn requests<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let requests = i64::deserialize(deserializer)?;
    u64::try_from(requests).map_err(|_| {
        serde::de::Error::custom(format!("daily_requests = {requests}: a number of requests, or 0 for no limit"))
    })
}

/// Why there is no configuration. The daemon exits with 78.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file says something that makes no sense.
    #[error("{}{}: {what}", path.display(), line.map_or(String::new(), |line| format!(":{line}")))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: Option<usize>,
        /// What is wrong.
        what: String,
    },
}

/// What a room has against the value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The table, as in `accounts.eva`.
    pub table: String,
    /// The key in it.
    pub key: String,
    /// What is wrong, for people.
    pub why: String,
}

impl Wrong {
    /// The value of `key` in `table`.
    pub fn new(table: &str, key: &str, why: impl Into<String>) -> Self {
        Self { table: table.into(), key: key.into(), why: why.into() }
    }
}

impl Config {
    /// Reads the file. One that nobody named may be absent: then the defaults hold.
    ///
    /// # Errors
    /// [`ConfigError`], which names file, line and key.
    pub fn load(file: &Place) -> Result<Self, ConfigError> {
        match fs::read_to_string(&file.path) {
            Ok(text) => Self::parse(&file.path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !file.from.is_explicit() => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read { path: file.path.clone(), source }),
        }
    }

    /// What a room has against the value of a key, with the file and the line where it stands.
    pub fn wrong(file: &Place, told: &Wrong) -> ConfigError {
        let text = fs::read_to_string(&file.path).unwrap_or_default();
        Self::wrong_in(&file.path, &text, told)
    }

    fn wrong_in(path: &Path, text: &str, Wrong { table, key, why }: &Wrong) -> ConfigError {
        let what = format!("{key}: {why} (in [{table}])");
        ConfigError::Wrong {
            path: path.into(),
            line: found::value(text, table, key).map(|at| found::line(text, at)),
            what,
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let wrong = |at: Option<usize>, what: String| {
            let line = at.map(|at| found::line(text, at));
            ConfigError::Wrong { path: path.into(), line, what }
        };
        let config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            wrong(at, words::in_ours(error.message(), at.map(|at| found::spot(text, at))))
        })?;
        if let Some((at, what)) = config.garmin.endpoints.wrong() {
            return Err(wrong(Some(at), what));
        }
        if config.control.group.as_deref() == Some("") {
            return Err(Self::wrong_in(
                path,
                text,
                &Wrong::new("control", "group", "it is empty; leave it out instead"),
            ));
        }
        if let Some((at, what)) = config.unattended_wrong() {
            return Err(wrong(Some(at), what));
        }
        for (name, section) in &config.accounts {
            if section.api_key_expires.is_some() && section.api_key_file.is_none() {
                let why = "it is of no use without api_key_file; `login --expires` says it of a key that is brought";
                let told = Wrong::new(&format!("accounts.{}", name.as_str()), "api_key_expires", why);
                return Err(Self::wrong_in(path, text, &told));
            }
            if section.api_key_file.as_ref().is_some_and(|path| !path.is_absolute()) {
                let table = format!("accounts.{}", name.as_str());
                let told = Wrong::new(&table, "api_key_file", "give the whole path, from / on");
                return Err(Self::wrong_in(path, text, &told));
            }
        }
        Ok(config)
    }

    /// What is wrong with the keys of unattended sign-ins, and where.
    fn unattended_wrong(&self) -> Option<(usize, String)> {
        let program = |section: &str, key: &str, words: &Option<Spanned<Vec<String>>>| {
            let words = words.as_ref()?;
            let why = Program::new(words.get_ref()).err()?;
            Some((words.span().start, format!("{key}: {why} (in [{section}])")))
        };
        let account = |(name, account): (&AccountName, &AccountSection)| {
            let section = format!("accounts.{}", name.as_str());
            let missing = |at: usize, key: &str, other: &str| {
                let what =
                    format!("{key} is of no use without {other} (in [{section}]); together they sign in unattended");
                Some((at, what))
            };
            match (&account.email, &account.password_command, &account.mfa_command) {
                (Some(email), None, _) => missing(email.span().start, "email", "password_command"),
                (None, Some(words), _) => missing(words.span().start, "password_command", "email"),
                (None, None, Some(words)) => missing(words.span().start, "mfa_command", "email and password_command"),
                (Some(email), ..) if !is_address(email.get_ref()) => {
                    Some((email.span().start, format!("email: {:?} is no address (in [{section}])", email.get_ref())))
                }
                (_, words, code) => {
                    program(&section, "password_command", words).or_else(|| program(&section, "mfa_command", code))
                }
            }
        };
        program("mfa", "command", &self.mfa.command).or_else(|| self.accounts.iter().find_map(account))
    }

    /// The configuration in effect as TOML, headed by where each place comes from, and what is to be said of the vault's key.
    pub fn print(&self, file: &Place, places: &Places, vault_key: &str) -> String {
        let mut shown = self.clone();
        shown.control.socket = Some(places.socket.path.clone());
        let toml = toml::to_string(&shown).unwrap_or_else(|error| format!("# cannot be shown: {error}\n"));
        let missing = if file.path.exists() { "" } else { ", no such file" };
        format!(
            "# configuration  {} ({}{missing})\n# state          {}\n# data           {}\n# socket         {}\n# vault's key    {vault_key}\n\n{toml}",
            file.path.display(),
            file.from,
            places.state_dir,
            places.data_dir,
            places.socket,
        )
    }
}

fn is_address(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    text.chars().all(plain) && text.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty())
}

#[cfg(test)]
mod tests;
