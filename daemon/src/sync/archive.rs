//! From an answer of Garmin's to what the store records: the rows, cut out byte by byte as they came, and what the ledger learns. The
//! runner calls it on the store's thread, because a page of a thousand activities is work. It is pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Datelike, NaiveDate};
use garminsync_store::{Item, Mark, State};
use serde_json::Value;
use serde_json::value::RawValue;

use super::plan::{day_of, is_final};
use super::route::{Points, Route};

/// The item of an inventory: all of it.
pub const ALL: &str = "all";

/// The answer is JSON, but not of the shape that is known: it must not pass for "no data".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Garmin's answer has an unknown shape: {0}")]
pub struct Shape(String);

/// The pages of one part of an answer, each as it came.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// The part's name; empty where there is only one.
    pub name: &'a str,
    /// What came, in the order it was asked for.
    pub pages: Vec<&'a str>,
}

impl<'a> Part<'a> {
    /// An answer in one piece.
    pub fn whole(body: &'a str) -> Vec<Self> {
        vec![Self { name: "", pages: vec![body] }]
    }
}

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// What identifies it: a day or an activity.
    pub item: String,
    /// Its day. Only an activity may be without one.
    pub day: Option<NaiveDate>,
    /// The row exactly as it came, or an array of such rows.
    pub body: Cow<'a, str>,
    /// It only says that the day has no data.
    pub blank: bool,
    /// An activity that was typed in: there is no file of it.
    pub manual: bool,
}

/// Cuts an answer about some days into its items, one a day. The forms that Garmin has for "no data" (`[]`, `{}`, `null`, an object of
/// nulls) are none, as a whole and among other rows. Days that were not asked for are left out where a part of them may be missing.
///
/// # Errors
/// [`Shape`] for half a JSON, for rows that are not where they should be, and for a row with data but without its day.
pub fn rows<'a>(route: &Route, from: NaiveDate, to: NaiveDate, parts: &[Part<'a>]) -> Result<Vec<Row<'a>>, Shape> {
    if route.is_single_day() {
        return Ok(one(route, &to.to_string(), parts)?.map(|row| Row { day: Some(to), ..row }).into_iter().collect());
    }
    let mut rows = Vec::new();
    let mut days: BTreeMap<NaiveDate, BTreeMap<&str, Vec<&'a str>>> = BTreeMap::new();
    for part in parts {
        for raw in part.pages.iter().map(|page| raw_rows(route, page)).collect::<Result<Vec<_>, _>>()?.concat() {
            let row = row(route, raw)?;
            if row.item.is_empty() {
                continue;
            }
            match row.day.filter(|_| route.several || !route.parts.is_empty()) {
                None => rows.push(row),
                Some(day) if row.blank || !(from..=to).contains(&day) => {}
                Some(day) => days.entry(day).or_default().entry(part.name).or_default().push(raw.body),
            }
        }
    }
    rows.extend(days.into_iter().map(|(day, parts)| Row {
        item: day.to_string(),
        day: Some(day),
        body: joined(&parts).into(),
        blank: false,
        manual: false,
    }));
    Ok(rows)
}

/// An answer that is one item as a whole: a day's, an activity's, or an inventory. `None` where there is nothing.
///
/// # Errors
/// [`Shape`], as [`rows`].
pub fn one<'a>(route: &Route, item: &str, parts: &[Part<'a>]) -> Result<Option<Row<'a>>, Shape> {
    let row = |body| Row { item: item.into(), day: None, body, blank: false, manual: false };
    if let ([Part { pages, .. }], true) = (parts, route.parts.is_empty() && route.pages.is_empty()) {
        let Some(body) = pages.first() else { return Ok(None) };
        let answer = read(body)?;
        let found = match found(answer, &route.rows, &route.status) {
            // A part of another dataset's answer may be missing without meaning anything.
            Err(_) if !route.within.is_empty() => return Ok(None),
            found => found?,
        };
        let Some(raw) = found.first().copied() else { return Ok(None) };
        let value: Value = serde_json::from_str(raw.get()).map_err(|_| Shape("not JSON".into()))?;
        if !has_no_evidence(route, &value) {
            return Ok(Some(row(raw.get().into())));
        }
        // Nothing of what tells data: then it has to say so, not something else.
        let enveloped = !route.envelope.is_empty() && value.pointer(&route.envelope).is_some();
        return if is_blank(&value) || enveloped || names_evidence(route, &value) {
            Ok(None)
        } else {
            Err(Shape(format!("nothing at {:?}", route.evidence)))
        };
    }
    let mut kept: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for part in parts {
        let rows = part.pages.iter().map(|page| raw_rows(route, page)).collect::<Result<Vec<_>, _>>()?.concat();
        let keep = |raw: &Raw<'_>| match &route.keep {
            keep if keep.is_empty() => Some(raw.body.to_owned()),
            keep => serde_json::from_str::<Value>(raw.body).ok()?.pointer(keep).map(ToString::to_string),
        };
        kept.entry(part.name).or_default().extend(rows.iter().filter_map(keep));
    }
    if kept.values().all(Vec::is_empty) {
        return Ok(None);
    }
    let kept: BTreeMap<&str, Vec<&str>> =
        kept.iter().map(|(name, rows)| (*name, rows.iter().map(String::as_str).collect())).collect();
    Ok(Some(row(joined(&kept).into())))
}

