//! What can happen to somebody's data, and what a client sees of it.

use std::collections::BTreeSet;

use chrono::{Days, Duration, NaiveDate};
use garminsync_test_support::fake::FakeGarmin;
use garminsync_test_support::people::{Habits, Life, Person, SignInMood, Source, TABLES};
use serde_json::{Value, json};

use crate::client::{ANA, Answer, Call, account, fake};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn get(fake: &FakeGarmin, path: &str) -> Answer {
    let path = path.replace("{dn}", &fake.person(ANA).unwrap().display_name);
    account(fake, &fake.tokens(ANA).access, &path).send()
}

fn listed(fake: &FakeGarmin) -> Vec<i64> {
    let page = get(fake, "/activitylist-service/activities/search/activities?start=0&limit=1000").json();
    page.as_array().unwrap().iter().map(|item| item["activityId"].as_i64().unwrap()).collect()
}

#[test]
fn a_late_sync_fills_several_days_and_moves_every_clock() {
    let fake = fake(SignInMood::Ok);
    let days: Vec<_> = (0..3).map(|back| day("2026-10-18") - Days::new(back)).collect();
    fake.live(ANA, |life| days.iter().chain([&day("2026-10-21")]).for_each(|day| life.clear(*day)));
    let clocks = || {
        [
            get(&fake, "/device-service/deviceservice/mylastused").json()["lastUsedDeviceUploadTime"].clone(),
            get(&fake, "/wellness-service/wellness/syncTimestamp").json(),
            get(&fake, "/usersummary-service/usersummary/daily/{dn}?calendarDate=2026-10-21").json()
                ["lastSyncTimestampGMT"]
                .clone(),
        ]
    };
    let steps = || get(&fake, "/usersummary-service/stats/steps/daily/2026-10-16/2026-10-18").json();
    let (before, empty) = (clocks(), steps());
    assert_eq!(empty, json!([]));
    let added = fake.live(ANA, |life| life.late_upload(&days, 2)).unwrap();
    let after = clocks();
    assert!(before.iter().zip(&after).all(|(before, after)| before != after && !after.is_null()), "{after:?}");
    assert_eq!(steps().as_array().unwrap().len(), 3);
    let places: Vec<_> =
        listed(&fake).iter().enumerate().filter(|(_, id)| added.contains(id)).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 2);
    assert!(places[0] > 0, "deep in the list");
}

#[test]
fn today_grows_with_each_sync() {
    let fake = fake(SignInMood::Ok);
    let today = fake.person(ANA).unwrap().life.plan().today;
    fake.live(ANA, |life| life.fill(today));
    let seen = || {
        let steps = get(&fake, "/usersummary-service/usersummary/daily/{dn}?calendarDate=2026-10-21").json();
        let hearts = get(&fake, "/wellness-service/wellness/dailyHeartRate/{dn}?date=2026-10-21").json();
        (steps["totalSteps"].as_i64().unwrap(), hearts["heartRateValues"].as_array().unwrap().len())
    };
    let morning = seen();
    fake.live(ANA, |life| life.sync_today(15));
    let afternoon = seen();
    assert!(morning.0 < afternoon.0 && morning.1 < afternoon.1, "{morning:?} {afternoon:?}");
    fake.live(ANA, Life::next_day);
    let whole = seen();
    assert!(afternoon.0 < whole.0 && whole.1 == 720, "{whole:?}");
}

#[test]
fn a_file_stays_as_it_was_uploaded_whatever_is_edited() {
    let fake = fake(SignInMood::Ok);
    let life = fake.person(ANA).unwrap().life;
    let id = life
        .activities()
        .into_iter()
        .find(|it| it.source == Source::Fit && it.distance_m.is_some())
        .unwrap()
        .activity_id;
    let zip = || {
        let path = format!("/download-service/files/activity/{id}");
        account(&fake, &fake.tokens(ANA).access, &path).replace("accept", "*/*").send().body
    };
    let detail = || get(&fake, &format!("/activity-service/activity/{id}")).json();
    let (bytes, before) = (zip(), detail());
    fake.live(ANA, |life| {
        assert!(life.trim_activity(id));
        assert!(life.edit_activity(id, |activity| activity.kind = "hiking".into()));
        assert!(life.edit_activity(id, |activity| activity.privacy = "public"));
    });
    let after = detail();
    assert_eq!(zip(), bytes);
    assert_eq!(after["metadataDTO"]["trimmed"], true);
    assert!(after["summaryDTO"]["duration"].as_f64() < before["summaryDTO"]["duration"].as_f64());
    assert!(after["metadataDTO"]["lastUpdateDate"].as_str() > before["metadataDTO"]["lastUpdateDate"].as_str());
    let item = get(&fake, "/activitylist-service/activities/search/activities?start=0&limit=1000").json();
    let item = item.as_array().unwrap().iter().find(|item| item["activityId"] == id).unwrap().clone();
    assert_eq!(
        (item["privacy"]["typeKey"].as_str(), item["activityType"]["typeKey"].as_str()),
        (Some("public"), Some("hiking"))
    );
    assert!(item.get("lastUpdateDate").is_none(), "the list tells no time of a change");
}

