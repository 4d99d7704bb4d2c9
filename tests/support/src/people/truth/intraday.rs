//! The truth within a day: samples, and the stages of a night. `samples` makes it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// One row of `sleep_stage`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageTruth {
    /// The key.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// End.
    #[serde(serialize_with = "super::iso_utc")]
    pub end_utc: DateTime<Utc>,
    /// The day of waking up.
    pub day: NaiveDate,
    /// `deep`, `light`, `rem` or `awake`.
    pub stage: String,
}

/// One measured value. Its column is named by its table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Epoch seconds, UTC.
    pub at: i64,
    /// The value.
    pub value: f64,
}
