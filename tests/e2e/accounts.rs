//! Several accounts on one daemon: each with its own login, schedule and failures, and none in another's way.

use std::time::{Duration, Instant};

use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::{Daemon, Ran};
use garminsync_test_support::people::{Person, SignInMood};
use serde_json::Value;

use crate::stage::{PASSWORD, Stage, ana, today};

const EVA: &str = "eva@example.org";

fn eva() -> Person {
    Person::named(EVA).password(PASSWORD).lived(today(), 20, 3)
}

async fn login(stage: &Stage, account: &str, email: &str) -> Ran {
    let words = ["--account", account, "login", "--email", email, "--password-stdin"];
    stage.home.ctl_with(&words, &format!("{PASSWORD}\n")).await
}

async fn list(stage: &Stage) -> Vec<Value> {
    let list = stage.home.ctl(&["accounts", "--json"]).await.json();
    list["accounts"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_stands_on_its_line() {
    let stage = Stage::set(ana(SignInMood::Ok), "[accounts.eva]\ndomain = \"garmin.cn\"\n").await;
    stage.fake.add(eva());
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    stage.account_is("the mirror has days", |account| account["sync"]["newest_day"].is_string()).await;

    let accounts = list(&stage).await;
    let names: Vec<_> = accounts.iter().map(|account| account["name"].as_str()).collect();
    assert_eq!(names, [Some("default"), Some("eva")]);
    let [ana, eva] = &accounts[..] else { panic!("two accounts: {accounts:?}") };
    assert_eq!((ana["state"].as_str(), ana["domain"].as_str()), (Some("active"), Some("garmin.com")));
    assert_eq!(ana["tiers"], serde_json::json!(["account"]));
    assert!(ana["newest_day"].is_string(), "{ana}");
    assert_eq!((eva["state"].as_str(), eva["domain"].as_str()), (Some("signed_out"), Some("garmin.cn")));

    let table = stage.home.ctl(&["accounts"]).await;
    assert_eq!(table.code, 0, "{table:?}");
    assert!(table.stdout.starts_with("ACCOUNT  WHO"), "{table:?}");
    assert_eq!(table.stdout.lines().count(), 3, "{table:?}");
}

/// Syncs are twice an hour for everybody, but not in the same minute; and whoever signs out has no next one.
#[tokio::test(flavor = "multi_thread")]
async fn each_takes_its_turn() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    let twice_an_hour = config.replace("schedule = \"\"", "schedule = \"*/30 * * * *\"");
    std::fs::write(stage.home.config_file(), twice_an_hour).expect("written");
    stage.fake.add(eva());
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(login(&stage, "eva", EVA).await.code, 0);
    let next = |account: &Value| account["next_at"].as_str().map(str::to_owned);
    let planned = garminsync_test_support::harness::until("both have a next run", || async {
        list(&stage).await.iter().map(next).collect::<Option<Vec<_>>>().filter(|next| next.len() == 2)
    })
    .await;
    // Eva's turn is 889 s after each slot, and a jitter is at most three minutes.
    let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().expect("a time").timestamp() % 1800;
    assert!(at(&planned[0]) < 180, "{planned:?}");
    assert!((889..889 + 180).contains(&at(&planned[1])), "{planned:?}");

    // Who has data stays in the list.
    garminsync_test_support::harness::until("eva has data", || async {
        list(&stage).await.iter().find(|account| account["name"] == "eva")?["newest_day"].is_string().then_some(())
    })
    .await;
    assert_eq!(stage.home.ctl(&["--account", "eva", "logout"]).await.code, 0);
    garminsync_test_support::harness::until("eva has no next run", || async {
        list(&stage).await.iter().find(|account| account["name"] == "eva")?["next_at"].is_null().then_some(())
    })
    .await;
}

/// Garmin never answers Ana: neither her sync, nor her renewal, nor her second login. Eva notices nothing.
#[tokio::test(flavor = "multi_thread")]
async fn ones_trouble_is_nobody_elses() {
    let ana = ana(SignInMood::Ok);
    let stage = Stage::set(ana, "").await;
    stage.fake.add(eva());
    stage.fake.add(Person::named("zoe@example.org").password(PASSWORD).lived(today(), 20, 3));
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    stage.idle().await;
    for user in [crate::stage::ANA, "zoe@example.org"] {
        stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(600))).user(user));
    }
    stage.fake.expire_access(crate::stage::ANA);
    assert_eq!(stage.home.ctl(&["sync", "--no-wait"]).await.code, 0);
    let mut zoe = stage.home.command(stage.home.ctl_program());
    zoe.args(["--account", "zoe", "login", "--email", "zoe@example.org", "--password-stdin"]);
    let mut zoe = zoe.stdin(std::process::Stdio::piped()).spawn().expect("ctl starts");
    let mut stdin = zoe.stdin.take().expect("a pipe");
    tokio::io::AsyncWriteExt::write_all(&mut stdin, format!("{PASSWORD}\n").as_bytes()).await.expect("written");
    garminsync_test_support::harness::until("zoe's login hangs", || async {
        (stage.home.account("zoe").await["state"] == "signing_in").then_some(())
    })
    .await;
    assert_eq!(stage.home.account("default").await["sync"]["state"], "running");

    let begun = Instant::now();
    assert_eq!(login(&stage, "eva", EVA).await.code, 0);
    let exchanged = stage.asked(Host::Diauth, "POST", "token");
    stage.fake.expire_access(EVA);
    let sync = stage.home.ctl(&["--account", "eva", "sync", "--wait", "--json"]).await;
    assert_eq!((sync.code, sync.json()["outcome"].as_str()), (0, Some("ok")), "{sync:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert!(stage.asked(Host::Diauth, "POST", "token") > exchanged, "her login was renewed");
    let begun = Instant::now();
    assert_eq!(list(&stage).await.len(), 3);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // The two still hang, and hold up nobody who signs out either.
    assert_eq!(stage.home.account("zoe").await["state"], "signing_in");
    assert_eq!(stage.home.ctl(&["--account", "eva", "logout"]).await.code, 0);
}

/// Nobody named an account, and none is called `default`: the only one is meant; of several, one has to be named.
#[tokio::test(flavor = "multi_thread")]
async fn the_only_account_needs_no_name() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.add(eva());
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(login(&stage, "eva", EVA).await.code, 0);
    for words in [&["sync", "--wait"][..], &["gaps"], &["history"], &["datasets"]] {
        let said = stage.home.ctl(&[words, &["--json"]].concat()).await;
        assert_eq!((said.code, &said.json()["account"]), (0, &"eva".into()), "{said:?}");
    }
    let never = stage.home.ctl(&["mfa", "123456"]).await;
    assert!(never.stderr.contains("garminsyncctl --account eva "), "what comes next means the same account: {never:?}");

    assert_eq!(login(&stage, "ana", crate::stage::ANA).await.code, 0);
    for words in [&["sync", "--wait"][..], &["gaps"], &["history"], &["datasets"], &["mfa", "123456"], &["logout"]] {
        let said = stage.home.ctl(&[words, &["--json"]].concat()).await;
        let error = said.json()["error"].clone();
        assert_eq!((said.code, &error["kind"]), (1, &"unknown_account".into()), "{said:?}");
        assert_eq!(error["accounts"], serde_json::json!(["ana", "eva"]), "{error}");
        let hint = error["hint"].as_str().unwrap_or_default();
        assert!(hint.starts_with("garminsyncctl --account NAME ") && hint.contains(words[0]), "{error}");
    }
    assert_eq!(list(&stage).await.iter().filter(|account| account["state"] == "active").count(), 2);
}
