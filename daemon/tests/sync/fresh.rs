//! When a tick of the clock may believe that nothing is new: only after a run that left nothing out.

use std::time::Duration;

use chrono::Utc;
use garminsync_daemon::sync::pace::Moment;
use garminsync_daemon::sync::run::lock;
use garminsync_daemon::sync::{Outcome, Trigger};
use garminsync_garmin::Tier;
use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use tokio::time::Instant;

use super::mirror::{ANA, Mirror, back, today};

/// By a key and a login; only the login serves the last dataset.
async fn by_both() -> Mirror {
    let mut mirror = Mirror::of(30, 8, &[Tier::Personal, Tier::Account]).await;
    mirror.datasets.push("floors");
    mirror.trigger = Trigger::Schedule;
    mirror
}

/// A tier asks to be left alone for a quarter of an hour.
fn pause(mirror: &Mirror, tier: Tier) {
    let at = Utc::now();
    let moment = Moment { now: Instant::now(), at, day: at.date_naive() };
    lock(&mirror.paces).get_mut(&tier).unwrap().throttled(moment.now, moment, Some(Duration::from_secs(900)));
}

fn known(mirror: &Mirror, dataset: &str) -> f64 {
    let sql = format!("SELECT count(*) AS n FROM ledger WHERE dataset = '{dataset}' AND item LIKE '2%'");
    mirror.rows(&sql)[0]["n"].as_f64().unwrap()
}

#[tokio::test]
async fn what_a_pause_left_out_is_read_when_it_is_over() {
    let mut mirror = by_both().await;
    pause(&mirror, Tier::Account);
    let report = mirror.sync().await;
    assert_eq!((report.outcome, report.served_in_part), (Outcome::RateLimited, true), "{report:?}");
    assert!(report.retry_at > Some(Utc::now()), "{report:?}");
    assert_eq!((known(&mirror, "sleep"), known(&mirror, "floors")), (30.0, 0.0));
    assert_eq!(mirror.fake.count(&Filter::host(Host::Connectapi)), 0);
    mirror.restart();
    mirror.sync_ok().await;
    assert_eq!(known(&mirror, "floors"), 30.0);
    assert_eq!(mirror.sync_ok().await.requests, 1, "now there is nothing new");
    // In a pause a tick that finds nothing new does not say that all is there.
    pause(&mirror, Tier::Account);
    let report = mirror.sync().await;
    assert_eq!((report.outcome, report.requests), (Outcome::RateLimited, 1), "{report:?}");
}

#[tokio::test]
async fn a_pause_of_who_is_not_needed_leaves_nothing_out() {
    let mut mirror = by_both().await;
    mirror.datasets.retain(|name| *name != "floors");
    pause(&mirror, Tier::Account);
    mirror.sync_ok().await;
    assert_eq!(mirror.sync_ok().await.requests, 1);
}

#[tokio::test]
async fn what_a_dead_login_left_out_is_read_when_it_lives() {
    let mirror = by_both().await;
    mirror.fake.misbehave(Rule::does(Effect::status(401)).host(Host::Connectapi));
    mirror.sync_ok().await;
    assert_eq!((known(&mirror, "sleep"), known(&mirror, "floors")), (30.0, 0.0));
    mirror.fake.behave();
    mirror.sync_ok().await;
    assert_eq!(known(&mirror, "floors"), 30.0);
}

#[tokio::test]
async fn what_rests_is_read_when_its_rest_is_over() {
    let mut mirror = Mirror::of(30, 8, &[Tier::Account]).await;
    mirror.fake.misbehave(Rule::does(Effect::status(400)).host(Host::Connectapi).path("sleep-service"));
    for _ in 0..3 {
        assert_eq!(mirror.sync().await.outcome, Outcome::Partial);
    }
    mirror.fake.behave();
    mirror.trigger = Trigger::Schedule;
    mirror.sync_ok().await;
    let today = today();
    let read =
        format!("SELECT count(*) AS n FROM ledger WHERE dataset = 'sleep' AND state <> 'error' AND item < '{today}'");
    assert_eq!(mirror.rows(&read)[0]["n"], 0.0, "it rests");
    mirror.age("-61 minutes");
    mirror.sync_ok().await;
    assert!(mirror.rows(&read)[0]["n"].as_f64() > Some(0.0), "what is old rests on");
}

/// It was heard when the run began, and a run may end on another day.
#[tokio::test]
async fn what_was_heard_is_of_the_moment_when_it_was_heard() {
    let mut mirror = Mirror::of(200, 40, &[Tier::Account]).await;
    mirror.trigger = Trigger::Schedule;
    mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(100));
    mirror.sync_ok().await;
    let moments = "SELECT (SELECT fetched_utc FROM ledger WHERE dataset = 'freshness') \
                   <= (SELECT min(fetched_utc) FROM ledger WHERE dataset IN ('sleep', 'hrv')) AS first";
    assert_eq!(mirror.rows(moments)[0]["first"], 1.0);
}

#[tokio::test]
async fn who_is_dead_while_the_other_is_in_a_pause_needs_a_login() {
    let mut mirror = by_both().await;
    mirror.trigger = Trigger::Manual;
    pause(&mirror, Tier::Account);
    mirror.fake.misbehave(Rule::does(Effect::status(401)).host(Host::Personal).method("GET"));
    let report = mirror.sync().await;
    assert_eq!((report.outcome, report.requests), (Outcome::LoginNeeded, 2), "{report:?}");
}

/// Samples that were put away are asked back by the login alone: in its pause they wait, and the run has read all it was to read.
#[tokio::test]
async fn what_was_put_away_waits_for_the_end_of_the_pause() {
    let mut mirror = Mirror::of(190, 2, &[Tier::Personal, Tier::Account]).await;
    mirror.everything().await;
    mirror.datasets = vec!["daily_summary", "heart_rate"];
    mirror.fake.live(ANA, |life| life.offload(back(180)));
    pause(&mirror, Tier::Account);
    mirror.sync_ok().await;
    let empty = "SELECT count(*) AS n FROM ledger WHERE dataset = 'heart_rate' AND state = 'empty'";
    assert!(mirror.rows(empty)[0]["n"].as_f64() > Some(0.0), "there is something to ask back");
}
