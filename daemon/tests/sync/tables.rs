//! Row for row: every table holds what Garmin holds, whichever tier brought it.

use garminsync_daemon::sync::{Outcome, Trigger};
use garminsync_garmin::Tier;
use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use garminsync_test_support::people::{Row, TABLES, of_single_days};
use serde_json::Value;

use super::mirror::{ANA, Mirror, back, today};

/// Columns that a tier does not tell, and tables that it does not fill.
fn unknown(mirror: &Mirror, table: &str) -> &'static [&'static str] {
    match (table, mirror.tiers.contains(&Tier::Personal), mirror.tiers.contains(&Tier::Account)) {
        ("sleep", false, _) => &["nap_s", "avg_stress", "confirmation"],
        ("fitness_age", _, true) => &["chronological_age", "body_fat_pct", "vigorous_minutes_avg"],
        ("goal", ..) => &["newer"],
        _ => &[],
    }
}

/// Where the rows of a table differ from what Garmin holds; nothing if they do not.
pub fn difference(mirror: &Mirror, table: &garminsync_test_support::people::Table, days: u64) -> Option<String> {
    let person = mirror.fake.person(ANA)?;
    let unknown = unknown(mirror, table.name);
    let known = |row: Row| {
        let number = |value: Value| value.as_f64().map_or(value, Value::from);
        let kept = row.into_iter().filter(|(column, _)| !unknown.contains(&column.as_str()));
        kept.map(|(column, value)| (column, number(value))).collect::<Row>()
    };
    let mut expected: Vec<Row> = table.rows(&person, back(days - 1), today()).into_iter().map(known).collect();
    let order = table.key.join(", ");
    let found = mirror.rows(&format!("SELECT * FROM {} ORDER BY {order}", table.name));
    let columns: Vec<String> = expected.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    let found: Vec<Row> = found
        .into_iter()
        .map(|row| row.into_iter().filter(|(column, _)| columns.contains(column)).collect::<Row>())
        .collect();
    // It is told for single days: one of each month.
    if table.name == "load_balance" {
        expected = of_single_days(table.name, expected, &found, today());
    }
    if found.len() != expected.len() {
        let (odd, of) = if found.len() > expected.len() { (&found, &expected) } else { (&expected, &found) };
        let odd = odd.iter().find(|row| !of.contains(row));
        return Some(format!("{}: {} rows, not {}; {odd:?}", table.name, found.len(), expected.len()));
    }
    let pair = found.iter().zip(&expected).find(|(found, expected)| found != expected)?;
    let columns: Vec<_> = pair.1.iter().filter(|(column, value)| pair.0.get(*column) != Some(value)).collect();
    Some(format!("{}: {:?}, not {columns:?}", table.name, pair.0))
}

#[tokio::test]
async fn every_table_by_the_account_tier() {
    const DAYS: u64 = 45;
    let mut mirror = Mirror::of(DAYS, 25, &[Tier::Account]).await;
    mirror.everything().await;
    mirror.sync_ok().await;
    let odd: Vec<_> = TABLES.iter().filter_map(|table| difference(&mirror, table, DAYS)).collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
    let second = mirror.sync_ok().await;
    assert_eq!((second.new_items, second.changed_items), (0, 0), "nothing has changed");
}

