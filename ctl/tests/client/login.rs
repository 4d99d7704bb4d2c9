//! `login`: where secrets come from, where they go, and every way to the code.

use std::sync::atomic::{AtomicUsize, Ordering};

use garminsync_protocol::{Failure, Kind};
use serde_json::json;
use tokio::sync::watch;

use crate::fake_daemon::{Act, Fake, account, login, mfa, status};
use crate::person::{Person, Says};

const SCRIPTED: &str = "login --email jane@example.com --password-stdin";

/// A daemon whose Garmin wants a code; `submit` judges it.
fn wants_code(mut submit: impl FnMut() -> Act + Send + 'static) -> Fake {
    Fake::new(move |method, _| match method {
        "status" => vec![Act::Answer(status(&[]))],
        "login.start" => vec![Act::Progress(json!({ "text": "Signing in" })), Act::Answer(login("awaiting_mfa"))],
        "login.submit_mfa" => vec![submit()],
        other => panic!("{other}"),
    })
}

/// A daemon in which a sign-in waits already.
fn waits_for_code(mut submit: impl FnMut() -> Act + Send + 'static) -> Fake {
    Fake::new(move |method, _| match method {
        "status" => vec![Act::Answer(status(&[account("default", "awaiting_mfa")]))],
        "login.submit_mfa" => vec![submit()],
        other => panic!("{other}"),
    })
}

fn right() -> Act {
    Act::Answer(login("active"))
}

fn wrong(attempts_left: u32) -> Act {
    Act::Fail(Failure::new(Kind::MfaCodeRejected, "That code was not accepted.").attempts_left(attempts_left))
}

#[tokio::test]
async fn without_a_code_from_stdin() {
    let fake = Fake::new(|method, _| match method {
        "status" => vec![Act::Answer(status(&[]))],
        _ => vec![Act::Progress(json!({ "text": "Signing in\u{1b}[2J" })), Act::Answer(login("active"))],
    });
    let ran = Person::piping(" hunter2 \r\n").runs(fake.socket(), SCRIPTED).await.ends(0);
    assert_eq!(ran.out, "");
    assert!(!ran.err.contains('\u{1b}'));
    ran.says(&[
        "Signing in",
        "Signed in as Jane Runner. The first sync is under way: garminsyncctl --socket",
        "status",
    ]);
    assert_eq!(fake.params("login.start"), json!({ "email": "jane@example.com", "password": " hunter2 " }));
}

#[tokio::test]
async fn the_account_and_force_are_passed_on() {
    let fake = Fake::new(|method, _| match method {
        "status" => vec![Act::Answer(status(&[account("default", "active")]))],
        _ => vec![Act::Answer(login("active"))],
    });
    let line = format!("--account work {SCRIPTED} --force --json");
    let ran = Person::piping("hunter2").runs(fake.socket(), &line).await.ends(0);
    assert_eq!(ran.json()["state"], "active");
    let params = fake.params("login.start");
    assert_eq!((&params["account"], &params["force"]), (&json!("work"), &json!(true)));
}

#[tokio::test]
async fn with_nobody_to_ask_the_sign_in_is_left_waiting() {
    for flags in ["", "--no-wait"] {
        let fake = wants_code(right);
        let ran = Person::piping("hunter2\n").runs(fake.socket(), &format!("{SCRIPTED} {flags}")).await.ends(5);
        ran.says(&["by e-mail to j***@example.com", "3 tries left", "next: garminsyncctl --socket", "mfa"]);
        let ran = Person::piping("hunter2\n").runs(fake.socket(), &format!("{SCRIPTED} {flags} --json")).await.ends(5);
        assert_eq!(ran.json()["state"], "awaiting_mfa");
        assert_eq!(ran.json()["mfa"]["challenge"], "c1");
        assert_eq!(ran.json()["error"]["kind"], "mfa_required");
    }
}

#[tokio::test]
async fn no_wait_does_not_ask_a_person_either() {
    let fake = wants_code(right);
    let ran = Person::answering(&[Says::Text("hunter2")])
        .runs(fake.socket(), "login --email jane@example.com --no-wait")
        .await
        .ends(5);
    assert_eq!(ran.asked, ["*Garmin password:"]);
}

