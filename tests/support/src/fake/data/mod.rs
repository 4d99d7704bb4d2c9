//! The data endpoints of both tiers: who may ask, which ranges are too long, and what a day without data looks like.
//! `World` calls `account` for connectapi and `personal` (the module) for the other tier. One file a family of endpoints;
//! the JSON is `people::shape`'s.

mod activities;
mod body;
mod days;
mod files;
mod habits;
mod intraday;
mod listing;
mod planning;
mod things;
mod training;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::diauth::strict_refusal;
use super::http::{Host, Reply, Request, pages};
use super::world::World;
use crate::people::{KeyState, Person};

/// No longest range is known.
const ANY: i64 = i64::MAX;

/// What a family of endpoints says: a reply, `None` (not its path), or a refusal, which is an `Err` only for `?`.
type Routed = Result<Option<Reply>, Reply>;

/// One data request whose token was good.
pub(super) struct Asked<'a> {
    pub world: &'a World,
    pub person: &'a Person,
    pub personal: bool,
    pub query: HashMap<String, String>,
    /// Every value of `metricId`, which may be repeated.
    metric_ids: Vec<String>,
    accept: &'a str,
    same_origin: bool,
    now: DateTime<Utc>,
}

pub(super) fn account(world: &mut World, request: &Request) -> Reply {
    strict_refusal(world, request).unwrap_or_else(|| answer(world, request))
}

pub(super) fn personal(world: &mut World, request: &Request) -> Reply {
    answer(world, request)
}

fn answer(world: &mut World, request: &Request) -> Reply {
    let user = match user(world, request) {
        Ok(user) => user,
        Err(refusal) => return refusal,
    };
    let personal = request.host == Host::Personal;
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let ["wellness-service", "wellness", "epoch", "request", day]
    | ["wellness-service", "wellness", "epoch", "request", day, _] = segments[..]
        && !personal
    {
        return ask_back(world, request, &user, day);
    }
    if request.method != "GET" {
        return Reply::exception(405).with("allow", "GET");
    }
    let Some(person) = world.person(&user) else { return Reply::html(401, pages::BAD_TOKEN) };
    let pairs = url::form_urlencoded::parse(request.query_text.as_bytes());
    let asked = Asked {
        world,
        person,
        personal,
        query: request.query(),
        metric_ids: pairs.filter(|(name, _)| name == "metricId").map(|(_, value)| value.into_owned()).collect(),
        accept: request.header("accept").unwrap_or("*/*"),
        same_origin: request.header("sec-fetch-site") == Some("same-origin"),
        now: world.now(),
    };
    if asked.one_day(&segments).is_some_and(|day| person.life.is_broken(day, &request.path)) {
        return Reply::exception(500);
    }
    route(&asked, &segments).unwrap_or_else(|refusal| refusal)
}

/// Whose token this is.
fn user(world: &World, request: &Request) -> Result<String, Reply> {
    let personal = request.host == Host::Personal;
    let foreign = || Reply::html(401, pages::BAD_TOKEN);
    let access = request.bearer().and_then(|token| world.tokens.access(token)).ok_or_else(foreign)?;
    if access.personal != personal {
        return Err(foreign());
    }
    let revoked_key = personal && world.person(&access.user).is_none_or(|person| person.key_state != KeyState::Ok);
    let refused = access.widget && world.knobs.refuse_widget_tokens;
    if access.expires <= world.now() || revoked_key || refused {
        let why = "Bearer error=\"invalid_token\", error_description=\"Token is not active\"";
        return Err(Reply::empty(401).with("www-authenticate", why));
    }
    Ok(access.user.clone())
}

fn route(asked: &Asked, segments: &[&str]) -> Result<Reply, Reply> {
    // Files first: they are not JSON, and so is what a client may accept.
    if let Some(reply) = files::route(asked, segments)? {
        return Ok(reply);
    }
    if !asked.accept.contains("json") && !asked.accept.contains("*/*") {
        return Err(Reply::exception(406));
    }
    let families = [
        days::route,
        intraday::route,
        training::route,
        body::route,
        habits::route,
        planning::route,
        things::route,
        activities::route,
    ];
    for family in families {
        if let Some(reply) = family(asked, segments)? {
            return Ok(reply);
        }
    }
    Err(Reply::html(404, pages::NOT_FOUND))
}

