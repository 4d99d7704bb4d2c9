INSERT OR REPLACE INTO nutrition (account, day, calories_kcal, carbs_g, protein_g, fat_g, goal_kcal)
VALUES (
    :account,
    :item,
    :body ->> '$.dailyNutritionContent.calories',
    :body ->> '$.dailyNutritionContent.carbs',
    :body ->> '$.dailyNutritionContent.protein',
    :body ->> '$.dailyNutritionContent.fat',
    :body ->> '$.dailyNutritionGoals.calories'
);
-- What has no number of its own goes by its place in the day.
INSERT OR REPLACE INTO food (account, log_id, day, meal, name, logged_utc, servings, calories_kcal, carbs_g, protein_g, fat_g)
SELECT
    :account,
    coalesce(CAST(food.value ->> '$.logId' AS TEXT), :item || ' ' || meal.key || '.' || food.key),
    :item,
    coalesce(meal.value ->> '$.meal.mealName', meal.value ->> '$.mealName', meal.value ->> '$.meal'),
    food.value ->> '$.foodMetaData.foodName',
    strftime('%Y-%m-%dT%H:%M:%SZ', food.value ->> '$.logTimestamp'),
    food.value ->> '$.servingQty',
    coalesce(food.value ->> '$.nutritionContent.calories', food.value ->> '$.foodMetaData.nutritionContent.calories'),
    coalesce(food.value ->> '$.nutritionContent.carbs', food.value ->> '$.foodMetaData.nutritionContent.carbs'),
    coalesce(food.value ->> '$.nutritionContent.protein', food.value ->> '$.foodMetaData.nutritionContent.protein'),
    coalesce(food.value ->> '$.nutritionContent.fat', food.value ->> '$.foodMetaData.nutritionContent.fat')
FROM json_each(:body, '$.mealDetails') AS meal, json_each(meal.value, '$.loggedFoods') AS food
WHERE meal.type = 'object' AND food.type = 'object';
