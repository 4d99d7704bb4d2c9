//! Every table against what the endpoints say: each answer is read by the meanings that Garmin's fields have, and has to give
//! exactly the rows of the truth. The reading here shares nothing with the shapes that write.

mod activities;
mod body;
mod habits;
mod things;
mod training;
mod within;

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate};
use garminsync_test_support::fake::{FakeGarmin, Options};
use garminsync_test_support::people::{Habits, Person, Row, TABLES};
use serde_json::{Value, json};

use crate::client::{ANA, account, personal, personal_token};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Somebody who logs everything, over a year with both clock changes, a journey, and a watch in a drawer.
struct Scene {
    fake: FakeGarmin,
    ana: Person,
    token: String,
    key: String,
    first: NaiveDate,
    last: NaiveDate,
    covered: BTreeMap<&'static str, usize>,
}

impl Scene {
    fn open() -> Scene {
        let fake = FakeGarmin::start_blocking(Options::default()).unwrap();
        fake.add(Person::named(ANA).lived(day("2026-11-10"), 800, 640).habits(Habits::ALL));
        let ana = fake.person(ANA).unwrap();
        let (token, key) = (fake.tokens(ANA).access, personal_token(&fake));
        let (first, last) = (day("2026-03-20"), day("2026-11-10"));
        Scene { fake, ana, token, key, first, last, covered: BTreeMap::new() }
    }

    /// The account tier's answer; nothing for 204 and 404.
    fn get(&self, path: &str) -> Value {
        let path = path.replace("{dn}", &self.ana.display_name);
        let answer = account(&self.fake, &self.token, &path).send();
        match answer.status {
            200 => answer.json(),
            204 | 404 => Value::Null,
            other => panic!("{other}: {path}"),
        }
    }

    fn get_personal(&self, path: &str) -> Value {
        let answer = personal(&self.fake, &self.key, path).send();
        match answer.status {
            200 => answer.json(),
            204 => Value::Null,
            other => panic!("{other}: {path}"),
        }
    }

    /// The pieces of the period, none longer than `cap` days.
    fn pieces(&self, cap: u64) -> Vec<(NaiveDate, NaiveDate)> {
        let mut pieces = Vec::new();
        let mut from = self.first;
        while from <= self.last {
            let to = (from + Days::new(cap - 1)).min(self.last);
            pieces.push((from, to));
            from = to + Days::new(1);
        }
        pieces
    }

    /// The items of each piece's answer; `{s}` and `{e}` are its ends, `at` the list in it.
    fn ranges(&self, path: &str, cap: u64, at: &str) -> Vec<Value> {
        let answers = self
            .pieces(cap)
            .into_iter()
            .map(|(first, last)| self.get(&path.replace("{s}", &first.to_string()).replace("{e}", &last.to_string())));
        answers.flat_map(|answer| answer.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default()).collect()
    }

    /// Each day's answer.
    fn days(&self, path: &str) -> Vec<(NaiveDate, Value)> {
        let days = self.first.iter_days().take_while(|day| *day <= self.last);
        days.map(|day| (day, self.get(&path.replace("{d}", &day.to_string())))).collect()
    }

    /// These rows and no others are what the table has to hold.
    fn holds(&mut self, table: &'static str, rows: impl IntoIterator<Item = Value>) {
        self.holds_without(table, &[], rows);
    }

    /// The same for a route that does not tell these columns.
    fn holds_without(&mut self, table: &'static str, untold: &[&str], rows: impl IntoIterator<Item = Value>) {
        let truth = self.ana.rows(table, self.first, self.last).unwrap();
        let key = TABLES.iter().find(|known| known.name == table).unwrap().key;
        let by_key = |row: &Row| key.iter().map(|column| row[*column].to_string()).collect::<Vec<_>>().join("/");
        let number = |row: Row| -> Row {
            let row = row.into_iter().filter(|(column, _)| !untold.contains(&column.as_str()));
            row.map(|(column, value)| (column, value.as_f64().map_or(value, Value::from))).collect()
        };
        let expected: BTreeMap<_, _> = truth.into_iter().map(number).map(|row| (by_key(&row), row)).collect();
        let found: BTreeMap<_, _> = rows
            .into_iter()
            .map(|row| number(row.as_object().unwrap().clone()))
            .map(|row| (by_key(&row), row))
            .collect();
        for (key, row) in &expected {
            assert_eq!(found.get(key), Some(row), "{table} {key}");
        }
        let more: Vec<_> = found.keys().filter(|key| !expected.contains_key(*key)).collect();
        assert!(more.is_empty(), "{table}: not in the truth: {more:?}");
        assert!(!expected.is_empty(), "{table} is empty");
        *self.covered.entry(table).or_default() += expected.len();
    }
}

/// `….0` without an offset, of UTC.
fn utc(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| json!(text.split('.').next().unwrap().replace(' ', "T") + "Z"))
}

/// The same, of the wall clock.
fn local(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| json!(text.split('.').next().unwrap()))
}

fn of_ms(value: &Value, ending: &str) -> Value {
    let at = value.as_i64().and_then(DateTime::from_timestamp_millis);
    at.map_or(Value::Null, |at| json!(format!("{}{ending}", at.format("%Y-%m-%dT%H:%M:%S"))))
}

fn not_negative(value: &Value) -> Option<f64> {
    value.as_f64().filter(|value| *value >= 0.0)
}

fn flag(value: &Value) -> i64 {
    i64::from(value.as_bool().unwrap())
}

fn flat(days: Vec<(NaiveDate, Value)>, of: impl Fn(NaiveDate, &Value) -> Vec<Value>) -> Vec<Value> {
    days.iter().flat_map(|(day, answer)| of(*day, answer)).collect()
}

fn list<'a>(value: &'a Value, at: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(at).and_then(Value::as_array).into_iter().flatten()
}

/// `[[ms, value]…]`, what was measured.
fn samples(answer: &Value, at: &str, column: &str, level: usize) -> Vec<Value> {
    list(answer, at)
        .filter_map(|pair| Some((pair[0].as_i64()? / 1000, not_negative(&pair[level])?)))
        .map(|(at, value)| json!({"at": at, column: value}))
        .collect()
}

#[test]
fn the_endpoints_say_what_the_tables_hold() {
    let mut scene = Scene::open();
    body::read(&mut scene);
    habits::read(&mut scene);
    training::read(&mut scene);
    things::read(&mut scene);
    activities::read(&mut scene);
    within::read(&mut scene);
    // These three have tests of their own, beside the shapes that write them.
    let elsewhere = ["daily_summary", "sleep", "hrv"];
    // These are read by the product only so far (tests/e2e/every_table.rs), whose folders name the same members as the shapes do.
    let by_the_product =
        ["activity_split", "noticed_activity", "acclimation", "workout", "workout_step", "calendar_entry", "challenge"];
    let read = |name| elsewhere.contains(&name) || by_the_product.contains(&name) || scene.covered.contains_key(name);
    let missing = TABLES.iter().filter(|it| !read(it.name));
    assert_eq!(missing.map(|table| table.name).collect::<Vec<_>>(), Vec::<&str>::new());
}
