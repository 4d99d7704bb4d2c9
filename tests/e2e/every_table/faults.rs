//! Faults in the middle of a first sync of everything: refusals of each kind, and sudden deaths. What is there in the end is what Garmin has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::Daemon;
use garminsync_test_support::people::{Person, TABLES};

use super::compare::assert_equal;
use super::home::{Way, age, back, everything, sign_in, sync};
use super::{north, today};
use crate::stage::{ANA, Stage};

async fn before_a_first_sync(person: Person) -> Stage {
    let first = person.life.plan().first;
    everything(person, &format!("start = \"{first}\"")).await
}

/// The days that the ledger calls empty are days of which Garmin has nothing.
fn assert_empty_is_empty(stage: &Stage) {
    let person = stage.fake.person(ANA).expect("Ana");
    let database = stage.home.database().expect("garmin.db");
    let sql = "SELECT item FROM ledger WHERE state = 'empty' AND dataset = \
               (SELECT dataset FROM projection WHERE ',' || tables || ',' LIKE '%,' || ?1 || ',%')";
    let mut read = database.prepare(sql).expect(sql);
    for table in TABLES {
        let rows = table.rows(&person, person.life.first_day(), today());
        let days: BTreeSet<&str> = rows.iter().filter_map(|row| row.get("day")?.as_str()).collect();
        let items = read.query_map([table.name], |row| row.get(0)).expect(sql);
        let wrong: Vec<String> =
            items.map(|item| item.expect("an item")).filter(|item: &String| days.contains(item.as_str())).collect();
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
    let (begun, mut seed, mut kills) = (Instant::now(), 0x2026_u64, 0);
    while kills < 100 && begun.elapsed() < Duration::from_secs(20) {
        let daemon = Daemon::start(&stage.home).await;
        // Not a wait for a fact: the moment of death is meant to be any moment.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tokio::time::sleep(Duration::from_millis((seed >> 33) % 120)).await;
        daemon.kill().await;
        kills += 1;
    }
    assert!(kills >= 20, "{kills}");
    let _daemon = Daemon::start(&stage.home).await;
    // Idle it also is before the run that was cut off goes on; none of its lives was long enough to end one.
    let ended = |sync: &serde_json::Value| sync["state"] == "idle" && sync["last_ok_at"].is_string();
    stage.account_is("the mirror is complete", |a| ended(&a["sync"]) && a["sync"]["gaps"] == 0).await;
    assert_equal(&stage, Way::Account).await;

    // What can still change is read again by each life, and each asks whether there is anything new. All else is asked once, save what
    // was on its way when the daemon died, which is two at most.
    let mut asked = BTreeMap::<String, usize>::new();
    for seen in stage.fake.requests().into_iter().filter(|seen| seen.host == Host::Connectapi) {
        let place = format!("{}?{}", seen.path, seen.query);
        if !place.contains("mylastused") && newest_day(&place).is_none_or(|day| day < back(30)) {
            *asked.entry(place).or_default() += 1;
        }
    }
    assert!(asked.len() > 100, "{asked:#?}");
    asked.retain(|_, times| *times > 1);
    let twice: usize = asked.values().map(|times| times - 1).sum();
    assert!(twice <= 2 * kills, "{twice} requests were sent again in {kills} lives: {asked:#?}");
}

/// The newest day that a request names.
fn newest_day(place: &str) -> Option<NaiveDate> {
    place.split(|letter: char| !letter.is_ascii_digit() && letter != '-').filter_map(|word| word.parse().ok()).max()
}
