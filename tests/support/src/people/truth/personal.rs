//! The truth of what only some people log: cycle, food, lifestyle. `habits` makes it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// One row of `menstrual_cycle`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CycleTruth {
    /// `startDate`. The key.
    pub start_day: NaiveDate,
    /// `periodLength`.
    pub period_days: Option<i64>,
    /// `predictedCycle`.
    #[serde(serialize_with = "super::flag")]
    pub predicted: bool,
}

/// One row of `menstrual_day`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MenstrualDayTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// `startDate` of the cycle.
    pub start_day: NaiveDate,
    /// `dayInCycle`, from 1.
    pub day_in_cycle: i64,
    /// `currentPhase`, 1 to 4.
    pub phase: i64,
    /// `periodLength`.
    pub period_days: Option<i64>,
    /// `predictedCycle`.
    #[serde(serialize_with = "super::flag")]
    pub predicted: bool,
    /// `dayLog.flow`.
    pub flow: Option<String>,
    /// `dayLog.notes`.
    pub notes: Option<String>,
}

/// One row of `nutrition`: the day's total.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NutritionTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// Energy.
    pub calories_kcal: f64,
    /// Carbohydrates.
    pub carbs_g: Option<f64>,
    /// Protein.
    pub protein_g: Option<f64>,
    /// Fat.
    pub fat_g: Option<f64>,
    /// `dailyNutritionGoals.calories`.
    pub goal_kcal: Option<f64>,
}

/// One row of `food`: one thing eaten.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoodTruth {
    /// `logId`. The key.
    pub log_id: String,
    /// `mealDate`.
    pub day: NaiveDate,
    /// `mealName`.
    pub meal: String,
    /// `foodMetaData.foodName`.
    pub name: String,
    /// `logTimestamp`.
    #[serde(serialize_with = "super::iso_utc")]
    pub logged_utc: DateTime<Utc>,
    /// `servingQty`.
    pub servings: f64,
    /// Energy.
    pub calories_kcal: Option<f64>,
    /// Carbohydrates.
    pub carbs_g: Option<f64>,
    /// Protein.
    pub protein_g: Option<f64>,
    /// Fat.
    pub fat_g: Option<f64>,
}

/// One row of `lifestyle`: one behaviour of one day, or one detail of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LifestyleTruth {
    /// The person's local day.
    pub day: NaiveDate,
    /// `behaviourId`. Part of the key.
    pub behaviour_id: i64,
    /// `subTypeName`; empty without details. Part of the key.
    pub detail: String,
    /// `name`.
    pub name: String,
    /// `category`.
    pub category: String,
    /// `logStatus`: `YES`, `NO`.
    pub status: String,
    /// `measurementType`.
    pub measurement: Option<String>,
    /// `amount`.
    pub amount: Option<f64>,
}
