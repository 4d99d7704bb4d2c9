//! Activities in Garmin's shapes: an item of the listing, and the detail. Times and units differ between the two.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use serde_json::{Value, json};

use super::{gmt, wall};
use crate::people::{ActivityTruth, Person, Source, type_of};

/// An item of the listing.
pub(crate) fn item(person: &Person, truth: &ActivityTruth) -> Value {
    let (type_id, parent_type_id) = type_of(&truth.kind);
    let manual = truth.source == Source::None && truth.parent.is_none();
    let mut item = json!({
        "activityId": truth.activity_id, "activityName": truth.name,
        "startTimeLocal": list_time(truth.start_local), "startTimeGMT": list_time(truth.start_utc.naive_utc()),
        "endTimeGMT": list_time(end(truth).naive_utc()), "beginTimestamp": truth.start_utc.timestamp_millis(),
        "activityType": {
            "typeId": type_id, "typeKey": truth.kind, "parentTypeId": parent_type_id, "isHidden": false,
            "restricted": false, "trimmable": true},
        "eventType": {"typeId": 9, "typeKey": "uncategorized", "sortOrder": 10},
        "distance": truth.distance_m, "duration": truth.duration_s, "elapsedDuration": truth.elapsed_s,
        "movingDuration": truth.moving_s,
        "elevationGain": truth.elevation_gain_m, "elevationLoss": truth.elevation_loss_m,
        "averageSpeed": truth.avg_speed_mps, "maxSpeed": truth.avg_speed_mps.map(|speed| speed * 1.5),
        "startLatitude": truth.start_lat, "startLongitude": truth.start_lon,
        "hasPolyline": truth.start_lat.is_some(), "locationName": truth.start_lat.map(|_| "Potsdam"),
        "ownerId": person.profile_id, "ownerDisplayName": person.display_name, "ownerFullName": person.full_name,
        "calories": truth.calories_kcal, "averageHR": truth.avg_hr_bpm, "maxHR": truth.max_hr_bpm,
        "avgPower": truth.avg_power_w, "maxPower": truth.max_power_w,
        "aerobicTrainingEffect": truth.training_effect, "anaerobicTrainingEffect": truth.anaerobic_effect,
        "activityTrainingLoad": truth.training_load, "deviceId": truth.device_id,
        "manufacturer": truth.device_id.map(|_| "GARMIN"), "lapCount": 1,
        "privacy": {"typeId": privacy_id(truth.privacy), "typeKey": truth.privacy},
        "favorite": false, "isFavorite": false, "pr": false, "isPR": false, "purposeful": false,
        "parent": !truth.legs.is_empty(), "isParent": !truth.legs.is_empty(), "parentId": truth.parent,
        "manualActivity": manual, "decoDive": false, "undocumentedFlag": true,
    });
    // Without notes the field is null in some answers and absent in others.
    match &truth.description {
        Some(text) => item["description"] = json!(text),
        None if truth.activity_id % 20 < 10 => item["description"] = Value::Null,
        None => {}
    }
    item
}

