//! The truth of whole days that most people look at first: daily summary, night, HRV.
//! `days` makes it, tests compare tables with it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Serialize;

/// One row of `daily_summary`. `None` means that nothing was measured, however Garmin says so: `null`, no field,
/// a negative number (stress, respiration), or 0 for heart rates and hydration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DailyTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// Steps.
    pub steps: Option<i64>,
    /// Step goal.
    pub step_goal: Option<i64>,
    /// Metres walked and run.
    pub distance_m: Option<f64>,
    /// Floors up, whole.
    pub floors_up: Option<i64>,
    /// Floors down, whole.
    pub floors_down: Option<i64>,
    /// Active energy, kcal.
    pub active_kcal: Option<f64>,
    /// Resting energy, kcal.
    pub resting_kcal: Option<f64>,
    /// All energy, kcal.
    pub total_kcal: Option<f64>,
    /// Resting heart rate.
    pub resting_hr_bpm: Option<i64>,
    /// Lowest heart rate.
    pub min_hr_bpm: Option<i64>,
    /// Highest heart rate.
    pub max_hr_bpm: Option<i64>,
    /// Average stress, 0 to 100.
    pub avg_stress: Option<i64>,
    /// Highest stress, 0 to 100.
    pub max_stress: Option<i64>,
    /// Seconds at rest.
    pub rest_stress_s: Option<i64>,
    /// Seconds of low stress.
    pub low_stress_s: Option<i64>,
    /// Seconds of medium stress.
    pub medium_stress_s: Option<i64>,
    /// Seconds of high stress.
    pub high_stress_s: Option<i64>,
    /// Lowest Body Battery, 0 to 100.
    pub body_battery_min: Option<i64>,
    /// Highest Body Battery, 0 to 100.
    pub body_battery_max: Option<i64>,
    /// Body Battery charged.
    pub body_battery_charged: Option<i64>,
    /// Body Battery drained.
    pub body_battery_drained: Option<i64>,
    /// Minutes of moderate intensity.
    pub moderate_min: Option<i64>,
    /// Minutes of vigorous intensity, not doubled.
    pub vigorous_min: Option<i64>,
    /// Millilitres drunk. Not in the v1 shape.
    pub hydration_ml: Option<f64>,
    /// Breaths a minute.
    pub avg_respiration_brpm: Option<f64>,
    /// Average SpO2, percent.
    pub avg_spo2_pct: Option<f64>,
    /// Lowest SpO2, percent.
    pub min_spo2_pct: Option<f64>,
}

/// One row of `sleep`: a night, on the day of waking up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SleepTruth {
    /// The day of waking up.
    pub day: NaiveDate,
    /// Falling asleep.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// Waking up.
    #[serde(serialize_with = "super::iso_utc")]
    pub end_utc: DateTime<Utc>,
    /// Falling asleep by the watch.
    #[serde(serialize_with = "super::iso_local")]
    pub start_local: NaiveDateTime,
    /// Waking up by the watch.
    #[serde(serialize_with = "super::iso_local")]
    pub end_local: NaiveDateTime,
    /// Seconds asleep: deep, light and REM.
    pub asleep_s: i64,
    /// Seconds of deep sleep.
    pub deep_s: i64,
    /// Seconds of light sleep.
    pub light_s: i64,
    /// Seconds of REM sleep.
    pub rem_s: Option<i64>,
    /// Seconds awake in the night.
    pub awake_s: i64,
    /// Seconds of naps on this day.
    pub nap_s: Option<i64>,
    /// Sleep score, 0 to 100.
    pub score: Option<i64>,
    /// Average heart rate.
    pub avg_hr_bpm: Option<f64>,
    /// Average stress, 0 to 100.
    pub avg_stress: Option<f64>,
    /// Average SpO2, percent.
    pub avg_spo2_pct: Option<f64>,
    /// Breaths a minute.
    pub avg_respiration_brpm: Option<f64>,
    /// `sleepWindowConfirmationType` in Garmin's words.
    pub confirmation: Option<String>,
}

impl SleepTruth {
    /// Columns that the account tier's range (`stats/sleep/daily`) does not give.
    pub const NOT_IN_STATS: [&'static str; 3] = ["nap_s", "avg_stress", "confirmation"];
}

/// One row of `hrv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HrvTruth {
    /// The day of waking up.
    pub day: NaiveDate,
    /// Average of the night, ms.
    pub last_night_avg_ms: Option<i64>,
    /// Highest five minutes, ms.
    pub last_night_5min_high_ms: Option<i64>,
    /// Average of seven nights, ms.
    pub weekly_avg_ms: Option<i64>,
    /// `lowUpper` of the baseline, ms; none in the first weeks.
    pub baseline_low_ms: Option<i64>,
    /// `balancedLow` of the baseline, ms.
    pub baseline_balanced_low_ms: Option<i64>,
    /// `balancedUpper` of the baseline, ms.
    pub baseline_balanced_high_ms: Option<i64>,
    /// `NONE`, `LOW`, `UNBALANCED`, `BALANCED`, …
    pub status: Option<String>,
}

/// One row of `nap`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NapTruth {
    /// `napStartTimestampGMT`. The key.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// The day it lies on.
    pub day: NaiveDate,
    /// `napEndTimestampGMT`.
    #[serde(serialize_with = "super::iso_utc")]
    pub end_utc: DateTime<Utc>,
    /// Start by the watch: `napStartTimeOffset` minutes later.
    #[serde(serialize_with = "super::iso_local")]
    pub start_local: NaiveDateTime,
    /// `napTimeSec`.
    pub duration_s: i64,
    /// `napSource`.
    pub source: i64,
    /// `napFeedback`.
    pub feedback: Option<String>,
}

/// One row of `noticed_activity`: what the watch noticed by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoticedTruth {
    /// `startTimestampGMT`. Part of the key.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// `activityType`. Part of the key.
    #[serde(rename = "type")]
    pub kind: String,
    /// `calendarDate`.
    pub day: NaiveDate,
    /// `startTimestampLocal`.
    #[serde(serialize_with = "super::iso_local")]
    pub start_local: NaiveDateTime,
    /// Seconds; Garmin gives minutes.
    pub duration_s: i64,
}
