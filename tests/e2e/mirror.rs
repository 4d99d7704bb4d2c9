//! The mirror: every row equals what Garmin holds, nothing is asked twice, and no way of stopping it loses or doubles anything.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDateTime, Utc};
use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::Daemon;
use garminsync_test_support::people::{Person, SignInMood};
use rusqlite::types::Value as Sql;

use crate::stage::{ANA, PASSWORD, Stage, today};

/// A year with this many activities, mirrored from its first day.
async fn year(activities: usize) -> Stage {
    let person = Person::named(ANA).password(PASSWORD).mood(SignInMood::Ok).lived(today(), 365, activities);
    let first = today() - Days::new(364);
    let stage = Stage::set(person, "").await;
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    let config = config.replace("schedule = \"\"", &format!("schedule = \"\"\nstart = \"{first}\""));
    std::fs::write(stage.home.config_file(), config).expect("the configuration");
    stage
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn wall(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

type Rows = BTreeMap<String, Vec<Sql>>;

fn rows(stage: &Stage, sql: &str) -> Rows {
    let database = stage.home.database().expect("garmin.db");
    let mut statement = database.prepare(sql).expect(sql);
    let columns = statement.column_count();
    let mut found = Rows::new();
    let mut cursor = statement.query([]).expect(sql);
    while let Some(row) = cursor.next().expect("a row") {
        let key: String = row.get(0).expect("a key");
        let values = (1..columns).map(|column| number_like(row.get(column).expect("a value"))).collect();
        assert!(found.insert(key.clone(), values).is_none(), "{key} stands twice");
    }
    found
}

/// Whole reals and integers are the same fact.
fn number_like(value: Sql) -> Sql {
    match value {
        Sql::Integer(whole) => Sql::Real(whole as f64),
        value => value,
    }
}

fn int(value: Option<i64>) -> Sql {
    value.map_or(Sql::Null, |value| Sql::Real(value as f64))
}

fn real(value: Option<f64>) -> Sql {
    value.map_or(Sql::Null, Sql::Real)
}

fn text(value: Option<String>) -> Sql {
    value.map_or(Sql::Null, Sql::Text)
}

fn assert_same(what: &str, found: &Rows, truth: &Rows) {
    let lost: Vec<_> = truth.keys().filter(|key| !found.contains_key(*key)).collect();
    let invented: Vec<_> = found.keys().filter(|key| !truth.contains_key(*key)).collect();
    assert!(lost.is_empty() && invented.is_empty(), "{what}: lost {lost:?}, invented {invented:?}");
    for (key, values) in truth {
        assert_eq!(&found[key], values, "{what} {key}");
    }
}

/// Compares every row of every table with what the fake holds.
fn assert_mirrored(stage: &Stage) {
    let (mut daily, mut sleep, mut hrv, mut activity) = (Rows::new(), Rows::new(), Rows::new(), Rows::new());
    stage.fake.live(ANA, |life| {
        for (day, facts) in life.days() {
            let day = day.to_string();
            if let Some(d) = &facts.daily {
                let row = vec![
                    int(d.steps),
                    int(d.step_goal),
                    real(d.distance_m),
                    int(d.floors_up),
                    int(d.floors_down),
                    real(d.active_kcal),
                    real(d.resting_kcal),
                    real(d.total_kcal),
                    int(d.resting_hr_bpm),
                    int(d.min_hr_bpm),
                    int(d.max_hr_bpm),
                    int(d.avg_stress),
                    int(d.max_stress),
                    int(d.rest_stress_s),
                    int(d.low_stress_s),
                    int(d.medium_stress_s),
                    int(d.high_stress_s),
                    int(d.body_battery_min),
                    int(d.body_battery_max),
                    int(d.body_battery_charged),
                    int(d.body_battery_drained),
                    int(d.moderate_min),
                    int(d.vigorous_min),
                    real(d.hydration_ml),
                    real(d.avg_respiration_brpm),
                ];
                daily.insert(day.clone(), row);
            }
            if let Some(s) = &facts.sleep {
                let row = vec![
                    Sql::Text(utc(s.start_utc)),
                    Sql::Text(utc(s.end_utc)),
                    Sql::Text(wall(s.start_local)),
                    Sql::Text(wall(s.end_local)),
                    int(Some(s.asleep_s)),
                    int(Some(s.deep_s)),
                    int(Some(s.light_s)),
                    int(s.rem_s),
                    int(Some(s.awake_s)),
                    int(s.score),
                    real(s.avg_hr_bpm),
                ];
                sleep.insert(day.clone(), row);
            }
            if let Some(h) = &facts.hrv {
                let row = vec![
                    int(h.last_night_avg_ms),
                    int(h.weekly_avg_ms),
                    int(h.baseline_low_ms),
                    int(h.baseline_balanced_low_ms),
                    int(h.baseline_balanced_high_ms),
                    text(h.status.clone()),
                ];
                hrv.insert(day, row);
            }
        }
        for a in life.activities() {
            let row = vec![
                Sql::Text(a.name.clone()),
                text(a.description.clone()),
                Sql::Text(a.kind.clone()),
                Sql::Text(utc(a.start_utc)),
                Sql::Text(wall(a.start_local)),
                real(Some(a.duration_s)),
                real(a.moving_s),
                real(a.elapsed_s),
                real(a.distance_m),
                real(a.elevation_gain_m),
                real(a.elevation_loss_m),
                real(a.avg_speed_mps),
                real(a.avg_hr_bpm),
                real(a.max_hr_bpm),
                real(a.avg_power_w),
                real(a.max_power_w),
                real(a.calories_kcal),
                real(a.training_effect),
                real(a.anaerobic_effect),
                real(a.training_load),
                real(a.start_lat),
                real(a.start_lon),
                int(a.device_id),
            ];
            activity.insert(a.activity_id.to_string(), row);
        }
    });
    let found = rows(
        stage,
        "SELECT day, steps, step_goal, distance_m, floors_up, floors_down, active_kcal, resting_kcal, total_kcal, resting_hr_bpm, \
         min_hr_bpm, max_hr_bpm, avg_stress, max_stress, rest_stress_s, low_stress_s, medium_stress_s, high_stress_s, \
         body_battery_min, body_battery_max, body_battery_charged, body_battery_drained, moderate_min, vigorous_min, \
         hydration_ml, avg_respiration_brpm FROM daily_summary WHERE account = 'default'",
    );
    assert_same("daily_summary", &found, &daily);
    let found = rows(
        stage,
        "SELECT day, start_utc, end_utc, start_local, end_local, asleep_s, deep_s, light_s, rem_s, awake_s, score, avg_hr_bpm \
         FROM sleep WHERE account = 'default'",
    );
    assert_same("sleep", &found, &sleep);
    let found = rows(
        stage,
        "SELECT day, last_night_avg_ms, weekly_avg_ms, baseline_low_ms, baseline_balanced_low_ms, baseline_balanced_high_ms, \
         status FROM hrv WHERE account = 'default'",
    );
    assert_same("hrv", &found, &hrv);
    let found = rows(
        stage,
        "SELECT CAST(activity_id AS TEXT), name, description, type, start_utc, start_local, duration_s, moving_s, elapsed_s, \
         distance_m, elevation_gain_m, elevation_loss_m, avg_speed_mps, avg_hr_bpm, max_hr_bpm, avg_power_w, max_power_w, \
         calories_kcal, training_effect, anaerobic_effect, training_load, start_lat, start_lon, device_id \
         FROM activity WHERE account = 'default' AND deleted_utc IS NULL",
    );
    assert_same("activity", &found, &activity);
    assert_originals(stage);
}

/// Every original is there once, under its name, byte for byte; nothing else lies around.
fn assert_originals(stage: &Stage) {
    let mut truth = BTreeMap::new();
    stage.fake.live(ANA, |life| {
        for activity in life.activities() {
            if let Some(original) = life.original(activity.activity_id) {
                truth.insert(activity.activity_id.to_string(), original.bytes);
            }
        }
    });
    let recorded = rows(stage, "SELECT CAST(activity_id AS TEXT), path, bytes, sha256 FROM original");
    assert_eq!(recorded.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>());
    let mut paths = Vec::new();
    for (id, row) in &recorded {
        let (Sql::Text(path), Sql::Real(size)) = (&row[0], &row[1]) else { panic!("{row:?}") };
        let bytes = std::fs::read(stage.home.data_dir().join(path)).expect(path);
        assert_eq!((bytes.len() as f64, &bytes), (*size, &truth[id]), "{path}");
        paths.push(stage.home.data_dir().join(path));
    }
    paths.sort();
    let mut found: Vec<_> = walk(&stage.home.data_dir().join("activities"));
    found.sort();
    assert_eq!(found, paths, "files that no row names, or rows without a file");
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// The smallest number of requests that Garmin's caps allow for 365 days on the account tier: daily summaries 31 days each, sleep
/// 28, HRV 367, one page of 1,000 activities.
const RANGES: usize = 12 + 14 + 1 + 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_of_a_year_and_a_second() {
    let stage = year(300).await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    let sync = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!(sync.code, 0, "{sync:?}");
    stage.login_has_synced().await;
    assert_mirrored(&stage);

    let mut files = 0;
    stage
        .fake
        .live(ANA, |life| files = life.activities().iter().filter(|a| life.original(a.activity_id).is_some()).count());
    // One more than the mirror needs: the check of the new login.
    assert_eq!(stage.asked(Host::Connectapi, "GET", ""), 1 + RANGES + files);

    let gaps = rows(
        &stage,
        "SELECT dataset || ' ' || item, state FROM ledger WHERE state NOT IN ('ok', 'empty', 'provisional')",
    );
    assert!(gaps.is_empty(), "{gaps:?}");
    let account = stage.home.account("default").await;
    assert_eq!(account["sync"]["gaps"], 0);
    assert_eq!(account["sync"]["complete_from"], (today() - Days::new(364)).to_string());

    let before = stage.asked(Host::Connectapi, "GET", "");
    let second = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!((second.code, second.json()["new_items"].as_u64()), (0, Some(0)), "{second:?}");
    assert_eq!(
        stage.asked(Host::Connectapi, "GET", "") - before,
        5,
        "the re-read window, one request a dataset, and a count"
    );
    assert!(daemon.terminate().await.success());

    // A copy of the one file is a whole copy.
    let copy = stage.home.path().join("copy.db");
    std::fs::copy(stage.home.data_dir().join("garmin.db"), &copy).expect("a copy");
    let counts = "SELECT (SELECT count(*) FROM answer) || ' ' || (SELECT count(*) FROM ledger) || ' ' || (SELECT count(*) FROM original)";
    let count =
        |database: rusqlite::Connection| database.query_row(counts, [], |row| row.get::<_, String>(0)).expect("counts");
    let copied = count(rusqlite::Connection::open(&copy).expect("the copy"));
    assert_eq!(copied, count(stage.home.database().expect("garmin.db")));
}

/// Killed without a word at twenty moments of a first sync; the mirror becomes complete by itself, nothing twice, nothing lost.
#[tokio::test(flavor = "multi_thread")]
async fn killed_twenty_times() {
    let stage = year(120).await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    daemon.kill().await;
    let mut seed = 0x2026_u64;
    for _ in 0..20 {
        let daemon = Daemon::start(&stage.home).await;
        // Not a wait for a fact: the moment of death is meant to be any moment.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tokio::time::sleep(Duration::from_millis(20 + (seed >> 33) % 700)).await;
        daemon.kill().await;
    }
    let _daemon = Daemon::start(&stage.home).await;
    let done = |account: &serde_json::Value| {
        account["sync"]["state"] == "idle" && account["sync"]["last_ok_at"].is_string() && account["sync"]["gaps"] == 0
    };
    stage.account_is("the mirror is complete, though nobody asked", done).await;
    assert_mirrored(&stage);
    let runs =
        rows(&stage, "SELECT CAST(id AS TEXT), outcome FROM sync_run WHERE outcome IS NULL OR outcome = 'running'");
    assert!(runs.is_empty(), "a killed run is said to have been interrupted: {runs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_sync_goes_on_where_it_was() {
    let stage = year(60).await;
    stage.fake.knobs(|knobs| knobs.latency = Duration::from_millis(20));
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--json"]).await.code, 0);
    stage.account_is("the sync is half way", |a| a["sync"]["progress"].as_f64().is_some_and(|p| p > 0.3)).await;
    assert!(daemon.terminate().await.success());
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_mirrored(&stage);
    for route in ["/download-service/files/activity/", "/dailysummaries"] {
        let mut paths: Vec<String> =
            stage.fake.requests().into_iter().map(|seen| seen.path).filter(|path| path.contains(route)).collect();
        let sent = paths.len();
        paths.sort();
        paths.dedup();
        // One file may have been on its way when the daemon stopped.
        if route.contains("download") {
            assert!(sent - paths.len() <= 1, "{} of {sent} files were asked for twice", sent - paths.len());
        }
    }
}

/// An error is never an empty day: what Garmin could not answer stays wanted, and comes later.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_never_an_empty_day() {
    for effect in [Effect::Html200, Effect::HalfBody, Effect::status(500)] {
        let stage = year(5).await;
        stage.fake.misbehave(Rule::does(effect.clone()).host(Host::Connectapi).path("/hrv-service/"));
        let _daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
        let sync = stage.home.ctl(&["sync", "--wait", "--json"]).await;
        assert_eq!((sync.code, sync.json()["outcome"].as_str()), (1, Some("partial")), "{effect:?}: {sync:?}");
        stage.login_has_synced().await;
        let states = rows(&stage, "SELECT DISTINCT state, 1 FROM ledger WHERE dataset = 'hrv'");
        assert_eq!(states.keys().collect::<Vec<_>>(), ["error"], "{effect:?}");
        assert_eq!(
            stage.home.account("default").await["sync"]["gaps"],
            364,
            "of HRV all days but today, and nothing else"
        );
        stage.fake.behave();
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0, "{effect:?}");
        assert_mirrored(&stage);
    }
}

/// A 429 stops the queue at once, and not one request follows in the pause.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_stops_the_queue() {
    let stage = year(5).await;
    stage.fake.misbehave(Rule::does(Effect::throttled(900)).host(Host::Connectapi).skip(6));
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    let account = stage.account_is("the queue pauses", |a| a["sync"]["state"] == "paused").await;
    let sent = stage.asked(Host::Connectapi, "GET", "");
    let sync = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!(sync.code, 6, "{sync:?} {account}");
    daemon.kill().await;
    // The pause is Garmin's, not the process's.
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 6);
    assert_eq!(stage.asked(Host::Connectapi, "GET", ""), sent, "nothing was sent in the pause");
}

