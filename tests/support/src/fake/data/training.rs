//! Training metrics and thresholds; the account tier alone has them.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Asked, Routed, days, each, found, found_or_204};
use crate::fake::http::Reply;
use crate::people::shape::training;

const YEAR: i64 = 366;
const TWELVE_WEEKS: i64 = 84;

pub(super) fn route(asked: &Asked, segments: &[&str]) -> Routed {
    if asked.personal {
        return Ok(None);
    }
    match segments {
        ["metrics-service", "metrics", rest @ ..] => metrics(asked, rest),
        ["mobile-gateway", "usersummary", "trainingstatus", "weekly", first, last] => {
            let range = asked.range(first, last, YEAR)?;
            let life = &asked.person.life;
            let rows: Vec<_> = days(asked.person, range).flat_map(|day| life.training_status(day)).collect();
            let vo2max: Vec<_> = days(asked.person, range).flat_map(|day| life.vo2max(day)).collect();
            found(training::status(&rows, &vo2max, range, asked.world.knobs.training_status_error))
        }
        ["mobile-gateway", "usersummary", "trainingstatus", "latest", day] => latest_status(asked, asked.day(day)?),
        ["biometric-service", rest @ ..] => biometric(asked, rest),
        _ => Ok(None),
    }
}

fn metrics(asked: &Asked, segments: &[&str]) -> Routed {
    let person = asked.person;
    let life = &person.life;
    match segments {
        ["trainingreadiness", first, rest @ ..] if rest.len() < 2 => {
            let range = asked.range(first, rest.first().unwrap_or(first), YEAR)?;
            // Newest first within a day, as the app shows them.
            let rows = days(person, range).flat_map(|day| life.readiness(day).into_iter().rev());
            found(Value::Array(rows.map(|truth| training::readiness(person, &truth)).collect()))
        }
        ["trainingstatus", "aggregated", day] => latest_status(asked, asked.day(day)?),
        ["trainingstatus", "daily", day] => {
            let day = asked.day(day)?;
            let rows: Vec<_> = life.training_status(day).iter().map(training::status_row).collect();
            found(json!({"latestTrainingStatusData": rows}))
        }
        ["trainingloadbalance", "latest", day] => {
            let newest = back(asked, asked.day(day)?).find_map(|day| life.load_balance(day));
            found_or_204(newest.map(|truth| training::load_balance(person, &truth)))
        }
        ["heataltitudeacclimation", "daily", first, last] => {
            let range = asked.range(first, last, YEAR)?;
            found(each(person, range, |day| Some(training::acclimation(&life.acclimation(day)?))))
        }
        ["maxmet", "daily", first, last] => {
            found(each(person, asked.range(first, last, YEAR)?, |day| training::vo2max(person, &life.vo2max(day))))
        }
        ["maxmet", "latest", day] => {
            let newest = back(asked, asked.day(day)?).find_map(|day| training::vo2max(person, &life.vo2max(day)));
            found_or_204(newest)
        }
        ["racepredictions", "daily", name] => {
            asked.own(name)?;
            let range = asked.query_range("fromCalendarDate", "toCalendarDate", YEAR)?;
            // Each row says what was asked for.
            let row = |day| {
                let mut row = training::race(person, &life.race_prediction(day)?);
                (row["fromCalendarDate"], row["toCalendarDate"]) = (json!(range.0), json!(range.1));
                Some(row)
            };
            found(each(person, range, row))
        }
        ["racepredictions", "latest", name] => {
            asked.own(name)?;
            let newest = back(asked, life.plan().today).find_map(|day| life.race_prediction(day));
            found_or_204(newest.map(|truth| training::race(person, &truth)))
        }
        ["endurancescore"] => {
            let day = asked.query_day("calendarDate")?;
            found_or_204(life.endurance_score(day).map(|truth| training::endurance_day(person, &truth)))
        }
        ["endurancescore", "stats"] => {
            let daily = asked.text("aggregation") == Some("daily");
            let range = asked.query_range("startDate", "endDate", if daily { TWELVE_WEEKS } else { YEAR })?;
            // Weeks are told by their first day.
            let kept = |day: &NaiveDate| daily || (*day - range.0).num_days() % 7 == 0;
            let truths: Vec<_> = days(person, range).filter(kept).filter_map(|day| life.endurance_score(day)).collect();
            found(training::endurance(person, &truths, range))
        }
        ["hillscore"] => {
            let day = asked.query_day("calendarDate")?;
            found_or_204(life.hill_score(day).map(|truth| training::hill_day(person, &truth)))
        }
        ["hillscore", "stats"] => {
            let range = asked.query_range("startDate", "endDate", YEAR)?;
            let truths: Vec<_> = days(person, range).filter_map(|day| life.hill_score(day)).collect();
            found(training::hill(person, &truths, range))
        }
        ["runningtolerance", "stats"] => {
            let range = asked.query_range("startDate", "endDate", 28)?;
            if asked.text("aggregation") != Some("daily") {
                return Err(Reply::json(501, &json!({"error": "NotPlayed", "message": "aggregation=daily only"})));
            }
            found(each(person, range, |day| Some(training::tolerance(&life.running_tolerance(day)?))))
        }
        _ => Ok(None),
    }
}

