//! `sync` and `cancel`: what is asked for, what is shown meanwhile, how each outcome ends.

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
    let fake = Fake::new(|_, _| vec![Act::Answer(result("ok"))]);
    let line = "--account work sync --since 2026-01-31 --until 2026-02-01 --dataset sleep --dataset hrv";
    Person::default().runs(fake.socket(), line).await.ends(0).says(&["Synced: 3 new, 1 changed, 14 requests."]);
    assert_eq!(
        fake.params("sync.start"),
        json!({ "account": "work", "wait": true, "since": "2026-01-31", "until": "2026-02-01", "datasets": ["sleep", "hrv"] })
    );

    let fake = Fake::new(|_, _| vec![Act::Answer(result("running"))]);
    Person::default().runs(fake.socket(), "sync --no-wait").await.ends(0).says(&["Sync 12 is under way"]);
    assert_eq!(fake.params("sync.start"), json!({ "wait": false }));
}

#[tokio::test]
async fn progress_goes_to_stderr_and_data_to_stdout() {
    let fake = Fake::new(|_, _| {
        let step = |dataset: &str, done| {
            Act::Progress(json!({ "text": format!("reading {dataset}"), "done": done, "total": 9, "dataset": dataset }))
        };
        vec![step("sleep", 1), step("sleep", 2), step("hrv", 3), Act::Answer(result("ok"))]
    });
    let ran = Person::default().runs(fake.socket(), "sync --json").await.ends(0);
    assert_eq!(ran.err, "reading sleep (1/9)\nreading hrv (3/9)\n");
    assert_eq!(ran.json()["new_items"], 3);
}

#[tokio::test]
async fn every_outcome_has_its_exit_code_and_its_words() {
    for (outcome, code, words) in [
        ("partial", 1, "comes with a later sync"),
        ("rate_limited", 6, "next: after "),
        ("login_needed", 4, "login"),
        ("unreachable", 1, "Everything read so far is stored"),
        ("cancelled", 1, "Everything read so far is stored"),
        ("interrupted", 1, "Everything read so far is stored"),
        ("failed", 1, "What was stored before is safe"),
    ] {
        let fake = Fake::new(move |_, _| vec![Act::Answer(result(outcome))]);
        Person::default().runs(fake.socket(), "sync").await.ends(code).says(&[words, "next: "]);
        let ran = Person::default().runs(fake.socket(), "sync --json").await.ends(code);
        assert_eq!(ran.json()["outcome"], outcome);
        assert!(ran.json()["error"]["kind"].is_string());
    }
}

#[tokio::test]
async fn ctrl_c_stops_watching_and_not_the_sync() {
    let (stop, stopped) = watch::channel(false);
    let mut stop = Some(stop);
    let fake = Fake::new(move |_, _| {
        stop.take().unwrap().send(true).unwrap();
        vec![Act::Hang]
    });
    let ran = Person::interrupted_by(stopped).runs(fake.socket(), "sync").await.ends(130);
    ran.says(&["The sync goes on in the daemon", "status", "cancel"]);
    assert_eq!(fake.calls(), ["sync.start"]);
}

#[tokio::test]
async fn a_sync_can_be_cancelled() {
    let fake = Fake::new(|_, _| vec![Act::Answer(result("running"))]);
    Person::default().runs(fake.socket(), "cancel").await.ends(0).says(&["Sync 12", "What it has read stays"]);
    assert_eq!(fake.calls(), ["sync.cancel"]);
}
