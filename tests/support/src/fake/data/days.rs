//! Day-level endpoints: summaries, lists for one measure, nights, HRV.

use serde_json::{Value, json};

use super::{ANY, Asked, Routed, days, each, found, found_or_204, range};
use crate::fake::http::Reply;
use crate::people::shape::{daily, hrv, sleep, stats};

pub(super) fn route(asked: &Asked, segments: &[&str]) -> Routed {
    let Asked { person, personal, .. } = asked;
    let life = &person.life;
    match segments {
        ["usersummary-service", "v2", "dailysummaries"] => {
            let (first, last) = ("startDate", "endDate");
            // The Personal tier fails on a long range instead of refusing it.
            if *personal {
                let text = |name| asked.text(name).unwrap_or_default();
                range(text(first), text(last), 90, 500)?;
            }
            let range = asked.query_range(first, last, if *personal { ANY } else { 31 })?;
            let items = each(person, range, |day| Some(daily::v2(person, life.daily(day)?)));
            found(json!({"data": items}))
        }
        ["usersummary-service", "usersummary", "daily"] => summary_v1(asked),
        ["usersummary-service", "usersummary", "daily", name] if !personal => {
            // Without a name it answers for the owner of the token, with a foreign one not at all.
            if !name.is_empty() {
                asked.own(name)?;
            }
            summary_v1(asked)
        }
        ["usersummary-service", "usersummary", "hydration", kind @ ("daily" | "allData"), day] if !personal => {
            let day = asked.day(day)?;
            let mut answer = stats::daily(person, "hydration", day)
                .unwrap_or_else(|| json!({"calendarDate": day, "valueInML": null, "goalInML": 2500.0}));
            if *kind == "allData" {
                answer["baseGoalInML"] = json!(2500.0);
            }
            found(answer)
        }
        ["usersummary-service", "stats", kind, "daily", first, last] => {
            let cap = match (*kind, *personal) {
                ("steps" | "stress", _) | ("hydration", false) => 28,
                ("hydration", true) => 31,
                ("bodybattery" | "heartRate" | "floors" | "im", false) => 28,
                ("respiration", false) => 31,
                _ => return Ok(None),
            };
            found(each(person, asked.range(first, last, cap)?, |day| stats::daily(person, kind, day)))
        }
        ["usersummary-service", "stats", kind @ ("steps" | "stress" | "heartRate"), "weekly", last, weeks]
            if !personal =>
        {
            let last = asked.day(last)?;
            let weeks = weeks.parse::<u64>().ok().filter(|weeks| (1..=52).contains(weeks));
            let weeks = weeks.ok_or_else(|| Reply::exception(400))?;
            let first = stats::monday(last) - chrono::Days::new(7 * (weeks - 1));
            let mondays = first.iter_weeks().take_while(|day| *day <= last);
            found(Value::Array(mondays.filter_map(|day| stats::weekly(person, kind, day)).collect()))
        }
        ["usersummary-service", "stats", "im", "weekly", first, last] if !personal => {
            let (first, last) = asked.range(first, last, 366)?;
            let mondays = stats::monday(first).iter_weeks().take_while(|day| *day <= last);
            found(Value::Array(mondays.filter_map(|day| stats::weekly(person, "im", day)).collect()))
        }
        ["userstats-service", "wellness", "daily", name] if !personal => {
            asked.own(name)?;
            let range = asked.query_range("fromDate", "untilDate", 366)?;
            let ids: Vec<_> = asked.metric_ids.iter().map(String::as_str).collect();
            found(stats::metrics(person, &ids, range))
        }
        ["wellness-service", "stats", "daily", "acclimation"] if !personal => {
            let range = asked.query_range("fromDate", "untilDate", ANY)?;
            found(stats::acclimation(person, days(person, range)))
        }
        ["wellness-service", "stats", "daily", "sleep", "score", first, last] if !personal => {
            let range = asked.range(first, last, 28)?;
            let score = |day| Some(json!({"calendarDate": day, "value": life.sleep(day)?.score?}));
            found(each(person, range, score))
        }
        ["sleep-service", "stats", "sleep", "daily", first, last] if !personal => {
            let skin = |day| life.health_status(day).and_then(|status| status.skin_temp.value);
            let items = each(person, asked.range(first, last, 28)?, |day| {
                Some(sleep::stats(life.sleep(day)?, life.hrv(day), skin(day)))
            });
            found(json!({"overallStats": {"averageSleepScore": 74}, "individualStats": items}))
        }
        ["sleep-service", "sleep", "dailySleep"] => {
            let day = asked.query_day("date")?;
            found(match life.sleep(day) {
                Some(truth) => sleep::flat(person.profile_id, truth, life.nap(day)),
                None => sleep::flat_nothing(person.profile_id, day),
            })
        }
        ["sleep-service", "sleep", "dailySleepSummariesByDate"] => {
            let range = asked.query_range("startDate", "endDate", 31)?;
            // A day without a night is left out, or an object of nulls: on the Personal tier where the watch was worn that day.
            let nulls = |day| *personal && life.daily(day).is_some();
            found(each(person, range, |day| match life.sleep(day) {
                Some(truth) => Some(sleep::flat(person.profile_id, truth, life.nap(day))),
                None => nulls(day).then(|| sleep::flat_nothing(person.profile_id, day)),
            }))
        }
        ["sleep-service", "sleep", "naps", day] if !personal => {
            let day = asked.day(day)?;
            found(json!(life.nap(day).map(|nap| sleep::nap(&nap)).into_iter().collect::<Vec<_>>()))
        }
        ["hrv-service", "hrv", "daily", first, last] => {
            let range = asked.range(first, last, if *personal { 365 } else { 367 })?;
            let items: Vec<_> =
                days(person, range).filter_map(|day| Some(hrv::summary(person, life.hrv(day)?))).collect();
            found_or_204(
                (!items.is_empty()).then(|| json!({"hrvSummaries": items, "userProfilePk": person.profile_id})),
            )
        }
        ["hrv-service", "hrv", day] => {
            let day = asked.day(day)?;
            if *personal && day >= life.plan().today {
                return Err(Reply::exception(400));
            }
            found_or_204(life.hrv(day).map(|truth| hrv::day(person, truth, asked.samples(day))))
        }
        _ => Ok(None),
    }
}

fn summary_v1(asked: &Asked) -> Routed {
    let day = asked.query_day("calendarDate")?;
    found(match asked.person.life.daily(day) {
        Some(truth) => daily::v1(asked.person, truth),
        None => daily::v1_nothing(asked.person, day),
    })
}