fn biometric(asked: &Asked, segments: &[&str]) -> Routed {
    let person = asked.person;
    let life = &person.life;
    let today = life.plan().today;
    let tenths = |speed: f64| crate::people::rounded(speed / 10.0, 5);
    match segments {
        ["stats", series, "range", first, last] => {
            let range = asked.range(first, last, YEAR)?;
            let sport = asked.text("sport").unwrap_or("RUNNING").to_lowercase();
            let value = |day: NaiveDate| match *series {
                "lactateThresholdSpeed" => life.lactate_threshold(day)?.speed_mps.map(|speed| json!(tenths(speed))),
                "lactateThresholdHeartRate" => life.lactate_threshold(day)?.hr_bpm.map(|bpm| json!(bpm)),
                _ => life.ftp(day).into_iter().find(|ftp| ftp.sport == sport).map(|ftp| json!(ftp.power_w)),
            };
            if !["lactateThresholdSpeed", "lactateThresholdHeartRate", "functionalThresholdPower"].contains(series) {
                return Ok(None);
            }
            found(each(person, range, |day| Some(training::biometric(day, series, value(day)?))))
        }
        ["biometric", "latestLactateThreshold"] => {
            let speed = back(asked, today).find_map(|day| Some((day, life.lactate_threshold(day)?.speed_mps?)));
            let heart = back(asked, today).find_map(|day| Some((day, life.lactate_threshold(day)?.hr_bpm?)));
            found(json!([
                speed.map(|(day, speed)| json!({"calendarDate": day, "speed": tenths(speed), "hearRate": null})),
                heart.map(|(day, bpm)| json!({"calendarDate": day, "speed": null, "hearRate": bpm}))
            ]))
        }
        ["biometric", "latestFunctionalThresholdPower", sport] => {
            let sport = sport.to_lowercase();
            let newest = back(asked, today).find_map(|day| life.ftp(day).into_iter().find(|ftp| ftp.sport == sport));
            found_or_204(newest.map(|ftp| {
                json!({
                "calendarDate": ftp.day, "sport": sport.to_uppercase(), "functionalThresholdPower": ftp.power_w})
            }))
        }
        ["biometric", "powerToWeight", "latest", day] => {
            let sport = asked.text("sport").unwrap_or("Running").to_lowercase();
            let day = asked.day(day)?;
            let newest = back(asked, day).find_map(|day| life.ftp(day).into_iter().find(|ftp| ftp.sport == sport));
            found_or_204(newest.map(|ftp| {
                json!({
                "calendarDate": ftp.day, "sport": asked.text("sport"), "functionalThresholdPower": ftp.power_w,
                "powerToWeight": crate::people::rounded(ftp.power_w as f64 / 63.5, 3)})
            }))
        }
        _ => Ok(None),
    }
}

/// "Most recent": each part has a date of its own.
fn latest_status(asked: &Asked, day: NaiveDate) -> Routed {
    let (person, life) = (asked.person, &asked.person.life);
    let vo2max = back(asked, day).find_map(|day| training::vo2max(person, &life.vo2max(day)));
    let rows = back(asked, day).map(|day| life.training_status(day)).find(|rows| !rows.is_empty());
    let rows: serde_json::Map<_, _> =
        rows.iter().flatten().map(|truth| (truth.device_id.to_string(), training::status_row(truth))).collect();
    found(json!({
        "userId": person.profile_id, "mostRecentVO2Max": vo2max, "mostRecentTrainingLoadBalance": null,
        "mostRecentTrainingStatus": (!rows.is_empty()).then(|| json!({"latestTrainingStatusData": rows})),
        "heatAltitudeAcclimationDTO": null}))
}

/// From this day back to the first.
fn back(asked: &Asked, day: NaiveDate) -> impl Iterator<Item = NaiveDate> + use<> {
    let first = asked.person.life.first_day();
    std::iter::successors(Some(day), |day| day.pred_opt()).take_while(move |day| *day >= first)
}
