//! What is on this machine: configuration, directories and their modes, socket, key, lock, disks, database, time zone. It may block; the
//! doctor gives it a thread. It must not change anything.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime};

use garminsync_protocol::Check;
use garminsync_store::{Examined, KeySource, Vault, examine};

use super::{failed, ok, skipped, warning};
use crate::config::Config;
use crate::door::Permission;
use crate::judge;
use crate::places::{Place, Places};
use crate::vault;

/// How long the database may be looked at.
const EXAMINED_IN: Duration = Duration::from_secs(10);
/// The state directory holds kilobytes; below this, a token that Garmin has just rotated may find no room.
const LITTLE_FOR_STATE: u64 = 50 << 20;
/// A year of data takes some hundred megabytes, most of it files.
const LITTLE_FOR_DATA: u64 = 1 << 30;
/// Nothing is written safely any more.
const NONE: u64 = 5 << 20;

/// Looks at all of it.
pub fn look(file: &Place, config: &Config, places: &Places, written_before: Option<SystemTime>) -> Vec<Check> {
    let (state, data) = (&places.state_dir.path, &places.data_dir.path);
    vec![
        configuration(file, written_before),
        directory("state", state, true),
        directory("data", data, false),
        socket(config, places),
        lock(state),
        key(config, places),
        disk("disk.state", state, LITTLE_FOR_STATE),
        disk("disk.data", data, LITTLE_FOR_DATA),
        database(data),
        time_zone(),
    ]
}

/// When a file was written, if it is there.
pub fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

fn configuration(file: &Place, written_before: Option<SystemTime>) -> Check {
    let path = file.path.display();
    let Ok(found) = fs::metadata(&file.path) else {
        return ok("config", format!("no configuration file at {path}; the defaults hold"));
    };
    let read = Config::load(file).map_err(|error| error.to_string());
    if let Err(error) = read.and_then(|config| judge::check(file, &config)) {
        let hint = format!("mend it before the next start: garminsyncd --config '{path}' --check-config");
        return failed("config", format!("the daemon would not start again: {error}"), hint);
    }
    if mode(&found).is_some_and(|mode| mode & 0o022 != 0) {
        return warning("config", format!("others can change {path}"), format!("chmod go-w '{path}'"));
    }
    if written(&file.path) != written_before {
        return warning("config", format!("{path} was changed after the start"), "restart garminsyncd for it to count");
    }
    ok("config", format!("{path} is right and in effect"))
}

/// A directory that must be ours, and ours alone if it is `private`.
fn directory(name: &str, path: &Path, private: bool) -> Check {
    let shown = path.display();
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) => {
            return failed(name, format!("{shown}: {error}"), "restart garminsyncd: it makes what is missing");
        }
    };
    if let Some(owner) = foreign(&found) {
        let hint = format!("give it to the daemon's user: chown -R USER '{shown}'");
        return failed(name, format!("{shown} belongs to user {owner}"), hint);
    }
    if !writable(path) {
        let hint = "look how it is mounted, and whether the disk has failed: dmesg";
        return failed(name, format!("{shown} cannot be written"), hint);
    }
    match mode(&found) {
        Some(mode) if private && mode & 0o077 != 0 => failed(
            name,
            format!("{shown} can be entered by others (mode {:04o})", mode & 0o7777),
            format!("chmod 700 '{shown}'"),
        ),
        Some(mode) if mode & 0o002 != 0 => warning(
            name,
            format!("{shown} can be changed by everybody (mode {:04o})", mode & 0o7777),
            format!("chmod o-w '{shown}'"),
        ),
        Some(mode) => ok(name, format!("{shown}, mode {:04o}", mode & 0o7777)),
        None => ok(name, format!("{shown}")),
    }
}

fn socket(config: &Config, places: &Places) -> Check {
    let path = &places.socket.path;
    let shown = path.display();
    if cfg!(windows) {
        return ok("socket", format!("{shown}"));
    }
    let Ok(found) = fs::symlink_metadata(path) else {
        let hint = "restart garminsyncd: it makes it anew";
        return failed("socket", format!("{shown} is gone; new callers do not find the daemon"), hint);
    };
    let wide = if config.control.group.is_some() { 0o660 } else { 0o600 };
    let words = match &config.control.group {
        Some(group) => format!("for the daemon's user, root and the group {group}"),
        None => "for the daemon's user and root".into(),
    };
    if let Err(error) = Permission::of(config.control.group.as_deref()) {
        return failed("socket", error.to_string(), "mend [control] group, or: groupadd --system garminsync");
    }
    match mode(&found).map(|mode| mode & 0o777) {
        Some(mode) if mode & !wide != 0 => warning(
            "socket",
            format!("{shown} is open to more than it should be (mode {mode:04o}); the daemon still asks who calls"),
            "restart garminsyncd: it sets the mode anew",
        ),
        _ => ok("socket", format!("{shown}, {words}")),
    }
}

