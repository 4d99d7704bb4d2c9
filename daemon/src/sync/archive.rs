//! From an answer of Garmin's to what the store records: the rows, cut out byte by byte as they came, and what the ledger learns. The
//! runner calls it on the store's thread, because a page of a thousand activities is work. It is pure.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use garminsync_store::{Item, Mark, State};
use serde_json::Value;
use serde_json::value::RawValue;

use super::datasets::Route;
use super::plan::{day_of, is_final};

/// The answer is JSON, but not of the shape that is known: it must not pass for "no data".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Garmin's answer has an unknown shape: {0}")]
pub struct Shape(String);

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// What identifies it: a day or an activity.
    pub item: String,
    /// Its day. Only an activity may be without one.
    pub day: Option<NaiveDate>,
    /// The row exactly as it came.
    pub body: &'a str,
    /// It only says that the day has no data.
    pub blank: bool,
    /// An activity that was typed in: there is no file of it.
    pub manual: bool,
}

/// Cuts an answer into its rows. The forms that Garmin has for "no data" (`[]`, `{}`, `null`, an object of nulls) are no rows.
///
/// # Errors
/// [`Shape`] for half a JSON, for rows that are not where they should be, and for a row without its day or number.
pub fn rows<'a>(route: &Route, body: &'a str) -> Result<Vec<Row<'a>>, Shape> {
    raw_rows(route, body)?.into_iter().map(|raw| row(route, raw)).collect()
}

/// The same of a page of activities: the rows, and how many there were that cannot be read. These cost nobody else.
///
/// # Errors
/// [`Shape`], also when there are rows and none of them can be read.
pub fn page<'a>(route: &Route, body: &'a str) -> Result<(Vec<Row<'a>>, usize), Shape> {
    let raw = raw_rows(route, body)?;
    let (good, odd): (Vec<_>, Vec<_>) = raw.into_iter().map(|raw| row(route, raw)).partition(Result::is_ok);
    let odd_rows = odd.len();
    match odd.into_iter().find_map(Result::err) {
        Some(shape) if good.is_empty() => Err(shape),
        _ => Ok((good.into_iter().flatten().collect(), odd_rows)),
    }
}

fn raw_rows<'a>(route: &Route, body: &'a str) -> Result<Vec<&'a RawValue>, Shape> {
    let answer: &RawValue = serde_json::from_str(body).map_err(|e| Shape(format!("not JSON ({:?})", e.classify())))?;
    let Some(array) = rows_array(answer, &route.rows)? else { return Ok(Vec::new()) };
    match serde_json::from_str::<Vec<&RawValue>>(array.get()) {
        Ok(raw) => Ok(raw),
        Err(_) if object(array).is_some_and(|members| members.values().all(|value| is_nothing(value))) => {
            Ok(Vec::new())
        }
        Err(_) => Err(Shape(format!("no array of rows at {:?}", route.rows))),
    }
}

/// `None` where the answer says that there is nothing.
fn rows_array<'a>(answer: &'a RawValue, pointer: &str) -> Result<Option<&'a RawValue>, Shape> {
    let mut found = answer;
    for key in pointer.split('/').skip(1) {
        if is_nothing(found) {
            return Ok(None);
        }
        let members = object(found).ok_or_else(|| Shape(format!("no object that holds {pointer:?}")))?;
        found = match members.get(key) {
            Some(inner) => inner,
            None if members.values().all(|value| is_nothing(value)) => return Ok(None),
            None => return Err(Shape(format!("nothing at {pointer:?}"))),
        };
    }
    Ok((!is_nothing(found)).then_some(found))
}

fn object(value: &RawValue) -> Option<HashMap<String, &RawValue>> {
    serde_json::from_str(value.get()).ok()
}

fn is_nothing(value: &RawValue) -> bool {
    let text: String = value.get().chars().filter(|c| !c.is_ascii_whitespace()).take(5).collect();
    matches!(text.as_str(), "null" | "{}" | "[]")
}

fn row<'a>(route: &Route, raw: &'a RawValue) -> Result<Row<'a>, Shape> {
    let value: Value = serde_json::from_str(raw.get()).map_err(|_| Shape("a row that cannot be read".into()))?;
    let at = |pointer: &str| value.pointer(pointer).filter(|_| !pointer.is_empty());
    let day = at(&route.day).and_then(Value::as_str).and_then(day_of);
    let item = match at(&route.item) {
        _ if route.item.is_empty() => day.map(|day| day.to_string()),
        Some(Value::Number(id)) => id.as_i64().and_then(number),
        Some(Value::String(id)) if id.bytes().all(|b| b.is_ascii_digit()) => id.parse().ok().and_then(number),
        _ => None,
    };
    let item = item.ok_or_else(|| Shape(format!("a row without {:?}", [&route.item, &route.day])))?;
    let blank = !route.evidence.is_empty() && route.evidence.iter().all(|pointer| at(pointer).is_none_or(is_blank));
    let manual = value.get("manualActivity") == Some(&Value::Bool(true));
    Ok(Row { item, day, body: raw.get(), blank, manual })
}

/// An activity's number as the ledger writes it.
fn number(id: i64) -> Option<String> {
    (id > 0).then(|| id.to_string())
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.iter().all(is_blank),
        Value::Object(members) => members.values().all(is_blank),
    }
}

/// The rows that hold data, as the store takes them. Of two rows for the same item the last one counts.
pub fn items<'a>(rows: &[Row<'a>]) -> Vec<Item<'a>> {
    let last: HashMap<&str, usize> = rows.iter().enumerate().map(|(at, row)| (row.item.as_str(), at)).collect();
    let holds = |(at, row): &(usize, &Row<'_>)| !row.blank && last.get(row.item.as_str()) == Some(at);
    rows.iter().enumerate().filter(holds).map(|(_, row)| Item { item: row.item.clone(), body: row.body }).collect()
}

/// The days that hold data.
pub fn days(rows: &[Row<'_>]) -> BTreeSet<NaiveDate> {
    rows.iter().filter(|row| !row.blank).filter_map(|row| row.day).collect()
}

/// What the ledger learns about the days that were asked for, when those in `present` came with data.
pub fn marks(
    from: NaiveDate,
    to: NaiveDate,
    present: &BTreeSet<NaiveDate>,
    read_on: NaiveDate,
    reread_days: u32,
) -> Vec<Mark> {
    let state = |day| match (present.contains(&day), is_final(day, read_on, reread_days)) {
        (true, true) => State::Ok,
        (true, false) => State::Provisional,
        (false, _) => State::Empty,
    };
    all_days(from, to, state, None)
}

/// One mark for each day of a range.
pub fn all_days(from: NaiveDate, to: NaiveDate, state: impl Fn(NaiveDate) -> State, detail: Option<&str>) -> Vec<Mark> {
    let days = from.iter_days().take_while(|day| *day <= to);
    days.map(|day| Mark { item: day.to_string(), state: state(day), detail: detail.map(Into::into) }).collect()
}

#[cfg(test)]
#[path = "archive_test.rs"]
mod tests;
