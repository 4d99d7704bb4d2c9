//! What only the Personal tier is asked for so far: steps, stress, hydration, Body Battery and heart rate by the truth of
//! the day, and the areas where these people have nothing. `data` calls it for what it does not serve itself.

use serde_json::{Value, json};

use super::data::{Asked, date, days, range};
use super::http::{Reply, pages};
use crate::people::shape::stats;

/// No longest range is known.
const ANY: i64 = i64::MAX;

/// `Err` is a refusal, only so that `?` can be used.
pub(super) fn route(asked: &Asked, segments: &[&str]) -> Result<Reply, Reply> {
    let person = asked.person;
    let answer = match segments {
        ["usersummary-service", "stats", kind @ ("steps" | "stress" | "hydration"), "daily", start, end] => {
            let (cap, shape): (_, fn(_, _) -> _) = match *kind {
                "steps" => (28, stats::steps),
                "stress" => (28, stats::stress),
                _ => (31, stats::hydration),
            };
            let of = |day| person.life.daily(day).and_then(|truth| shape(person, truth));
            Value::Array(days(range(start, end, cap, 400)?).filter_map(of).collect())
        }
        ["wellness-service", "wellness", "bodyBattery", "reports", "daily"] => {
            let items = days(asked.range("startDate", "endDate", 31, 400)?)
                .filter_map(|day| person.life.daily(day))
                .map(|truth| stats::body_battery(person, truth));
            Value::Array(items.collect())
        }
        ["wellness-service", "wellness", "dailyHeartRate"] => {
            let day = asked.day("date")?;
            stats::heart_rate(person, day, person.life.daily(day))
        }
        ["biometric-service", "heartRateZones", "v2"] => stats::zones(),
        // Always refused, whatever the range.
        ["weight-service", "weight", "all", _, _] => return Err(Reply::exception(400)),
        ["weight-service", "weight", "range", start, end] => {
            range(start, end, ANY, 400)?;
            json!({"dailyWeightSummaries": [], "totalAverage": null, "previousDateWeight": null, "nextDateWeight": null})
        }
        ["goal-service", "goal", "user", "effective", "weightgoal", start, end] => {
            range(start, end, ANY, 400)?;
            json!({"userGoals": [], "userGoalRanges": []})
        }
        ["wellnessactivity-service", "activity", "summary", "range", start, end] => {
            range(start, end, ANY, 400)?;
            json!([])
        }
        ["wellness-service", "wellness", "daily", "spo2acclimation", day] => {
            date(day)?;
            json!({"userProfilePK": person.profile_id, "calendarDate": day, "averageSpO2": null, "lowestSpO2": null,
                   "spO2HourlyAverages": null})
        }
        ["fitnessage-service", "fitnessage", "v2", day] => {
            date(day)?;
            json!({})
        }
        ["nutrition-service", "food", "logs", day]
        | ["periodichealth-service", "menstrualcycle", "summary" | "dayview", day] => {
            date(day)?;
            return Ok(Reply::empty(204));
        }
        ["activity-service", "activity", id, "workouts"] => {
            let known = id.parse().ok().and_then(|id| person.life.activity(id));
            known.ok_or_else(|| Reply::exception(404))?;
            json!([])
        }
        _ => return Err(Reply::html(404, pages::NOT_FOUND)),
    };
    Ok(Reply::json(200, &answer))
}
