//! The queries of the README say what really happened, and the names in it are those that there are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, Utc};
use garminsync_daemon::sync::datasets;
use garminsync_garmin::Tier;
use garminsync_test_support::harness::readme_queries;
use serde_json::{Map, Value};

use super::mirror::Mirror;

/// Rows by the values of these columns.
fn by(rows: &[Map<String, Value>], key: &[&str]) -> BTreeMap<String, Map<String, Value>> {
    let name = |row: &Map<String, Value>| {
        let values: Vec<&str> = key.iter().map(|column| row[*column].as_str().unwrap()).collect();
        values.join(" ")
    };
    rows.iter().map(|row| (name(row), row.clone())).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[track_caller]
fn close(found: &Value, truth: f64, within: f64, what: &str) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{what}: {found}"));
    assert!((found - truth).abs() <= within, "{what}: {found}, not {truth}");
}

#[tokio::test]
async fn every_query_of_the_readme_says_what_happened() {
    const DAYS: u64 = 75;
    let mut mirror = Mirror::of(DAYS, 40, &[Tier::Account]).await;
    mirror.everything().await;
    mirror.sync_ok().await;
    let life = mirror.life();
    let mut asked = BTreeSet::new();
    for query in readme_queries().unwrap() {
        let rows = mirror.rows(&query.sql);
        assert!(!rows.is_empty(), "no rows: {}", query.title);
        let about = query.title.split([',', ':', ' ']).next().unwrap_or_default().to_owned();
        match about.as_str() {
            "kilometres" => {
                let mut weeks: BTreeMap<String, f64> = BTreeMap::new();
                for activity in life.activities() {
                    let day = activity.start_local.date();
                    let monday = day - Days::new(day.weekday().num_days_from_monday().into());
                    *weeks.entry(format!("{monday} {}", activity.kind)).or_default() +=
                        activity.distance_m.unwrap_or(0.0);
                }
                let found = by(&rows, &["week", "type"]);
                assert!(found.keys().eq(weeks.keys()), "{found:?}\n{weeks:?}");
                for (week, metres) in weeks {
                    close(
                        found[&week].get("km").filter(|km| !km.is_null()).unwrap_or(&0.0.into()),
                        metres / 1000.0,
                        0.051,
                        &week,
                    );
                }
            }
            "HRV" => {
                let found = by(&rows, &["day"]);
                let nights: BTreeMap<NaiveDate, f64> = life
                    .days()
                    .filter_map(|(day, facts)| Some((day, facts.hrv.as_ref()?.last_night_avg_ms? as f64)))
                    .collect();
                let (newest, ms) = nights.last_key_value().unwrap();
                let before = nights.range(*newest - Days::new(30)..*newest).map(|(_, ms)| *ms).collect::<Vec<_>>();
                assert!(before.len() > 20, "a baseline");
                let row = &found[&newest.to_string()];
                close(&row["ms"], *ms, 0.0, "the night");
                close(&row["before_ms"], mean(&before), 0.51, "the nights before");
            }
            "sleep" => {
                let found = by(&rows, &["day"]);
                let nights: BTreeMap<NaiveDate, f64> = life
                    .days()
                    .filter_map(|(day, facts)| Some((day, facts.sleep.as_ref()?.asleep_s as f64 / 3600.0)))
                    .collect();
                let newest = *nights.last_key_value().unwrap().0;
                let debt: f64 = nights.range(newest - Days::new(13)..).map(|(_, hours)| 8.0 - hours).sum();
                close(&found[&newest.to_string()]["debt_h"], debt, 0.051, "the debt");
            }
            "resting" => {
                let mut months: BTreeMap<String, Vec<f64>> = BTreeMap::new();
                for (day, facts) in life.days() {
                    if let Some(bpm) = facts.daily.as_ref().and_then(|daily| daily.resting_hr_bpm) {
                        months.entry(day.format("%Y-%m").to_string()).or_default().push(bpm as f64);
                    }
                }
                let found = by(&rows, &["month"]);
                assert!(found.keys().eq(months.keys()), "{found:?}");
                for (month, bpm) in months {
                    close(&found[&month]["bpm"], mean(&bpm), 0.051, &month);
                }
            }
            "Body" => {
                let since = Utc::now().timestamp() - 86_400;
                let recent = (0..3).flat_map(|back| life.body_battery_samples(super::mirror::back(back)));
                let levels: Vec<f64> = recent.filter(|sample| sample.at > since).map(|sample| sample.value).collect();
                let bound = |column: &str, pick: fn(f64, f64) -> f64| {
                    rows.iter().map(|row| row[column].as_f64().unwrap()).reduce(pick).unwrap()
                };
                assert_eq!(bound("lowest", f64::min), levels.iter().copied().reduce(f64::min).unwrap());
                assert_eq!(bound("highest", f64::max), levels.iter().copied().reduce(f64::max).unwrap());
            }
            other => panic!("no truth for the query {other}"),
        }
        asked.insert(about);
    }
    assert_eq!(asked, ["Body", "HRV", "kilometres", "resting", "sleep"].map(String::from).into());
}

/// What stands between two marks of the README, less the marks.
fn between<'a>(readme: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = readme.split_once(from).unwrap_or_else(|| panic!("{from}"));
    rest.split_once(to).unwrap_or_else(|| panic!("{to}")).0
}

#[tokio::test]
async fn the_readme_names_every_table_and_every_switch() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let all = datasets::all().unwrap();
    let mut mirror = Mirror::of(2, 1, &[Tier::Account]).await;
    mirror.everything().await;
    let rows = mirror.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
    let held = rows.iter().map(|row| row["name"].as_str().unwrap());
    let tables: BTreeSet<&str> =
        held.chain(all.iter().flat_map(|dataset| &dataset.tables).map(String::as_str)).collect();
    let told = between(&readme, "| table | what | key |", "`day` is your calendar day");
    let untold: Vec<_> = tables.into_iter().filter(|table| !told.contains(&format!("`{table}`"))).collect();
    assert!(untold.is_empty(), "tables that nobody is told of: {untold:?}");

    // What is off goes by a name, and where its tables have others, they follow it: `name` (words) → `table` and `table`.
    let list = between(told, "where it is called otherwise):", "An activity that was deleted");
    let (mut switches, mut called) = (BTreeMap::<&str, Vec<&str>>::new(), "");
    let words: Vec<&str> = list.split('`').collect();
    for pair in words.chunks_exact(2) {
        match pair[0].trim() {
            before if before.ends_with('→') || before == "and" => switches.entry(called).or_default().push(pair[1]),
            _ => {
                called = pair[1];
                switches.insert(called, Vec::new());
            }
        }
    }
    let off = all.iter().filter(|dataset| !dataset.on).map(|dataset| {
        let tables: Vec<&str> = dataset.tables.iter().map(String::as_str).collect();
        let is_plain = tables == [dataset.name.as_str()];
        (dataset.name.as_str(), if is_plain { Vec::new() } else { tables })
    });
    assert_eq!(switches, off.collect());
    let groups: BTreeSet<&str> = between(&readme, "# groups: ", "\n").split(", ").collect();
    assert_eq!(groups, all.iter().flat_map(|dataset| &dataset.groups).map(String::as_str).collect());
}