#[tokio::test]
async fn the_code_may_come_in_the_next_line_of_stdin() {
    let fake = wants_code(right);
    let line = format!("{SCRIPTED} --code-stdin");
    Person::piping("hunter2\n123456\n").runs(fake.socket(), &line).await.ends(0);
    assert_eq!(fake.params("login.submit_mfa"), json!({ "code": "123456", "challenge": "c1" }));

    let fake = wants_code(|| wrong(2));
    let ran = Person::piping("hunter2\n123456\n").runs(fake.socket(), &format!("{line} --json")).await.ends(8);
    assert_eq!(ran.json()["error"]["attempts_left"], 2);

    let fake = wants_code(right);
    Person::piping("hunter2\n\n").runs(fake.socket(), &line).await.ends(2).says(&["Nothing was given for the code"]);
    let ran = Person::piping("hunter2\n").runs(fake.socket(), &line).await.ends(2);
    ran.says(&["stdin ended before the code", "keeps waiting", "mfa"]);
    assert!(!fake.calls().contains(&"login.submit_mfa".into()));
}

#[tokio::test]
async fn a_person_is_asked_without_echo_until_the_code_is_right() {
    let tries = AtomicUsize::new(0);
    let fake = wants_code(move || if tries.fetch_add(1, Ordering::Relaxed) == 0 { wrong(2) } else { right() });
    let answers = ["jane@example.com\n", "hunter2", "123456", "  ", "654321"].map(Says::Text);
    let ran = Person::answering(&answers).runs(fake.socket(), "login").await.ends(0);
    assert_eq!(ran.asked, ["Garmin e-mail:", "*Garmin password:", "*Code:", "*Code:", "*Code:"]);
    ran.says(&["3 tries left", "That code was not accepted.", "2 tries left", "Signed in as Jane Runner"]);
    assert_eq!(fake.params("login.start")["email"], "jane@example.com");
}

#[tokio::test]
async fn the_last_wrong_code_ends_it() {
    let fake = wants_code(|| wrong(0));
    let answers = ["hunter2", "123456"].map(Says::Text);
    let ran = Person::answering(&answers).runs(fake.socket(), "login --email a@b.c").await.ends(8);
    ran.says(&["error: That code was not accepted.", "next: garminsyncctl --socket", "login"]);
}

#[tokio::test]
async fn a_person_who_pipes_the_password_is_still_asked_for_the_code() {
    let fake = wants_code(right);
    let person = Person::piping_and_answering("hunter2\n", &[Says::Text("123456")]);
    let ran = person.runs(fake.socket(), SCRIPTED).await.ends(0);
    assert_eq!(ran.asked, ["*Code:"]);
}

#[tokio::test]
async fn a_second_login_joins_the_code_that_is_waited_for() {
    let fake = waits_for_code(right);
    let ran = Person::answering(&[Says::Text("123456")]).runs(fake.socket(), "login").await.ends(0);
    assert_eq!(ran.asked, ["*Code:"]);
    ran.says(&["no second code is sent", "j***@example.com", "mfa --cancel"]);
    assert_eq!(fake.calls(), ["status", "login.submit_mfa"]);

    let fake = waits_for_code(right);
    let ran = Person::default().runs(fake.socket(), "login --no-wait --json").await.ends(5);
    assert_eq!(ran.json()["joined"], true);

    let fake = waits_for_code(right);
    Person::piping("hunter2\n123456\n").runs(fake.socket(), &format!("{SCRIPTED} --code-stdin")).await.ends(0);
    assert_eq!(fake.params("login.submit_mfa")["code"], "123456");
}

#[tokio::test]
async fn ctrl_c_at_the_code_leaves_the_sign_in_waiting() {
    let fake = wants_code(right);
    let answers = [Says::Text("hunter2"), Says::CtrlC];
    let ran = Person::answering(&answers).runs(fake.socket(), "login --email a@b.c").await.ends(5);
    ran.says(&["The sign-in waits for it in the daemon", "next: garminsyncctl --socket", "mfa"]);
}