/// `/activity-service/activity/{id}`.
pub(crate) fn detail(person: &Person, truth: &ActivityTruth) -> Value {
    let (type_id, parent_type_id) = type_of(&truth.kind);
    json!({
        "activityId": truth.activity_id, "activityUUID": {"uuid": format!("{:032x}", truth.activity_id)},
        "activityName": truth.name, "description": truth.description, "userProfileId": person.profile_id,
        "isMultiSportParent": !truth.legs.is_empty(),
        "activityTypeDTO": {"typeId": type_id, "typeKey": truth.kind, "parentTypeId": parent_type_id},
        "eventTypeDTO": {"typeId": 9, "typeKey": "uncategorized"},
        "accessControlRuleDTO": {"typeId": privacy_id(truth.privacy), "typeKey": truth.privacy},
        "timeZoneUnitDTO": {"unitId": 124, "unitKey": truth.zone.name(), "timeZone": truth.zone.name()},
        "metadataDTO": {
            "isOriginal": true, "fileFormat": file_format(truth),
            "lastUpdateDate": gmt(truth.updated_utc),
            "uploadedDate": gmt(end(truth) + Duration::seconds(60)),
            "childIds": truth.legs, "childActivityTypes": [], "sensors": null, "activityImages": [],
            "trimmed": truth.trimmed, "elevationCorrected": false, "favorite": false, "personalRecord": false,
            "manualActivity": truth.source == Source::None && truth.parent.is_none(),
            "deviceMetaDataDTO": {"deviceId": truth.device_id.map(|id| id.to_string())}},
        "summaryDTO": {
            "startTimeLocal": wall(truth.start_local), "startTimeGMT": gmt(truth.start_utc),
            "startLatitude": truth.start_lat, "startLongitude": truth.start_lon,
            "distance": truth.distance_m, "duration": truth.duration_s, "movingDuration": truth.moving_s,
            "elapsedDuration": truth.elapsed_s, "elevationGain": truth.elevation_gain_m,
            "elevationLoss": truth.elevation_loss_m, "averageSpeed": truth.avg_speed_mps,
            "calories": truth.calories_kcal, "averageHR": truth.avg_hr_bpm, "maxHR": truth.max_hr_bpm,
            "averagePower": truth.avg_power_w, "maxPower": truth.max_power_w,
            "trainingEffect": truth.training_effect, "anaerobicTrainingEffect": truth.anaerobic_effect,
            "activityTrainingLoad": truth.training_load},
        "locationName": truth.start_lat.map(|_| "Potsdam"), "splitSummaries": [],
    })
}

fn end(truth: &ActivityTruth) -> DateTime<Utc> {
    truth.start_utc + Duration::seconds(truth.elapsed_s.unwrap_or(truth.duration_s) as i64)
}

/// `2026-10-21 05:34:00`.
fn list_time(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

fn privacy_id(privacy: &str) -> u32 {
    match privacy {
        "public" => 1,
        "private" => 2,
        _ => 3,
    }
}

fn file_format(truth: &ActivityTruth) -> Value {
    match truth.source {
        Source::Fit => json!({"formatId": 7, "formatKey": "fit"}),
        Source::Tcx => json!({"formatId": 2, "formatKey": "tcx"}),
        Source::Gpx => json!({"formatId": 3, "formatKey": "gpx"}),
        Source::None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Map;

    use super::*;

    #[test]
    fn the_listing_says_the_truth() {
        let ana = Person::named("ana@example.org");
        let mut kinds = BTreeSet::new();
        for truth in ana.life.activities() {
            kinds.insert(truth.kind.clone());
            let item = item(&ana, truth);
            let get = |key: &str| item.get(key).cloned().unwrap_or(Value::Null);
            let time = |key: &str| item[key].as_str().unwrap().replace(' ', "T");
            let read = json!({
                "activity_id": get("activityId"), "name": get("activityName"), "description": get("description"),
                "type": item["activityType"]["typeKey"],
                "start_utc": time("startTimeGMT") + "Z", "start_local": time("startTimeLocal"),
                "duration_s": get("duration"), "moving_s": get("movingDuration"), "elapsed_s": get("elapsedDuration"),
                "distance_m": get("distance"), "elevation_gain_m": get("elevationGain"),
                "elevation_loss_m": get("elevationLoss"), "avg_speed_mps": get("averageSpeed"),
                "avg_hr_bpm": get("averageHR"), "max_hr_bpm": get("maxHR"), "avg_power_w": get("avgPower"),
                "max_power_w": get("maxPower"), "calories_kcal": get("calories"),
                "training_effect": get("aerobicTrainingEffect"), "anaerobic_effect": get("anaerobicTrainingEffect"),
                "training_load": get("activityTrainingLoad"), "start_lat": get("startLatitude"),
                "start_lon": get("startLongitude"), "device_id": get("deviceId"),
            });
            let mut row: Map<_, _> = serde_json::to_value(truth).unwrap().as_object().unwrap().clone();
            let updated = row.remove("updated_utc").unwrap();
            assert_eq!(read, Value::Object(row));
            let said = detail(&ana, truth)["metadataDTO"]["lastUpdateDate"].as_str().unwrap().replace(".0", "Z");
            assert_eq!(Value::String(said), updated);
        }
        assert!(kinds.len() >= 12, "{kinds:?}");
    }
}
