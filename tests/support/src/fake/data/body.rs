//! Body Battery reports, weight, blood pressure, health status, fitness age, snapshots.

use chrono::{Days, NaiveDate};
use serde_json::json;

use super::{ANY, Asked, Routed, date, days, each, found, found_or_204, range};
use crate::fake::http::Reply;
use crate::people::SnapshotTruth;
use crate::people::shape::body;

pub(super) fn route(asked: &Asked, segments: &[&str]) -> Routed {
    let Asked { person, personal, .. } = asked;
    let life = &person.life;
    match segments {
        ["wellness-service", "wellness", "bodyBattery", "reports", "daily"] => {
            let range = asked.query_range("startDate", "endDate", if *personal { 31 } else { 28 })?;
            found(each(person, range, |day| body::battery(person, day)))
        }
        ["fitnessage-service", "fitnessage", "v2", day] => fitness_age(asked, asked.day(day)?),
        ["fitnessage-service", "fitnessage", day] if !personal => fitness_age(asked, asked.day(day)?),
        ["fitnessage-service", "stats", "daily", first, last] if !personal => {
            let range = asked.range(first, last, 29)?;
            found(each(person, range, |day| Some(body::fitness_age_stats(&life.fitness_age(day)?))))
        }
        // Always refused, whatever the range.
        ["weight-service", "weight", "all", _, _] => Err(Reply::exception(400)),
        ["weight-service", "weight", "range", first, last] => {
            let all = asked.text("includeAll") == Some("true");
            found(body::weights(person, asked.range(first, last, ANY)?, all))
        }
        ["goal-service", "goal", "user", "effective", "weightgoal", first, last] => {
            let (first, last) = range(first, last, ANY, 400)?;
            let mut goals = life.weight_goals();
            goals.retain(|goal| goal.start_day <= last && goal.end_day.is_none_or(|end| end >= first));
            found(body::weight_goals(&goals))
        }
        ["wellnessactivity-service", "activity", "summary", "range", first, last] => {
            let range = asked.range(first, last, ANY)?;
            found(each(person, range, |day| Some(body::snapshot(&life.snapshot(day)?))))
        }
        _ if *personal => Ok(None),
        ["weight-service", "weight", "dateRange"] => {
            let (first, last) = asked.query_range("startDate", "endDate", 366)?;
            let latest = days(person, (first, last)).filter_map(|day| life.weights(day).pop()).collect();
            found(body::weight_list(first, last, latest))
        }
        ["weight-service", "weight", "dayview", day] => {
            let day = asked.day(day)?;
            found(body::weight_list(day, day, life.weights(day)))
        }
        ["weight-service", "weight", "latest"] => {
            let until = asked.query_day("date")?;
            let newest = life.weights_between(NaiveDate::MIN, until).next_back();
            found_or_204(newest.map(body::weight))
        }
        ["weight-service", "weight", "first"] => {
            found_or_204(life.weights_between(NaiveDate::MIN, NaiveDate::MAX).next().map(body::weight))
        }
        ["weight-service" | "bloodpressure-service", kind, "weeklyRange", first, last] => {
            let (first, last) = (date(first)?, date(last)?);
            if last != first + Days::new(363) {
                return Err(Reply::exception(400));
            }
            found(json!({"from": first, "until": last, "kind": kind, "weeklySummaries": []}))
        }
        ["bloodpressure-service", "bloodpressure", "range", first, last] => {
            found(body::blood_pressures(person, asked.range(first, last, ANY)?))
        }
        ["healthstatus-service", "healthstatus", "summary", first, last] => {
            let range = asked.range(first, last, ANY)?;
            let rows = each(person, range, |day| Some(body::health_status(person, &life.health_status(day)?)));
            // A single day is nothing until it was scored.
            let nothing = range.0 == range.1 && rows.as_array().is_some_and(Vec::is_empty);
            found_or_204((!nothing).then_some(rows))
        }
        ["wellnessactivity-service", "activity", "summary", "list"] => {
            let number = |name: &str, default: usize| match asked.text(name) {
                Some(text) => text.parse().map_err(|_| Reply::exception(400)),
                None => Ok(default),
            };
            let (start, limit) = (number("start", 1)?.max(1), number("limit", 20)?);
            let until = asked.text("until").map(date).transpose()?.unwrap_or(asked.latest());
            let newest_first = days(person, (life.first_day(), until)).collect::<Vec<_>>().into_iter().rev();
            let page = newest_first.filter_map(|day| life.snapshot(day)).skip(start - 1).take(limit);
            // An id is an object in some answers and a text in others; in this one it is a text.
            let item = |truth: SnapshotTruth| {
                let mut item = body::snapshot(&truth);
                item["activityUuid"] = json!(truth.snapshot_id);
                item
            };
            found(json!(page.map(item).collect::<Vec<_>>()))
        }
        _ => Ok(None),
    }
}

/// The day's, or the newest of the 28 days before it (of all, with `fullHistoryScan`).
fn fitness_age(asked: &Asked, day: NaiveDate) -> Routed {
    let life = &asked.person.life;
    let full = asked.text("fullHistoryScan") == Some("true");
    let first = if full { life.first_day() } else { day - Days::new(28) };
    let newest = days(asked.person, (first, day)).collect::<Vec<_>>().into_iter().rev();
    let truth = newest.filter_map(|day| life.fitness_age(day)).next();
    found(truth.map_or_else(|| json!({}), |truth| body::fitness_age(&truth)))
}
