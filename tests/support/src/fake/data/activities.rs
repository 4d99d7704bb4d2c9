//! Activities: the listing, one of them, and what stands beside it.

use serde_json::json;

use super::{Asked, Routed, each, found, found_or_204, listing};
use crate::fake::http::Reply;
use crate::people::shape::{activity, session};
use crate::people::{ActivityTruth, Person};

pub(super) fn route(asked: &Asked, segments: &[&str]) -> Routed {
    let Asked { person, personal, .. } = asked;
    match segments {
        ["activitylist-service", "activities", "search", "activities"] => found(listing::search(asked)?),
        ["activitylist-service", "activities", "count"] if !personal => found(listing::count(person)),
        ["activitylist-service", "activities", "fordailysummary", name] if !personal => {
            asked.own(name)?;
            let day = asked.query_day("calendarDate")?;
            found(
                each(person, (day, day), |day| {
                    Some(json!(person.life.activities_on(day).map(|it| activity::item(person, it)).collect::<Vec<_>>()))
                })[0]
                    .take(),
            )
        }
        ["activity-service", "activity", id] => found(activity::detail(person, own(asked, id)?)),
        ["activity-service", "activity", id, "workouts"] => found(session::workouts(person, own(asked, id)?)),
        ["activity-service", "activity", id, what] if !personal => {
            let truth = own(asked, id)?;
            match *what {
                "details" => found(session::chart(truth)),
                "splits" => found(session::splits(person, truth)),
                "typedsplits" => found(session::typed_splits(person, truth)),
                "split_summaries" => found(json!({"splitSummaries": []})),
                "hrTimeInZones" => found(session::hr_zones(person, truth)),
                "powerTimeInZones" => found(session::power_zones(person, truth)),
                "exerciseSets" => found(session::sets(person, truth)),
                "weather" => match person.life.weather(truth) {
                    Some(weather) => found(session::weather(truth, &weather)),
                    // Indoors it is absent in one way or the other.
                    None if truth.activity_id % 20 < 10 => Err(Reply::exception(404)),
                    None => found_or_204(None),
                },
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// An activity of the person's, by the text of its id: 404 if there is none, 403 if it is somebody else's.
pub(super) fn own<'a>(asked: &Asked<'a>, id: &str) -> Result<&'a ActivityTruth, Reply> {
    let id: i64 = id.parse().map_err(|_| Reply::exception(400))?;
    let of = |person: &'a Person| Some((person, person.life.activity(id)?));
    let (owner, truth) = asked.world.people.iter().find_map(of).ok_or_else(|| Reply::exception(404))?;
    if owner.email == asked.person.email { Ok(truth) } else { Err(Reply::exception(403)) }
}
