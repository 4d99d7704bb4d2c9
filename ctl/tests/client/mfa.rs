//! `mfa`: a code from an argument, a prompt or stdin; giving the sign-in up.

use garminsync_protocol::{Failure, Kind};
use serde_json::json;

use crate::fake_daemon::{Act, Fake, account, login, status};
use crate::person::{Person, Says};

fn fake(state: &'static str, submit: fn() -> Act) -> Fake {
    Fake::new(move |method, _| match method {
        "status" => vec![Act::Answer(status(&[account("default", state)]))],
        "login.submit_mfa" => vec![submit()],
        "login.resend_mfa" => vec![Act::Answer(login("awaiting_mfa"))],
        "login.cancel" => vec![Act::Answer(login("signed_out"))],
        other => panic!("{other}"),
    })
}

fn right() -> Act {
    Act::Answer(login("active"))
}

fn wrong() -> Act {
    Act::Fail(Failure::new(Kind::MfaCodeRejected, "That code was not accepted; 2 tries are left.").attempts_left(2))
}

#[tokio::test]
async fn a_code_comes_as_an_argument_from_stdin_or_from_a_person() {
    for (person, line) in [
        (Person::default(), "mfa 123456"),
        (Person::piping("123456\n"), "mfa"),
        (Person::answering(&[Says::Text("123456")]), "mfa"),
    ] {
        let fake = fake("awaiting_mfa", right);
        person.runs(fake.socket(), line).await.ends(0).says(&["Signed in as Jane Runner"]);
        assert_eq!(fake.params("login.submit_mfa"), json!({ "code": "123456" }));
    }
}

#[tokio::test]
async fn a_wrong_code_tells_the_tries_left() {
    let fake = fake("awaiting_mfa", wrong);
    let ran = Person::default().runs(fake.socket(), "mfa 123456").await.ends(8);
    ran.says(&["2 tries are left", "next: use the newest code: garminsyncctl --socket", "mfa"]);
    let ran = Person::default().runs(fake.socket(), "mfa 123456 --json").await.ends(8);
    assert_eq!(ran.json()["error"]["attempts_left"], 2);
}

#[tokio::test]
async fn nobody_is_asked_for_a_code_that_nobody_waits_for() {
    let fake = fake("active", right);
    let ran = Person::answering(&[]).runs(fake.socket(), "mfa").await.ends(1);
    assert!(ran.asked.is_empty());
    ran.says(&["No sign-in is waiting", "login"]);
}

#[tokio::test]
async fn a_waiting_sign_in_can_be_given_up() {
    let fake = fake("awaiting_mfa", right);
    Person::default().runs(fake.socket(), "mfa --cancel").await.ends(0).says(&["given up"]);
    assert_eq!(fake.calls(), ["status", "login.cancel"]);
}

#[tokio::test]
async fn ctrl_c_leaves_the_sign_in_waiting() {
    let fake = fake("awaiting_mfa", right);
    let ran = Person::answering(&[Says::CtrlC]).runs(fake.socket(), "mfa").await.ends(5);
    ran.says(&["waits for it in the daemon"]);
    assert_eq!(fake.calls(), ["status", "status"]);
}

#[tokio::test]
async fn another_code_can_be_asked_for() {
    let fake = fake("awaiting_mfa", right);
    let ran = Person::default().runs(fake.socket(), "mfa --resend").await.ends(0);
    ran.says(&["j***@example.com", "Only the newest code counts", "mfa"]);
    assert_eq!(fake.calls(), ["status", "login.resend_mfa"]);
}
