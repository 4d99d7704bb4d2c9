//! The data endpoints of both tiers: who may ask, which ranges are too long, and what a day without data looks like.
//! `World` calls `account` for connectapi and `personal` (the module) for the other tier; the JSON is `people::shape`'s.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::diauth::strict_refusal;
use super::http::{Host, Reply, Request, pages};
use super::listing;
use super::stats;
use super::world::World;
use crate::people::shape::{activity, daily, hrv, profile, sleep};
use crate::people::{ActivityTruth, Person};

/// One data request whose token was good.
pub(super) struct Asked<'a> {
    pub person: &'a Person,
    pub personal: bool,
    pub query: HashMap<String, String>,
}

pub(super) fn account(world: &World, request: &Request) -> Reply {
    strict_refusal(world, request).unwrap_or_else(|| answer(world, request))
}

pub(super) fn personal(world: &World, request: &Request) -> Reply {
    answer(world, request)
}

fn answer(world: &World, request: &Request) -> Reply {
    let personal = request.host == Host::Personal;
    let Some(access) = request.bearer().and_then(|token| world.tokens.access(token)) else {
        return Reply::html(401, pages::BAD_TOKEN);
    };
    if access.personal != personal {
        return Reply::html(401, pages::BAD_TOKEN);
    }
    let revoked_key =
        personal && world.person(&access.user).is_none_or(|person| person.key_state != crate::people::KeyState::Ok);
    let refused = access.widget && world.knobs.refuse_widget_tokens;
    if access.expires <= world.now() || revoked_key || refused {
        let why = "Bearer error=\"invalid_token\", error_description=\"Token is not active\"";
        return Reply::empty(401).with("www-authenticate", why);
    }
    let Some(person) = world.person(&access.user) else { return Reply::html(401, pages::BAD_TOKEN) };
    if request.method != "GET" {
        return Reply::exception(405).with("allow", "GET");
    }
    let asked = Asked { person, personal, query: request.query() };
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let ["download-service", "files", "activity", id] = segments[..] {
        return download(world, &asked, request, id);
    }
    let accept = request.header("accept").unwrap_or("*/*");
    if !accept.contains("json") && !accept.contains("*/*") {
        return Reply::exception(406);
    }
    route(world, &asked, &segments).unwrap_or_else(|refusal| refusal)
}

/// `Err` is a refusal, only so that `?` can be used.
fn route(world: &World, asked: &Asked, segments: &[&str]) -> Result<Reply, Reply> {
    let Asked { person, personal, .. } = asked;
    let answer = match segments {
        ["usersummary-service", "v2", "dailysummaries"] => {
            // The Personal tier fails on a long range instead of refusing it.
            let (cap, refusal) = if *personal { (90, 500) } else { (31, 400) };
            let items = days(asked.range("startDate", "endDate", cap, refusal)?)
                .filter_map(|day| person.life.daily(day))
                .map(|truth| daily::v2(person, truth))
                .collect::<Vec<_>>();
            json!({"data": items})
        }
        ["usersummary-service", "usersummary", "daily"] => summary_v1(asked)?,
        ["usersummary-service", "usersummary", "daily", name] if !personal => {
            // Without a name it answers for the owner of the token, with a foreign one not at all.
            if !name.is_empty() && *name != person.display_name {
                return Err(Reply::exception(403));
            }
            summary_v1(asked)?
        }
        ["sleep-service", "stats", "sleep", "daily", start, end] if !personal => {
            let items = days(range(start, end, 28, 400)?)
                .filter_map(|day| Some(sleep::stats(person.life.sleep(day)?, person.life.hrv(day))))
                .collect::<Vec<_>>();
            json!({"overallStats": {"averageSleepScore": 74}, "individualStats": items})
        }
        ["sleep-service", "sleep", "dailySleep"] => {
            let day = asked.day("date")?;
            match person.life.sleep(day) {
                Some(truth) => sleep::flat(person.profile_id, truth),
                None => sleep::flat_nothing(person.profile_id, day),
            }
        }
        ["sleep-service", "sleep", "dailySleepSummariesByDate"] => {
            let items = days(asked.range("startDate", "endDate", 31, 400)?)
                .filter_map(|day| person.life.sleep(day))
                .map(|truth| sleep::flat(person.profile_id, truth))
                .collect();
            Value::Array(items)
        }
        ["hrv-service", "hrv", "daily", start, end] => {
            let items: Vec<_> = days(range(start, end, if *personal { 365 } else { 367 }, 400)?)
                .filter_map(|day| person.life.hrv(day))
                .map(|truth| hrv::summary(person, truth))
                .collect();
            if items.is_empty() {
                return Ok(Reply::empty(204));
            }
            json!({"hrvSummaries": items, "userProfilePk": person.profile_id})
        }
        ["hrv-service", "hrv", day] => {
            let day = date(day)?;
            if *personal && day >= person.life.plan().today {
                return Err(Reply::exception(400));
            }
            match person.life.hrv(day) {
                Some(truth) => hrv::day(person, truth),
                None => return Ok(Reply::empty(204)),
            }
        }
        ["activitylist-service", "activities", "search", "activities"] => listing::search(asked)?,
        ["activitylist-service", "activities", "count"] if !personal => listing::count(person),
        ["activity-service", "activity", id] => {
            let (owner, truth) = find(world, id)?;
            if owner.email != person.email {
                return Err(Reply::exception(403));
            }
            activity::detail(person, truth)
        }
        ["userprofile-service", "userprofile", "settings"] => profile::settings(person),
        ["userprofile-service", "userprofile", "user-settings"] if !personal => profile::user_settings(person),
        ["userprofile-service", "socialProfile"] if !personal => profile::social(person),
        ["device-service", "deviceservice", "mylastused"] if !personal => profile::last_used_device(person),
        ["wellness-service", "wellness", "syncTimestamp"] if !personal => {
            json!(person.life.last_sync().format("%Y-%m-%dT%H:%M:%S.0").to_string())
        }
        _ if *personal => return stats::route(asked, segments),
        _ => return Err(Reply::html(404, pages::NOT_FOUND)),
    };
    Ok(Reply::json(200, &answer))
}