#[tokio::test]
async fn ctrl_c_before_that_sends_nothing() {
    for answers in [&[Says::CtrlC][..], &[Says::Text("a@b.c"), Says::CtrlC]] {
        let fake = wants_code(right);
        let ran = Person::answering(answers).runs(fake.socket(), "login").await.ends(130);
        ran.says(&["Nothing was changed"]);
        assert_eq!(fake.calls(), ["status"]);
    }
}

#[tokio::test]
async fn ctrl_c_during_the_sign_in_says_where_it_is() {
    let (stop, stopped) = watch::channel(false);
    let mut stop = Some(stop);
    let fake = Fake::new(move |method, _| match method {
        "status" => vec![Act::Answer(status(&[]))],
        _ => {
            stop.take().unwrap().send(true).unwrap();
            vec![Act::Hang]
        }
    });
    let person = Person { stdin: "hunter2\n", ..Person::interrupted_by(stopped) };
    person.runs(fake.socket(), SCRIPTED).await.ends(130).says(&["may go on in the daemon", "status"]);
}

#[tokio::test]
async fn what_is_missing_is_usage_and_nothing_is_sent() {
    for (stdin, line, words) in [
        ("", "login", "--email"),
        ("", "login --email a@b.c", "--password-stdin"),
        ("", SCRIPTED, "stdin ended before the password"),
        ("\n", SCRIPTED, "Nothing was given for the password"),
        ("hun\u{1a}ter2\n", SCRIPTED, "There is a control character in the password"),
        ("key\u{1b}[D\n", "login --api-key-stdin", "There is a control character in the key"),
        ("  \n", "login --api-key-stdin", "Nothing was given for the key"),
    ] {
        let fake = wants_code(right);
        Person::piping(stdin).runs(fake.socket(), line).await.ends(2).says(&[words, "Nothing was sent"]);
        assert_eq!(fake.calls(), ["status"]);
    }
}

#[tokio::test]
async fn a_script_is_shown_how_to_bring_the_password() {
    for (line, email) in [("login", "E-MAIL"), ("login --email a@b.c", "a@b.c")] {
        let ran = Person::default().runs(wants_code(right).socket(), line).await.ends(2);
        ran.says(&[
            "next: printf '%s\\n' \"$PASSWORD\" | garminsyncctl",
            &format!("login --email {email} --password-stdin"),
        ]);
    }
}

#[tokio::test]
async fn a_slip_of_the_control_key_is_asked_again_and_not_sent() {
    let fake = wants_code(right);
    let answers = ["hun\u{1a}ter2", "hunter2", "123\u{1}456", "123456"].map(Says::Text);
    let ran = Person::answering(&answers).runs(fake.socket(), "login --email a@b.c").await.ends(0);
    assert_eq!(ran.asked, ["*Garmin password:", "*Garmin password:", "*Code:", "*Code:"]);
    assert_eq!(fake.params("login.start")["password"], "hunter2");
    assert_eq!(fake.params("login.submit_mfa")["code"], "123456");
    ran.says(&["control character"]);
}

#[tokio::test]
async fn a_refused_key_is_told_where_keys_come_from() {
    let fake = Fake::new(|method, _| match method {
        "status" => vec![Act::Answer(status(&[]))],
        _ => vec![Act::Fail(Failure::new(Kind::InvalidCredentials, "Garmin does not accept this key."))],
    });
    let ran = Person::piping("key-of-jane\n").runs(fake.socket(), "login --api-key-stdin").await.ends(8);
    ran.says(&["next: make a key at https://connect.garmin.com/app/settings/personalApiToken, then: garminsyncctl"]);
}

#[tokio::test]
async fn wait_ends_when_another_client_brings_the_code() {
    let looks = AtomicUsize::new(0);
    let fake = Fake::new(move |_, _| {
        let state = if looks.fetch_add(1, Ordering::Relaxed) < 2 { "awaiting_mfa" } else { "active" };
        vec![Act::Answer(status(&[account("default", state)]))]
    });
    let ran = Person::default().runs(fake.socket(), "login --wait --json").await.ends(0);
    assert_eq!(ran.json()["state"], "active");
}

