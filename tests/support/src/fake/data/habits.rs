//! What only some people log: cycle, food, lifestyle. Others have nothing there.

use serde_json::json;

use super::{Asked, Routed, found, found_or_204, range};
use crate::people::shape::habits;

pub(super) fn route(asked: &Asked, segments: &[&str]) -> Routed {
    let life = &asked.person.life;
    match segments {
        ["nutrition-service", "food", "logs", day] => {
            let day = asked.day(day)?;
            let hours = (life.plan().local(life.plan().begin(day)) - life.plan().begin(day).naive_utc()).num_hours();
            let offset = format!("{}{:02}:00", if hours < 0 { '-' } else { '+' }, hours.abs());
            found_or_204(life.nutrition(day).map(|truth| habits::food_log(&truth, &life.foods(day), &offset)))
        }
        ["periodichealth-service", "menstrualcycle", "summary", day] => {
            found_or_204(life.menstrual_day(asked.day(day)?).map(|truth| habits::summary(&truth)))
        }
        ["periodichealth-service", "menstrualcycle", "dayview", day] => {
            found_or_204(life.menstrual_day(asked.day(day)?).map(|truth| habits::day(&truth)))
        }
        _ if asked.personal => Ok(None),
        ["periodichealth-service", "menstrualcycle", "calendar", first, last] => {
            // Cycles to come may be asked for too.
            let (first, last) = range(first, last, 91, 400)?;
            found(habits::calendar(first, last, &life.cycles(first, last)))
        }
        ["lifestylelogging-service", "dailyLog", day] => {
            let logged = life.lifestyle(asked.day(day)?);
            found(if logged.is_empty() { json!({}) } else { habits::lifestyle(&logged) })
        }
        _ => Ok(None),
    }
}
