//! How fast Garmin is asked, by real programs: what a limit teaches, what a day may take, what accounts share, and that a pause is a pause.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use garminsync_test_support::fake::{Effect, Filter, Host, Rate, Rule, Seen};
use garminsync_test_support::harness::{Daemon, until};
use garminsync_test_support::people::{Person, SignInMood};
use serde_json::Value;

use crate::stage::{ANA, PASSWORD, Stage, ana, today};

/// What the data hosts were asked since.
fn data(stage: &Stage) -> Vec<Seen> {
    let of_data = |seen: &Seen| matches!(seen.host, Host::Connectapi | Host::Personal);
    stage.fake.requests().into_iter().filter(of_data).collect()
}

fn configure(stage: &Stage, from: &str, to: &str) {
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    assert!(config.contains(from), "{config}");
    std::fs::write(stage.home.config_file(), config.replace(from, to)).expect("written");
}

async fn queue(stage: &Stage) -> Value {
    stage.home.account("default").await["sync"]["queues"]["account"].clone()
}

/// Ana with a longer life, asked at fifty a second instead of ten.
async fn busy(person: Person, sync: &str) -> Stage {
    let stage = Stage::set(person, "").await;
    configure(&stage, "schedule = \"\"\n", &format!("schedule = \"\"\n{sync}\n"));
    configure(&stage, "sign_in_pause_s = 0\n", "sign_in_pause_s = 0\nrequest_gap_s = 0.02\n");
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steady_limit_refuses_once_and_never_again() {
    let stage = busy(ana(SignInMood::Ok).lived(today(), 300, 60), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 0);
    let rate = Rate { per_second: 15.0, burst: 15.0, in_flight: 4, retry_after_s: Some(1) };
    stage.fake.knobs(|knobs| knobs.rate = Some(rate));
    let sync = stage.home.ctl(&["sync", "--wait"]).await;
    assert_eq!(sync.code, 0, "{sync:?}");
    assert!(data(&stage).len() > 60, "{}", data(&stage).len());
    assert_eq!(stage.fake.throttled(), 1);
    let learned = queue(&stage).await;
    assert!(learned["throttled_at"].is_string() && learned["gap_ms"].as_u64() >= Some(80), "{learned}");
    let status = stage.home.ctl(&["status"]).await.stdout;
    assert!(status.contains("  pace      account login: slowed "), "{status}");

    // Nor after a restart.
    assert!(daemon.terminate().await.success());
    let _daemon = Daemon::start(&stage.home).await;
    until("what was learned is there again", || async { (queue(&stage).await == learned).then_some(()) }).await;
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_eq!(stage.fake.throttled(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_takes_no_more_than_its_budget_and_what_is_new_comes_first() {
    let stage = busy(ana(SignInMood::Ok).lived(today(), 300, 60), "daily_requests = 50").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 0);
    let before = |stage: &Stage| data(stage).iter().filter(|seen| !seen.path.ends_with("socialProfile")).count();
    let ended = |account: &Value| account["sync"]["last_error"].as_str().is_some_and(|why| why.contains("budget"));
    stage.account_is("the first sync has ended", ended).await;
    assert_eq!(before(&stage), 45, "a tenth is kept for what is new today");
    let status = stage.home.account("default").await;
    assert_eq!(status["sync"]["newest_day"], today().to_string());
    assert!(status["sync"]["gaps"].as_u64() > Some(0), "what could not be read any more is a gap: {status}");
    let text = stage.home.ctl(&["status"]).await.stdout;
    assert!(text.contains("  pace      account login: 5 requests left today"), "{text}");

    let sync = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!((sync.code, sync.json()["error"]["kind"].as_str()), (6, Some("budget_used")), "{sync:?}");
    let next: DateTime<Utc> =
        sync.json()["retry_at"].as_str().and_then(|at| at.parse().ok()).unwrap_or_else(|| panic!("{sync:?}"));
    assert_eq!(
        next,
        (today() + TimeDelta::days(1)).and_time(chrono::NaiveTime::MIN).and_utc(),
        "this machine lives by UTC"
    );
    // Not one more, whoever asks, and whatever dies.
    assert!(daemon.terminate().await.success());
    let daemon = Daemon::start(&stage.home).await;
    for _ in 0..3 {
        let sync = stage.home.ctl(&["sync", "--wait"]).await;
        assert_eq!(sync.code, 6, "{sync:?}");
    }
    assert!(before(&stage) <= 50, "{}", before(&stage));
    assert_eq!(queue(&stage).await["budget_left"], 50 - before(&stage) as u64);

    // With more it goes on where it was.
    assert!(daemon.terminate().await.success());
    configure(&stage, "daily_requests = 50", "daily_requests = 0");
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_eq!(queue(&stage).await["budget_left"], Value::Null);
    let files = stage.home.ctl(&["datasets", "--json"]).await.json();
    assert!(files.to_string().contains("original"), "{files}");
    let database = stage.home.database().expect("garmin.db");
    let held: i64 = database.query_row("SELECT count(*) FROM sleep", [], |row| row.get(0)).expect("days");
    let days = stage.fake.person(ANA).expect("Ana").life.days().filter(|(_, day)| day.sleep.is_some()).count();
    assert_eq!(usize::try_from(held), Ok(days));
}

/// What waits for the run that uses the last of a day's budget cannot begin, and that is no trouble of the daemon's.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_run_that_uses_the_budget_hears_of_it() {
    let stage = busy(ana(SignInMood::Ok).lived(today(), 300, 60), "daily_requests = 3").await;
    let _daemon = Daemon::start(&stage.home).await;
    stage.fake.knobs(|knobs| knobs.latency = Duration::from_secs(1));
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 0);
    let begun = || async { data(&stage).iter().any(|seen| !seen.path.ends_with("socialProfile")).then_some(()) };
    until("the login's own sync is under way", begun).await;
    // Whether that one is still under way or over by now.
    let since = (today() - TimeDelta::days(200)).to_string();
    let sync = stage.home.ctl(&["sync", "--wait", "--json", "--since", &since]).await;
    assert_eq!((sync.code, sync.json()["error"]["kind"].as_str()), (6, Some("budget_used")), "{sync:?}");
    let sync = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!((sync.code, sync.json()["error"]["kind"].as_str()), (6, Some("budget_used")), "{sync:?}");
    assert!(sync.json()["error"]["retry_after_s"].as_u64() > Some(0), "{sync:?}");
    assert_eq!(queue(&stage).await["requests_today"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_are_no_faster_than_one() {
    let stage = Stage::set(ana(SignInMood::Ok).lived(today(), 60, 20), "").await;
    stage.fake.add(Person::named("eva@example.org").password(PASSWORD).lived(today(), 60, 20));
    let _daemon = Daemon::start(&stage.home).await;
    let eva = ["--account", "eva", "login", "--email", "eva@example.org", "--password-stdin", "--no-wait"];
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 0);
    assert_eq!(stage.home.ctl_with(&eva, &format!("{PASSWORD}\n")).await.code, 0);
    stage.fake.knobs(|knobs| knobs.latency = Duration::from_millis(150));
    let ends = [["--account", "default", "sync", "--wait"], ["--account", "eva", "sync", "--wait"]];
    let ended = tokio::join!(stage.home.ctl(&ends[0]), stage.home.ctl(&ends[1]));
    assert_eq!((ended.0.code, ended.1.code), (0, 0), "{ended:?}");
    let mut seen = data(&stage);
    seen.retain(|seen| !seen.path.ends_with("socialProfile"));
    let users: std::collections::BTreeSet<_> = seen.iter().filter_map(|seen| seen.user.clone()).collect();
    assert!(users.len() == 2 && seen.len() > 60, "{users:?}, {}", seen.len());
    // A tenth of a second between starts: eleven at most begin in a second; one more for what the network does to moments.
    let second = TimeDelta::seconds(1);
    for (at, first) in seen.iter().enumerate() {
        let within = seen[at..].iter().take_while(|other| other.at - first.at <= second).count();
        assert!(within <= 12, "{within} in a second");
    }
    let most = seen.iter().map(|seen| seen.in_flight).max();
    assert!(most <= Some(4), "two of each: {most:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_pause_nothing_is_asked_by_any_door() {
    let stage = busy(ana(SignInMood::Ok).lived(today(), 60, 20), "").await;
    let daemon = Daemon::start(&stage.home).await;
    stage.fake.knobs(|knobs| knobs.latency = Duration::from_millis(50));
    stage.fake.misbehave(Rule::does(Effect::throttled(900)).host(Host::Personal).path("sleep-service").times(1));
    let key = stage.fake.person(ANA).expect("Ana").api_key;
    let words = ["login", "--api-key-stdin", "--expires", "365"];
    assert_eq!(stage.home.ctl_with(&words, &format!("{key}\n")).await.code, 0);
    stage.account_is("Garmin asks for a pause", |account| account["sync"]["state"] == "paused").await;
    // What was under way has its answer; from then on nobody is asked, and a second login does not open another door.
    assert_eq!(stage.fake.count(&Filter::host(Host::Personal).status(429)), 1);
    let asked = stage.fake.count(&Filter::host(Host::Personal));
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 0);
    for _ in 0..2 {
        let sync = stage.home.ctl(&["sync", "--wait"]).await;
        assert_eq!(sync.code, 6, "{sync:?}");
    }
    let of_personal = |stage: &Stage| {
        let preferred = ["sleep-service", "hrv-service", "dailysummaries", "activitylist-service", "download-service"];
        let other = data(stage).into_iter().filter(|seen| seen.host == Host::Connectapi);
        other.filter(|seen| preferred.iter().any(|path| seen.path.contains(path))).count()
    };
    assert_eq!((stage.fake.count(&Filter::host(Host::Personal)), of_personal(&stage)), (asked, 0));
    assert!(daemon.terminate().await.success());
    let _daemon = Daemon::start(&stage.home).await;
    let sync = stage.home.ctl(&["sync", "--wait"]).await;
    assert_eq!(sync.code, 6, "{sync:?}");
    assert_eq!(
        (stage.fake.count(&Filter::host(Host::Personal)), of_personal(&stage)),
        (asked, 0),
        "nor after a restart"
    );
}

/// The one data request that checks a login, or a key, is answered 429: the sync that begins with the login is that pause's first victim.
#[tokio::test(flavor = "multi_thread")]
async fn a_429_to_the_check_of_a_login_holds_back_the_first_sync() {
    for (host, path, personal) in [(Host::Connectapi, "socialProfile", false), (Host::Personal, "dailysummaries", true)]
    {
        let stage = Stage::set(ana(SignInMood::Ok), "").await;
        stage.fake.misbehave(Rule::does(Effect::throttled(900)).host(host).path(path).times(1));
        let daemon = Daemon::start(&stage.home).await;
        let login = if personal {
            let key = stage.fake.person(ANA).expect("Ana").api_key;
            stage.home.ctl_with(&["login", "--api-key-stdin", "--expires", "365"], &format!("{key}\n")).await
        } else {
            stage.login(PASSWORD, &[]).await
        };
        assert_eq!(login.code, 0, "{login:?}");
        let sync = stage.home.ctl(&["sync", "--wait"]).await;
        assert_eq!(sync.code, 6, "{sync:?}");
        let of_data = |seen: &Seen| !seen.path.contains("token");
        assert_eq!(data(&stage).into_iter().filter(of_data).count(), 1, "the check, and nothing after it");
        // It outlives the daemon, which asks nobody whose the login is, either.
        assert!(daemon.terminate().await.success());
        let _daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 6);
        assert_eq!(data(&stage).into_iter().filter(of_data).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_429_to_the_check_of_a_login_only_delays_the_first_sync() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.misbehave(Rule::does(Effect::throttled(3)).host(Host::Connectapi).path("socialProfile").times(1));
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    stage.login_has_synced().await;
    let of_data = |seen: &Seen| seen.host == Host::Connectapi;
    let moments: Vec<_> = data(&stage).into_iter().filter(of_data).map(|seen| seen.at).collect();
    let wait = moments[1] - moments[0];
    assert!(wait >= TimeDelta::seconds(3), "{wait}");
}