/// Garmin fetches the samples of a day from where it has put them; they are there after a while.
fn ask_back(world: &mut World, request: &Request, user: &str, day: &str) -> Reply {
    if request.method != "POST" {
        return Reply::exception(405).with("allow", "POST");
    }
    let (now, pause) = (world.now(), world.knobs.reload_pause);
    let Some(person) = world.person_mut(user) else { return Reply::html(401, pages::BAD_TOKEN) };
    let Some(day) = date(day).ok().filter(|day| *day <= latest(person, now)) else { return Reply::exception(400) };
    person.life.ask_back(day, now + pause);
    Reply::json(200, &json!({"status": "SUBMITTED", "calendarDate": day, "userProfilePk": null}))
}

fn found(answer: Value) -> Routed {
    Ok(Some(Reply::json(200, &answer)))
}

/// 204 where there is nothing.
fn found_or_204(answer: Option<Value>) -> Routed {
    Ok(Some(answer.map_or_else(|| Reply::empty(204), |answer| Reply::json(200, &answer))))
}

impl Asked<'_> {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The last day that is not in the future.
    pub fn latest(&self) -> NaiveDate {
        latest(self.person, self.now)
    }

    /// A day in the path. Future ones are refused.
    pub fn day(&self, text: &str) -> Result<NaiveDate, Reply> {
        Some(date(text)?).filter(|day| *day <= self.latest()).ok_or_else(|| Reply::exception(400))
    }

    /// A day in the query. Future ones are refused.
    pub fn query_day(&self, name: &str) -> Result<NaiveDate, Reply> {
        self.day(self.text(name).unwrap_or_default())
    }

    /// First and last day of the path; more than `cap` days and days in the future are refused.
    pub fn range(&self, first: &str, last: &str, cap: i64) -> Result<(NaiveDate, NaiveDate), Reply> {
        let (first, last) = range(first, last, cap, 400)?;
        if last > self.latest() { Err(Reply::exception(400)) } else { Ok((first, last)) }
    }

    /// First and last day of the query.
    pub fn query_range(&self, first: &str, last: &str, cap: i64) -> Result<(NaiveDate, NaiveDate), Reply> {
        self.range(self.text(first).unwrap_or_default(), self.text(last).unwrap_or_default(), cap)
    }

    /// The display name in a path has to be the owner's of the token.
    pub fn own(&self, name: &str) -> Result<(), Reply> {
        if name == self.person.display_name { Ok(()) } else { Err(Reply::exception(403)) }
    }

    /// True if the day's samples are there, not put away.
    pub fn samples(&self, day: NaiveDate) -> bool {
        self.person.life.has_samples(day, self.now)
    }

    /// The day that a request for a single one is about.
    fn one_day(&self, segments: &[&str]) -> Option<NaiveDate> {
        let values = self.query.values().map(String::as_str);
        let days: BTreeSet<_> = segments.iter().copied().chain(values).filter_map(|text| date(text).ok()).collect();
        days.first().copied().filter(|_| days.len() == 1)
    }
}

/// The last day that is not in a person's future.
fn latest(person: &Person, now: DateTime<Utc>) -> NaiveDate {
    let plan = person.life.plan();
    plan.today.max(now.with_timezone(&plan.home).date_naive())
}

/// `YYYY-MM-DD` and nothing else.
fn date(text: &str) -> Result<NaiveDate, Reply> {
    let shaped = text.len() == 10;
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| shaped).ok_or_else(|| Reply::exception(400))
}

/// First and last day, both included; more than `cap` days are refused.
fn range(first: &str, last: &str, cap: i64, refusal: u16) -> Result<(NaiveDate, NaiveDate), Reply> {
    let (first, last) = (date(first)?, date(last)?);
    match (last - first).num_days() + 1 {
        ..1 => Err(Reply::exception(400)),
        days if days > cap => Err(Reply::exception(refusal)),
        _ => Ok((first, last)),
    }
}

/// Every day of a range that can have data; what lies outside a life is walked over at once.
fn days(person: &Person, (first, last): (NaiveDate, NaiveDate)) -> impl Iterator<Item = NaiveDate> + use<> {
    let (first, last) = (first.max(person.life.first_day()), last.min(person.life.plan().today));
    first.iter_days().take_while(move |day| *day <= last)
}

/// The list of what each day of a range gives.
fn each(person: &Person, range: (NaiveDate, NaiveDate), of: impl Fn(NaiveDate) -> Option<Value>) -> Value {
    Value::Array(days(person, range).filter_map(of).collect())
}
