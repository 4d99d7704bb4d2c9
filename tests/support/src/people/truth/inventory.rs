//! The truth of what a person has rather than does: devices, gear, records, badges, goals, zones.
//! `things` makes it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Serialize;

/// One row of `personal_record`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordTruth {
    /// `id`. The key.
    pub record_id: i64,
    /// `typeId`: 1 is 1 km, 3 is 5 km, 7 the longest run, …
    pub type_id: i64,
    /// Seconds, metres or a count, by the type.
    pub value: f64,
    /// The activity; none for steps.
    pub activity_id: Option<i64>,
    /// Its name when the record was set.
    pub activity_name: Option<String>,
    /// Its type.
    pub activity_type: Option<String>,
    /// `prStartTimeGmt`.
    #[serde(serialize_with = "super::iso_utc")]
    pub achieved_utc: DateTime<Utc>,
    /// `prStartTimeLocal`.
    #[serde(serialize_with = "super::iso_local")]
    pub achieved_local: NaiveDateTime,
    /// `ACCEPTED`.
    pub status: String,
}

/// One row of `device`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceTruth {
    /// The key.
    pub device_id: i64,
    /// `productDisplayName`.
    pub name: String,
    /// `applicationKey`.
    pub application_key: Option<String>,
    /// `serialNumber`.
    pub serial_number: Option<String>,
    /// `currentFirmwareVersion`.
    pub firmware: Option<String>,
    /// `registeredDate`, epoch ms.
    #[serde(serialize_with = "super::iso_utc_some")]
    pub registered_utc: Option<DateTime<Utc>>,
    /// The primary training device.
    #[serde(serialize_with = "super::flag")]
    pub primary_device: bool,
    /// Still registered: in `devices`, not only in `devices/historical`.
    #[serde(serialize_with = "super::flag")]
    pub current: bool,
}

/// One row of `gear`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GearTruth {
    /// The key.
    pub gear_uuid: String,
    /// `gearPk`.
    pub gear_pk: i64,
    /// `displayName`.
    pub name: Option<String>,
    /// `gearMakeName`.
    pub make: Option<String>,
    /// `customMakeModel`, else `gearModelName`.
    pub model: Option<String>,
    /// `gearTypeName`: `Shoes`, `Bike`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `gearStatusName`: `active`, `retired`.
    pub status: String,
    /// `dateBegin`.
    pub begin_day: Option<NaiveDate>,
    /// `dateEnd`.
    pub end_day: Option<NaiveDate>,
    /// `maximumMeters`.
    pub max_distance_m: Option<f64>,
    /// `totalDistance` of its stats; none where Garmin has no stats (404).
    pub total_distance_m: Option<f64>,
    /// `totalActivities` of its stats.
    pub total_activities: Option<i64>,
}

/// One row of `gear_activity`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GearLinkTruth {
    /// Part of the key.
    pub gear_uuid: String,
    /// Part of the key.
    pub activity_id: i64,
}

/// One row of `badge`: one that was earned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BadgeTruth {
    /// `badgeId`. The key.
    pub badge_id: i64,
    /// `badgeKey`.
    pub badge_key: String,
    /// `badgeName`.
    pub name: String,
    /// `badgeCategoryId`.
    pub category_id: i64,
    /// `badgePoints`.
    pub points: i64,
    /// `badgeEarnedDate`.
    #[serde(serialize_with = "super::iso_utc")]
    pub earned_utc: DateTime<Utc>,
    /// `badgeEarnedNumber`.
    pub times_earned: i64,
}

/// One row of `goal`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoalTruth {
    /// `id`. The key.
    pub goal_id: i64,
    /// `goalType`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `goalName`.
    pub name: Option<String>,
    /// The `status` it was listed under: `active`, `future`, `past`.
    pub status: String,
    /// `startDate`.
    pub start_day: NaiveDate,
    /// `endDate`.
    pub end_day: Option<NaiveDate>,
    /// `goalValue`.
    pub target: f64,
    /// `progress`.
    pub progress: Option<f64>,
    /// Of a kind that only shows with `Sec-Fetch-Site: same-origin`.
    #[serde(skip)]
    pub newer: bool,
}

/// One row of `activity_type`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActivityTypeTruth {
    /// `typeId`. The key.
    pub type_id: i64,
    /// `typeKey`.
    pub type_key: String,
    /// `parentTypeId`; 17 is the top.
    pub parent_type_id: i64,
}

/// One row of `hr_zone`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HrZoneTruth {
    /// `sport`. The key.
    pub sport: String,
    /// `trainingMethod`.
    pub method: String,
    /// Where zone 1 begins.
    pub zone1_bpm: i64,
    /// Where zone 2 begins.
    pub zone2_bpm: i64,
    /// Where zone 3 begins.
    pub zone3_bpm: i64,
    /// Where zone 4 begins.
    pub zone4_bpm: i64,
    /// Where zone 5 begins.
    pub zone5_bpm: i64,
    /// `maxHeartRateUsed`.
    pub max_hr_bpm: Option<i64>,
    /// `restingHeartRateUsed`.
    pub resting_hr_bpm: Option<i64>,
    /// `lactateThresholdHeartRateUsed`.
    pub lactate_threshold_hr_bpm: Option<i64>,
}

/// One row of `power_zone`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PowerZoneTruth {
    /// `sport`. The key.
    pub sport: String,
    /// `functionalThresholdPower`.
    pub ftp_w: i64,
    /// Where zone 1 begins.
    pub zone1_w: i64,
    /// Where zone 2 begins.
    pub zone2_w: i64,
    /// Where zone 3 begins.
    pub zone3_w: i64,
    /// Where zone 4 begins.
    pub zone4_w: i64,
    /// Where zone 5 begins.
    pub zone5_w: i64,
    /// Where zone 6 begins.
    pub zone6_w: i64,
    /// Where zone 7 begins.
    pub zone7_w: i64,
}
