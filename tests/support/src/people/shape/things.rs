//! Devices, gear, records, badges, goals, types and zones in Garmin's shapes.

use serde_json::{Value, json};

use super::{gmt, wall};
use crate::people::{
    ActivityTypeTruth, BadgeTruth, DeviceTruth, GearTruth, GoalTruth, HrZoneTruth, Person, PowerZoneTruth, RecordTruth,
};

/// One item of `deviceregistration/devices`.
pub(crate) fn device(truth: &DeviceTruth) -> Value {
    json!({
        "deviceId": truth.device_id, "unitId": truth.device_id, "productDisplayName": truth.name,
        "displayName": truth.name, "applicationKey": truth.application_key, "serialNumber": truth.serial_number,
        "currentFirmwareVersion": truth.firmware,
        "registeredDate": truth.registered_utc.map(|at| at.timestamp_millis()),
        "primary": truth.primary_device, "deviceStatus": if truth.current { "active" } else { "removed" },
        "deviceTypePk": 37_111, "wifi": true, "undocumentedCapability": true})
}

/// `primary-training-device`.
pub(crate) fn primary(person: &Person) -> Value {
    let devices = person.life.devices();
    let primary = devices.iter().find(|device| device.primary_device);
    json!({
        "PrimaryTrainingDevice": {"deviceId": primary.map(|device| device.device_id)},
        "RegisteredDevices": devices.iter().filter(|it| it.current).map(device).collect::<Vec<_>>()})
}

/// One item of `filterGear`.
pub(crate) fn gear(person: &Person, truth: &GearTruth) -> Value {
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| format!("{day}T00:00:00.0"));
    json!({
        "gearPk": truth.gear_pk, "uuid": truth.gear_uuid, "userProfilePk": person.profile_id,
        "gearMakeName": truth.make, "gearModelName": "Unknown", "customMakeModel": truth.model,
        "gearTypeName": truth.kind, "gearStatusName": truth.status, "displayName": truth.name,
        "dateBegin": day(truth.begin_day), "dateEnd": day(truth.end_day), "maximumMeters": truth.max_distance_m,
        "imageNameLarge": null, "notified": false, "createDate": day(truth.begin_day), "updateDate": day(truth.begin_day)})
}

/// `gear/stats`; `None`: Garmin has none.
pub(crate) fn gear_stats(truth: &GearTruth) -> Option<Value> {
    Some(json!({
        "gearPk": truth.gear_pk, "uuid": truth.gear_uuid, "totalDistance": truth.total_distance_m?,
        "totalActivities": truth.total_activities, "processing": false}))
}

/// One item of `prs`.
pub(crate) fn record(truth: &RecordTruth) -> Value {
    json!({
        "id": truth.record_id, "typeId": truth.type_id, "value": truth.value, "activityId": truth.activity_id,
        "activityName": truth.activity_name, "activityType": truth.activity_type,
        "activityStartDateTimeInGMT": truth.achieved_utc.timestamp_millis(),
        "prStartTimeGmt": truth.achieved_utc.timestamp_millis(),
        "prStartTimeGmtFormatted": gmt(truth.achieved_utc),
        "prStartTimeLocal": super::wall_ms(truth.achieved_local), "prStartTimeLocalFormatted": wall(truth.achieved_local),
        "prTypeLabelKey": null, "poolLengthUnit": null, "status": truth.status})
}

/// One item of `badge/earned`.
pub(crate) fn badge(truth: &BadgeTruth) -> Value {
    json!({
        "badgeId": truth.badge_id, "badgeKey": truth.badge_key, "badgeName": truth.name, "badgeUuid": null,
        "badgeCategoryId": truth.category_id, "badgeDifficultyId": 1, "badgePoints": truth.points,
        "badgeTypeIds": [1], "badgeEarnedDate": gmt(truth.earned_utc), "badgeEarnedNumber": truth.times_earned,
        "badgeIsViewed": true, "badgeProgressValue": null, "badgeTargetValue": null})
}

/// One item of `goal/goals`.
pub(crate) fn goal(person: &Person, truth: &GoalTruth) -> Value {
    json!({
        "id": truth.goal_id, "userProfilePK": person.profile_id, "goalType": truth.kind, "goalName": truth.name,
        "startDate": truth.start_day, "endDate": truth.end_day, "goalValue": truth.target, "progress": truth.progress,
        "goalStatus": truth.status})
}

/// One item of `activityTypes`.
pub(crate) fn activity_type(truth: &ActivityTypeTruth) -> Value {
    json!({
        "typeId": truth.type_id, "typeKey": truth.type_key, "parentTypeId": truth.parent_type_id, "isHidden": false,
        "restricted": false, "trimmable": true})
}

/// One item of `heartRateZones`.
pub(crate) fn hr_zone(truth: &HrZoneTruth) -> Value {
    json!({
        "trainingMethod": truth.method, "sport": truth.sport, "maxHeartRateUsed": truth.max_hr_bpm,
        "restingHeartRateUsed": truth.resting_hr_bpm, "lactateThresholdHeartRateUsed": truth.lactate_threshold_hr_bpm,
        "restingHrAutoUpdateUsed": false, "changeState": "UNCHANGED", "zone1Floor": truth.zone1_bpm,
        "zone2Floor": truth.zone2_bpm, "zone3Floor": truth.zone3_bpm, "zone4Floor": truth.zone4_bpm,
        "zone5Floor": truth.zone5_bpm})
}

/// One item of `powerZones/sports/all`.
pub(crate) fn power_zone(truth: &PowerZoneTruth) -> Value {
    json!({
        "sport": truth.sport, "functionalThresholdPower": truth.ftp_w, "zone1Floor": truth.zone1_w,
        "zone2Floor": truth.zone2_w, "zone3Floor": truth.zone3_w, "zone4Floor": truth.zone4_w,
        "zone5Floor": truth.zone5_w, "zone6Floor": truth.zone6_w, "zone7Floor": truth.zone7_w,
        "userLocalTime": null})
}
