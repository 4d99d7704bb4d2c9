//! Every table of every dataset holds row for row what Garmin holds, whichever way the data came and whatever happened on the way. The
//! people compared have a day of 23 or 25 hours, a journey to another continent, and habits that they log.

mod compare;
mod faults;
mod home;
mod put_away;

use chrono::NaiveDate;
use compare::assert_equal;
use garminsync_test_support::harness::Daemon;
use garminsync_test_support::people::Person;
use home::{Way, age, back, mirrored, sync, sync_behind, traveller};
use rusqlite::Connection;

use crate::ledger::{watch, written};
use crate::rebuild::{garminsyncd, projected};
use crate::stage::{ANA, Stage, today};

fn north(last: NaiveDate) -> Person {
    traveller(chrono_tz::Europe::Berlin, chrono_tz::America::New_York, last)
}

/// South of the equator the clocks go forward when they go back in the north.
fn south(last: NaiveDate) -> Person {
    traveller(chrono_tz::Australia::Sydney, chrono_tz::Asia::Tokyo, last)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_first_sync_by_the_account_tier() {
    let (stage, _daemon) = mirrored(north(today()), Way::Account).await;
    let (tables, rows) = assert_equal(&stage, Way::Account).await;
    assert!(tables > 60 && rows > 50_000, "{tables} tables, {rows} rows");
    second_sync_writes_nothing(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_first_sync_by_both_tiers() {
    let (stage, _daemon) = mirrored(south(today()), Way::Both).await;
    let (tables, rows) = assert_equal(&stage, Way::Both).await;
    assert!(tables > 60 && rows > 50_000, "{tables} tables, {rows} rows");
    second_sync_writes_nothing(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_first_sync_by_the_personal_tier_alone() {
    let (stage, _daemon) = mirrored(north(today()), Way::Personal).await;
    let (tables, rows) = assert_equal(&stage, Way::Personal).await;
    assert!(tables > 15 && rows > 10_000, "{tables} tables, {rows} rows");
    second_sync_writes_nothing(&stage).await;
}

/// Of unchanged data a second sync only notes that it read them, and once how many more activities Garmin has than the mirror reaches back to.
async fn second_sync_writes_nothing(stage: &Stage) {
    watch(&Connection::open(stage.home.data_dir().join("garmin.db")).expect("garmin.db"));
    let known = || -> i64 {
        let database = stage.home.database().expect("garmin.db");
        database.query_row("SELECT count(*) FROM ledger WHERE item <> 'count'", [], |row| row.get(0)).expect("a number")
    };
    let before = known();
    sync(stage).await;
    assert_eq!(known(), before);
    let mut written = written(stage);
    written.retain(|what| what != "ledger INSERT");
    assert_eq!(written, ["ledger UPDATE", "sync_run INSERT", "sync_run UPDATE"]);
}

/// Thirty days go by in steps, each with what happens on them: a watch that is synced late, nights that are scored again, days that are
/// revised, activities that are edited, deleted, uploaded again, and uploaded late, and what people put right or take back by hand. What is found once a month is there after one more.
#[tokio::test(flavor = "multi_thread")]
async fn after_thirty_days_by_the_account_tier() {
    thirty_days(north(back(30)), Way::Account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_thirty_days_by_both_tiers() {
    thirty_days(south(back(30)), Way::Both).await;
}

async fn thirty_days(person: Person, way: Way) {
    let (stage, mut daemon) = mirrored(person, way).await;
    for days in [4, 9, 16, 1, 0] {
        assert!(daemon.terminate().await.success(), "{}", stage.home.log());
        age(&stage, if days == 0 { 31 } else { days.into() });
        stage.fake.live(ANA, |life| {
            life.days_pass(days);
        });
        daemon = Daemon::start(&stage.home).await;
        sync_behind(&stage, way).await;
    }
    sync(&stage).await;
    let person = stage.fake.person(ANA).expect("Ana");
    assert_eq!(person.life.plan().today, today());
    let (_, rows) = assert_equal(&stage, way).await;
    assert!(rows > 50_000, "{rows}");

    // Made anew from the answers, every table is what it became step by step.
    assert!(daemon.terminate().await.success(), "{}", stage.home.log());
    let look = || projected(&stage.home.database().expect("garmin.db"));
    let before = look();
    let sql = "SELECT count(*) FROM activity WHERE deleted_utc IS NOT NULL";
    let deleted: i64 = stage.home.database().and_then(|db| db.query_row(sql, [], |row| row.get(0))).expect(sql);
    assert!(deleted > 0, "nothing was deleted");
    let sql = "SELECT group_concat(DISTINCT dataset) FROM answer WHERE dataset LIKE '% (gone)'";
    let gone: String = stage.home.database().and_then(|db| db.query_row(sql, [], |row| row.get(0))).expect(sql);
    assert!(gone.contains("weight (gone)") && gone.contains("blood_pressure (gone)"), "nothing else went but {gone}");
    let rebuilt = garminsyncd(&stage, &["--rebuild"]).await;
    assert_eq!(rebuilt.code, 0, "{rebuilt:?}");
    let odd: Vec<_> =
        look().into_iter().filter(|(table, rows)| before[table] != *rows).map(|(table, _)| table).collect();
    assert!(odd.is_empty(), "a rebuild makes them otherwise: {odd:?}");
}
