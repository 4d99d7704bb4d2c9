//! Faults in the middle of a first sync of everything: refusals of each kind, and sudden deaths. What is there in the end is what Garmin has.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use garminsync_test_support::harness::{Daemon, PATIENCE};
use garminsync_test_support::people::{Person, TABLES};

use super::compare::assert_equal;
use super::home::{Way, age, back, everything, sign_in, sync};
use super::{north, today};
use crate::stage::{ANA, Stage};

/// How often the daemon is killed without a word, as far as the sync takes that long.
const KILLS: usize = 100;

async fn before_a_first_sync(person: Person) -> Stage {
    let first = person.life.plan().first;
    everything(person, &format!("start = \"{first}\"")).await
}

/// The days that the ledger calls empty are days of which Garmin has nothing.
fn assert_empty_is_empty(stage: &Stage) {
    let person = stage.fake.person(ANA).expect("Ana");
    let database = stage.home.database().expect("garmin.db");
    let sql = "SELECT DISTINCT item FROM ledger WHERE state = 'empty' AND dataset IN \
               (SELECT dataset FROM projection WHERE ',' || tables || ',' LIKE '%,' || ?1 || ',%')";
    let mut read = database.prepare(sql).expect(sql);
    for table in TABLES {
        let items = read.query_map([table.name], |row| row.get::<_, String>(0)).expect(sql);
        let days = items.filter_map(|item| item.expect("an item").parse::<NaiveDate>().ok());
        // Asked for each day alone: samples have a moment and no day, and a night belongs to the day on which it ends.
        let wrong: Vec<NaiveDate> = days.filter(|day| !table.rows(&person, *day, *day).is_empty()).collect();
        assert!(wrong.is_empty(), "{} is said to be empty on {wrong:?}", table.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_refusals_that_heal() {
    let person = north(today());
    let heart = format!("dailyHeartRate/{}?date={}", person.display_name, back(9));
    let stage = before_a_first_sync(person).await;
    let connectapi = |effect| Rule::does(effect).host(Host::Connectapi);
    // One day that cannot be read, two areas that this person may not, and a limit in the middle of all that.
    stage.fake.misbehave(connectapi(Effect::status(500)).path(&heart));
    stage.fake.misbehave(connectapi(Effect::status(403)).path("/hrv-service/"));
    stage.fake.misbehave(connectapi(Effect::status(403)).path("/gear-service/"));
    stage.fake.misbehave(connectapi(Effect::throttled(900)).skip(200).times(1));
    let daemon = Daemon::start(&stage.home).await;
    sign_in(&stage, Way::Account).await;
    let outcome = async |code: i32| {
        let ran = stage.home.ctl(&["sync", "--wait"]).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert_empty_is_empty(&stage);
    };
    outcome(6).await;
    assert!(daemon.terminate().await.success());
    age(&stage, 1);
    let daemon = Daemon::start(&stage.home).await;
    outcome(1).await;
    assert!(daemon.terminate().await.success());
    age(&stage, 2);
    stage.fake.behave();
    let _daemon = Daemon::start(&stage.home).await;
    sync(&stage).await;
    assert_empty_is_empty(&stage);
    assert_equal(&stage, Way::Account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_first_sync_that_was_killed_all_the_time() {
    let stage = before_a_first_sync(north(today())).await;
    let daemon = Daemon::start(&stage.home).await;
    sign_in(&stage, Way::Account).await;
    daemon.kill().await;
    let asked = || stage.fake.count(&Filter::host(Host::Connectapi));
    let has_ended = || stage.home.log().contains("sync ends");
    let (mut seed, mut hits) = (0x2026_u64, 0);
    while hits < KILLS && !has_ended() {
        let before = asked();
        let daemon = Daemon::start(&stage.home).await;
        // The moment of death is any moment of a run: so many requests after it went on.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let more = 1 + (seed >> 33) as usize % 5;
        let begun = Instant::now();
        while asked() < before + more && !has_ended() {
            assert!(begun.elapsed() < PATIENCE, "{hits} kills, and the run does not go on: {}", stage.home.log());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        daemon.kill().await;
        hits += 1;
    }
    // A machine that is slow to kill lets more of the run pass each time.
    assert!(hits >= 20, "{hits} kills");
    let _daemon = Daemon::start(&stage.home).await;
    // Idle it also is before the run that was cut off goes on.
    let ended = |sync: &serde_json::Value| sync["state"] == "idle" && sync["last_ok_at"].is_string();
    stage.account_is("the mirror is complete", |a| ended(&a["sync"]) && a["sync"]["gaps"] == 0).await;
    assert_equal(&stage, Way::Account).await;

    // Each life asks whether there is anything new. All else is asked once, save what was on its way when the daemon died, two at most; and a
    // page of the list, which proves its days only when the next one has gone on from there.
    let mut asked = BTreeMap::<String, usize>::new();
    for seen in stage.fake.requests().into_iter().filter(|seen| seen.host == Host::Connectapi) {
        if !seen.path.contains("mylastused") {
            *asked.entry(format!("{}?{}", seen.path, seen.query)).or_default() += 1;
        }
    }
    assert!(asked.len() > 100, "{asked:#?}");
    asked.retain(|_, times| *times > 1);
    let twice: usize = asked.values().map(|times| times - 1).sum();
    // The life in which she signed in was cut off, too.
    let lives = hits + 1;
    assert!(twice <= 2 * lives + 1, "{twice} requests were sent again in {lives} lives: {asked:#?}");
}
