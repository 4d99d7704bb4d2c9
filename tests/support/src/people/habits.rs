//! What only some people log: the menstrual cycle, food, the lifestyle log. Made when it is asked for; empty without the
//! habit (`Plan::habits`). A day that Garmin revises changes nothing of it.

use chrono::{Days, Duration, NaiveDate};

use super::chance::{of_day, of_number, once_in, rounded};
use super::life::Life;
use super::truth::{CycleTruth, FoodTruth, LifestyleTruth, MenstrualDayTruth, NutritionTruth};

impl Life {
    /// The rows of `menstrual_cycle` that begin in a period.
    pub fn cycles(&self, first: NaiveDate, last: NaiveDate) -> Vec<CycleTruth> {
        self.all_cycles().filter(|cycle| (first..=last).contains(&cycle.start_day)).collect()
    }

    /// The row of `menstrual_day`.
    pub fn menstrual_day(&self, day: NaiveDate) -> Option<MenstrualDayTruth> {
        let cycle = self.all_cycles().take_while(|cycle| cycle.start_day <= day).last()?;
        if day > self.plan.today {
            return None;
        }
        let day_in_cycle = (day - cycle.start_day).num_days() + 1;
        let period = cycle.period_days.unwrap_or(5);
        Some(MenstrualDayTruth {
            day,
            start_day: cycle.start_day,
            day_in_cycle,
            phase: match day_in_cycle {
                day if day <= period => 1,
                ..=12 => 2,
                13..=16 => 3,
                _ => 4,
            },
            period_days: cycle.period_days,
            predicted: cycle.predicted,
            flow: (day_in_cycle <= period).then(|| if day_in_cycle < 3 { "HEAVY" } else { "LIGHT" }.into()),
            notes: once_in(&mut of_day(self.plan.seed, day, "cycle notes"), 20).then(|| "Kopfschmerzen".into()),
        })
    }

    fn all_cycles(&self) -> impl Iterator<Item = CycleTruth> {
        let days = if self.plan.habits.menstrual { (self.plan.today - self.plan.first).num_days() } else { -1 };
        let mut start = 0;
        (0..)
            .map(move |number| {
                let mut rng = of_number(self.plan.seed, number, "cycle");
                let start_day = self.plan.first + Days::new(u64::try_from(start).unwrap_or(0));
                start += rng.i64(26..31);
                let predicted = once_in(&mut rng, 6);
                let start_day = self.moved_cycles.get(&start_day).copied().unwrap_or(start_day);
                CycleTruth { start_day, period_days: Some(rng.i64(4..7)), predicted }
            })
            .take_while(move |cycle| (cycle.start_day - self.plan.first).num_days() <= days)
    }

    /// The row of `nutrition`: the sum of what was eaten.
    pub fn nutrition(&self, day: NaiveDate) -> Option<NutritionTruth> {
        let foods = self.foods(day);
        let sum = |of: fn(&FoodTruth) -> Option<f64>| rounded(foods.iter().filter_map(of).sum(), 1);
        (!foods.is_empty()).then(|| NutritionTruth {
            day,
            calories_kcal: sum(|food| food.calories_kcal),
            carbs_g: Some(sum(|food| food.carbs_g)),
            protein_g: Some(sum(|food| food.protein_g)),
            fat_g: Some(sum(|food| food.fat_g)),
            goal_kcal: Some(2_200.0),
        })
    }

    /// The rows of `food` of one day.
    pub fn foods(&self, day: NaiveDate) -> Vec<FoodTruth> {
        let mut rng = of_day(self.plan.seed, day, "food");
        if !self.plan.habits.nutrition || self.worn(day).is_none() || once_in(&mut rng, 3) {
            return Vec::new();
        }
        let eaten = [("BREAKFAST", "Müsli", 1), ("BREAKFAST", "Kaffee", 2), ("LUNCH", "Linsensuppe", 6)];
        let eaten = eaten.into_iter().map(|(meal, name, hour)| {
            let logged_utc = self.plan.begin(day) + Duration::hours(hour) + Duration::minutes(rng.i64(0..50));
            let servings = f64::from(rng.u32(1..4)) / 2.0;
            let (carbs, protein, fat) = (rng.i64(5..60) as f64, rng.i64(1..25) as f64, rng.i64(0..20) as f64);
            FoodTruth {
                log_id: format!("{:x}-{}", logged_utc.timestamp(), meal.to_lowercase()),
                day,
                meal: meal.into(),
                name: name.into(),
                logged_utc,
                servings,
                calories_kcal: Some(carbs * 4.0 + protein * 4.0 + fat * 9.0),
                carbs_g: Some(carbs),
                protein_g: Some(protein),
                fat_g: Some(fat),
            }
        });
        eaten.collect()
    }

    /// The rows of `lifestyle` of one day.
    pub fn lifestyle(&self, day: NaiveDate) -> Vec<LifestyleTruth> {
        let mut rng = of_day(self.plan.seed, day, "lifestyle");
        if !self.plan.habits.lifestyle || self.worn(day).is_none() || once_in(&mut rng, 3) {
            return Vec::new();
        }
        let mut row = |behaviour_id: i64, name: &str, category: &str, measurement: Option<&str>, detail: &str| {
            let yes = rng.bool();
            LifestyleTruth {
                day,
                behaviour_id,
                detail: if yes { detail.into() } else { String::new() },
                name: name.into(),
                category: category.into(),
                status: if yes { "YES" } else { "NO" }.into(),
                measurement: measurement.map(str::to_owned),
                amount: (yes && !detail.is_empty()).then(|| f64::from(rng.u32(1..5))),
            }
        };
        vec![
            row(1, "Alcohol", "LIFESTYLE", Some("QUANTITY"), "BEER"),
            row(2, "Morning Caffeine", "LIFESTYLE", Some("QUANTITY"), "COFFEE"),
            row(7, "Read before bed", "SLEEP_RELATED", None, ""),
        ]
    }
}
