//! Garmin has put the samples of old days away: their answers hold none until it was asked to fetch them.

use std::collections::BTreeMap;

use chrono::Duration;
use chrono_tz::Europe::Berlin;
use garminsync_test_support::harness::Daemon;
use garminsync_test_support::people::{Life, Person, Plan};

use super::compare::differences;
use super::home::{Way, back, everything, sign_in, sync};
use crate::stage::{ANA, PASSWORD, Stage, today};

/// The first ten days of a life whose watch lay in a drawer since; seven of them are old enough to be put away.
async fn stage() -> (Stage, Daemon) {
    let plan = Plan {
        home: Berlin,
        first: back(187),
        hrv_since: back(187),
        spo2_since: back(187),
        drawer: Some((back(177), back(2))),
        activities: 4,
        ..Plan::until(today(), 3)
    };
    let mut life = Life::new(plan, ANA);
    life.offload(back(180));
    let stage = everything(Person { life, ..Person::named(ANA).password(PASSWORD) }, "").await;
    let daemon = Daemon::start(&stage.home).await;
    sign_in(&stage, Way::Account).await;
    (stage, daemon)
}

/// How often Garmin was asked to fetch each day.
fn asked(stage: &Stage) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for seen in stage.fake.requests() {
        if let Some(day) = seen.path.split("epoch/request/").nth(1) {
            assert_eq!(seen.method, "POST");
            *asked.entry(day.to_owned()).or_default() += 1;
        }
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_asked_back_once_and_read() {
    let (stage, _daemon) = stage().await;
    stage.fake.knobs(|knobs| knobs.reload_pause = Duration::seconds(5).to_std().expect("a time"));
    sync(&stage).await;
    let days = asked(&stage);
    let first = stage.fake.person(ANA).expect("Ana").life.plan().first;
    assert!((3..=7).contains(&days.len()), "{days:?}");
    assert!(days.iter().all(|(day, times)| *times == 1 && *day >= first.to_string()), "{days:?}");
    let odd = differences(&stage, Way::Account).await;
    assert!(odd.iter().all(|odd| odd.contains("nothing to hold together")), "{odd:#?}");
    sync(&stage).await;
    assert_eq!(asked(&stage), days);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_garmin_does_not_find_is_not_asked_for_again() {
    let (stage, _daemon) = stage().await;
    stage.fake.knobs(|knobs| knobs.reload_pause = Duration::hours(9).to_std().expect("a time"));
    for _ in 0..3 {
        sync(&stage).await;
    }
    let days = asked(&stage);
    assert!(!days.is_empty() && days.values().all(|times| *times == 1), "{days:?}");
    let sql =
        "SELECT count(DISTINCT item) FROM ledger WHERE state = 'empty' AND detail LIKE '%has put away, and has none'";
    let told: i64 = stage.home.database().and_then(|db| db.query_row(sql, [], |row| row.get(0))).expect(sql);
    assert_eq!(told, days.len() as i64);
    assert_eq!(stage.home.ctl(&["gaps", "--json"]).await.json()["gaps"], serde_json::json!([]));
}
