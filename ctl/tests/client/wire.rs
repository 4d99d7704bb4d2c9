//! Sockets that are not there, daemons of other releases, connections that break, lines that make no sense.

use garminsync_protocol::{Failure, Kind, PROTOCOL};
use serde_json::json;
use tokio::net::UnixListener;

use crate::fake_daemon::{Act, Fake, account, hello, status, turned_away};
use crate::person::Person;

#[tokio::test]
async fn no_daemon_is_told_with_the_place_and_the_way_to_start_it() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("control.sock");
    let ran = Person::default().runs(&socket, "status").await.ends(3);
    ran.says(&["control.sock (not there)", "next: garminsyncd", "sudo systemctl start garminsync"]);
    let ran = Person::default().runs(&socket, "sync --json").await.ends(3);
    assert_eq!(ran.json()["error"]["kind"], "daemon_unreachable");
    assert!(ran.err.is_empty());

    drop(UnixListener::bind(&socket).unwrap());
    Person::default().runs(&socket, "status").await.ends(3).says(&["left behind by a daemon that is gone"]);
}

#[tokio::test]
async fn a_daemon_of_another_protocol_hears_nothing() {
    for (theirs, older) in [(PROTOCOL + 1, "this client is older"), (PROTOCOL - 1, "the daemon is older")] {
        let fake = Fake::greeting(hello(theirs), |_, _| vec![Act::Answer(status(&[]))]);
        for line in ["login --email a@b.c --password-stdin", "mfa 123456", "login --api-key-stdin", "status"] {
            let ran = Person::piping("hunter2\n").runs(fake.socket(), line).await;
            ran.ends(1).says(&[older, "Nothing was sent"]);
        }
        assert!(fake.calls().is_empty());
    }
}

#[tokio::test]
async fn the_door_may_turn_a_caller_away_before_hello() {
    for (kind, code) in [(Kind::RateLimited, 6), (Kind::NotAllowed, 7), (Kind::ShuttingDown, 1)] {
        let fake = Fake::greeting(turned_away(Failure::new(kind, "Not now.")), |_, _| vec![]);
        Person::default().runs(fake.socket(), "status").await.ends(code).says(&["error: Not now.", "next: "]);
    }
}

#[tokio::test]
async fn every_kind_of_failure_has_its_exit_code_in_text_and_json() {
    let document = garminsync_protocol::openrpc::document();
    for kind in document["components"]["schemas"]["Kind"]["oneOf"].as_array().unwrap() {
        let kind: Kind = serde_json::from_value(kind["const"].clone()).unwrap();
        let code = match kind {
            Kind::InvalidArgument => 2,
            Kind::LoginNeeded => 4,
            Kind::MfaRequired => 5,
            Kind::RateLimited | Kind::BudgetUsed | Kind::CoolingDown | Kind::CaptchaRequired | Kind::LoginBlocked => 6,
            Kind::NotAllowed => 7,
            Kind::InvalidCredentials | Kind::MfaCodeRejected => 8,
            _ => 1,
        };
        let fake = Fake::new(move |_, _| vec![Act::Fail(Failure::new(kind, "What happened.").retry_after_s(60))]);
        let ran = Person::default().runs(fake.socket(), "logout").await.ends(code);
        ran.says(&["What happened.", "next: "]);
        let ran = Person::default().runs(fake.socket(), "logout --json").await.ends(code);
        assert_eq!(ran.json()["error"]["kind"], kind.as_str());
        assert_eq!(ran.json()["error"]["retry_after_s"], 60);
        assert!(ran.json()["error"]["hint"].is_string());
    }
}

#[tokio::test]
async fn a_broken_connection_says_what_is_safe() {
    let fake = Fake::new(|method, _| match method {
        "status" => vec![Act::Answer(status(&[account("default", "signed_out")]))],
        // Half an answer is none.
        "sync.start" => vec![Act::Line("{\"jsonrpc\":\"2.0\",\"id\":1,\"resu".into())],
        _ => vec![],
    });
    for (line, safe) in [
        ("login --email a@b.c --password-stdin", "no second code is needed"),
        ("mfa 123456", "It may have been accepted"),
        ("sync", "Everything read so far is stored"),
        ("logout", "Look whether it is done"),
    ] {
        let ran = Person::piping("hunter2\n").runs(fake.socket(), line).await.ends(1);
        ran.says(&[safe, "next: garminsyncctl --socket", "status"]);
    }
}

#[tokio::test]
async fn lines_that_make_no_sense_are_not_shown() {
    let endless = "x".repeat(2 * 1024 * 1024);
    for line in ["hunter2 is no JSON\n".to_owned(), "{}\n".to_owned(), endless] {
        let fake = Fake::new(move |_, _| vec![Act::Line(line.clone())]);
        Person::default().runs(fake.socket(), "logout").await.ends(1).says(&["is not garminsync's protocol"]);
        let fake = Fake::greeting("SSH-2.0-OpenSSH_9.2\r\n".into(), |_, _| vec![]);
        Person::default().runs(fake.socket(), "logout").await.ends(1).says(&["is not garminsync's protocol"]);
    }
}

#[tokio::test]
async fn what_a_newer_daemon_adds_is_passed_over() {
    let fake = Fake::new(|_, _| {
        let mut answer = status(&[account("default", "active")]);
        answer["phase_of_the_moon"] = json!("full");
        vec![
            Act::Line("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"new\":1}}\n".into()),
            Act::Progress(json!({ "strange": true })),
            Act::Answer(answer),
        ]
    });
    Person::default().runs(fake.socket(), "status").await.ends(0);
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_is_told_in_json_too() {
    let fake = Fake::new(|_, _| vec![]);
    let ran = Person::default().runs(fake.socket(), "login --password hunter2 --json").await;
    assert_eq!(ran.code, 2);
    assert_eq!(ran.json()["error"]["kind"], "usage");
    let ran = Person::default().runs(fake.socket(), "dance").await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let ran = Person::default().runs(fake.socket(), "--help").await.ends(0);
    assert!(ran.out.contains("Usage: garminsyncctl"));
}
