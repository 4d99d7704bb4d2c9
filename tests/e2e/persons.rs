//! One account, one person: a second credential, or a new login after a logout, is held against the person whose data are here,
//! before it is stored.

use garminsync_test_support::fake::{Body, Effect, Filter, Host, Rule};
use garminsync_test_support::harness::{Daemon, Ran};
use garminsync_test_support::people::{Person, SignInMood};
use serde_json::Value;

use crate::stage::{PASSWORD, Stage, ana, today};

const EVA: &str = "eva@example.org";

fn eva() -> Person {
    Person::named(EVA).password(PASSWORD).lived(today(), 20, 3)
}

async fn with_both() -> (Stage, Daemon) {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.add(eva());
    let daemon = Daemon::start(&stage.home).await;
    (stage, daemon)
}

async fn login_as(stage: &Stage, email: &str) -> Ran {
    let words = ["--json", "login", "--email", email, "--password-stdin"];
    stage.home.ctl_with(&words, &format!("{PASSWORD}\n")).await
}

async fn bring_key(stage: &Stage, person: &Person) -> Ran {
    stage.home.ctl_with(&["--json", "login", "--api-key-stdin"], &format!("{}\n", person.api_key)).await
}

#[track_caller]
fn refused(ran: &Ran, belongs_to: &str, not_to: &str) {
    let error = &ran.json()["error"];
    assert_eq!((ran.code, &error["kind"]), (7, &Value::from("not_allowed")), "{ran:?}");
    let message = error["message"].as_str().unwrap_or_default();
    let (whose, theirs) = message.split_once("and the account").expect("who is who");
    assert!(whose.contains(belongs_to) && theirs.contains(not_to), "{ran:?}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("--account NAME login")), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_key_does_not_join_a_login() {
    let (stage, daemon) = with_both().await;
    assert_eq!(login_as(&stage, crate::stage::ANA).await.code, 0);
    refused(&bring_key(&stage, &eva()).await, &eva().display_name, "ana");
    // The exchange, one request for the number, one for the name that is said.
    assert_eq!(stage.fake.count(&Filter::host(Host::Personal)), 3, "{:?}", stage.fake.counts());
    assert!(daemon.terminate().await.success());
    let _daemon = Daemon::start(&stage.home).await;
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], &account["tiers"]["personal"]), (&"active".into(), &Value::Null));
    // Her own key does.
    assert_eq!(bring_key(&stage, &ana(SignInMood::Ok)).await.code, 0);
    assert_eq!(stage.asked(Host::Personal, "POST", "token"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_login_does_not_join_a_key() {
    let (stage, daemon) = with_both().await;
    assert_eq!(bring_key(&stage, &ana(SignInMood::Ok)).await.code, 0);
    refused(&login_as(&stage, EVA).await, "eva", "profile");
    assert!(daemon.terminate().await.success());
    let _daemon = Daemon::start(&stage.home).await;
    let account = stage.home.account("default").await;
    assert_eq!((&account["state"], &account["tiers"]["account"]), (&"active".into(), &Value::Null));
    assert_eq!(login_as(&stage, crate::stage::ANA).await.code, 0);
}

/// The data stay after a logout, and so does the name's person; the old login stays when a new one is refused.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_stays_its_persons() {
    let (stage, _daemon) = with_both().await;
    assert_eq!(login_as(&stage, crate::stage::ANA).await.code, 0);
    refused(&login_as(&stage, EVA).await, "eva", "ana");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "the old login goes on");
    assert_eq!(stage.home.ctl(&["logout"]).await.code, 0);
    refused(&login_as(&stage, EVA).await, "eva", "ana");
    refused(&bring_key(&stage, &eva()).await, &eva().display_name, "ana");
    assert_eq!(stage.home.account("default").await["state"], "signed_out");
    assert_eq!(login_as(&stage, crate::stage::ANA).await.code, 0);
    // Under a name of her own Eva is welcome.
    let words = ["--account", "eva", "login", "--email", EVA, "--password-stdin"];
    assert_eq!(stage.home.ctl_with(&words, &format!("{PASSWORD}\n")).await.code, 0);
}

/// A key whose person Garmin does not tell yet (no data in a month) is taken, and asked again before a sync reads with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_data_is_checked_before_the_sync() {
    let (stage, _daemon) = with_both().await;
    let nothing = Effect::Status { status: 204, retry_after: None, body: Body::Empty };
    stage.fake.misbehave(Rule::does(nothing).host(Host::Personal).path("dailysummaries").times(1));
    assert_eq!(login_as(&stage, crate::stage::ANA).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_eq!(bring_key(&stage, &eva()).await.code, 0, "nothing speaks against it yet");
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "with the login");
    let account = stage.home.account("default").await;
    assert_eq!(account["tiers"]["personal"]["state"], "login_needed", "{account}");
    assert_eq!(account["troubles"][0]["kind"], "key.refused", "{account}");
    assert!(account["troubles"][0]["text"].as_str().is_some_and(|text| text.contains("belongs to")), "{account}");
    stage.idle().await;
    assert_eq!(stage.asked(Host::Personal, "GET", "dailysummaries"), 2, "once at the login, once before the sync");
    let eva = eva();
    let theirs: i64 = stage
        .home
        .database()
        .and_then(|db| {
            db.query_row("SELECT count(*) FROM account WHERE profile_id = ?1", [eva.profile_id], |r| r.get(0))
        })
        .expect("rows");
    assert_eq!(theirs, 0);
}

/// Whose ended tokens are, Garmin tells only of renewed ones: whoever loses their copy by that hears so.
#[tokio::test(flavor = "multi_thread")]
async fn another_persons_ended_tokens_are_refused_and_their_death_is_told() {
    let (stage, _daemon) = with_both().await;
    assert_eq!(login_as(&stage, crate::stage::ANA).await.code, 0);
    let alive = stage.fake.tokens(EVA);
    stage.fake.knobs(|knobs| knobs.access_life = Some(std::time::Duration::ZERO));
    let ended = stage.fake.tokens(EVA);
    stage.fake.knobs(|knobs| knobs.access_life = None);
    for (tokens, is_dead) in [(alive, false), (ended, true)] {
        let file = stage.home.path().join("garmin_tokens.json");
        let text = serde_json::json!({ "di_token": tokens.access, "di_refresh_token": tokens.refresh, "di_client_id": tokens.client_id });
        std::fs::write(&file, text.to_string()).expect("a file");
        let said = stage.home.ctl(&["--json", "login", "--import", &file.display().to_string()]).await;
        refused(&said, "eva", "ana");
        let error = said.json()["error"].clone();
        let (message, hint) =
            (error["message"].as_str().unwrap_or_default(), error["hint"].as_str().unwrap_or_default());
        assert_eq!((message.contains("copy is dead"), hint.contains("--import")), (is_dead, !is_dead), "{error}");
    }
    assert_eq!(stage.home.account("default").await["state"], "active");
}
