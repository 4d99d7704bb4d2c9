//! What a command that did not succeed leaves behind: the exit code, the sentence, what to type next. This is the ONE place
//! where kinds become exit codes and next steps; commands only add what they alone know.
//! It must not print.

use std::io;
use std::path::Path;

use garminsync_protocol::{Failure, Kind, LOGIN_START, LOGIN_SUBMIT_MFA, LOGOUT, PROTOCOL, SYNC_START};
use serde_json::{Map, Value};

use crate::client::ClientError;
use crate::show::text;

mod next_step;
mod typed;

use self::next_step::next_step;
pub use self::next_step::{HOW_TO_BE_ALLOWED, HOW_TO_RESTART, HOW_TO_START, how_to_get_a_key, make_a_key};
pub use self::typed::{Typed, quoted};

/// The exit codes that scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// No daemon answers.
    Unreachable = 3,
    /// An account needs a login.
    LoginNeeded = 4,
    /// A code is needed and nobody is here to ask.
    CodeNeeded = 5,
    /// Refused for now; later it may work.
    TryLater = 6,
    /// This user may not do it.
    NotAllowed = 7,
    /// Wrong credentials or wrong code.
    Refused = 8,
    /// `Ctrl-C`, as shells count it.
    Interrupted = 130,
    /// Whoever read stdout went away, as shells count a program that this ended.
    NobodyReads = 141,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    fn of(kind: Kind) -> Self {
        match kind {
            Kind::InvalidArgument => Self::Usage,
            Kind::LoginNeeded => Self::LoginNeeded,
            Kind::MfaRequired => Self::CodeNeeded,
            Kind::RateLimited | Kind::BudgetUsed | Kind::CoolingDown | Kind::CaptchaRequired | Kind::LoginBlocked => {
                Self::TryLater
            }
            Kind::NotAllowed => Self::NotAllowed,
            Kind::InvalidCredentials | Kind::MfaCodeRejected => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// The end of a command that did not succeed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The exit code.
    pub exit: Exit,
    /// The stable word for machines.
    pub kind: &'static str,
    /// What happened and what is safe. Empty when there is nothing to say.
    pub message: String,
    /// What to type next.
    pub hint: Option<String>,
    /// What the daemon added: `retry_after_s`, `attempts_left`, `challenge`, `tried`, `instead`, `ref`; or this client: `accounts`.
    pub details: Map<String, Value>,
    /// What `--json` shows beside the error.
    pub data: Map<String, Value>,
}

impl Failed {
    /// A failure that this client found itself.
    pub fn new(exit: Exit, kind: &'static str, message: impl Into<String>) -> Self {
        Self { exit, kind, message: message.into(), hint: None, details: Map::new(), data: Map::new() }
    }

    /// The command line, or what came over stdin, makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// stdout took no more.
    pub fn unwritten(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::NobodyReads, "stopped", "");
        }
        let message =
            format!("stdout could not be written ({error}). What was asked for was done; only its output is lost.");
        Self::new(Exit::Failed, "output", message)
    }

    /// A person pressed `Ctrl-C`.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::new(Exit::Interrupted, "stopped", message)
    }

    /// A failure of a kind the protocol knows.
    pub fn of_kind(kind: Kind, message: impl Into<String>, typed: &Typed) -> Self {
        Self::refused(&Failure::new(kind, message), typed)
    }

    /// With what to type next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With something that machines find beside the kind.
    pub fn detail(mut self, name: &str, value: Value) -> Self {
        self.details.insert(name.into(), value);
        self
    }

    /// With what `--json` shows beside the error.
    pub fn data(mut self, data: Value) -> Self {
        if let Value::Object(data) = data {
            self.data = data;
        }
        self
    }

    /// Whether the daemon's failure is of this kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind.as_str()
    }

    /// Tries left for a code, where the daemon told.
    pub fn attempts_left(&self) -> Option<u64> {
        self.details.get("attempts_left").and_then(Value::as_u64)
    }

    /// The ways in that a sign-in tried, a sentence each, where the daemon told.
    pub fn tried(&self) -> impl Iterator<Item = &str> {
        self.details.get("tried").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The same without the ways in that were told when they failed.
    pub fn less(mut self, told: &[String]) -> Self {
        if let Some(Value::Array(tried)) = self.details.get_mut("tried") {
            tried.retain(|way| way.as_str().is_none_or(|way| !told.iter().any(|told| told == way)));
        }
        self
    }

    /// Seconds until the same makes sense again, where the daemon told.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.details.get("retry_after_s").and_then(Value::as_u64)
    }

    /// A failure the daemon answered with.
    pub fn refused(failure: &Failure, typed: &Typed) -> Self {
        let mut details = match serde_json::to_value(failure) {
            Ok(Value::Object(details)) => details,
            _ => Map::new(),
        };
        details.remove("kind");
        Self {
            exit: Exit::of(failure.kind),
            kind: failure.kind.as_str(),
            message: text::sentence(&failure.message),
            hint: Some(next_step(failure, typed)),
            details,
            data: Map::new(),
        }
    }

    /// A call without a good answer.
    pub fn of_call(error: ClientError, typed: &Typed) -> Self {
        match error {
            ClientError::Refused(failure) => Self::refused(&failure, typed),
            ClientError::Unreachable { tried } => {
                let mut message =
                    String::from("No garminsyncd answers; its data and logins are safe where they are. Tried:");
                for (socket, answer) in tried {
                    message += &format!("\n  {} ({answer})", socket.display());
                }
                Self::new(Exit::Unreachable, "daemon_unreachable", message).hint(HOW_TO_START)
            }
            ClientError::Mute { socket } => {
                let message = format!(
                    "Something holds the socket {} and does not answer. Nothing was lost; the daemon may be overloaded or hung.",
                    socket.display()
                );
                Self::new(Exit::Unreachable, "daemon_unreachable", message).hint(HOW_TO_RESTART)
            }
            ClientError::Denied { socket } => {
                let message =
                    format!("The daemon's socket {} is closed to this user. Nothing was changed.", socket.display());
                let hint = if is_private(&socket) { "run it as the daemon's user" } else { HOW_TO_BE_ALLOWED };
                Self::of_kind(Kind::NotAllowed, message, typed).hint(hint)
            }
            ClientError::OtherProtocol { theirs } => other_protocol(theirs.protocol, &theirs.version),
            ClientError::Garbled { socket } => {
                let message = format!(
                    "What came over the socket {} is not garminsync's protocol, so the rest was left unsaid.",
                    socket.display()
                );
                Self::new(Exit::Failed, "protocol", message).hint(typed.command("version"))
            }
            ClientError::Lost { method } => {
                let safe = match method {
                    LOGIN_START => {
                        "during the sign-in. If Garmin has sent a code already, the daemon keeps the sign-in and no second code is needed."
                    }
                    LOGOUT => {
                        "while signing out. Look whether it is done; data that were to be removed are removed all the same."
                    }
                    LOGIN_SUBMIT_MFA => {
                        "while the code was checked. It may have been accepted; if not, the sign-in still waits."
                    }
                    SYNC_START => {
                        "during the sync. Everything read so far is stored; the rest follows with the next sync."
                    }
                    _ => "before it answered. Nothing is lost.",
                };
                let message = format!("The connection to the daemon broke {safe}");
                Self::new(Exit::Failed, "connection_lost", message).hint(typed.command("status"))
            }
            ClientError::Protocol(error) => {
                let message = format!(
                    "The daemon did not understand this client ({}). Nothing was changed; the two are of different releases.",
                    error.message()
                );
                Self::new(Exit::Failed, "protocol", message).hint(typed.command("version"))
            }
        }
    }
}

