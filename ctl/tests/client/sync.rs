//! `sync` and `cancel`: what is asked for, what is shown meanwhile, how each outcome ends.

use garminsync_protocol::{Failure, Kind};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::fake_daemon::{Act, Fake};
use crate::person::Person;

fn result(outcome: &str) -> Value {
    json!({ "account": "default", "sync": 12, "outcome": outcome, "joined": false, "requests": 14, "new_items": 3,
            "changed_items": 1, "error": "Garmin said so.", "retry_at": "2026-11-22T12:00:00Z" })
}

#[tokio::test]
async fn what_was_typed_is_what_is_asked_for() {
    let fake = Fake::of_default(|_, _| vec![Act::Answer(result("ok"))]);
    let line = "--account work sync --since 2026-01-31 --until 2026-02-01 --dataset sleep --dataset hrv";
    Person::default().runs(fake.socket(), line).await.ends(0).says(&["Synced: 3 new, 1 changed, 14 requests."]);
    assert_eq!(
        fake.params("sync.start"),
        json!({ "account": "work", "wait": true, "since": "2026-01-31", "until": "2026-02-01", "datasets": ["sleep", "hrv"] })
    );

    let fake = Fake::of_default(|_, _| vec![Act::Answer(result("running"))]);
    Person::default().runs(fake.socket(), "sync --no-wait").await.ends(0).says(&["Sync 12 is under way"]);
    assert_eq!(fake.params("sync.start"), json!({ "wait": false }));
}

#[tokio::test]
async fn progress_goes_to_stderr_and_data_to_stdout() {
    let fake = Fake::of_default(|_, _| {
        let step = |dataset: &str, done| {
            Act::Progress(json!({ "text": format!("reading {dataset}"), "done": done, "total": 9, "dataset": dataset }))
        };
        vec![
            step("sleep", 1),
            step("sleep", 2),
            step("hrv", 3),
            step("sleep", 4),
            step("sleep", 5),
            Act::Answer(result("ok")),
        ]
    });
    let ran = Person::default().runs(fake.socket(), "sync --json").await.ends(0);
    assert_eq!(ran.err, "reading sleep (1/9)\nreading hrv (3/9)\nreading sleep (5/9)\n");
    assert_eq!(ran.json()["new_items"], 3);
}

#[tokio::test]
async fn every_outcome_has_its_exit_code_and_its_words() {
    const COUNTS: &str = "3 new, 1 changed, 14 requests; everything read so far is stored";
    for (outcome, code, words) in [
        ("partial", 1, "error: Synced with gaps: Garmin said so. 3 new, 1 changed, 14 requests; what is missing comes"),
        ("rate_limited", 6, "error: Garmin asks for a pause. 3 new, 1 changed, 14 requests; everything"),
        ("rate_limited", 6, "the daemon goes on by itself.\nnext: after "),
        ("login_needed", 4, &format!("error: Garmin said so. {COUNTS}.\n")),
        ("unreachable", 1, &format!("error: Garmin said so. {COUNTS}.\n")),
        ("cancelled", 1, &format!("error: The sync was stopped. {COUNTS}.\n")),
        ("interrupted", 1, &format!("error: The daemon stopped during the sync. {COUNTS}.\n")),
        ("failed", 1, "error: Garmin said so. 3 new, 1 changed, 14 requests; what was stored before is safe.\n"),
    ] {
        let fake = Fake::of_default(move |_, _| vec![Act::Answer(result(outcome))]);
        Person::default().runs(fake.socket(), "sync").await.ends(code).says(&[words, "next: "]);
        let ran = Person::default().runs(fake.socket(), "sync --json").await.ends(code);
        assert_eq!(ran.json()["outcome"], outcome);
        assert!(ran.json()["error"]["kind"].is_string());
    }
}

#[tokio::test]
async fn what_is_safe_is_said_once() {
    let fake = Fake::of_default(|_, _| {
        let mut failed = result("failed");
        failed["error"] = json!("garmin.db: database or disk is full; what was stored before is safe");
        vec![Act::Answer(failed)]
    });
    let ran = Person::default().runs(fake.socket(), "sync").await.ends(1);
    ran.says(&[
        "error: garmin.db: database or disk is full. 3 new, 1 changed, 14 requests; what was stored before is safe.\n",
    ]);
}

#[tokio::test]
async fn a_dataset_that_is_not_there() {
    let fake =
        Fake::of_default(|_, _| vec![Act::Fail(Failure::new(Kind::UnknownDataset, "there is no dataset \"foo\""))]);
    let ran = Person::default().runs(fake.socket(), "sync --dataset foo").await.ends(1);
    assert!(ran.err.starts_with("error: There is no dataset \"foo\".\nnext: garminsyncctl --socket"), "{ran:?}");
    assert!(ran.err.ends_with(" sync\n"), "{ran:?}");
}

#[tokio::test]
async fn nothing_to_cancel_is_no_wrong_usage() {
    let fake = Fake::of_default(|_, _| {
        vec![Act::Fail(Failure::new(Kind::InvalidArgument, "no sync of default is under way"))]
    });
    let ran = Person::default().runs(fake.socket(), "cancel").await.ends(1);
    assert!(ran.err.starts_with("error: Nothing is under way.\n") && ran.err.ends_with(" status\n"), "{ran:?}");
}

#[tokio::test]
async fn ctrl_c_stops_watching_and_not_the_sync() {
    let (stop, stopped) = watch::channel(false);
    let mut stop = Some(stop);
    let fake = Fake::of_default(move |_, _| {
        stop.take().unwrap().send(true).unwrap();
        vec![Act::Hang]
    });
    let ran = Person::interrupted_by(stopped).runs(fake.socket(), "sync").await.ends(130);
    ran.says(&["The sync goes on in the daemon", "status", "cancel"]);
    assert_eq!(fake.calls(), ["status", "sync.start"]);
}

#[tokio::test]
async fn a_sync_can_be_cancelled() {
    let fake = Fake::of_default(|_, _| vec![Act::Answer(result("running"))]);
    Person::default().runs(fake.socket(), "cancel").await.ends(0).says(&["Sync 12", "What it has read stays"]);
    assert_eq!(fake.calls(), ["status", "sync.cancel"]);
}
