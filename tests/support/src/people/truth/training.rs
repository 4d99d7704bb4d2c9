//! The truth of training metrics; the account tier alone tells them. `training` makes it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Serialize;

/// One row of `training_readiness`: one reading, several a day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadinessTruth {
    /// `timestamp`. Part of the key.
    #[serde(serialize_with = "super::iso_utc")]
    pub measured_utc: DateTime<Utc>,
    /// `timestampLocal`.
    #[serde(serialize_with = "super::iso_local")]
    pub measured_local: NaiveDateTime,
    /// `calendarDate`.
    pub day: NaiveDate,
    /// The device. Part of the key.
    pub device_id: i64,
    /// 0 to 100.
    pub score: i64,
    /// `LOW`, `MODERATE`, `HIGH`, …
    pub level: String,
    /// `feedbackShort`.
    pub feedback: Option<String>,
    /// `sleepScore`.
    pub sleep_score: Option<i64>,
    /// `sleepScoreFactorPercent`.
    pub sleep_score_factor_pct: Option<i64>,
    /// `recoveryTime`, which Garmin gives in minutes.
    pub recovery_time_s: Option<i64>,
    /// `recoveryTimeFactorPercent`.
    pub recovery_time_factor_pct: Option<i64>,
    /// `acuteLoad`.
    pub acute_load: Option<i64>,
    /// `acwrFactorPercent`.
    pub acwr_factor_pct: Option<i64>,
    /// `stressHistoryFactorPercent`.
    pub stress_history_factor_pct: Option<i64>,
    /// `hrvFactorPercent`.
    pub hrv_factor_pct: Option<i64>,
    /// `hrvWeeklyAverage`.
    pub hrv_weekly_avg_ms: Option<i64>,
    /// `sleepHistoryFactorPercent`.
    pub sleep_history_factor_pct: Option<i64>,
    /// `validSleep`.
    #[serde(serialize_with = "super::flag")]
    pub valid_sleep: bool,
    /// `inputContext`; `AFTER_WAKEUP_RESET` is the morning value.
    pub context: Option<String>,
}

/// One row of `training_status`: what one device thinks of one day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingStatusTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// The device. Part of the key.
    pub device_id: i64,
    /// `timestamp`.
    #[serde(serialize_with = "super::iso_utc")]
    pub measured_utc: DateTime<Utc>,
    /// `trainingStatus`, a number.
    pub status: i64,
    /// `trainingStatusFeedbackPhrase`.
    pub feedback: String,
    /// `sport`.
    pub sport: String,
    /// `subSport`.
    pub sub_sport: String,
    /// `fitnessTrend`.
    pub fitness_trend: Option<i64>,
    /// `trainingPaused`.
    #[serde(serialize_with = "super::flag")]
    pub paused: bool,
    /// `primaryTrainingDevice`: the row to prefer.
    #[serde(serialize_with = "super::flag")]
    pub primary_device: bool,
    /// `dailyTrainingLoadAcute`.
    pub acute_load: Option<i64>,
    /// `dailyTrainingLoadChronic`.
    pub chronic_load: Option<i64>,
    /// `minTrainingLoadChronic`.
    pub chronic_load_min: Option<f64>,
    /// `maxTrainingLoadChronic`.
    pub chronic_load_max: Option<f64>,
    /// `dailyAcuteChronicWorkloadRatio`.
    pub load_ratio: Option<f64>,
    /// `acwrPercent`.
    pub acwr_pct: Option<i64>,
    /// `acwrStatus`.
    pub acwr_status: Option<String>,
}

/// One row of `vo2max`; only days with a new value have one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vo2MaxTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// `generic` (running) or `cycling`. Part of the key.
    pub sport: String,
    /// `vo2MaxValue`, whole, ml/kg/min.
    pub vo2max: f64,
    /// `vo2MaxPreciseValue`, ml/kg/min.
    pub vo2max_precise: f64,
    /// `fitnessAge`.
    pub fitness_age: Option<i64>,
    /// `maxMetCategory`.
    pub category: Option<i64>,
}

/// One row of `race_prediction`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RaceTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// 5 km.
    pub time_5k_s: i64,
    /// 10 km.
    pub time_10k_s: i64,
    /// Half marathon.
    pub time_half_marathon_s: i64,
    /// Marathon.
    pub time_marathon_s: i64,
}

/// One row of `endurance_score`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnduranceTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// `groupAverage` of the day.
    pub score: i64,
    /// `groupMax` of the day.
    pub max_score: i64,
}

/// One row of `hill_score`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HillTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// `overallScore`.
    pub score: i64,
    /// `strengthScore`.
    pub strength_score: i64,
    /// `enduranceScore`.
    pub endurance_score: i64,
    /// `hillScoreClassificationId`.
    pub classification: i64,
    /// `hillScoreFeedbackPhraseId`.
    pub feedback: i64,
    /// `vo2Max`.
    pub vo2max: Option<f64>,
    /// `vo2MaxPreciseValue`.
    pub vo2max_precise: Option<f64>,
}

/// One row of `running_tolerance`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToleranceTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// `acuteImpactLoad`.
    pub acute_impact_load: f64,
    /// `acuteDistance`.
    pub acute_distance_m: f64,
    /// `acuteTolerance`.
    pub acute_tolerance: f64,
    /// `runningToleranceFeedBackPhrase`.
    pub feedback: Option<String>,
}

/// One row of `lactate_threshold`: the two series merged by their day (`from`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LactateTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// Metres a second; Garmin writes tenths.
    pub speed_mps: Option<f64>,
    /// Heart rate.
    pub hr_bpm: Option<i64>,
}

/// One row of `ftp`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FtpTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// The `sport` asked for, in lower case: `cycling`, `running`. Part of the key.
    pub sport: String,
    /// Watts.
    pub power_w: i64,
}

/// One row of `load_balance`: the load of four weeks by intensity, with its targets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadBalanceTruth {
    /// `calendarDate`. Part of the key.
    pub day: NaiveDate,
    /// The device. Part of the key.
    pub device_id: i64,
    /// `monthlyLoadAerobicLow`.
    pub aerobic_low: f64,
    /// `monthlyLoadAerobicLowTargetMin`.
    pub aerobic_low_min: f64,
    /// `monthlyLoadAerobicLowTargetMax`.
    pub aerobic_low_max: f64,
    /// `monthlyLoadAerobicHigh`.
    pub aerobic_high: f64,
    /// `monthlyLoadAerobicHighTargetMin`.
    pub aerobic_high_min: f64,
    /// `monthlyLoadAerobicHighTargetMax`.
    pub aerobic_high_max: f64,
    /// `monthlyLoadAnaerobic`.
    pub anaerobic: f64,
    /// `monthlyLoadAnaerobicTargetMin`.
    pub anaerobic_min: f64,
    /// `monthlyLoadAnaerobicTargetMax`.
    pub anaerobic_max: f64,
    /// `trainingBalanceFeedbackPhrase`.
    pub feedback: Option<String>,
    /// Of the primary training device.
    #[serde(serialize_with = "super::flag")]
    pub primary_device: bool,
}

/// One row of `acclimation`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AcclimationTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// `heatAcclimationPercentage`.
    pub heat_pct: Option<f64>,
    /// `heatTrend`.
    pub heat_trend: Option<String>,
    /// `currentAltitude`.
    pub altitude_m: Option<f64>,
    /// `altitudeAcclimation`.
    pub acclimated_altitude_m: Option<f64>,
    /// `acclimationPercentage`.
    pub altitude_pct: Option<f64>,
    /// `altitudeTrend`.
    pub altitude_trend: Option<String>,
}