#[tokio::test]
async fn wait_ends_when_the_code_is_too_old() {
    let looks = AtomicUsize::new(0);
    let fake = Fake::new(move |_, _| {
        let mut waiting = account("default", "awaiting_mfa");
        if looks.fetch_add(1, Ordering::Relaxed) > 0 {
            waiting = account("default", "signed_out");
        } else {
            waiting["mfa"] = mfa(3);
        }
        vec![Act::Answer(status(&[waiting]))]
    });
    let ran = Person::default().runs(fake.socket(), "login --wait --json").await.ends(1);
    assert_eq!(ran.json()["error"]["kind"], "mfa_expired");
}

#[tokio::test]
async fn somebody_else_may_have_been_faster() {
    let submitted = AtomicUsize::new(0);
    let fake = Fake::new(move |method, _| match method {
        "login.submit_mfa" => {
            submitted.fetch_add(1, Ordering::Relaxed);
            vec![Act::Fail(Failure::new(Kind::NoPendingLogin, "No sign-in waits."))]
        }
        _ => {
            let state = if submitted.load(Ordering::Relaxed) == 0 { "awaiting_mfa" } else { "active" };
            vec![Act::Answer(status(&[account("default", state)]))]
        }
    });
    let ran = Person::answering(&[Says::Text("123456")]).runs(fake.socket(), "login").await.ends(0);
    ran.says(&["Signed in as Jane Runner"]);
}

/// Trouble that leaves the login waiting is told at once: nobody else's check is under way that might end well.
#[tokio::test]
async fn trouble_with_a_code_is_told_at_once() {
    let trouble = || Act::Fail(Failure::new(Kind::GarminUnreachable, "The code could not be checked.").challenge("c1"));
    let fake = waits_for_code(trouble);
    let ran = Person::answering(&[Says::Text("123456")]).runs(fake.socket(), "login").await.ends(1);
    ran.says(&["The code could not be checked.", "next: "]);
    assert_eq!(fake.calls(), ["status", "login.submit_mfa", "status"]);
}

/// Ways in that were told as they failed are not told again with the end; a client that joined later has not heard of them.
#[tokio::test]
async fn a_way_in_that_failed_is_told_once() {
    let (early, late) = ("Mobile sign-in: too many requests.", "Portal sign-in: too many requests.");
    let fake = Fake::new(move |method, _| match method {
        "status" => vec![Act::Answer(status(&[]))],
        _ => vec![
            Act::Progress(json!({ "text": late })),
            Act::Fail(Failure::new(Kind::RateLimited, "Later.").tried(vec![early.into(), late.into()])),
        ],
    });
    let ran = Person::piping("hunter2\n").runs(fake.socket(), SCRIPTED).await.ends(6);
    assert_eq!([early, late].map(|way| ran.err.matches(way).count()), [1, 1], "{ran:?}");
    let ran = Person::piping("hunter2\n").runs(fake.socket(), &format!("{SCRIPTED} --json")).await.ends(6);
    assert_eq!(ran.json()["error"]["tried"], json!([early, late]), "a machine reads one object");
}

#[tokio::test]
async fn a_personal_api_key_goes_its_own_way() {
    for person in [Person::piping("key-of-jane\n"), Person::answering(&[Says::Text("key-of-jane"), Says::Text("")])] {
        let fake = Fake::new(|method, _| match method {
            "status" => vec![Act::Answer(status(&[account("default", "awaiting_mfa")]))],
            _ => vec![Act::Answer(login("active"))],
        });
        person.runs(fake.socket(), "login --api-key-stdin").await.ends(0);
        assert_eq!(fake.params("login.start"), json!({ "api_key": "key-of-jane" }));
    }
}

#[tokio::test]
async fn failures_of_the_sign_in_keep_their_kind() {
    for (kind, code) in [
        (Kind::InvalidCredentials, 8),
        (Kind::CoolingDown, 6),
        (Kind::CaptchaRequired, 6),
        (Kind::AccountLocked, 1),
        (Kind::GarminUnreachable, 1),
    ] {
        let fake = Fake::new(move |method, _| match method {
            "status" => vec![Act::Answer(status(&[]))],
            _ => vec![Act::Fail(Failure::new(kind, "Garmin said no."))],
        });
        Person::piping("hunter2\n").runs(fake.socket(), SCRIPTED).await.ends(code).says(&["error: Garmin said no."]);
        assert_eq!(fake.calls(), ["status", "login.start"]);
    }
}
