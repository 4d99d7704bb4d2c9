//! Identity and inventories: devices, gear, records, badges, goals, types, zones.

use serde_json::{Value, json};

use super::{Asked, Routed, found};
use crate::fake::http::Reply;
use crate::people::shape::{activity, profile, things};

pub(super) fn route(asked: &Asked, segments: &[&str]) -> Routed {
    let person = asked.person;
    let life = &person.life;
    match segments {
        ["userprofile-service", "userprofile", "settings"] => found(profile::settings(person)),
        ["biometric-service", "heartRateZones", "v2"] => {
            found(json!(life.hr_zones().iter().map(things::hr_zone).collect::<Vec<_>>()))
        }
        _ if asked.personal => Ok(None),
        ["biometric-service", "heartRateZones"] => {
            found(json!(life.hr_zones().iter().map(things::hr_zone).collect::<Vec<_>>()))
        }
        ["biometric-service", "powerZones", "sports", "all"] => {
            found(json!(life.power_zones().iter().map(things::power_zone).collect::<Vec<_>>()))
        }
        ["userprofile-service", "userprofile", "personal-information", name] => {
            asked.own(name)?;
            found(profile::personal_information(person))
        }
        ["userprofile-service", "socialProfile"] => found(profile::social(person)),
        ["device-service", "deviceservice", "mylastused"] => found(profile::last_used_device(person)),
        ["wellness-service", "wellness", "syncTimestamp"] => {
            found(json!(life.last_sync().format("%Y-%m-%dT%H:%M:%S.0").to_string()))
        }
        ["device-service", "deviceregistration", "devices", rest @ ..] => {
            let kept: fn(bool) -> bool = match rest {
                [] => |current| current,
                ["historical"] => |current| !current,
                ["all", name] => {
                    asked.own(name)?;
                    |_| true
                }
                _ => return Ok(None),
            };
            let devices = life.devices().into_iter().filter(|device| kept(device.current));
            found(json!(devices.map(|device| things::device(&device)).collect::<Vec<_>>()))
        }
        ["web-gateway", "device-info", "primary-training-device"] => found(things::primary(person)),
        ["gear-service", "gear", rest @ ..] => gear(asked, rest),
        ["personalrecord-service", "personalrecord", "prs", name] => {
            asked.own(name)?;
            found(json!(life.records().iter().map(things::record).collect::<Vec<_>>()))
        }
        ["badge-service", "badge", "earned"] => {
            found(json!(life.badges().iter().map(things::badge).collect::<Vec<_>>()))
        }
        ["badge-service", "badge", "available"] => found(json!([])),
        ["goal-service", "goal", "goals"] => {
            let (skip, limit) = page(asked, 1)?;
            let status = asked.text("status").ok_or_else(|| Reply::exception(400))?;
            // Newer kinds only show to what looks like Garmin's own page.
            let goals = life.goals().into_iter().filter(|it| it.status == status && (asked.same_origin || !it.newer));
            found(json!(goals.skip(skip).take(limit).map(|it| things::goal(person, &it)).collect::<Vec<_>>()))
        }
        ["activity-service", "activity", "activityTypes"] => {
            found(json!(life.activity_types().iter().map(things::activity_type).collect::<Vec<_>>()))
        }
        ["activitylist-service", "activities", uuid, "gear"] => {
            let (skip, limit) = page(asked, 0)?;
            if !life.gear().iter().any(|gear| gear.gear_uuid == *uuid) {
                return Err(Reply::exception(404));
            }
            let linked = life.activities().into_iter().filter(|it| life.gear_of(it).as_deref() == Some(uuid));
            let items = linked.skip(skip).take(limit).map(|it| activity::item(person, it));
            found(Value::Array(items.collect()))
        }
        _ => Ok(None),
    }
}

fn gear(asked: &Asked, segments: &[&str]) -> Routed {
    let person = asked.person;
    let life = &person.life;
    match segments {
        ["filterGear"] => {
            let kept: Option<String> = match (asked.text("userProfilePk"), asked.text("activityId")) {
                (Some(profile), _) if profile == person.profile_id.to_string() => None,
                (Some(_), _) => return Err(Reply::exception(403)),
                (_, Some(id)) => {
                    let activity = id.parse().ok().and_then(|id| life.activity(id));
                    Some(life.gear_of(activity.ok_or_else(|| Reply::exception(404))?).unwrap_or_default())
                }
                _ => return Err(Reply::exception(400)),
            };
            let gear = life.gear().into_iter().filter(|it| kept.as_ref().is_none_or(|uuid| *uuid == it.gear_uuid));
            found(json!(gear.map(|it| things::gear(person, &it)).collect::<Vec<_>>()))
        }
        ["stats", uuid] => {
            let gear = life.gear().into_iter().find(|gear| gear.gear_uuid == *uuid);
            let stats = gear.and_then(|gear| things::gear_stats(&gear));
            found(stats.ok_or_else(|| Reply::exception(404))?)
        }
        ["user", profile, "activityTypes"] => {
            if *profile != person.profile_id.to_string() {
                return Err(Reply::exception(403));
            }
            found(json!([]))
        }
        _ => Ok(None),
    }
}

/// How many items to skip and how many to give; `first` is the number of the first one.
pub(super) fn page(asked: &Asked, first: usize) -> Result<(usize, usize), Reply> {
    let number = |name: &str, default: usize| match asked.text(name) {
        Some(text) => text.parse::<usize>().map_err(|_| Reply::exception(400)),
        None => Ok(default),
    };
    let start = number("start", first)?;
    Ok((start.checked_sub(first).ok_or_else(|| Reply::exception(400))?, number("limit", 30)?))
}