/// The rows of a page of any list; how many there are says whether it is full.
///
/// # Errors
/// [`Shape`].
pub fn count(route: &Route, body: &str) -> Result<(usize, Option<NaiveDate>), Shape> {
    let raw = raw_rows(route, body)?;
    let oldest = raw.iter().filter_map(|raw| row(route, *raw).ok()?.day).min();
    Ok((raw.len(), oldest))
}

/// Rows as one JSON text: an array, or an object of arrays where they have names.
fn joined(parts: &BTreeMap<&str, Vec<&str>>) -> String {
    let array = |rows: &Vec<&str>| format!("[{}]", rows.join(","));
    match parts.get("") {
        Some(rows) => array(rows),
        None => {
            let members = parts.iter().map(|(name, rows)| format!("\"{name}\":{}", array(rows)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

/// A page of activities: the rows, and how many there were that cannot be read. These cost nobody else.
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

/// A row as it came; its day, where that stands beside it.
#[derive(Clone, Copy)]
struct Raw<'a> {
    body: &'a str,
    day: Option<NaiveDate>,
}

fn read(body: &str) -> Result<&RawValue, Shape> {
    serde_json::from_str(body).map_err(|e| Shape(format!("not JSON ({:?})", e.classify())))
}

fn raw_rows<'a>(route: &Route, body: &'a str) -> Result<Vec<Raw<'a>>, Shape> {
    let mut rows = Vec::new();
    for array in found(read(body)?, &route.rows, &route.status)? {
        if route.keyed {
            let members = object(array).ok_or_else(|| Shape(format!("no object of days at {:?}", route.rows)))?;
            for (key, value) in members.iter().filter(|(_, value)| !is_nothing(value)) {
                let day = day_of(key).ok_or_else(|| Shape("a row without its day".into()))?;
                rows.push(Raw { body: value.get(), day: Some(day) });
            }
            continue;
        }
        match serde_json::from_str::<Vec<&RawValue>>(array.get()) {
            Ok(raw) => rows.extend(raw.into_iter().map(|raw| Raw { body: raw.get(), day: None })),
            Err(_) if object(array).is_some_and(|members| members.values().all(|value| is_nothing(value))) => {}
            Err(_) => return Err(Shape(format!("no array of rows at {:?}", route.rows))),
        }
    }
    Ok(rows)
}

/// What stands at a pointer, in which `*` is every member; nothing where the answer says that there is nothing.
fn found<'a>(answer: &'a RawValue, pointer: &str, status: &str) -> Result<Vec<&'a RawValue>, Shape> {
    if !status.is_empty() {
        let whole: Value = serde_json::from_str(answer.get()).map_err(|_| Shape("not JSON".into()))?;
        let part = status.rsplit_once('/').map_or("", |(part, _)| part);
        match whole.pointer(status).and_then(Value::as_i64) {
            Some(200) => {}
            // 204 and 404 inside are as they are outside: nothing there.
            Some(204 | 404) => return Ok(Vec::new()),
            None if is_blank(&whole) || whole.pointer(part) == Some(&Value::Null) => return Ok(Vec::new()),
            other => return Err(Shape(format!("an inner status of {}", other.unwrap_or_default()))),
        }
    }
    let mut found = vec![answer];
    for key in pointer.split('/').skip(1) {
        let mut next = Vec::new();
        for value in found.into_iter().filter(|value| !is_nothing(value)) {
            let members = object(value).ok_or_else(|| Shape(format!("no object that holds {pointer:?}")))?;
            match members.get(key) {
                _ if key == "*" => next.extend(members.values()),
                Some(inner) => next.push(*inner),
                None if members.values().all(|value| is_nothing(value)) => {}
                None => return Err(Shape(format!("nothing at {pointer:?}"))),
            }
        }
        found = next;
    }
    found.retain(|value| !is_nothing(value));
    Ok(found)
}

fn object(value: &RawValue) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(value.get()).ok()
}

fn is_nothing(value: &RawValue) -> bool {
    let text: String = value.get().chars().filter(|c| !c.is_ascii_whitespace()).take(5).collect();
    matches!(text.as_str(), "null" | "{}" | "[]")
}

/// Whether a row, or a whole answer, only says that there are no data.
fn has_no_evidence(route: &Route, value: &Value) -> bool {
    !route.evidence.is_empty() && route.evidence.iter().all(|pointer| value.pointer(pointer).is_none_or(is_blank))
}

/// Whether something stands where the evidence of data is looked for, if only to say that there is none.
fn names_evidence(route: &Route, value: &Value) -> bool {
    let known = |pointer: &String| pointer.split('/').nth(1).is_some_and(|key| value.get(key).is_some());
    route.evidence.iter().any(known)
}

