//! The activity listing: offset paging, filter by local start date, order, and the counts beside it.

use serde_json::{Value, json};

use super::{Asked, date};
use crate::fake::http::Reply;
use crate::people::shape::activity;
use crate::people::{ActivityTruth, Person};

/// Parameters that are played. Garmin knows more; a fake that ignored one would lie about its effect.
const PLAYED: [&str; 8] =
    ["start", "limit", "startDate", "endDate", "sortBy", "sortOrder", "excludeChildren", "activityType"];

pub(super) fn search(asked: &Asked) -> Result<Value, Reply> {
    if let Some(name) = asked.query.keys().find(|name| !PLAYED.contains(&name.as_str())) {
        let message = format!("the fake does not play {name}");
        return Err(Reply::json(501, &json!({"error": "NotPlayed", "message": message})));
    }
    let number = |name: &str, default: usize| match asked.text(name) {
        Some(text) => text.parse().map_err(|_| Reply::exception(400)),
        None => Ok(default),
    };
    let start = number("start", 0)?;
    let limit = number("limit", if asked.personal { 99 } else { 20 })?;
    match (asked.personal, limit) {
        (true, 46..) => return Err(Reply::exception(500)),
        (false, 1001..) => return Err(Reply::exception(400)),
        _ => {}
    }
    let first = asked.text("startDate").map(date).transpose()?;
    let last = asked.text("endDate").map(date).transpose()?;
    if first.zip(last).is_some_and(|(first, last)| last < first) {
        return Err(Reply::exception(400));
    }
    let life = &asked.person.life;
    let mut listed = life.activities();
    if asked.text("excludeChildren") == Some("false") {
        listed.extend(life.legs());
        listed.sort_by_key(|truth| std::cmp::Reverse((truth.start_utc, truth.activity_id)));
    }
    if asked.text("sortOrder") == Some("asc") {
        listed.reverse();
    }
    let wanted = |truth: &&ActivityTruth| {
        let day = truth.start_local.date();
        first.is_none_or(|first| day >= first)
            && last.is_none_or(|last| day <= last)
            && asked.text("activityType").is_none_or(|kind| truth.kind.contains(kind))
    };
    let page = listed.into_iter().filter(wanted).skip(start).take(limit);
    Ok(Value::Array(page.map(|truth| activity::item(asked.person, truth)).collect()))
}

/// All activities, legs included, and the legs alone.
pub(super) fn count(person: &Person) -> Value {
    let legs = person.life.legs().len();
    json!({"totalCount": person.life.activities().len() + legs, "multisportChildCount": legs})
}