fn summary_v1(asked: &Asked) -> Result<Value, Reply> {
    let day = asked.day("calendarDate")?;
    Ok(match asked.person.life.daily(day) {
        Some(truth) => daily::v1(asked.person, truth),
        None => daily::v1_nothing(asked.person, day),
    })
}

fn download(world: &World, asked: &Asked, request: &Request, id: &str) -> Reply {
    let accept = request.header("accept").unwrap_or("*/*");
    if asked.personal && !accept.contains("zip") && !accept.contains("*/*") {
        return Reply::exception(406);
    }
    let (owner, truth) = match find(world, id) {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    if owner.email != asked.person.email {
        return Reply::exception(403);
    }
    let Some(zip) = owner.life.original(truth.activity_id).and_then(|original| original.zip().ok()) else {
        return Reply::exception(404);
    };
    Reply::typed(200, "application/x-zip-compressed", zip)
        .with("content-disposition", format!("attachment; filename=\"{id}.zip\""))
}

/// An activity by the text of its id, whoever it belongs to.
fn find<'a>(world: &'a World, id: &str) -> Result<(&'a Person, &'a ActivityTruth), Reply> {
    let id: i64 = id.parse().map_err(|_| Reply::exception(400))?;
    let found = world.people.iter().find_map(|person| Some((person, person.life.activity(id)?)));
    found.ok_or_else(|| Reply::exception(404))
}

impl Asked<'_> {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub fn day(&self, name: &str) -> Result<NaiveDate, Reply> {
        date(self.text(name).unwrap_or_default())
    }

    pub fn range(&self, first: &str, last: &str, cap: i64, refusal: u16) -> Result<(NaiveDate, NaiveDate), Reply> {
        range(self.text(first).unwrap_or_default(), self.text(last).unwrap_or_default(), cap, refusal)
    }
}

/// `YYYY-MM-DD` and nothing else.
pub(super) fn date(text: &str) -> Result<NaiveDate, Reply> {
    let shaped = text.len() == 10;
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| shaped).ok_or_else(|| Reply::exception(400))
}

/// First and last day, both included; more than `cap` days are refused.
pub(super) fn range(first: &str, last: &str, cap: i64, refusal: u16) -> Result<(NaiveDate, NaiveDate), Reply> {
    let (first, last) = (date(first)?, date(last)?);
    match (last - first).num_days() + 1 {
        ..1 => Err(Reply::exception(400)),
        days if days > cap => Err(Reply::exception(refusal)),
        _ => Ok((first, last)),
    }
}

pub(super) fn days((first, last): (NaiveDate, NaiveDate)) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |day| *day <= last)
}