#[test]
fn a_file_that_is_uploaded_again_is_another_activity() {
    let fake = fake(SignInMood::Ok);
    let old = fake.person(ANA).unwrap().life.activities()[4].clone();
    let new = fake.live(ANA, |life| life.reupload_activity(old.activity_id)).unwrap().unwrap();
    assert_eq!(get(&fake, &format!("/activity-service/activity/{}", old.activity_id)).status, 404);
    let fresh = fake.person(ANA).unwrap().life.activity(new).unwrap().clone();
    assert_eq!((fresh.start_utc, &fresh.name), (old.start_utc, &old.name));
    assert!(!listed(&fake).contains(&old.activity_id) && listed(&fake).contains(&new));
    let typed_in = fake
        .person(ANA)
        .unwrap()
        .life
        .activities()
        .into_iter()
        .find(|it| it.source == Source::None)
        .unwrap()
        .activity_id;
    assert_eq!(fake.live(ANA, |life| life.reupload_activity(typed_in)).unwrap(), None);
}

#[test]
fn entries_can_be_made_for_days_long_past() {
    let fake = fake(SignInMood::Ok);
    let past = day("2026-02-02");
    let (weight, pressure) =
        fake.live(ANA, |life| (life.add_weight(past, 61_234.0), life.add_blood_pressure(past, 133, 81))).unwrap();
    let other = fake.live(ANA, |life| life.add_weight(past, 61_300.0)).unwrap();
    assert_ne!(weight, other);
    let weights = get(&fake, "/weight-service/weight/range/2026-02-02/2026-02-02?includeAll=true").json();
    let entries = weights["dailyWeightSummaries"][0]["allWeightMetrics"].as_array().unwrap().clone();
    let typed: Vec<_> = entries.iter().filter(|it| it["samplePk"] == weight || it["samplePk"] == other).collect();
    assert_eq!(typed.len(), 2);
    assert!(typed.iter().all(|it| it["sourceType"] == "MANUAL" && it["bodyFat"].is_null()));
    let pressures =
        get(&fake, "/bloodpressure-service/bloodpressure/range/2026-02-02/2026-02-02?includeAll=true").json();
    let found = pressures["measurementSummaries"][0]["measurements"]
        .as_array()
        .unwrap()
        .iter()
        .any(|it| it["version"] == pressure);
    assert!(found);
    assert!(fake.live(ANA, |life| life.delete_weight(weight)).unwrap());
}

#[test]
fn thirty_days_go_by_the_same_way_each_time_and_bring_everything() {
    let lived = || Person::named(ANA).lived(day("2026-06-01"), 200, 150).habits(Habits::ALL);
    let (mut one, mut other) = (lived(), lived());
    let passed = one.life.days_pass(30);
    assert_eq!(passed, other.life.days_pass(30));
    assert!(one.life == other.life);
    assert_eq!(one.life.plan().today, day("2026-07-01"));
    assert!(!passed.days.is_empty() && passed.added.len() > 10, "{passed:?}");
    let more = one.life.days_pass(90);
    assert!(!more.edited.is_empty() && !more.deleted.is_empty(), "{more:?}");
    let known: BTreeSet<_> = more.added.iter().filter(|id| !more.deleted.contains(id)).collect();
    assert!(known.iter().all(|id| one.life.activity(**id).is_some()));
    // No day is left half: all but today are whole, or empty.
    for (day, _) in one.life.days().filter(|(day, _)| *day < one.life.plan().today) {
        let samples = one.life.heart_rate_samples(day).len();
        let hours = (one.life.plan().end(day) - one.life.plan().begin(day)).num_hours() as usize;
        assert!(samples == 0 || samples > hours * 27, "{day}: {samples}");
    }
}

