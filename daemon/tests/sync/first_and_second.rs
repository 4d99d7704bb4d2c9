//! What a first and a second sync ask for, and what is then in the tables.

use chrono::{Datelike, Days, NaiveDate};
use garminsync_garmin::Tier;
use garminsync_store::State;
use garminsync_test_support::fake::{Effect, Filter, Host, Rule};

use super::mirror::{ANA, Mirror, back, today};

/// Files of activities that were recorded or imported; what was typed in is known to have none.
fn files(mirror: &Mirror) -> u64 {
    let life = mirror.life();
    life.activities().iter().filter(|activity| life.original(activity.activity_id).is_some()).count() as u64
}

fn ceil(days: u64, cap: u64) -> u64 {
    days.div_ceil(cap)
}

/// The quarters of the two years before a day, a month of each of which is looked at.
fn glances_before(first: NaiveDate) -> u64 {
    let days = (first - Days::new(731)).iter_days().take_while(|day| *day < first - Days::new(61));
    days.filter(|day| day.day() == 1 && [1, 4, 7, 10].contains(&day.month())).count() as u64
}

#[tokio::test]
async fn a_year_by_the_account_tier() {
    let mirror = Mirror::of(365, 300, &[Tier::Account]).await;
    let first = mirror.sync_ok().await;
    mirror.assert_complete(back(364));
    // daily summaries, sleep, HRV, one page of up to 1,000 activities; then one request a file
    assert_eq!(first.requests, ceil(365, 31) + ceil(365, 28) + 1 + 1 + files(&mirror));
    assert_eq!(mirror.data_requests() as u64, first.requests);
    assert_eq!(mirror.rows("SELECT requests FROM sync_run")[0]["requests"], first.requests as f64);

    // One range each, and how many activities there are.
    let second = mirror.sync_ok().await;
    assert_eq!((second.requests, second.new_items, second.changed_items), (5, 0, 0));
    let asked: Vec<String> =
        mirror.fake.requests().iter().rev().take(5).map(|seen| format!("{}?{}", seen.path, seen.query)).collect();
    for range in [
        format!("/hrv-service/hrv/daily/{}/{}?", back(7), today()),
        format!("/sleep-service/stats/sleep/daily/{}/{}?", back(7), today()),
    ] {
        assert!(asked.contains(&range), "{range} in {asked:?}");
    }
    mirror.assert_complete(back(364));
}

#[tokio::test]
async fn a_year_by_the_personal_tier() {
    let mirror = Mirror::of(365, 300, &[Tier::Personal, Tier::Account]).await;
    let first = mirror.sync_ok().await;
    mirror.assert_complete(back(364));
    // the page after the last full one says that there is no more
    assert_eq!(first.requests, ceil(365, 31) * 2 + 1 + (300 / 20 + 1) + files(&mirror));
    assert_eq!(mirror.fake.count(&Filter::host(Host::Connectapi)), 0, "the preferred tier serves everything");
    let listed = mirror.life().activities().iter().filter(|a| a.start_local.date() >= back(30)).count() as u64;
    let second = mirror.sync_ok().await;
    assert_eq!((second.requests, second.new_items, second.changed_items), (3 + listed / 20 + 1 + 1, 0, 0));
}

#[tokio::test]
async fn an_automatic_start_finds_the_beginning() {
    let mut mirror = Mirror::of(800, 200, &[Tier::Account]).await;
    mirror.start = None;
    // Nobody wore a watch for eleven months.
    mirror.fake.live(ANA, |life| (200..530).for_each(|n| life.clear(back(n))));
    let first = mirror.sync_ok().await;
    mirror.assert_complete(back(799));
    // In front of the first day a silent month and a glance at each quarter of two years, and a silent year of HRV; the nights are asked for only
    // where there was a watch.
    let nights = ceil(200, 28) + ceil(270, 28);
    let summaries = ceil(800, 31) + 1 + glances_before(back(799));
    assert_eq!(first.requests, summaries + nights + ceil(800 + 365, 367) + 1 + files(&mirror));
    let second = mirror.sync_ok().await;
    assert_eq!((second.requests, second.new_items, second.changed_items), (5, 0, 0));
}