#[tokio::test]
async fn every_table_that_the_personal_tier_has() {
    const DAYS: u64 = 45;
    let mut mirror = Mirror::of(DAYS, 25, &[Tier::Personal, Tier::Account]).await;
    mirror.everything().await;
    mirror.sync_ok().await;
    // The night's detail, which only the account tier has, holds the HRV readings: they are not asked for once more.
    assert_eq!(mirror.fake.count(&Filter::host(Host::Personal).path("/hrv-service/hrv/2")), 0);
    // That tier tells the fitness age of single days, and is not asked for it.
    assert_eq!(mirror.fake.count(&Filter::host(Host::Personal).path("/fitnessage-service/")), 0);
    let odd: Vec<_> = TABLES.iter().filter_map(|table| difference(&mirror, table, DAYS)).collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

/// Some lists are counted from 1, and so are their next pages.
#[tokio::test]
async fn a_list_that_is_counted_from_one_goes_on_after_the_last_row_of_a_page() {
    let mut mirror = Mirror::of(60, 5, &[Tier::Account]).await;
    mirror.everything().await;
    mirror.datasets = vec!["challenge"];
    let first = "badgeChallenge/completed?start=1&limit=100";
    mirror.fake.misbehave(Rule::does(Effect::status(400)).host(Host::Connectapi).path(first));
    mirror.sync_ok().await;
    let mut asked = mirror.fake.requests();
    asked.retain(|seen| seen.path.ends_with("/badgeChallenge/completed"));
    let asked: Vec<_> = asked.iter().map(|seen| seen.query.as_str()).collect();
    assert_eq!(asked, ["start=1&limit=100", "start=1&limit=30", "start=31&limit=30"]);
    let challenge = TABLES.iter().find(|table| table.name == "challenge").unwrap();
    assert_eq!(difference(&mirror, challenge, 60), None);
}

#[tokio::test]
async fn a_deleted_activity_is_marked_and_kept_and_an_empty_list_proves_nothing() {
    for tier in [Tier::Account, Tier::Personal] {
        let mut mirror = Mirror::of(60, 30, &[tier]).await;
        mirror.datasets.extend(["activity_deletion", "activity_detail"]);
        mirror.sync_ok().await;
        let life = mirror.life();
        let known = life.activities();
        let gone =
            known.iter().find(|activity| activity.start_local.date() < back(2) && activity.legs.is_empty()).unwrap();
        let gone = gone.activity_id;
        let deleted = || {
            let rows = mirror.rows("SELECT activity_id, deleted_utc FROM activity WHERE deleted_utc IS NOT NULL");
            rows.iter().map(|row| row["activity_id"].as_f64().unwrap() as i64).collect::<Vec<_>>()
        };
        let host = if tier == Tier::Account { Host::Connectapi } else { Host::Personal };
        // A list that comes empty, or fails, or a detail that cannot be had, is no proof.
        mirror.fake.live(ANA, |life| assert!(life.delete_activity(gone)));
        for (path, effect) in [
            ("activitylist-service", Effect::Status { status: 204, retry_after: None, body: Default::default() }),
            ("activitylist-service", Effect::status(503)),
            (&format!("activity-service/activity/{gone}") as &str, Effect::status(403)),
            (&format!("activity-service/activity/{gone}"), Effect::Html200),
        ] {
            mirror.fake.misbehave(Rule::does(effect).host(host).path(path));
            mirror.sync().await;
            assert_eq!(deleted(), [0; 0], "{path}");
            mirror.fake.behave();
        }
        mirror.sync().await;
        assert_eq!(deleted(), [gone]);
        assert_eq!(mirror.rows("SELECT * FROM activity").len(), known.len(), "it stays");
        // What is marked is not asked for again.
        let asked = |mirror: &Mirror| mirror.fake.count(&Filter::host(host).path(&gone.to_string()));
        let before = asked(&mirror);
        mirror.sync_ok().await;
        assert_eq!(asked(&mirror), before);
    }
}

#[tokio::test]
async fn a_tick_with_nothing_new_costs_one_request() {
    for tier in [Tier::Account, Tier::Personal] {
        let mut mirror = Mirror::of(30, 8, &[tier]).await;
        mirror.everything().await;
        mirror.trigger = Trigger::Schedule;
        mirror.sync_ok().await;
        for _ in 0..3 {
            mirror.restart();
            assert_eq!(mirror.sync_ok().await.requests, 1, "{tier:?}");
        }
        // A watch uploads: everything that hangs on it is read again, and then it is quiet again.
        mirror.fake.live(ANA, |life| life.late_upload(&[back(2), today()], 1));
        let news = mirror.sync_ok().await;
        assert!(news.requests > 1 && news.changed_items + news.new_items > 0, "{news:?}");
        // A new activity moves what is measured by activities, and would be old news tomorrow; steps alone do not.
        let status = |mirror: &Mirror| mirror.fake.count(&Filter::host(Host::Connectapi).path("trainingstatus/weekly"));
        let then = usize::from(tier == Tier::Account);
        assert_eq!(status(&mirror), 2 * then, "{tier:?}");
        assert_eq!(mirror.sync_ok().await.requests, 1, "{tier:?}");
        mirror.fake.live(ANA, |life| life.late_upload(&[today()], 0));
        assert!(mirror.sync_ok().await.requests > 1, "{tier:?}");
        assert_eq!(status(&mirror), 2 * then, "{tier:?}");
        // Another wish is news, too, and a run that did not bring everything is not the last word.
        mirror.datasets.retain(|name| *name != "hrv");
        let host = if tier == Tier::Account { Host::Connectapi } else { Host::Personal };
        let path = if tier == Tier::Account { "stats/sleep" } else { "dailySleepSummariesByDate" };
        mirror.fake.misbehave(Rule::does(Effect::status(500)).host(host).path(path));
        mirror.fake.live(ANA, |life| life.late_upload(&[back(1)], 1));
        mirror.trigger = Trigger::Manual;
        assert_eq!(mirror.sync().await.outcome, Outcome::Partial);
        mirror.trigger = Trigger::Schedule;
        mirror.fake.behave();
        assert!(mirror.sync_ok().await.requests > 1);
    }
}