/// Late data, an edit, a new activity: the re-read window brings them, and changes nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn late_data_arrives() {
    let stage = year(20).await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    stage.login_has_synced().await;
    let days: Vec<_> = (1..=6).map(|back| today() - Days::new(back)).collect();
    stage.fake.live(ANA, |life| {
        life.late_upload(&days, 2);
        life.rescore_sleep(today() - Days::new(2));
    });
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_mirrored(&stage);
}

/// The share that is told is the share of the requests that were sent, near enough; it never goes back, and is never 1 before the end.
#[tokio::test(flavor = "multi_thread")]
async fn progress_is_honest_and_never_goes_back() {
    let person = Person::named(ANA).password(PASSWORD).mood(SignInMood::Ok).lived(today(), 150, 30);
    let stage = Stage::set(person, "").await;
    // Samples and things that other answers name: all that a run does.
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    let config = config.replace("hrv = true", "hrv = true\nheart_rate = true").replace("inventory = false\n", "");
    std::fs::write(stage.home.config_file(), config).expect("the configuration");
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--json"]).await.code, 0);
    let mut told = Vec::new();
    loop {
        let sync = stage.home.account("default").await["sync"].clone();
        if sync["last_ok_at"].is_string() {
            break;
        }
        told.extend(sync["progress"].as_f64().zip(sync["requests_today"].as_f64()));
        told.dedup();
    }
    let requests = stage.home.account("default").await["sync"]["requests_today"].as_f64().expect("a number");
    let mut last = 0.0;
    for (share, sent) in told.iter().copied() {
        assert!((last..1.0).contains(&share), "{share} after {last}");
        assert!((share - sent / requests).abs() < 0.1, "{share} after {sent} of {requests} requests");
        last = share;
    }
    assert!(told.len() > 20 && last > 0.8, "{told:?}");
}