#[tokio::test]
async fn an_account_without_any_data() {
    let mut mirror = Mirror::of(1, 0, &[Tier::Account]).await;
    mirror.start = None;
    mirror.fake.live(ANA, |life| life.clear(today()));
    let first = mirror.sync_ok().await;
    let summaries = 1 + glances_before(today());
    assert_eq!(first.requests, summaries + 1 + 1, "without a day that was worn there is no night to ask for");
    assert_eq!(mirror.sync_ok().await.requests, 4);
    assert_eq!(
        mirror.counts("SELECT state, count(*) AS z FROM ledger WHERE item <> 'all' AND dataset <> 'pace' GROUP BY 1"),
        [("empty".into(), 31 * summaries + 367 + 366)].into()
    );
}

#[tokio::test]
async fn what_changes_at_garmin_changes_here() {
    let mirror = Mirror::of(120, 60, &[Tier::Personal]).await;
    mirror.sync_ok().await;
    let night = (1..7).map(back).find(|day| mirror.life().sleep(*day).is_some()).unwrap();
    let renamed = mirror.life().activities()[1].activity_id;
    let (late, uploaded) = (back(5), back(20));
    mirror.fake.live(ANA, |life| {
        assert!(life.rescore_sleep(night));
        assert!(life.rename_activity(renamed, "Renamed"));
        life.late_upload(&[late], 1);
        life.add_activity(uploaded);
    });
    let second = mirror.sync_ok().await;
    assert!(second.changed_items >= 2, "{second:?}");
    assert!(second.new_items >= 4, "two activities with their files: {second:?}");
    mirror.assert_complete(back(119));
}

#[tokio::test]
async fn a_day_is_final_a_week_after_its_end() {
    let mirror = Mirror::of(30, 10, &[Tier::Account]).await;
    mirror.sync_ok().await;
    let life = mirror.life();
    for (dataset, has) in [
        ("daily_summary", &(|day| life.daily(day).is_some()) as &dyn Fn(NaiveDate) -> bool),
        ("sleep", &|day| life.sleep(day).is_some()),
    ] {
        for row in mirror.rows(&format!("SELECT day, state FROM ledger WHERE dataset = '{dataset}'")) {
            let day: NaiveDate = row["day"].as_str().unwrap().parse().unwrap();
            let expected = match (has(day), day < back(7)) {
                (true, true) => State::Ok,
                (true, false) => State::Provisional,
                (false, _) => State::Empty,
            };
            assert_eq!(row["state"], expected.as_str(), "{dataset} {day}");
        }
    }
}

#[tokio::test]
async fn since_reads_what_lies_before_the_start() {
    let mut mirror = Mirror::of(90, 20, &[Tier::Account]).await;
    mirror.start = Some(back(9));
    mirror.sync_ok().await;
    mirror.assert_complete(back(9));
    mirror.since = Some(back(89));
    mirror.sync_ok().await;
    mirror.assert_complete(back(89));
    mirror.since = None;
    // The stretch of the list that is read each day reaches down to the start: there is nothing below to count.
    assert_eq!(mirror.sync_ok().await.requests, 4);
}

#[tokio::test]
async fn only_the_datasets_that_were_named() {
    let mut mirror = Mirror::of(30, 5, &[Tier::Account]).await;
    mirror.datasets = vec!["hrv"];
    assert_eq!(mirror.sync_ok().await.requests, 1);
    let ledger = "SELECT dataset, count(*) AS z FROM ledger WHERE dataset <> 'pace' GROUP BY 1";
    assert_eq!(mirror.counts(ledger), [("hrv".into(), 30)].into());
}

