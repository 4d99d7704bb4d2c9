//! How Garmin writes the truth down: one file per family of answers, functions from truth to JSON.
//! The fake's data endpoints call them; unmeasured values come in all the ways Garmin has for them.

pub(crate) mod activity;
pub(crate) mod body;
pub(crate) mod daily;
pub(crate) mod habits;
pub(crate) mod hrv;
pub(crate) mod intraday;
pub(crate) mod planning;
pub(crate) mod profile;
pub(crate) mod session;
pub(crate) mod sleep;
pub(crate) mod stats;
pub(crate) mod things;
pub(crate) mod training;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value};

/// `2026-10-21T05:34:00.0`: UTC without saying so.
fn gmt(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S.0").to_string()
}

/// `2026-10-21T07:34:00.0`: the wall clock.
fn wall(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S.0").to_string()
}

/// Wall clock as epoch milliseconds, encoded as if it were UTC.
fn wall_ms(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp_millis()
}

/// The wall clock at both ends of a day.
fn midnights(day: NaiveDate) -> (String, String) {
    let midnight = |day: NaiveDate| wall(day.and_time(chrono::NaiveTime::MIN));
    (midnight(day), midnight(day + chrono::Days::new(1)))
}

/// An object as Garmin writes it on this day: with its nulls on odd days, without those fields on even ones.
fn written(day: NaiveDate, object: Value) -> Value {
    match object {
        Value::Object(map) if day.day().is_multiple_of(2) => {
            let kept: Map<_, _> = map.into_iter().filter(|(_, value)| !value.is_null()).collect();
            Value::Object(kept)
        }
        other => other,
    }
}