fn other_protocol(theirs: u32, version: &str) -> Failed {
    let (older, update) = if theirs < PROTOCOL {
        ("the daemon is older", "Update garminsyncd and restart it.")
    } else {
        ("this client is older", "Update garminsyncctl.")
    };
    let message = format!(
        "garminsyncd {version} speaks protocol {theirs}, garminsyncctl {} speaks {PROTOCOL}: {older}. Nothing was sent.",
        env!("CARGO_PKG_VERSION")
    );
    Failed::new(Exit::Failed, "protocol_mismatch", message).hint(update)
}

/// Whether a socket is in a directory that is one user's own: no group opens it to another.
fn is_private(socket: &Path) -> bool {
    ["/home", "/root", "/run/user", "/var/lib", "/Users"].iter().any(|dir| socket.starts_with(dir))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use garminsync_protocol::WayIn;

    use super::next_step::next_step_at;
    use super::*;

    fn typed() -> Typed {
        Typed::new(None, None, "sync")
    }

    /// Every kind the protocol describes, from its own description, so that a new one cannot be forgotten here.
    fn every_kind() -> Vec<Kind> {
        let document = garminsync_protocol::openrpc::document();
        let kinds = document["components"]["schemas"]["Kind"]["oneOf"].as_array().unwrap();
        let kinds: Vec<Kind> =
            kinds.iter().map(|kind| serde_json::from_value(kind["const"].clone()).unwrap()).collect();
        assert!(kinds.len() > 20 && kinds.contains(&Kind::Storage), "{kinds:?}");
        kinds
    }

    #[test]
    fn every_kind_has_its_exit_code() {
        let expected = |kind: Kind| match kind.as_str() {
            "invalid_argument" => 2,
            "login_needed" => 4,
            "mfa_required" => 5,
            "rate_limited" | "budget_used" | "cooling_down" | "captcha_required" | "login_blocked" => 6,
            "not_allowed" => 7,
            "invalid_credentials" | "mfa_code_rejected" => 8,
            "mfa_expired" | "no_pending_login" | "account_locked" | "garmin_unreachable" | "garmin_unexpected"
            | "already_running" | "unknown_account" | "unknown_dataset" | "storage" | "shutting_down" | "internal"
            | "unknown" => 1,
            other => panic!("{other} has no exit code in this table"),
        };
        for kind in every_kind() {
            assert_eq!(Exit::of(kind).code(), expected(kind), "{}", kind.as_str());
        }
    }

    #[test]
    fn every_kind_but_the_unknown_has_its_own_next_step() {
        for kind in every_kind() {
            let hint = next_step(&Failure::new(kind, ""), &typed());
            assert!(!hint.is_empty());
            assert_eq!(hint.contains("update garminsyncctl"), kind == Kind::Unknown, "{}: {hint}", kind.as_str());
        }
    }

    #[test]
    fn hints_use_what_the_daemon_told() {
        let limited = Failure::new(Kind::RateLimited, "").retry_after_s(1800);
        assert_eq!(next_step(&limited, &typed()), "in 30 min: garminsyncctl sync");
        let child = Failure::new(Kind::LoginBlocked, "").instead(WayIn::ApiKey);
        assert!(next_step(&child, &typed()).ends_with("garminsyncctl login --api-key-stdin"));
        let blocked = Failure::new(Kind::RateLimited, "").instead(WayIn::Browser).retry_after_s(7200);
        let browser =
            "sign in with your own browser: garminsyncctl login --browser; or at 22:05 (in 2 h): garminsyncctl login";
        let now = DateTime::parse_from_rfc3339("2026-11-22T20:05:00+02:00").unwrap();
        assert_eq!(next_step_at(&blocked, &typed(), &now), browser, "by the clock on their wall");
        let cooling = Failure { kind: Kind::CoolingDown, ..blocked };
        let hint = next_step_at(&cooling, &typed(), &now);
        assert!(hint.starts_with(browser) && hint.ends_with("garminsyncctl login --force"), "{hint}");
        let code = Failure::new(Kind::LoginBlocked, "").challenge("c1");
        assert_eq!(next_step(&code, &typed()), "later: garminsyncctl mfa", "the login waits");
        let with = |command: &str| Typed::new(None, None, command);
        let spent = Failure::new(Kind::RateLimited, "").retry_after_s(60);
        assert_eq!(next_step(&spent, &with("mfa")), "in 1 min: garminsyncctl login", "nothing waits for a code");
        let waits = spent.clone().challenge("c1");
        assert_eq!(next_step(&waits, &with("mfa --resend")), "in 1 min: garminsyncctl mfa --resend");
        assert_eq!(next_step(&spent, &with("login --api-key-stdin")), "in 1 min: garminsyncctl login --api-key-stdin");
        let another = Failure::new(Kind::NotAllowed, "").instead(WayIn::OtherAccount);
        let import = with("login --import /tmp/x");
        assert_eq!(next_step(&another, &import), "garminsyncctl --account NAME login --import /tmp/x");
        assert_eq!(next_step(&another.instead(WayIn::NewLogin), &import), "garminsyncctl --account NAME login");
        let last = Failure::new(Kind::MfaCodeRejected, "").attempts_left(0);
        assert_eq!(next_step(&last, &typed()), "garminsyncctl login");
        let work = Typed::new(None, Some("my work"), "login");
        assert_eq!(next_step(&Failure::new(Kind::MfaRequired, ""), &work), "garminsyncctl --account 'my work' mfa");
    }

    #[test]
    fn the_older_side_is_named() {
        assert_eq!(other_protocol(PROTOCOL + 1, "9.0.0").hint.as_deref(), Some("Update garminsyncctl."));
        assert!(other_protocol(PROTOCOL - 1, "0.0.1").hint.unwrap().contains("garminsyncd"));
    }

    #[test]
    fn details_travel_beside_the_kind() {
        let failure = Failure::new(Kind::MfaCodeRejected, "No.").attempts_left(2).challenge("c1");
        let failed = Failed::refused(&failure, &typed());
        assert_eq!(failed.attempts_left(), Some(2));
        assert_eq!(failed.details["challenge"], "c1");
        assert!(!failed.details.contains_key("kind"));
    }

    #[test]
    fn a_closed_socket_is_not_allowed_and_a_group_opens_only_a_shared_one() {
        for (socket, group) in [
            ("/run/garminsync/control.sock", true),
            ("/run/user/1000/garminsync/control.sock", false),
            ("/home/jane/.local/state/garminsync/control.sock", false),
        ] {
            let failed = Failed::of_call(ClientError::Denied { socket: socket.into() }, &typed());
            assert_eq!((failed.exit, failed.kind), (Exit::NotAllowed, "not_allowed"));
            assert_eq!(failed.hint.unwrap().contains("group"), group, "{socket}");
        }
    }

    #[test]
    fn an_unknown_account_is_not_asked_for_again() {
        let nobody = Typed::new(Some(Path::new("/tmp/s")), Some("nobody"), "status");
        let hint = next_step(&Failure::new(Kind::UnknownAccount, ""), &nobody);
        assert_eq!(hint, "garminsyncctl --socket /tmp/s status");
    }
}
