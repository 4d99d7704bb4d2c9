//! Cycle, food and lifestyle in Garmin's shapes.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::gmt;
use crate::people::{CycleTruth, FoodTruth, LifestyleTruth, MenstrualDayTruth, NutritionTruth};

/// `menstrualcycle/calendar`.
pub(crate) fn calendar(first: NaiveDate, last: NaiveDate, cycles: &[CycleTruth]) -> Value {
    let item = |truth: &CycleTruth| {
        json!({"startDate": truth.start_day, "periodLength": truth.period_days, "predictedCycle": truth.predicted,
               "cycleType": "REGULAR"})
    };
    json!({"startDate": first, "endDate": last, "cycleSummaries": cycles.iter().map(item).collect::<Vec<_>>()})
}

/// `menstrualcycle/dayview`.
pub(crate) fn day(truth: &MenstrualDayTruth) -> Value {
    json!({
        "dayLog": (truth.flow.is_some() || truth.notes.is_some()).then(|| json!({
            "calendarDate": truth.day, "flow": truth.flow, "moods": [], "symptoms": [], "discharge": [],
            "sexDrive": null, "notes": truth.notes, "ovulationDay": false, "reportTimestamp": null})),
        "daySummary": summary(truth), "weightGoals": null})
}

/// `menstrualcycle/summary`: a part of the day's view.
pub(crate) fn summary(truth: &MenstrualDayTruth) -> Value {
    json!({
        "startDate": truth.start_day, "dayInCycle": truth.day_in_cycle, "currentPhase": truth.phase,
        "periodLength": truth.period_days, "predictedCycle": truth.predicted})
}

/// `food/logs`.
pub(crate) fn food_log(truth: &NutritionTruth, foods: &[FoodTruth], offset: &str) -> Value {
    let content = |calories: Option<f64>, carbs: Option<f64>, protein: Option<f64>, fat: Option<f64>| json!({"calories": calories, "carbs": carbs, "protein": protein, "fat": fat});
    let meals: Vec<_> = ["BREAKFAST", "LUNCH", "DINNER"]
        .iter()
        .map(|meal| {
            let eaten = foods.iter().filter(|food| food.meal == *meal);
            let logged: Vec<_> = eaten
                .map(|food| {
                    json!({
                        "logId": food.log_id, "logTimestamp": gmt(food.logged_utc),
                        "mealDateTimeWithOffset": format!("{}T12:00:00{offset}", food.day),
                        "servingQty": food.servings,
                        "foodMetaData": {"foodId": "1", "foodName": food.name, "foodType": "GENERIC"},
                        "nutritionContent":
                            content(food.calories_kcal, food.carbs_g, food.protein_g, food.fat_g)})
                })
                .collect();
            json!({"meal": {"mealId": 1, "mealName": meal}, "loggedFoods": logged})
        })
        .collect();
    json!({
        "mealDate": truth.day, "dayStartTime": "00:00:00", "dayEndTime": "23:59:59",
        "dailyNutritionContent": content(Some(truth.calories_kcal), truth.carbs_g, truth.protein_g, truth.fat_g),
        "dailyNutritionGoals": content(truth.goal_kcal, None, None, None),
        "mealDetails": meals, "loggedFoodsWithServingSizes": []})
}

/// `dailyLog`.
pub(crate) fn lifestyle(truths: &[LifestyleTruth]) -> Value {
    let item = |truth: &LifestyleTruth| {
        let details: Vec<_> = (!truth.detail.is_empty())
            .then(|| json!({"subTypeName": truth.detail, "amount": truth.amount}))
            .into_iter()
            .collect();
        json!({
            "behaviourId": truth.behaviour_id, "name": truth.name, "category": truth.category,
            "logStatus": truth.status, "measurementType": truth.measurement, "details": details})
    };
    json!({
        "dailyLogsReport": truths.iter().map(item).collect::<Vec<_>>(),
        "completionStats": {"completed": truths.len(), "total": truths.len()}})
}
