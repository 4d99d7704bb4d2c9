//! The truth of the body: Body Battery, water, weight, blood pressure, health status, fitness age, snapshots.
//! `body` makes it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Serialize;

/// One row of `body_battery`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BodyBatteryTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// Charged that day.
    pub charged: Option<i64>,
    /// Drained that day.
    pub drained: Option<i64>,
    /// Lowest of the turning points, 0 to 100.
    pub lowest: Option<i64>,
    /// Highest of the turning points.
    pub highest: Option<i64>,
}

/// One row of `body_battery_event`: what charged or drained it (`bodyBatteryActivityEvent`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BodyBatteryEventTruth {
    /// Start. Part of the key.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// `eventType`: `SLEEP`, `NAP`, `ACTIVITY`, `RECOVERY`, `STRESS`. Part of the key.
    #[serde(rename = "type")]
    pub kind: String,
    /// The day of the report it stands in.
    pub day: NaiveDate,
    /// Start by the watch: `timezoneOffset` later.
    #[serde(serialize_with = "super::iso_local")]
    pub start_local: NaiveDateTime,
    /// Seconds.
    pub duration_s: i64,
    /// `bodyBatteryImpact`: what it gave or took.
    pub impact: i64,
    /// `feedbackType`.
    pub feedback: Option<String>,
}

/// One row of `hydration`; days on which neither water nor sweat is known have none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HydrationTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// Millilitres drunk; Garmin writes 0 for none.
    pub consumed_ml: Option<f64>,
    /// Goal.
    pub goal_ml: Option<f64>,
    /// Sweat lost in activities.
    pub sweat_loss_ml: Option<f64>,
    /// Drunk in activities.
    pub activity_intake_ml: Option<f64>,
    /// The last entry, by the watch.
    #[serde(serialize_with = "super::iso_local_some")]
    pub last_entry_local: Option<NaiveDateTime>,
}

/// One row of `fitness_age`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FitnessAgeTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// Age in years; not in the account tier's range.
    pub chronological_age: Option<i64>,
    /// Fitness age in years.
    pub fitness_age: Option<f64>,
    /// The lowest that can be reached.
    pub achievable_fitness_age: Option<f64>,
    /// `rhr`.
    pub resting_hr_bpm: Option<i64>,
    /// Body mass index.
    pub bmi: Option<f64>,
    /// Body fat; not in the account tier's range.
    pub body_fat_pct: Option<f64>,
    /// Vigorous days a week.
    pub vigorous_days_avg: Option<f64>,
    /// Vigorous minutes a week; not in the account tier's range.
    pub vigorous_minutes_avg: Option<f64>,
}

/// One row of `weight`: one entry, several on some days.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightTruth {
    /// `timestampGMT`. The key.
    #[serde(serialize_with = "super::iso_utc")]
    pub measured_utc: DateTime<Utc>,
    /// `date`: the wall clock.
    #[serde(serialize_with = "super::iso_local")]
    pub measured_local: NaiveDateTime,
    /// `calendarDate`.
    pub day: NaiveDate,
    /// Garmin's identity of the entry.
    pub sample_pk: i64,
    /// Grams.
    pub weight_g: f64,
    /// Body mass index.
    pub bmi: Option<f64>,
    /// Body fat.
    pub body_fat_pct: Option<f64>,
    /// Body water.
    pub body_water_pct: Option<f64>,
    /// Bones, grams.
    pub bone_mass_g: Option<f64>,
    /// Muscles, grams.
    pub muscle_mass_g: Option<f64>,
    /// `physiqueRating`.
    pub physique_rating: Option<f64>,
    /// `visceralFat`.
    pub visceral_fat: Option<f64>,
    /// `metabolicAge` in years.
    pub metabolic_age: Option<f64>,
    /// `sourceType`: `INDEX_SCALE`, `MANUAL`, …
    pub source: String,
}

/// One row of `weight_goal`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightGoalTruth {
    /// The first day it holds. The key: Garmin gives goals of weight no other identity.
    pub start_day: NaiveDate,
    /// The last day it holds.
    pub end_day: Option<NaiveDate>,
    /// Grams wanted.
    pub target_g: f64,
}