#[tokio::test]
async fn files_have_names_for_people() {
    let mirror = Mirror::of(30, 12, &[Tier::Account]).await;
    mirror.sync_ok().await;
    for row in mirror
        .rows("SELECT path, format, activity_id, start_local FROM original JOIN activity USING (account, activity_id)")
    {
        let (path, format) = (row["path"].as_str().unwrap(), row["format"].as_str().unwrap());
        let (start, id) = (row["start_local"].as_str().unwrap(), row["activity_id"].as_f64().unwrap());
        let stem = format!("activities/{}/{}-{}{}-", &start[..4], &start[..10], &start[11..13], &start[14..16]);
        assert!(path.starts_with(&stem) && path.ends_with(&format!("-{id:.0}.{format}")), "{path}");
    }
    // An unnamed activity that has no file is marked without a request.
    let manual = mirror.life().activities().len() as u64 - files(&mirror);
    let empty = mirror.counts("SELECT state, count(*) AS z FROM ledger WHERE dataset = 'original' GROUP BY 1");
    assert_eq!(empty.get("empty").copied().unwrap_or_default(), manual);
    assert_eq!(mirror.fake.count(&Filter::host(Host::Connectapi).path("download-service").status(404)), 0);
}

/// A person west of the daemon: its today has not begun for them, and Garmin refuses a range that ends in the future.
#[tokio::test]
async fn a_today_that_has_not_begun_there_costs_no_other_day() {
    let mirror = Mirror::of(40, 5, &[Tier::Account]).await;
    mirror.fake.live(ANA, |life| life.clear(today()));
    for path in [format!("endDate={}", today()), format!("/{}?", today())] {
        mirror.fake.misbehave(Rule::does(Effect::status(400)).host(Host::Connectapi).path(&path));
    }
    mirror.sync_ok().await;
    mirror.assert_complete(back(39));
    mirror.fake.behave();
    mirror.fake.live(ANA, |life| life.fill(today()));
    mirror.sync_ok().await;
    mirror.assert_complete(back(39));
    assert!(mirror.life().daily(today() - Days::new(0)).is_some());
}

/// An activity of a year ago that is uploaded, or deleted, today: the list of the last month does not show it, Garmin's count does.
#[tokio::test]
async fn what_happens_deep_in_the_list_is_found_by_the_count() {
    for (tiers, auto) in
        [(&[Tier::Account] as &[Tier], true), (&[Tier::Account], false), (&[Tier::Personal, Tier::Account], true)]
    {
        let mut mirror = Mirror::of(200, 60, tiers).await;
        mirror.start = mirror.start.filter(|_| !auto);
        mirror.datasets.extend(["activity_deletion", "activity_detail"]);
        mirror.sync_ok().await;
        // Where the mirror begins on a certain day, the difference to what Garmin has in all is seen first.
        mirror.sync_ok().await;
        let count = |path: &str| mirror.fake.count(&Filter::host(Host::Connectapi).path(path));
        let counted = count("activities/count");

        let late = mirror.fake.live(ANA, |life| life.add_activity(back(170))).unwrap();
        let gone = mirror
            .life()
            .activities()
            .iter()
            .rev()
            .find(|a| a.legs.is_empty() && a.activity_id != late)
            .unwrap()
            .activity_id;
        let second = mirror.sync_ok().await;
        assert!(second.new_items >= 1, "{tiers:?}: {second:?}");
        assert!(mirror.rows("SELECT activity_id FROM activity").iter().any(|row| row["activity_id"] == late as f64));
        mirror.fake.live(ANA, |life| assert!(life.delete_activity(gone)));
        mirror.sync_ok().await;
        let deleted = mirror.rows("SELECT activity_id FROM activity WHERE deleted_utc IS NOT NULL");
        assert_eq!(deleted.len(), 1, "{tiers:?}");
        assert_eq!(deleted[0]["activity_id"], gone as f64);
        // Then all is as Garmin counts it: nothing is listed again.
        let calm = mirror.sync_ok().await;
        assert_eq!((calm.new_items, calm.changed_items), (0, 0));
        assert_eq!(count("activities/count") - counted, 3);
        let whole = mirror
            .fake
            .requests()
            .into_iter()
            .rev()
            .take(calm.requests as usize)
            .find(|seen| seen.path.ends_with("search/activities") && !seen.query.contains(&back(30).to_string()));
        assert!(whole.is_none(), "{whole:?}");
    }
}
