//! The tables that people query: their names, their keys, and their rows for any period. Tests walk through [`TABLES`] and
//! compare each with what a mirror has. The columns are in `truth`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::truth::{ActivityTruth, Sample};
use super::{Life, Person};

/// One row of a table: a value for each column, without `account`.
pub type Row = Map<String, Value>;

/// One table of `garmin.db` that a mirror fills.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its key, after `account`.
    pub key: &'static [&'static str],
    rows: fn(&Life, NaiveDate, NaiveDate) -> Vec<Row>,
}

impl Table {
    /// What the table has to hold for these days, both included, in the order of its key.
    pub fn rows(&self, person: &Person, first: NaiveDate, last: NaiveDate) -> Vec<Row> {
        let mut rows = (self.rows)(&person.life, first, last);
        // Numbers by their value, texts byte by byte: SQLite's order.
        rows.sort_by(|one, other| {
            let compared = self.key.iter().map(|column| match (&one[*column], &other[*column]) {
                (Value::String(one), Value::String(other)) => one.cmp(other),
                (one, other) => one.as_f64().unwrap_or(0.0).total_cmp(&other.as_f64().unwrap_or(0.0)),
            });
            compared.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        rows
    }
}

impl Person {
    /// The rows of the table of this name for these days; `None` if there is no such table.
    pub fn rows(&self, table: &str, first: NaiveDate, last: NaiveDate) -> Option<Vec<Row>> {
        let table = TABLES.iter().find(|known| known.name == table)?;
        Some(table.rows(self, first, last))
    }
}

/// What has to be held where one day stands for its month: of each month the last of these days, of the month of `today` the last one up
/// to the 7th, 14th, 21st or 28th that has begun.
pub fn month_ends(days: impl IntoIterator<Item = NaiveDate>, today: NaiveDate) -> BTreeSet<NaiveDate> {
    let month = |day: &NaiveDate| (day.year(), day.month());
    let has_begun = |day: &NaiveDate| month(day) != month(&today) || day.day() <= today.day() - today.day() % 7;
    let mut ends = BTreeMap::new();
    for day in days.into_iter().filter(has_begun) {
        let end = ends.entry(month(&day)).or_insert(day);
        *end = day.max(*end);
    }
    ends.into_values().collect()
}

/// Those of these rows of a table that one day each stands for: `expected` less the days that are in no row of `found`, none of which may be
/// the last one of its month.
///
/// # Panics
/// If such a day is not found.
#[expect(clippy::panic, reason = "it is an assertion")]
pub fn of_single_days(table: &str, expected: Vec<Row>, found: &[Row], today: NaiveDate) -> Vec<Row> {
    let day_of = |row: &Row| row.get("day")?.as_str()?.parse().ok();
    let (held, ends): (BTreeSet<NaiveDate>, _) =
        (found.iter().filter_map(day_of).collect(), month_ends(expected.iter().filter_map(day_of), today));
    if ends.is_empty() || !held.is_superset(&ends) {
        panic!("{table}: of {ends:?} the days {:?} are not held", ends.difference(&held).collect::<Vec<_>>());
    }
    expected.into_iter().filter(|row| day_of(row).is_some_and(|day| held.contains(&day))).collect()
}

fn row(truth: impl Serialize) -> Option<Row> {
    match serde_json::to_value(truth) {
        Ok(Value::Object(row)) => Some(row),
        _ => None,
    }
}

fn rows<T: Serialize>(truths: impl IntoIterator<Item = T>) -> Vec<Row> {
    truths.into_iter().filter_map(row).collect()
}

fn days<T: Serialize, I: IntoIterator<Item = T>>(
    (first, last): (NaiveDate, NaiveDate),
    of: impl Fn(NaiveDate) -> I,
) -> Vec<Row> {
    first.iter_days().take_while(|day| *day <= last).flat_map(|day| rows(of(day))).collect()
}

fn samples((first, last): (NaiveDate, NaiveDate), column: &str, of: impl Fn(NaiveDate) -> Vec<Sample>) -> Vec<Row> {
    let each = first.iter_days().take_while(|day| *day <= last).flat_map(of);
    each.map(|sample| Row::from_iter([("at".into(), sample.at.into()), (column.into(), sample.value.into())])).collect()
}

fn activities<T: Serialize, I: IntoIterator<Item = T>>(
    life: &Life,
    (first, last): (NaiveDate, NaiveDate),
    of: impl Fn(&ActivityTruth) -> I,
) -> Vec<Row> {
    let within = life.activities().into_iter().filter(|it| (first..=last).contains(&it.start_local.date()));
    within.flat_map(|activity| rows(of(activity))).collect()
}

const fn table(
    name: &'static str,
    key: &'static [&'static str],
    rows: fn(&Life, NaiveDate, NaiveDate) -> Vec<Row>,
) -> Table {
    Table { name, key, rows }
}

/// Every table whose rows follow from a person's life. Inventories (goals, gear, zones, …) are the same for any period.
pub const TABLES: [Table; 63] = [
    table("daily_summary", &["day"], |life, a, b| days((a, b), |day| life.daily(day))),
    table("sleep", &["day"], |life, a, b| days((a, b), |day| life.sleep(day))),
    table("hrv", &["day"], |life, a, b| days((a, b), |day| life.hrv(day))),
    table("body_battery", &["day"], |life, a, b| days((a, b), |day| life.body_battery(day))),
    table("body_battery_event", &["start_utc", "type"], |life, a, b| days((a, b), |day| life.body_battery_events(day))),
    table("hydration", &["day"], |life, a, b| days((a, b), |day| life.hydration(day))),
    table("fitness_age", &["day"], |life, a, b| days((a, b), |day| life.fitness_age(day))),
    table("health_status", &["day"], |life, a, b| days((a, b), |day| life.health_status(day))),
    table("weight", &["measured_utc", "sample_pk"], |life, a, b| rows(life.weights_between(a, b))),
    table("weight_goal", &["start_day"], |life, _, _| rows(life.weight_goals())),
    table("blood_pressure", &["measured_utc", "version"], |life, a, b| rows(life.blood_pressures(a, b))),
    table("health_snapshot", &["snapshot_id"], |life, a, b| days((a, b), |day| life.snapshot(day))),
    table("menstrual_cycle", &["start_day"], |life, a, b| rows(life.cycles(a, b))),
    table("menstrual_day", &["day"], |life, a, b| days((a, b), |day| life.menstrual_day(day))),
    table("nutrition", &["day"], |life, a, b| days((a, b), |day| life.nutrition(day))),
    table("food", &["log_id"], |life, a, b| days((a, b), |day| life.foods(day))),
    table("lifestyle", &["day", "behaviour_id", "detail"], |life, a, b| days((a, b), |day| life.lifestyle(day))),
    table("training_readiness", &["measured_utc", "device_id"], |life, a, b| days((a, b), |day| life.readiness(day))),
    table("training_status", &["day", "device_id"], |life, a, b| days((a, b), |day| life.training_status(day))),
    table("vo2max", &["day", "sport"], |life, a, b| days((a, b), |day| life.vo2max(day))),
    table("race_prediction", &["day"], |life, a, b| days((a, b), |day| life.race_prediction(day))),
    table("endurance_score", &["day"], |life, a, b| days((a, b), |day| life.endurance_score(day))),
    table("hill_score", &["day"], |life, a, b| days((a, b), |day| life.hill_score(day))),
    table("running_tolerance", &["day"], |life, a, b| days((a, b), |day| life.running_tolerance(day))),
    table("lactate_threshold", &["day"], |life, a, b| days((a, b), |day| life.lactate_threshold(day))),
    table("ftp", &["day", "sport"], |life, a, b| days((a, b), |day| life.ftp(day))),
    table("personal_record", &["record_id"], |life, _, _| rows(life.records())),
    table("device", &["device_id"], |life, _, _| rows(life.devices())),
    table("gear", &["gear_uuid"], |life, _, _| rows(life.gear())),
    table("gear_activity", &["gear_uuid", "activity_id"], |life, _, _| rows(life.gear_links())),
    table("badge", &["badge_id"], |life, _, _| rows(life.badges())),
    table("goal", &["goal_id"], |life, _, _| rows(life.goals())),
    table("activity_type", &["type_id"], |life, _, _| rows(life.activity_types())),
    table("hr_zone", &["sport"], |life, _, _| rows(life.hr_zones())),
    table("power_zone", &["sport"], |life, _, _| rows(life.power_zones())),
    table("activity", &["activity_id"], |life, a, b| activities(life, (a, b), |activity| [activity.clone()])),
    table("activity_lap", &["activity_id", "lap"], |life, a, b| activities(life, (a, b), |it| life.laps(it))),
    table("activity_weather", &["activity_id"], |life, a, b| activities(life, (a, b), |it| life.weather(it))),
    table("activity_set", &["activity_id", "position"], |life, a, b| activities(life, (a, b), |it| life.sets(it))),
    table("activity_hr_zone", &["activity_id", "zone"], |life, a, b| activities(life, (a, b), |it| life.zones(it))),
    table("activity_power_zone", &["activity_id", "zone"], |life, a, b| {
        activities(life, (a, b), |it| life.power_zones_of(it))
    }),
    table("activity_split", &["activity_id", "position"], |life, a, b| activities(life, (a, b), |it| life.splits(it))),
    table("activity_workout_step", &["activity_id", "workout", "position"], |life, a, b| {
        activities(life, (a, b), |it| life.steps_of(it))
    }),
    table("nap", &["start_utc"], |life, a, b| days((a, b), |day| life.nap(day))),
    table("noticed_activity", &["start_utc", "type"], |life, a, b| days((a, b), |day| life.noticed(day))),
    table("load_balance", &["day", "device_id"], |life, a, b| days((a, b), |day| life.load_balance(day))),
    table("acclimation", &["day"], |life, a, b| days((a, b), |day| life.acclimation(day))),
    table("profile", &["birth_day"], |life, _, _| rows([life.profile()])),
    table("workout", &["workout_id"], |life, _, _| rows(life.workouts())),
    table("workout_step", &["workout_id", "position"], |life, _, _| rows(life.workout_steps())),
    table("calendar_entry", &["entry_id"], |life, a, b| days((a, b), |day| life.calendar(day))),
    table("challenge", &["challenge_id"], |life, _, _| rows(life.challenges())),
    table("heart_rate_sample", &["at"], |life, a, b| samples((a, b), "bpm", |day| life.heart_rate_samples(day))),
    table("stress_sample", &["at"], |life, a, b| samples((a, b), "level", |day| life.stress_samples(day))),
    table("body_battery_sample", &["at"], |life, a, b| samples((a, b), "level", |day| life.body_battery_samples(day))),
    table("respiration_sample", &["at"], |life, a, b| samples((a, b), "brpm", |day| life.respiration_samples(day))),
    table("spo2_sample", &["at"], |life, a, b| samples((a, b), "pct", |day| life.spo2_samples(day))),
    table("hrv_sample", &["at"], |life, a, b| samples((a, b), "ms", |day| life.hrv_samples(day))),
    table("steps_sample", &["at"], |life, a, b| samples((a, b), "steps", |day| life.steps_samples(day))),
    table("floors_sample", &["at"], |life, a, b| {
        days((a, b), |day| life.floors(day).into_iter().map(|(at, up, down)| json!({"at": at, "up": up, "down": down})))
    }),
    table("intensity_sample", &["at"], |life, a, b| samples((a, b), "minutes", |day| life.intensity_samples(day))),
    table("sleep_stage", &["start_utc"], |life, a, b| days((a, b), |day| life.sleep_stages(day))),
    table("sleep_movement", &["at"], |life, a, b| samples((a, b), "level", |day| life.sleep_movement(day))),
];