/// One row of `blood_pressure`: one measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BloodPressureTruth {
    /// The key.
    #[serde(serialize_with = "super::iso_utc")]
    pub measured_utc: DateTime<Utc>,
    /// By the clock on the wall.
    #[serde(serialize_with = "super::iso_local")]
    pub measured_local: NaiveDateTime,
    /// The local day.
    pub day: NaiveDate,
    /// Garmin's identity of the entry.
    pub version: i64,
    /// Upper pressure.
    pub systolic_mmhg: i64,
    /// Lower pressure.
    pub diastolic_mmhg: i64,
    /// Pulse.
    pub pulse_bpm: Option<i64>,
    /// `sourceType`: `MANUAL`, `INDEX_BPM`.
    pub source: String,
    /// `category` in Garmin's words.
    pub category: Option<String>,
    /// Notes.
    pub notes: Option<String>,
}

/// One row of `health_snapshot`: two minutes of sitting still.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SnapshotTruth {
    /// `activityUuid.uuid`. The key.
    pub snapshot_id: String,
    /// `calendarDate`.
    pub day: NaiveDate,
    /// Start.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// End.
    #[serde(serialize_with = "super::iso_utc")]
    pub end_utc: DateTime<Utc>,
    /// Start by the watch.
    #[serde(serialize_with = "super::iso_local")]
    pub start_local: NaiveDateTime,
    /// `HEART_RATE`, average.
    pub avg_hr_bpm: Option<f64>,
    /// Lowest.
    pub min_hr_bpm: Option<f64>,
    /// Highest.
    pub max_hr_bpm: Option<f64>,
    /// `STRESS`, average.
    pub avg_stress: Option<f64>,
    /// `RESPIRATION`, average.
    pub avg_respiration_brpm: Option<f64>,
    /// `SPO2`, average.
    pub avg_spo2_pct: Option<f64>,
    /// `RMSSD_HRV`, average.
    pub rmssd_ms: Option<f64>,
    /// `SDRR_HRV`, average.
    pub sdrr_ms: Option<f64>,
}

/// One of the five measures of a night's health status.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Vital {
    /// What was measured.
    pub value: Option<f64>,
    /// `IN_RANGE`, `ABOVE`, `BELOW`, `ONBOARDING`, `UNKNOWN`.
    pub status: Option<String>,
    /// The lower end of the person's own range.
    pub low: Option<f64>,
    /// The upper end of it.
    pub high: Option<f64>,
}

/// One row of `health_status`: for each of `hr` (`_bpm`), `hrv` (`_ms`), `respiration` (`_brpm`), `skin_temp` (`_c`, the
/// deviation) and `spo2` (`_pct`) the columns `hr_bpm`, `hr_status`, `hr_low_bpm`, `hr_high_bpm` and so on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "serde_json::Map<String, serde_json::Value>")]
pub struct HealthStatusTruth {
    /// The day of waking up.
    pub day: NaiveDate,
    /// `outliersCount`.
    pub outliers: i64,
    /// `HR`.
    pub hr: Vital,
    /// `HRV`.
    pub hrv: Vital,
    /// `RESPIRATION`.
    pub respiration: Vital,
    /// `SKIN_TEMP_C`. Garmin also gives `SKIN_TEMP_F`, which has no columns.
    pub skin_temp: Vital,
    /// `SPO2`.
    pub spo2: Vital,
}

impl HealthStatusTruth {
    /// The measures with their column name, unit and Garmin's name.
    pub(crate) fn vitals(&self) -> [(&'static str, &'static str, &'static str, &Vital); 5] {
        [
            ("hr", "bpm", "HR", &self.hr),
            ("hrv", "ms", "HRV", &self.hrv),
            ("respiration", "brpm", "RESPIRATION", &self.respiration),
            ("skin_temp", "c", "SKIN_TEMP_C", &self.skin_temp),
            ("spo2", "pct", "SPO2", &self.spo2),
        ]
    }
}

impl From<HealthStatusTruth> for serde_json::Map<String, serde_json::Value> {
    fn from(truth: HealthStatusTruth) -> Self {
        let mut row = serde_json::Map::from_iter([
            ("day".to_owned(), serde_json::json!(truth.day)),
            ("outliers".to_owned(), truth.outliers.into()),
        ]);
        for (name, unit, _, vital) in truth.vitals() {
            row.insert(format!("{name}_{unit}"), vital.value.into());
            row.insert(format!("{name}_status"), vital.status.clone().into());
            row.insert(format!("{name}_low_{unit}"), vital.low.into());
            row.insert(format!("{name}_high_{unit}"), vital.high.into());
        }
        row
    }
}
