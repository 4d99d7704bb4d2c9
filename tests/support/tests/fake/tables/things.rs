//! Inventories.

use serde_json::{Value, json};

use super::{Scene, flag, list, of_ms, utc};
use crate::client::account;

pub fn read(scene: &mut Scene) {
    let items = scene.get("/personalrecord-service/personalrecord/prs/{dn}");
    let row = |it: &Value| {
        json!({"record_id": it["id"], "type_id": it["typeId"], "value": it["value"],
               "activity_id": it["activityId"], "activity_name": it["activityName"],
               "activity_type": it["activityType"], "achieved_utc": of_ms(&it["prStartTimeGmt"], "Z"),
               "achieved_local": of_ms(&it["prStartTimeLocal"], ""), "status": it["status"]})
    };
    scene.holds("personal_record", list(&items, "").map(row).collect::<Vec<_>>());

    let now = scene.get("/device-service/deviceregistration/devices");
    let once = scene.get("/device-service/deviceregistration/devices/historical");
    let row = |(it, current): (&Value, u8)| {
        json!({"current": current, "device_id": it["deviceId"], "name": it["productDisplayName"], "application_key": it["applicationKey"],
               "serial_number": it["serialNumber"], "firmware": it["currentFirmwareVersion"],
               "registered_utc": of_ms(&it["registeredDate"], "Z"), "primary_device": flag(&it["primary"])})
    };
    let once = list(&once, "").filter(|it| !list(&now, "").any(|known| known["deviceId"] == it["deviceId"]));
    let items = list(&now, "").map(|it| (it, 1)).chain(once.map(|it| (it, 0)));
    scene.holds("device", items.map(row).collect::<Vec<_>>());

    let items = scene.get(&format!("/gear-service/gear/filterGear?userProfilePk={}", scene.ana.profile_id));
    let (mut rows, mut links) = (Vec::new(), Vec::new());
    for it in list(&items, "") {
        let uuid = it["uuid"].as_str().unwrap();
        let stats = scene.get(&format!("/gear-service/gear/stats/{uuid}"));
        let date = |value: &Value| value.as_str().map(|text| text[..10].to_owned());
        rows.push(json!({
            "gear_uuid": uuid, "gear_pk": it["gearPk"], "name": it["displayName"], "make": it["gearMakeName"],
            "model": it["customMakeModel"], "type": it["gearTypeName"], "status": it["gearStatusName"],
            "begin_day": date(&it["dateBegin"]), "end_day": date(&it["dateEnd"]),
            "max_distance_m": it["maximumMeters"], "total_distance_m": stats["totalDistance"],
            "total_activities": stats["totalActivities"]}));
        for start in (0..).step_by(100) {
            let page = scene.get(&format!("/activitylist-service/activities/{uuid}/gear?start={start}&limit=100"));
            links.extend(list(&page, "").map(|it| json!({"gear_uuid": uuid, "activity_id": it["activityId"]})));
            if page.as_array().unwrap().len() < 100 {
                break;
            }
        }
    }
    scene.holds("gear", rows);
    scene.holds("gear_activity", links);

    let items = scene.get("/badge-service/badge/earned");
    let row = |it: &Value| {
        json!({"badge_id": it["badgeId"], "badge_key": it["badgeKey"], "name": it["badgeName"],
               "category_id": it["badgeCategoryId"], "points": it["badgePoints"],
               "earned_utc": utc(&it["badgeEarnedDate"]), "times_earned": it["badgeEarnedNumber"]})
    };
    scene.holds("badge", list(&items, "").map(row).collect::<Vec<_>>());

    let mut rows = Vec::new();
    for status in ["active", "future", "past"] {
        let path = format!("/connectapi/goal-service/goal/goals?status={status}&start=1&limit=30&sortOrder=asc");
        let call = account(&scene.fake, &scene.token, "").path(&path).header("sec-fetch-site", "same-origin");
        let answer = call.send().json();
        rows.extend(list(&answer, "").map(|it| {
            json!({"goal_id": it["id"], "type": it["goalType"], "name": it["goalName"], "status": status,
                   "start_day": it["startDate"], "end_day": it["endDate"], "target": it["goalValue"],
                   "progress": it["progress"]})
        }));
    }
    scene.holds("goal", rows);

    let items = scene.get("/activity-service/activity/activityTypes");
    let row =
        |it: &Value| json!({"type_id": it["typeId"], "type_key": it["typeKey"], "parent_type_id": it["parentTypeId"]});
    scene.holds("activity_type", list(&items, "").map(row).collect::<Vec<_>>());
    let items = scene.get_personal("/biometric-service/heartRateZones/v2?generateDefaults=true");
    let row = |it: &Value| {
        let mut row = json!({"sport": it["sport"], "method": it["trainingMethod"],
                             "max_hr_bpm": it["maxHeartRateUsed"], "resting_hr_bpm": it["restingHeartRateUsed"],
                             "lactate_threshold_hr_bpm": it["lactateThresholdHeartRateUsed"]});
        for zone in 1..=5 {
            row[format!("zone{zone}_bpm")] = it[format!("zone{zone}Floor")].clone();
        }
        row
    };
    scene.holds("hr_zone", list(&items, "").map(row).collect::<Vec<_>>());
    let items = scene.get("/biometric-service/powerZones/sports/all");
    let row = |it: &Value| {
        let mut row = json!({"sport": it["sport"], "ftp_w": it["functionalThresholdPower"]});
        for zone in 1..=7 {
            row[format!("zone{zone}_w")] = it[format!("zone{zone}Floor")].clone();
        }
        row
    };
    scene.holds("power_zone", list(&items, "").map(row).collect::<Vec<_>>());

    let settings = scene.get("/userprofile-service/userprofile/user-settings");
    let (user, sleep) = (&settings["userData"], &settings["userSleep"]);
    let days: Vec<_> = list(user, "/availableTrainingDays").filter_map(Value::as_str).collect();
    // Garmin writes centimetres, and the speed in tenths.
    let scaled = |value: &Value, by: f64, digits: f64| value.as_f64().map(|it| (it * by * digits).round() / digits);
    let profile = json!({"gender": user["gender"], "birth_day": user["birthDate"],
                         "height_m": scaled(&user["height"], 0.01, 1e4), "weight_g": user["weight"],
                         "vo2max_running": user["vo2MaxRunning"], "vo2max_cycling": user["vo2MaxCycling"],
                         "lactate_threshold_speed_mps": scaled(&user["lactateThresholdSpeed"], 10.0, 1e6),
                         "lactate_threshold_hr_bpm": user["lactateThresholdHeartRate"],
                         "ftp_w": user["functionalThresholdPower"], "training_days": days.join(","),
                         "sleep_s": sleep["sleepTime"], "wake_s": sleep["wakeTime"]});
    scene.holds("profile", [profile]);
}
