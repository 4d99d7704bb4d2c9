//! Cycle, food, lifestyle.

use serde_json::{Value, json};

use super::{Scene, flag, flat, list, utc};

pub fn read(scene: &mut Scene) {
    let cycles = scene.ranges("/periodichealth-service/menstrualcycle/calendar/{s}/{e}", 91, "/cycleSummaries");
    let row = |item: &Value| {
        json!({"start_day": item["startDate"], "period_days": item["periodLength"],
               "predicted": flag(&item["predictedCycle"])})
    };
    scene.holds("menstrual_cycle", cycles.iter().map(row));
    let days = scene.days("/periodichealth-service/menstrualcycle/dayview/{d}");
    let rows = flat(days, |day, item| {
        let of = &item["daySummary"];
        vec![json!({"day": day, "start_day": of["startDate"], "day_in_cycle": of["dayInCycle"],
                    "phase": of["currentPhase"], "period_days": of["periodLength"],
                    "predicted": flag(&of["predictedCycle"]), "flow": item.pointer("/dayLog/flow"),
                    "notes": item.pointer("/dayLog/notes")})]
    });
    scene.holds("menstrual_day", rows);

    let logs: Vec<_> =
        scene.days("/nutrition-service/food/logs/{d}").into_iter().filter(|(_, log)| !log.is_null()).collect();
    let total = |item: &Value| {
        let of = &item["dailyNutritionContent"];
        json!({"day": item["mealDate"], "calories_kcal": of["calories"], "carbs_g": of["carbs"],
               "protein_g": of["protein"], "fat_g": of["fat"], "goal_kcal": item["dailyNutritionGoals"]["calories"]})
    };
    scene.holds("nutrition", logs.iter().map(|(_, log)| total(log)));
    let foods = flat(logs, |_, log| {
        let meals = list(log, "/mealDetails");
        let of = |meal: &Value, food: &Value| {
            let content = &food["nutritionContent"];
            json!({"log_id": food["logId"], "day": log["mealDate"], "meal": meal["meal"]["mealName"],
                   "name": food["foodMetaData"]["foodName"], "logged_utc": utc(&food["logTimestamp"]),
                   "servings": food["servingQty"], "calories_kcal": content["calories"],
                   "carbs_g": content["carbs"], "protein_g": content["protein"], "fat_g": content["fat"]})
        };
        meals.flat_map(|meal| list(meal, "/loggedFoods").map(move |food| of(meal, food))).collect()
    });
    scene.holds("food", foods);

    let logs = scene.days("/lifestylelogging-service/dailyLog/{d}");
    let rows = flat(logs, |day, log| {
        let row = |item: &Value, detail: Option<&Value>| {
            json!({"day": day, "behaviour_id": item["behaviourId"], "name": item["name"],
                   "category": item["category"], "status": item["logStatus"],
                   "measurement": item["measurementType"],
                   "detail": detail.map_or(json!(""), |it| it["subTypeName"].clone()),
                   "amount": detail.map(|it| it["amount"].clone())})
        };
        let items = list(log, "/dailyLogsReport");
        items
            .flat_map(|item| {
                let details: Vec<_> = list(item, "/details").map(|detail| row(item, Some(detail))).collect();
                if details.is_empty() { vec![row(item, None)] } else { details }
            })
            .collect()
    });
    scene.holds("lifestyle", rows);
}
