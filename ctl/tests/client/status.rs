//! `status`: the exit code that says whether somebody is needed, the JSON that scripts read, the watching.

use std::sync::atomic::{AtomicUsize, Ordering};

use garminsync_protocol::{Failure, Kind};
use tokio::sync::watch;

use crate::fake_daemon::{Act, Fake, account, status};
use crate::person::Person;

#[tokio::test]
async fn the_exit_code_is_the_most_urgent_need() {
    for (states, code) in [
        (&[][..], 4),
        (&["active"], 0),
        (&["signing_in"], 0),
        (&["signed_out"], 4),
        (&["login_needed"], 4),
        (&["awaiting_mfa"], 5),
        (&["cooling_down"], 6),
        (&["active", "awaiting_mfa"], 5),
        (&["awaiting_mfa", "login_needed", "active"], 4),
    ] {
        let fake = Fake::new(move |_, _| {
            let accounts: Vec<_> = states.iter().map(|state| account(state, state)).collect();
            vec![Act::Answer(status(&accounts))]
        });
        let ran = Person::default().runs(fake.socket(), "status").await.ends(code);
        assert!(ran.err.is_empty() && !ran.out.contains('\u{1b}'), "{ran:?}");
        let needs_somebody = [4, 5, 6].contains(&code);
        assert_eq!(ran.out.contains("next "), needs_somebody, "{ran:?}");
        Person::default().runs(fake.socket(), "status --json").await.ends(code).json();
    }
}

#[tokio::test]
async fn json_has_the_daemons_fields_at_the_top() {
    let fake = Fake::new(|_, _| vec![Act::Answer(status(&[account("default", "active")]))]);
    let json = Person::default().runs(fake.socket(), "status --output json").await.ends(0).json();
    assert_eq!(json["daemon"]["version"], "0.9.0");
    assert_eq!(json["daemon"]["pid"], 812);
    assert_eq!(json["accounts"][0], account("default", "active"));
    assert!(json["troubles"].is_array());
}

#[tokio::test]
async fn an_account_that_is_not_there_is_unknown() {
    let fake = Fake::new(|_, _| vec![Act::Fail(Failure::new(Kind::UnknownAccount, "there is no account \"work\""))]);
    let ran = Person::default().runs(fake.socket(), "--account work status --json").await.ends(1);
    assert!(!ran.json()["error"]["hint"].as_str().unwrap().contains("--account"), "{ran:?}");
    assert_eq!(ran.json()["error"]["kind"], "unknown_account");
    assert_eq!(fake.params("status"), serde_json::json!({ "account": "work" }));
}

#[tokio::test]
async fn watching_shows_each_change_once_and_outlives_the_daemon() {
    let (stop, stopped) = watch::channel(false);
    let looks = AtomicUsize::new(0);
    let fake = Fake::new(move |_, _| match looks.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => vec![Act::Answer(status(&[account("default", "signing_in")]))],
        // The connection breaks: a restart.
        2 => vec![],
        3 => vec![Act::Answer(status(&[account("default", "active")]))],
        _ => {
            let _ = stop.send(true);
            vec![Act::Hang]
        }
    });
    let ran = Person::interrupted_by(stopped).runs(fake.socket(), "status --watch --json").await.ends(130);
    let states: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["accounts"][0]["state"].to_string())
        .collect();
    assert_eq!(states, ["\"signing_in\"", "\"active\""]);
    assert_eq!(ran.err, "");
}
