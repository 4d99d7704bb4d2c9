//! Samples within one day, and the detail of a night.

use serde_json::Value;

use super::{Asked, Routed, found};
use crate::fake::http::Reply;
use crate::people::shape::{body, intraday};

pub(super) fn route(asked: &Asked, segments: &[&str]) -> Routed {
    let Asked { person, personal, .. } = asked;
    match segments {
        ["wellness-service", "wellness", "dailyHeartRate"] => {
            // The account tier wants a name in the path.
            if !personal {
                return Err(Reply::exception(403));
            }
            let day = asked.query_day("date")?;
            found(intraday::heart_rate(person, day, asked.samples(day)))
        }
        ["wellness-service", "wellness", "daily", "spo2acclimation", day] => {
            let day = asked.day(day)?;
            found(intraday::spo2(person, day, asked.samples(day)))
        }
        _ if *personal => Ok(None),
        ["wellness-service", "wellness", "dailyHeartRate", name] => {
            asked.own(name)?;
            let day = asked.query_day("date")?;
            found(intraday::heart_rate(person, day, asked.samples(day)))
        }
        ["wellness-service", "wellness", "dailyStress", day] => {
            let day = asked.day(day)?;
            found(intraday::stress(person, day, asked.samples(day)))
        }
        ["wellness-service", "wellness", "daily", kind @ ("respiration" | "spo2" | "im"), day] => {
            let day = asked.day(day)?;
            let shape = match *kind {
                "respiration" => intraday::respiration,
                "spo2" => intraday::spo2,
                _ => intraday::intensity,
            };
            found(shape(person, day, asked.samples(day)))
        }
        ["wellness-service", "wellness", "dailySummaryChart", name] => {
            asked.own(name)?;
            let day = asked.query_day("date")?;
            found(intraday::steps(&person.life, day, asked.samples(day)))
        }
        ["wellness-service", "wellness", "floorsChartData", "daily", day] => {
            let day = asked.day(day)?;
            found(intraday::floors(person, day, asked.samples(day)))
        }
        ["wellness-service", "wellness", "bodyBattery", "events", day] => {
            found(body::battery_events(person, asked.day(day)?))
        }
        ["wellness-service", "wellness", "dailyEvents"] => {
            let day = asked.query_day("calendarDate")?;
            found(Value::Array(person.life.noticed(day).iter().map(intraday::noticed).collect()))
        }
        ["wellness-service", "wellness", "dailySleepData", name] => {
            asked.own(name)?;
            night(asked)
        }
        ["sleep-service", "sleep", "dailySleepData"] => night(asked),
        _ => Ok(None),
    }
}

fn night(asked: &Asked) -> Routed {
    let day = asked.query_day("date")?;
    let buffer = asked.text("nonSleepBufferMinutes").map(|text| text.parse().map_err(|_| Reply::exception(400)));
    found(intraday::night(asked.person, day, buffer.transpose()?, asked.samples(day)))
}