fn row<'a>(route: &Route, raw: Raw<'a>) -> Result<Row<'a>, Shape> {
    let value: Value = serde_json::from_str(raw.body).map_err(|_| Shape("a row that cannot be read".into()))?;
    let at = |pointer: &str| value.pointer(pointer).filter(|_| !pointer.is_empty());
    let day = route.day.iter().find_map(|pointer| at(pointer).and_then(Value::as_str).and_then(day_of));
    let day = raw.day.or(day);
    let item = match at(&route.item) {
        _ if route.item.is_empty() => day.map(|day| day.to_string()),
        Some(Value::Number(id)) => id.as_i64().and_then(number),
        Some(Value::String(id)) if id.bytes().all(|b| b.is_ascii_digit()) => id.parse().ok().and_then(number),
        _ => None,
    };
    let blank = has_no_evidence(route, &value);
    // A row that says nothing of itself may say nothing of its day either; but then it has to say so, not something else.
    let says_nothing = || value.is_object() && (is_blank(&value) || (blank && names_evidence(route, &value)));
    let item = item.or_else(|| (route.item.is_empty() && says_nothing()).then(String::new));
    let item = item.ok_or_else(|| Shape(format!("a row without {:?} {:?}", route.item, route.day)))?;
    let manual = value.get("manualActivity") == Some(&Value::Bool(true));
    let body = match at(&route.keep) {
        Some(kept) => kept.to_string().into(),
        None => raw.body.into(),
    };
    Ok(Row { item, day, body, blank, manual })
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
pub fn items<'r>(rows: &'r [Row<'_>]) -> Vec<Item<'r>> {
    let last: HashMap<&str, usize> = rows.iter().enumerate().map(|(at, row)| (row.item.as_str(), at)).collect();
    let holds = |(at, row): &(usize, &Row<'_>)| !row.blank && last.get(row.item.as_str()) == Some(at);
    rows.iter().enumerate().filter(holds).map(|(_, row)| Item { item: row.item.clone(), body: &row.body }).collect()
}

/// The days that hold data.
pub fn days(rows: &[Row<'_>]) -> BTreeSet<NaiveDate> {
    rows.iter().filter(|row| !row.blank).filter_map(|row| row.day).collect()
}

/// The days that were held and are no longer: Garmin's answer lists them no more, or without data, although it came whole. That alone proves
/// nothing, as a page may be empty for reasons of Garmin's own. It is believed where the answer names the days that it speaks of, where it
/// lists at least as many of the days that were asked for as it leaves out, or where the dataset that this one follows has lost the day. An
/// answer about a month is believed where it names the month and lists nothing.
pub fn gone(
    route: &Route,
    (from, to): (NaiveDate, NaiveDate),
    parts: &[Part<'_>],
    listed: &BTreeSet<NaiveDate>,
    held: &BTreeSet<NaiveDate>,
    unfounded: impl Fn(NaiveDate) -> bool,
) -> Vec<NaiveDate> {
    let came = parts.iter().all(|part| !part.pages.is_empty());
    if route.points == Points::Months {
        let is_empty = came && listed.is_empty() && names_month(route, parts, to);
        return held.range(from..=to).filter(|_| is_empty).copied().collect();
    }
    if !came {
        return Vec::new();
    }
    let missing: Vec<_> = held.range(from..=to).filter(|day| !listed.contains(day)).copied().collect();
    let outnumbered = !route.is_single_day() && missing.len() <= listed.range(from..=to).count();
    let covered = covered(route, parts);
    let spoken_of = |day: NaiveDate| covered.is_some_and(|(first, last)| (first..=last).contains(&day));
    missing.into_iter().filter(|day| outnumbered || spoken_of(*day) || unfounded(*day)).collect()
}

/// Whether an answer says that it is about the month of this day.
fn names_month(route: &Route, parts: &[Part<'_>], day: NaiveDate) -> bool {
    let answer = parts.first().and_then(|part| serde_json::from_str::<Value>(part.pages.first()?).ok());
    let numbers = |answer: Value| -> Option<Vec<i64>> {
        route.covers.iter().map(|pointer| answer.pointer(pointer)?.as_i64()).collect()
    };
    answer.and_then(numbers).is_some_and(|numbers| numbers == [i64::from(day.year()), i64::from(day.month0())])
}

/// The first and the last day that an answer says it is about.
fn covered(route: &Route, parts: &[Part<'_>]) -> Option<(NaiveDate, NaiveDate)> {
    let answer: Value = serde_json::from_str(parts.first()?.pages.first()?).ok()?;
    let day = |pointer: &String| match answer.pointer(pointer)? {
        Value::String(text) => day_of(text),
        // Wall clock, written as if it were UTC.
        value => Some(DateTime::from_timestamp_millis(value.as_i64()?)?.date_naive()),
    };
    Some((day(route.covers.first()?)?, day(route.covers.last()?)?))
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