#[test]
fn sums_and_extremes_within_a_day_are_the_days() {
    let life = Person::named(ANA).life;
    let mut days = 0;
    for (day, data) in life.days() {
        let Some(row) = data.daily.as_ref().filter(|row| row.steps.is_some()) else { continue };
        let sum = |samples: Vec<garminsync_test_support::people::Sample>| {
            samples.iter().map(|it| it.value as i64).sum::<i64>()
        };
        assert_eq!(Some(sum(life.steps_samples(day))), row.steps, "{day}");
        assert_eq!(
            Some(sum(life.intensity_samples(day))),
            row.moderate_min.map(|it| it + 2 * row.vigorous_min.unwrap())
        );
        let hearts: Vec<_> = life.heart_rate_samples(day).iter().map(|it| it.value as i64).collect();
        assert_eq!(
            (hearts.iter().min().copied(), hearts.iter().max().copied()),
            (row.min_hr_bpm, row.max_hr_bpm),
            "{day}"
        );
        let batteries: Vec<_> = life.body_battery_samples(day).iter().map(|it| it.value as i64).collect();
        assert_eq!(batteries.iter().max().copied(), row.body_battery_max, "{day}");
        if let Some(night) = &data.sleep {
            let stages = life.sleep_stages(day);
            let of = |stage: &str| {
                let of = stages.iter().filter(|it| it.stage == stage);
                of.map(|it| (it.end_utc - it.start_utc).num_seconds()).sum::<i64>()
            };
            assert_eq!([of("deep"), of("light"), of("awake")], [night.deep_s, night.light_s, night.awake_s]);
            assert!(stages.windows(2).all(|two| two[0].end_utc == two[1].start_utc));
            assert_eq!((stages[0].start_utc, stages.last().unwrap().end_utc), (night.start_utc, night.end_utc));
        }
        days += 1;
    }
    assert!(days > 300);
    // Clocks change: an hour less and an hour more of samples, and none twice.
    let counts = |text: &str| life.plan().end(day(text)) - life.plan().begin(day(text));
    assert_eq!((counts("2026-03-29"), counts("2025-10-26")), (Duration::hours(23), Duration::hours(25)));
    for text in ["2026-03-29", "2025-10-26"] {
        let mut life = life.clone();
        life.fill(day(text));
        let quarters = life.steps_samples(day(text));
        assert_eq!(quarters.len() as i64, counts(text).num_minutes() / 15);
        assert!(quarters.windows(2).all(|two| two[1].at - two[0].at == 900));
    }
}

#[test]
fn keys_of_every_table_are_keys() {
    let ana = Person::named(ANA).lived(day("2026-11-10"), 400, 330).habits(Habits::ALL);
    for table in TABLES {
        let rows = table.rows(&ana, day("2026-08-01"), day("2026-11-10"));
        let keys: BTreeSet<_> = rows
            .iter()
            .map(|row| table.key.iter().map(|column| row[*column].to_string()).collect::<Vec<_>>())
            .collect();
        assert!(!rows.is_empty(), "{}", table.name);
        assert_eq!(keys.len(), rows.len(), "{}", table.name);
    }
}

#[test]
fn other_languages_can_let_things_happen() {
    let fake = fake(SignInMood::Ok);
    let post = |path: &str, body: Value| Call::new(&fake, "POST", &format!("/_fake/{path}")).body(body).send();
    let life = |change: Value| post("life", json!({"user": ANA, "change": change}));
    let id = fake.person(ANA).unwrap().life.activities()[0].activity_id;
    assert_eq!(life(json!({"kind": "rename_activity", "id": id, "name": "Neu"})).json(), true);
    assert_eq!(fake.person(ANA).unwrap().life.activity(id).unwrap().name, "Neu");
    assert_eq!(life(json!({"kind": "rescore_sleep", "day": "1999-01-01"})).json(), false);
    assert!(life(json!({"kind": "late_upload", "days": ["2026-10-01"], "activities": 1})).json()[0].is_number());
    assert_eq!(life(json!({"kind": "break_day", "day": "2026-10-01", "path": "dailyStress"})).status, 200);
    let passed = life(json!({"kind": "days_pass", "days": 3})).json();
    assert!(passed["added"].is_array());
    assert_eq!(fake.person(ANA).unwrap().life.plan().today, day("2026-10-24"));
    assert_eq!(life(json!({"kind": "no_such_thing"})).status, 400);
    assert_eq!(post("life", json!({"user": "nobody", "change": {"kind": "next_day"}})).status, 404);

    assert_eq!(post("rate", json!({"requests": 1, "window_ms": 3_600_000, "retry_after_s": 9})).status, 204);
    let settings = || get(&fake, "/userprofile-service/userprofile/settings");
    assert_eq!((settings().status, settings().all("retry-after")), (200, vec!["9"]));
    assert_eq!(Call::get(&fake, "/_fake/statuses").send().json()["connectapi"]["429"], 1);
    assert_eq!(post("rate", json!({"requests": 0, "window_ms": 1})).status, 400);
    assert_eq!(post("rate", Value::Null).status, 204);
    assert_eq!(settings().status, 200);
}
