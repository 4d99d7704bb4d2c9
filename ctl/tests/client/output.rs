//! stdout that takes nothing: a full disk is told, a reader that went away is not.

use std::io::ErrorKind;
use std::path::Path;

use crate::fake_daemon::{Act, Fake, account, status};
use crate::person::Person;

const LINES: [&str; 8] = [
    "status",
    "status --json",
    "status --output yaml",
    "status --watch",
    "status --watch --json",
    "status --watch --output yaml",
    "--help",
    "completions bash",
];

fn fake() -> Fake {
    Fake::new(|_, _| vec![Act::Answer(status(&[account("default", "active")]))])
}

fn onto(kind: ErrorKind) -> Person {
    Person { stdout_fails: Some(kind), ..Person::default() }
}

#[tokio::test]
async fn a_full_disk_is_a_failure_that_is_told() {
    for line in LINES {
        let ran = onto(ErrorKind::StorageFull).runs(fake().socket(), line).await.ends(1);
        assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
        ran.says(&["error: stdout could not be written", "only its output is lost"]);
    }
    let ran = onto(ErrorKind::StorageFull).runs(Path::new("/nowhere"), "status --json").await.ends(1);
    ran.says(&["error: stdout could not be written"]);
}

#[tokio::test]
async fn a_reader_that_went_away_ends_it_without_a_word() {
    for line in LINES {
        let ran = onto(ErrorKind::BrokenPipe).runs(fake().socket(), line).await.ends(141);
        assert_eq!(ran.err, "", "{ran:?}");
    }
}

#[tokio::test]
async fn watching_ends_with_its_reader_although_nothing_changes() {
    let person = Person { nobody_reads: true, ..Person::default() };
    let ran = person.runs(fake().socket(), "status --watch").await.ends(141);
    assert!(ran.out.starts_with("default") && ran.err.is_empty(), "{ran:?}");
}