fn lock(state: &Path) -> Check {
    let own = std::process::id();
    match fs::read_to_string(state.join("lock")) {
        Ok(text) if text.trim() == own.to_string() => ok("lock", format!("held by this daemon (process {own})")),
        // Windows does not let others read a file that is locked.
        Err(_) if cfg!(windows) => skipped("lock", "a locked file cannot be read here"),
        _ => {
            let hint = "restart garminsyncd, and let nothing clear up its state directory";
            failed("lock", "the lock file is not this daemon's any more: a second daemon could start beside it", hint)
        }
    }
}

fn key(config: &Config, places: &Places) -> Check {
    let text = vault::explain(config, places);
    if Vault::sealed_with(&places.state_dir.path).is_ok_and(|source| source == Some(KeySource::File)) {
        let file = &places.vault_key_file;
        let shown = file.display();
        match fs::symlink_metadata(file) {
            Err(error) => {
                let hint = "put it back before the next start; without it the logins are lost with the restart";
                return failed("key", format!("{shown}: {error}"), hint);
            }
            Ok(found) if mode(&found).is_some_and(|mode| mode & 0o077 != 0) => {
                let hint = format!("chmod 600 '{shown}'");
                return failed("key", format!("{shown} can be read by others; the next start refuses it"), hint);
            }
            Ok(_) => {}
        }
    }
    ok("key", text)
}

fn disk(name: &str, path: &Path, little: u64) -> Check {
    match fs4::available_space(path) {
        Err(error) => skipped(name, format!("{}: {error}", path.display())),
        Ok(free) => {
            let text = format!("{} free at {}", room(free), path.display());
            let hint = format!("make room: du -xh '{}' | sort -h | tail", path.display());
            match free {
                free if free < NONE => failed(name, text, hint),
                free if free < little => warning(name, text, hint),
                _ => ok(name, text),
            }
        }
    }
}

/// Free room as people say it.
fn room(bytes: u64) -> String {
    const MB: u64 = 1_000_000;
    if bytes < 10_000 * MB { format!("{} MB", bytes / MB) } else { format!("{} GB", bytes / (1000 * MB)) }
}

fn database(data: &Path) -> Check {
    let shown = data.join("garmin.db");
    let shown = shown.display();
    match examine(data, EXAMINED_IN) {
        Ok(Examined::Sound) => ok("database", format!("{shown} is sound")),
        Ok(Examined::Unfinished) => skipped(
            "database",
            format!(
                "{shown} is too large for a look of {} s: sqlite3 '{shown}' 'PRAGMA quick_check'",
                EXAMINED_IN.as_secs()
            ),
        ),
        Ok(Examined::Damaged(why)) => failed(
            "database",
            format!("{shown} is damaged: {why}"),
            format!("stop garminsyncd, keep a copy, then put a backup back, or try: sqlite3 '{shown}' .recover"),
        ),
        Err(error) => failed("database", error.to_string(), "look at the disk and the daemon's log"),
    }
}

/// Days and schedules follow the machine's zone. One that cannot be found counts as UTC without a word.
fn time_zone() -> Check {
    let named = std::env::var("TZ").ok().filter(|zone| !zone.is_empty());
    let zone = match &named {
        Some(zone) => zone.trim_start_matches(':').to_owned(),
        None => match iana_time_zone::get_timezone() {
            Ok(zone) => zone,
            Err(error) => {
                let hint = "set it: timedatectl set-timezone Europe/Berlin, or TZ in the daemon's environment";
                return warning("time_zone", format!("no time zone is set, so days are UTC days ({error})"), hint);
            }
        },
    };
    let plain = zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-+".contains(&byte));
    let place = Path::new("/usr/share/zoneinfo");
    if cfg!(unix) && plain && zone != "UTC" && !place.join(&zone).exists() && !is_rule(&zone) {
        let hint = format!("install tzdata, or name a zone that {} has", place.display());
        return warning("time_zone", format!("{zone} is not known on this machine, so days may be UTC days"), hint);
    }
    ok("time_zone", format!("{zone}, now {}", chrono::Local::now().format("%F %R %:z")))
}

/// A zone that is spelled out, such as `CET-1CEST`, needs no file.
fn is_rule(zone: &str) -> bool {
    zone.bytes().any(|byte| byte.is_ascii_digit()) && !zone.contains('/')
}

#[cfg(unix)]
fn mode(found: &Metadata) -> Option<u32> {
    Some(std::os::unix::fs::MetadataExt::mode(found))
}

/// Windows has no modes: the access list of the profile directory keeps others out.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> Option<u32> {
    None
}

/// Whose it is, if it is not ours.
#[cfg(unix)]
fn foreign(found: &Metadata) -> Option<u32> {
    let owner = std::os::unix::fs::MetadataExt::uid(found);
    (owner != nix::unistd::geteuid().as_raw()).then_some(owner)
}

#[cfg(not(unix))]
fn foreign(_: &Metadata) -> Option<u32> {
    None
}

#[cfg(unix)]
fn writable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK).is_ok()
}

#[cfg(not(unix))]
fn writable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.permissions().readonly())
}
