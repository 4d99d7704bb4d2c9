//! `login --browser` and `login --import`: what is asked, what is sent, and what is said when the daemon says no.

use garminsync_protocol::{Failure, Kind};
use serde_json::{Value, json};

use crate::fake_daemon::{Act, Fake, login};
use crate::person::{Person, Says};

const URL: &str =
    "https://sso.garmin.com/sso/signin?service=https%3A%2F%2Fmobile.integration.garmin.com%2Fgcm%2Fandroid";

/// A daemon that judges each login with the next of these.
fn daemon(mut judged: Vec<Act>) -> Fake {
    judged.reverse();
    Fake::new(move |method, _| match method {
        "login.browser" => vec![Act::Answer(json!({ "account": "default", "url": URL, "ticket_lives_s": 60 }))],
        "login.start" => vec![judged.pop().unwrap()],
        other => panic!("{other}"),
    })
}

fn no(kind: Kind) -> Act {
    Act::Fail(Failure::new(kind, "Garmin said no."))
}

fn right() -> Act {
    Act::Answer(login("active"))
}

#[tokio::test]
async fn a_person_pastes_until_it_holds_a_ticket() {
    let fake = daemon(vec![no(Kind::InvalidArgument), right()]);
    let person = Person::answering(&[Says::Text("key-of-jane"), Says::Text("hunter2")]);
    let ran = person.runs(fake.socket(), "login --browser --no-open").await.ends(0);
    assert_eq!(ran.asked, ["*Paste it here (it is not shown):", "*Paste it here (it is not shown):"]);
    ran.says(&[URL, "cannot load", "Success", "Garmin said no.", "Signed in as Jane Runner"]);
    assert_eq!(fake.calls(), ["login.browser", "login.start", "login.start"]);
}

#[tokio::test]
async fn a_script_pipes_an_address_or_a_whole_page() {
    for (stdin, ticket) in [
        ("ST-1-a-cas\n", "ST-1-a-cas\n"),
        ("ST-1-a-cas", "ST-1-a-cas\n"),
        ("<html>\n<p>embed?ticket=ST-1-a-cas\"\nunread", "<html>\n<p>embed?ticket=ST-1-a-cas\"\n"),
        ("no ticket\n", "no ticket\n"),
    ] {
        let fake = daemon(vec![right()]);
        let ran = Person::piping(stdin).runs(fake.socket(), "login --browser --account work --json").await.ends(0);
        assert_eq!(ran.json()["state"], "active");
        assert_eq!(fake.params("login.start"), json!({ "account": "work", "ticket": ticket }));
    }
    let fake = daemon(vec![]);
    Person::piping(" \n")
        .runs(fake.socket(), "login --browser")
        .await
        .ends(2)
        .says(&["stdin ended", "Nothing was sent"]);
    let fake = daemon(vec![no(Kind::InvalidArgument)]);
    let ran = Person::piping("ST-1").runs(fake.socket(), "login --browser").await.ends(2);
    ran.says(&["next: get a new ticket: garminsyncctl --socket", "login --browser"]);
}

#[tokio::test]
async fn each_refusal_of_a_ticket_has_its_exit_code_and_leads_on() {
    for (kind, code, next) in [
        (Kind::InvalidCredentials, 8, "get a new ticket: garminsyncctl"),
        (Kind::RateLimited, 6, "login --browser"),
        (Kind::GarminUnreachable, 1, "login --browser"),
        (Kind::GarminUnexpected, 1, "login --browser"),
        (Kind::AlreadyRunning, 1, "status"),
        (Kind::Storage, 1, "doctor"),
    ] {
        let fake = daemon(vec![no(kind)]);
        let person = Person::answering(&[Says::Text("ST-1-a-cas")]);
        let ran = person.runs(fake.socket(), "login --browser --no-open").await.ends(code);
        let hint = ran.err.lines().last().unwrap_or_default();
        assert!(hint.starts_with("next: ") && hint.contains(next), "{ran:?}");
    }
}

#[tokio::test]
async fn ctrl_c_at_the_paste_sends_nothing() {
    let fake = daemon(vec![]);
    let ran = Person::answering(&[Says::CtrlC]).runs(fake.socket(), "login --browser --no-open").await.ends(130);
    ran.says(&["Nothing was sent"]);
    assert_eq!(fake.calls(), ["login.browser"]);
}

#[tokio::test]
async fn the_files_contents_are_sent_and_what_they_are_the_daemon_says() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.json"), "{}").unwrap();
    std::fs::write(dir.path().join("b.json"), "hunter2").unwrap();
    let line = format!("login --import {}", dir.path().display());
    let what = Act::Progress(json!({ "text": "these are tokens; better: garminsyncctl login --browser" }));
    let mut acts = vec![right(), what];
    let fake = Fake::new(move |_, _| acts.drain(..).rev().collect());
    let better = format!("better: garminsyncctl --socket {} login --browser", fake.socket().display());
    Person::default().runs(fake.socket(), &line).await.ends(0).says(&[&better, "Signed in as"]);
    assert_eq!(fake.params("login.start"), json!({ "import": ["{}", "hunter2"] }));

    for (kind, code, next) in [
        (Kind::InvalidArgument, 2, "login --browser"),
        (Kind::InvalidCredentials, 8, "login --browser"),
        (Kind::RateLimited, 6, "login --import"),
        (Kind::GarminUnreachable, 1, "login --import"),
        (Kind::GarminUnexpected, 1, "login --browser"),
    ] {
        let ran = Person::default().runs(daemon(vec![no(kind)]).socket(), &line).await.ends(code);
        assert!(ran.err.lines().last().unwrap_or_default().contains(next), "{ran:?}");
    }

    let fake = daemon(vec![]);
    let ran = Person::default().runs(fake.socket(), "login --import /nowhere/at-all --json").await.ends(2);
    assert_eq!(ran.json()["error"]["kind"], Value::from("usage"));
    assert!(fake.calls().is_empty());
}
