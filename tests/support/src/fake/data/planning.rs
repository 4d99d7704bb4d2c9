//! Profile, workouts, calendar and challenges; the account tier alone has them.

use chrono::{Days, Months, NaiveDate};
use serde_json::json;

use super::things::page;
use super::{Asked, Routed, found};
use crate::fake::http::Reply;
use crate::people::shape::planning;

pub(super) fn route(asked: &Asked, segments: &[&str]) -> Routed {
    let life = &asked.person.life;
    if asked.personal {
        return Ok(None);
    }
    match segments {
        ["userprofile-service", "userprofile", "user-settings"] => {
            found(planning::user_settings(asked.person.profile_id, life))
        }
        ["workout-service", "workouts"] => {
            let (skip, limit) = page(asked, 0)?;
            let workouts = life.workouts();
            found(json!(workouts.iter().skip(skip).take(limit).map(planning::workout).collect::<Vec<_>>()))
        }
        ["workout-service", "workout", id] => {
            let id: i64 = id.parse().map_err(|_| Reply::exception(400))?;
            let workout = life.workouts().into_iter().find(|workout| workout.workout_id == id);
            let workout = workout.ok_or_else(|| Reply::exception(404))?;
            let steps: Vec<_> = life.workout_steps().into_iter().filter(|step| step.workout_id == id).collect();
            found(planning::workout_detail(&workout, &steps))
        }
        ["calendar-service", "year", year, "month", month] => {
            // Counted from 0. A page shows some days of the neighbours, too.
            let number = |text: &str| text.parse::<u32>().map_err(|_| Reply::exception(400));
            let (year, month) = (number(year)?, number(month)?);
            let first = NaiveDate::from_ymd_opt(year as i32, month + 1, 1).ok_or_else(|| Reply::exception(400))?;
            let (from, to) = (first - Days::new(3), first + Months::new(1) + Days::new(3));
            let days = from.iter_days().take_while(|day| *day < to);
            let mut items: Vec<_> =
                days.clone().filter_map(|day| Some(planning::calendar(&life.calendar(day)?))).collect();
            items.extend(days.flat_map(|day| life.activities_on(day)).map(|it| {
                json!({"id": it.activity_id, "itemType": "activity", "title": it.name, "date": it.start_local.date()})
            }));
            found(json!({"year": year, "month": month, "startDayOfMonth": 4, "calendarItems": items}))
        }
        [service @ ("badgechallenge-service" | "adhocchallenge-service"), kind, list] => {
            let kind = match (*service, *kind, *list) {
                ("badgechallenge-service", "badgeChallenge", "completed") => "completed",
                ("badgechallenge-service", "virtualChallenge", "inProgress") => "in_progress",
                ("adhocchallenge-service", "adHocChallenge", "historical") => "with_friends",
                ("badgechallenge-service", "badgeChallenge", "available" | "non-completed") => "",
                _ => return Ok(None),
            };
            // 1-based, and both are wanted.
            if asked.text("start").is_none() || asked.text("limit").is_none() {
                return Err(Reply::exception(400));
            }
            let (skip, limit) = page(asked, 1)?;
            let challenges = life.challenges().into_iter().filter(|it| it.kind == kind);
            found(json!(challenges.skip(skip).take(limit).map(|it| planning::challenge(&it)).collect::<Vec<_>>()))
        }
        _ => Ok(None),
    }
}
