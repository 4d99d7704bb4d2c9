//! Holds the arrows of the house: which package may depend on which, and which room of the daemon may name which. A new arrow
//! is a decision; it is drawn here first.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test reports by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Package → the packages of ours it may depend on. Tests may use the harness anywhere; that is a dev-dependency and not an arrow.
const ARROWS: [(&str, &[&str]); 7] = [
    ("garminsync", &["garminsync-ctl", "garminsync-daemon"]),
    ("garminsync-daemon", &["garminsync-garmin", "garminsync-protocol", "garminsync-store"]),
    ("garminsync-ctl", &["garminsync-protocol"]),
    ("garminsync-test-support", &["garminsync-protocol"]),
    ("garminsync-protocol", &[]),
    ("garminsync-garmin", &[]),
    ("garminsync-store", &[]),
];

/// Package → libraries it must never depend on, and why.
const FORBIDDEN: [(&str, &[&str], &str); 5] = [
    (
        "garminsync-protocol",
        &["tokio", "interprocess", "reqwest", "rusqlite"],
        "the treaty does no I/O and is not async",
    ),
    ("garminsync-store", &["tokio", "reqwest", "interprocess"], "records are blocking and simple"),
    ("garminsync-garmin", &["rusqlite", "interprocess"], "Garmin's client keeps no records"),
    ("garminsync-daemon", &["reqwest", "rusqlite", "cookie_store"], "only garmin speaks HTTP, only store speaks SQL"),
    ("garminsync-ctl", &["reqwest", "rusqlite"], "ctl talks to the daemon and to nobody else"),
];

/// Room of the daemon → words that must not stand in its code, and why.
const ROOMS: [(&str, &[&str], &str); 8] = [
    ("door", &["garminsync_garmin", "garminsync_store"], "callers talk to rooms, not to cupboards"),
    ("sync", &["garminsync_protocol", "crate::door"], "a sync does not know who asked"),
    ("sync", &["Vault"], "the account is the one owner of tokens"),
    ("clock.rs", &["garminsync_garmin", "garminsync_store", "garminsync_protocol"], "the clock only says when"),
    ("board.rs", &["garminsync_garmin", "garminsync_store"], "the board knows what is true, not where from"),
    (
        "host",
        &["garminsync_garmin", "garminsync_store", "garminsync_protocol"],
        "the host starts, watches and stops; nothing else",
    ),
    ("account/machine.rs", &["garminsync_garmin", "garminsync_store", "tokio", "Utc::now"], "the machine is pure"),
    ("account/machine", &["garminsync_garmin", "garminsync_store", "tokio", "Utc::now"], "so are its words"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn dependencies(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("dependencies");
    all.iter().filter(|d| d["kind"].is_null()).map(|d| d["name"].as_str().expect("a name").to_owned()).collect()
}

fn named<'a>(packages: &'a [Value], name: &str) -> &'a Value {
    packages.iter().find(|package| package["name"] == name).unwrap_or_else(|| panic!("no package {name}"))
}

#[test]
fn packages_depend_on_what_the_plan_allows() {
    let packages = packages();
    let planned: BTreeSet<_> = ARROWS.iter().map(|(name, _)| *name).collect();
    let found: BTreeSet<_> = packages.iter().map(|package| package["name"].as_str().expect("a name")).collect();
    assert_eq!(found, planned, "a package without a place in the plan, or a plan without its package");
    for (name, allowed) in ARROWS {
        let ours: BTreeSet<_> =
            dependencies(named(&packages, name)).into_iter().filter(|d| d.starts_with("garminsync")).collect();
        let allowed: BTreeSet<_> = allowed.iter().map(|d| (*d).to_owned()).collect();
        assert_eq!(ours, allowed, "arrows from {name}");
    }
    for (name, libraries, why) in FORBIDDEN {
        let depends = dependencies(named(&packages, name));
        for library in libraries {
            assert!(!depends.contains(*library), "{name} must not depend on {library}: {why}");
        }
    }
}

#[test]
fn rooms_name_only_what_they_may() {
    let rooms = root().join("daemon/src");
    for (room, words, why) in ROOMS {
        let files = rust_files(&rooms.join(room));
        assert!(!files.is_empty(), "the room {room} has moved; move its walls too");
        // A room's own tests build what the room must not know, such as a vault behind real accounts.
        let is_test = |file: &PathBuf| file.file_stem().is_some_and(|stem| stem.to_string_lossy().contains("test"));
        for file in files.into_iter().filter(|file| !is_test(file)) {
            for (number, line) in fs::read_to_string(&file).expect("a source file").lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in words {
                    assert!(!code.contains(word), "{}:{}: {word} in {room}: {why}", file.display(), number + 1);
                }
            }
        }
    }
}

#[test]
fn every_module_opens_with_what_lives_there() {
    for place in ["daemon", "ctl", "tests/support/src"] {
        for file in rust_files(&root().join(place)) {
            if file.components().any(|part| part.as_os_str() == "tests")
                && !file.starts_with(root().join("tests/support"))
            {
                continue;
            }
            let text = fs::read_to_string(&file).expect("a source file");
            assert!(text.starts_with("//!"), "{} does not say what lives there", file.display());
        }
    }
}

fn rust_files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect();
    files.sort();
    files
}
