//! `doctor`: whether the daemon can be reached from here, and if so, what it finds itself. Without a daemon it still says what stands in the
//! socket's place, who may use it, and what to type.

use std::path::Path;

use garminsync_protocol::{Check, DOCTOR, Diagnosis, NoParams, PROTOCOL, Verdict};
use serde_json::json;

use super::Done;
use crate::app::App;
use crate::client::ClientError;
use crate::failure::{Exit, Failed, HOW_TO_BE_ALLOWED, HOW_TO_RESTART, HOW_TO_START};
use crate::show::doctor;

/// Runs `doctor`.
pub async fn run(app: &mut App) -> Result<Done, Failed> {
    let mut checks = vec![check("client", Verdict::Ok, who_am_i(), None)];
    match app.daemon.hello().await {
        Err(error) => checks.extend(unreachable(app, error)),
        Ok(hello) if hello.protocol != PROTOCOL => {
            let older = if hello.protocol < PROTOCOL { "garminsyncd and restart it" } else { "garminsyncctl" };
            let text = format!(
                "garminsyncd {} speaks protocol {}, this client {PROTOCOL}; nothing more can be asked",
                hello.version, hello.protocol
            );
            checks.push(check("daemon", Verdict::Failed, text, Some(format!("update {older}"))));
        }
        Ok(hello) => {
            let text = format!("garminsyncd {} answers (protocol {})", hello.version, hello.protocol);
            checks.push(check("daemon", Verdict::Ok, text, None));
            match app.call_aloud::<Diagnosis>(DOCTOR, NoParams {}).await {
                Ok(diagnosis) => checks.extend(
                    diagnosis
                        .checks
                        .into_iter()
                        .map(|check| Check { hint: check.hint.map(|hint| app.typed.dressed(&hint)), ..check }),
                ),
                Err(failed) => checks.push(check("daemon", Verdict::Failed, failed.message, failed.hint)),
            }
        }
    }
    let failed = checks.iter().any(|check| check.verdict == Verdict::Failed);
    let text = doctor::page(&checks, app.console.paint_out());
    Ok(Done {
        message: doctor::summary(&checks),
        exit: if failed { Exit::Failed } else { Exit::Done },
        ..Done::text(json!({ "ok": !failed, "checks": checks }), text)
    })
}

/// What can be said of a daemon that does not answer: one check a place, then what to type.
fn unreachable(app: &App, error: ClientError) -> Vec<Check> {
    let mut checks: Vec<Check> = app.daemon.candidates().iter().map(|socket| place(socket)).collect();
    let (text, hint) = match error {
        ClientError::Unreachable { .. } => {
            ("no garminsyncd answers; data and logins are safe where they are".into(), HOW_TO_START.into())
        }
        ClientError::Denied { socket } => {
            (format!("{} is closed to this user", socket.display()), HOW_TO_BE_ALLOWED.into())
        }
        ClientError::Mute { .. } => ("something holds the socket and does not answer".into(), HOW_TO_RESTART.into()),
        other => {
            let failed = Failed::of_call(other, &app.typed);
            (failed.message, failed.hint.unwrap_or_default())
        }
    };
    checks.push(check("daemon", Verdict::Failed, text, Some(hint)));
    checks.push(check(
        "config",
        Verdict::Skipped,
        "a daemon does not start on a configuration that is wrong".into(),
        Some("as the daemon's user: garminsyncd --check-config".into()),
    ));
    checks.push(check(
        "log",
        Verdict::Skipped,
        "the daemon's log may say why it does not run".into(),
        Some(WHERE_THE_LOG_IS.into()),
    ));
    checks
}

#[cfg(target_os = "linux")]
const WHERE_THE_LOG_IS: &str = "systemctl --user status garminsync; journalctl --user -u garminsync -n 50 (without --user for the system's), or start it in a terminal: garminsyncd --foreground";
#[cfg(not(target_os = "linux"))]
const WHERE_THE_LOG_IS: &str = "start it in a terminal: garminsyncd --foreground";

/// What stands in one of the places where the socket may be.
#[cfg(unix)]
fn place(socket: &Path) -> Check {
    use std::io::ErrorKind;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let shown = socket.display();
    let found = match std::fs::symlink_metadata(socket) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return check("socket", Verdict::Skipped, format!("{shown} is not there"), None);
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let text = format!("{shown} is in a directory that is closed to this user");
            return check("socket", Verdict::Failed, text, Some(HOW_TO_BE_ALLOWED.into()));
        }
        Err(error) => return check("socket", Verdict::Failed, format!("{shown}: {error}"), None),
    };
    if !found.file_type().is_socket() {
        let hint = format!("look what it is and move it away: ls -l '{shown}'");
        return check("socket", Verdict::Failed, format!("{shown} is no socket"), Some(hint));
    }
    let whose = format!("user {}, group {}, mode {:04o}", found.uid(), found.gid(), found.mode() & 0o7777);
    match std::os::unix::net::UnixStream::connect(socket) {
        Ok(_) => check("socket", Verdict::Ok, format!("{shown} ({whose})"), None),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            let text = format!("{shown} ({whose}) was left behind by a daemon that is gone; the next one replaces it");
            check("socket", Verdict::Warning, text, Some(HOW_TO_START.into()))
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let text = format!("{shown} belongs to {whose}; this is user {}", rustix::process::geteuid().as_raw());
            check("socket", Verdict::Failed, text, Some(HOW_TO_BE_ALLOWED.into()))
        }
        Err(error) => check("socket", Verdict::Failed, format!("{shown}: {error}"), Some(HOW_TO_RESTART.into())),
    }
}

/// A pipe has no place in the file system to look at.
#[cfg(not(unix))]
fn place(socket: &Path) -> Check {
    check("socket", Verdict::Skipped, format!("{} was tried", socket.display()), None)
}

#[cfg(unix)]
fn who_am_i() -> String {
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let mut groups: Vec<String> = rustix::process::getgroups()
        .unwrap_or_default()
        .into_iter()
        .map(|group| group.as_raw())
        .chain([group])
        .collect::<std::collections::BTreeSet<u32>>()
        .into_iter()
        .map(|group| group.to_string())
        .collect();
    groups.truncate(32);
    format!(
        "garminsyncctl {} (protocol {PROTOCOL}), as user {user}, groups {}",
        env!("CARGO_PKG_VERSION"),
        groups.join(" ")
    )
}

#[cfg(not(unix))]
fn who_am_i() -> String {
    format!("garminsyncctl {} (protocol {PROTOCOL})", env!("CARGO_PKG_VERSION"))
}

fn check(name: &str, verdict: Verdict, text: String, hint: Option<String>) -> Check {
    Check { name: name.into(), verdict, text, hint }
}
