//! A table as the mirror has it, held against what Garmin holds: row by row, column by column.

use std::collections::BTreeSet;

use chrono::{Datelike, Utc};
use garminsync_test_support::people::{Person, Row, TABLES, Table, of_single_days};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;

use super::home::Way;
use crate::stage::{ANA, Stage, today};

/// Columns that a tier does not tell.
fn unknown(table: &str, way: Way) -> &'static [&'static str] {
    match (table, way) {
        ("fitness_age", Way::Account | Way::Both) => &["chronological_age", "body_fat_pct", "vigorous_minutes_avg"],
        // Which of the two services told it: nothing that people ask for.
        ("goal", _) => &["newer"],
        _ => &[],
    }
}

/// Columns of which nobody's life here tells anything, and what a mirror notes for itself.
fn untold(table: &str) -> &'static [&'static str] {
    match table {
        // Of what is gone at Garmin nothing is held together.
        "activity" => &["account", "deleted_utc"],
        "activity_split" => &["account", "avg_speed_mps", "elevation_gain_m", "elevation_loss_m", "max_hr_bpm"],
        "challenge" => &["account", "earned_utc"],
        "load_balance" => &["account", "asked_day"],
        "sleep" => &["account", "untold"],
        "workout_step" => &["account", "target_low", "target_high"],
        _ => &["account"],
    }
}

/// The tables of the datasets that this account can reach, of those whose rows are known here.
async fn reachable(stage: &Stage) -> Vec<&'static Table> {
    let datasets = stage.home.ctl(&["datasets", "--json"]).await.json();
    let datasets = datasets["datasets"].as_array().expect("datasets").clone();
    let mut tables = BTreeSet::new();
    for dataset in datasets.iter().filter(|dataset| dataset["reachable"] == true) {
        assert_eq!(dataset["on"], true, "{dataset}");
        let name = dataset["name"].as_str().expect("a name");
        let sql = "SELECT tables FROM projection WHERE dataset = ?1";
        let made: String = database(stage).query_row(sql, [name], |row| row.get(0)).unwrap_or_default();
        tables.extend(made.split(',').map(String::from));
    }
    TABLES.iter().filter(|table| tables.contains(table.name)).collect()
}

fn database(stage: &Stage) -> Connection {
    stage.home.database().expect("garmin.db")
}

/// Every table that can be reached equals the truth; all that differ are told at once. Gives how many tables and rows were held together.
pub async fn assert_equal(stage: &Stage, way: Way) -> (usize, usize) {
    let (tables, rows, odd) = compare(stage, way).await;
    assert!(odd.is_empty(), "{} of {tables} tables differ:\n{}", odd.len(), odd.join("\n"));
    (tables, rows)
}

/// What differs, table by table.
pub async fn differences(stage: &Stage, way: Way) -> Vec<String> {
    compare(stage, way).await.2
}

async fn compare(stage: &Stage, way: Way) -> (usize, usize, Vec<String>) {
    let person = stage.fake.person(ANA).expect("Ana");
    let tables = reachable(stage).await;
    let mut rows = 0;
    let mut odd = Vec::new();
    for table in &tables {
        match difference(stage, &person, table, way) {
            Ok(0) => odd.push(format!("{}: there is nothing to hold together", table.name)),
            Ok(same) => rows += same,
            Err(difference) => odd.push(difference),
        }
    }
    (tables.len(), rows, odd)
}

/// The rows that are equal, or the first cell that is not.
fn difference(stage: &Stage, person: &Person, table: &Table, way: Way) -> Result<usize, String> {
    let unknown = unknown(table.name, way);
    let (first, last) = (person.life.first_day(), today());
    let mut expected: Vec<Row> = table.rows(person, first, last).into_iter().map(by_value).collect();
    let mut found = mirrored(stage, table);
    if table.name == "hrv_sample" && way != Way::Account {
        // That tier tells the readings of a night on the day after it.
        let tonight = table.rows(person, person.life.plan().today, last);
        let before = |row: &Row| tonight.first().is_none_or(|first| row["at"].as_f64() < first["at"].as_f64());
        expected.retain(before);
        found.retain(before);
    }
    let single_days = table.name == "load_balance" || (table.name == "fitness_age" && way == Way::Personal);
    if single_days {
        // It is told for single days, and one stands for a month or a week.
        let their_today = Utc::now().with_timezone(&person.life.plan().home).date_naive();
        expected = of_single_days(table.name, expected, &found, their_today);
    }
    if table.name == "calendar_entry" && last.day() < 7 {
        // A month is read from its seventh day on.
        expected
            .retain(|row| row["day"].as_str().is_some_and(|day| !day.starts_with(&last.format("%Y-%m").to_string())));
    }
    let name = |row: &Row| {
        let key = table.key.iter().map(|column| row.get(*column).unwrap_or(&Value::Null).to_string());
        key.collect::<Vec<_>>().join(" ")
    };
    let keys = |rows: &[Row]| rows.iter().map(name).collect::<BTreeSet<_>>();
    let (have, want) = (keys(&found), keys(&expected));
    if have != want || found.len() != expected.len() {
        let missing: Vec<_> = want.difference(&have).take(5).collect();
        let more: Vec<_> = have.difference(&want).take(5).collect();
        let counts = (found.len(), expected.len());
        return Err(format!(
            "{}: {} rows, not {}; missing {missing:?}, too many {more:?}",
            table.name, counts.0, counts.1
        ));
    }
    for (found, expected) in found.iter().zip(&expected) {
        let columns = |row: &Row| row.keys().cloned().collect::<BTreeSet<_>>();
        let (has, told) = (columns(found), columns(expected));
        let odd: Vec<_> =
            has.symmetric_difference(&told).filter(|it| !untold(table.name).contains(&it.as_str())).collect();
        if !odd.is_empty() {
            return Err(format!("{}: the columns {odd:?} are not in both", table.name));
        }
        for (column, value) in expected.iter().filter(|(column, _)| !unknown.contains(&column.as_str())) {
            let have = found.get(column);
            if have != Some(value) {
                let have = have.map_or("no such column".into(), Value::to_string);
                return Err(format!("{}: {} of {}: {have}, not {value}", table.name, column, name(expected)));
            }
        }
    }
    Ok(expected.len())
}

/// Whole reals and integers are the same fact.
fn by_value(row: Row) -> Row {
    let number = |value: Value| value.as_f64().map_or(value, Value::from);
    row.into_iter().map(|(column, value)| (column, number(value))).collect()
}

/// The table in the order of its key. Of activities that are gone at Garmin the mirror keeps what it had.
fn mirrored(stage: &Stage, table: &Table) -> Vec<Row> {
    let there = "activity_id NOT IN (SELECT activity_id FROM activity WHERE deleted_utc IS NOT NULL)";
    let there = if table.key.contains(&"activity_id") { there } else { "TRUE" };
    let sql =
        format!("SELECT * FROM {} WHERE account = 'default' AND {there} ORDER BY {}", table.name, table.key.join(", "));
    let database = database(stage);
    let mut statement = database.prepare(&sql).expect(&sql);
    let columns: Vec<String> = statement.column_names().into_iter().map(String::from).collect();
    let read = |row: &rusqlite::Row<'_>| {
        let mut read = Row::new();
        for (at, column) in columns.iter().enumerate() {
            let value = match row.get_ref(at)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => (number as f64).into(),
                ValueRef::Real(number) => number.into(),
                other => other.as_str().expect("a text").into(),
            };
            read.insert(column.clone(), value);
        }
        Ok(read)
    };
    statement.query_map([], read).expect(&sql).map(|row| row.expect("a row")).collect()
}
