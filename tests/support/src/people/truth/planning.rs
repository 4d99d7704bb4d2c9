//! The truth of what a person is and plans: profile, workouts, calendar, challenges. `planning` makes it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// The row of `profile`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProfileTruth {
    /// `gender`.
    pub gender: String,
    /// `birthDate`.
    pub birth_day: NaiveDate,
    /// Metres; Garmin gives centimetres.
    pub height_m: f64,
    /// Grams.
    pub weight_g: f64,
    /// `vo2MaxRunning`.
    pub vo2max_running: Option<f64>,
    /// `vo2MaxCycling`.
    pub vo2max_cycling: Option<f64>,
    /// Metres a second; Garmin gives tenths.
    pub lactate_threshold_speed_mps: Option<f64>,
    /// `lactateThresholdHeartRate`.
    pub lactate_threshold_hr_bpm: Option<i64>,
    /// `functionalThresholdPower`.
    pub ftp_w: Option<i64>,
    /// `availableTrainingDays`, with commas.
    pub training_days: String,
    /// `sleepTime`: seconds after midnight.
    pub sleep_s: i64,
    /// `wakeTime`.
    pub wake_s: i64,
}

/// One row of `workout`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkoutTruth {
    /// `workoutId`. The key.
    pub workout_id: i64,
    /// `workoutName`.
    pub name: String,
    /// `description`.
    pub description: Option<String>,
    /// `sportType.sportTypeKey`.
    pub sport: String,
    /// `estimatedDurationInSecs`.
    pub estimated_s: Option<i64>,
    /// `estimatedDistanceInMeters`.
    pub estimated_m: Option<f64>,
    /// `createdDate`.
    #[serde(serialize_with = "super::iso_utc")]
    pub created_utc: DateTime<Utc>,
    /// `updatedDate`.
    #[serde(serialize_with = "super::iso_utc")]
    pub updated_utc: DateTime<Utc>,
}

/// One row of `workout_step`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkoutStepTruth {
    /// The workout. Part of the key.
    pub workout_id: i64,
    /// `stepOrder`. Part of the key.
    pub position: i64,
    /// `stepType.stepTypeKey`.
    pub kind: String,
    /// `numberOfIterations` of a group; the steps after it stand inside.
    pub repeats: Option<i64>,
    /// `endCondition.conditionTypeKey`.
    pub until: Option<String>,
    /// `endConditionValue`.
    pub until_value: Option<f64>,
    /// `targetType.workoutTargetTypeKey`.
    pub target: Option<String>,
}

/// One row of `calendar_entry`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalendarTruth {
    /// `itemType` and `id`. The key.
    pub entry_id: String,
    /// `date`.
    pub day: NaiveDate,
    /// `itemType`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `title`.
    pub title: String,
    /// `workoutId`.
    pub workout_id: Option<i64>,
}

/// One row of `challenge`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChallengeTruth {
    /// `uuid`. The key.
    pub challenge_id: String,
    /// `completed`, `with_friends`, `in_progress`: the list it stands in.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `startDate`.
    pub start_day: NaiveDate,
    /// `endDate`.
    pub end_day: Option<NaiveDate>,
    /// What is wanted.
    pub target: Option<f64>,
    /// What was done.
    pub progress: Option<f64>,
    /// `badgePoints`.
    pub points: Option<i64>,
    /// `userRanking`, among friends.
    pub ranking: Option<i64>,
}
