//! Generates the truth of single days: daily summary, night, HRV. Pure functions of plan and day.
//! `life` calls them; they know nothing of how Garmin writes the values down.

use chrono::{Days, Duration, NaiveDate};

use super::chance::{decimal, of_day, once_in, rounded};
use super::life::Day;
use super::plan::Plan;
use super::truth::{DailyTruth, HrvTruth, SleepTruth};

/// A day as it came out: complete, watch left off, night without the watch, or nothing at all.
pub(super) fn of(plan: &Plan, day: NaiveDate) -> Day {
    if plan.drawer.is_some_and(|(first, last)| (first..=last).contains(&day)) {
        return Day::default();
    }
    let mut rng = of_day(plan.seed, day, "wear");
    if once_in(&mut rng, 40) {
        return Day::default();
    }
    if once_in(&mut rng, 45) {
        return Day { daily: Some(watch_left_off(plan, day)), ..Day::default() };
    }
    let night = !once_in(&mut rng, 25);
    worn(plan, day, night, share(plan, day))
}

/// How much of a day there is: today is still going on, at seven in the morning.
pub(super) fn share(plan: &Plan, day: NaiveDate) -> f64 {
    if day == plan.today { 7.0 / 24.0 } else { 1.0 }
}

/// A day with the watch on, of which `share` has passed, and the night before it too if `night`.
pub(super) fn worn(plan: &Plan, day: NaiveDate, night: bool, share: f64) -> Day {
    let sleep = night.then(|| sleep(plan, day, 0));
    // A short night has no HRV.
    let measured = |sleep: &&SleepTruth| sleep.asleep_s >= 5 * 3600 && day >= plan.hrv_since;
    let hrv = sleep.as_ref().filter(measured).map(|_| hrv(plan, day));
    Day { daily: Some(daily(plan, day, share)), sleep, hrv }
}

fn daily(plan: &Plan, day: NaiveDate, share: f64) -> DailyTruth {
    let mut rng = of_day(plan.seed, day, "daily");
    let part = |value: i64| (value as f64 * share) as i64;
    let steps = part(rng.i64(2_000..19_000));
    let active = part(rng.i64(150..1_400)) as f64;
    let resting = part(rng.i64(1_500..2_050)) as f64;
    let resting_hr = rng.i64(44..62);
    let awake_s = part((plan.end(day) - plan.begin(day)).num_seconds() * 3 / 4);
    let (rest, low, medium) = (rng.i64(30..55), rng.i64(15..30), rng.i64(3..12));
    let slot = |percent: i64| awake_s * percent / 100 / 60 * 60;
    // Too little worn for an average on some days; Garmin then writes a negative number.
    let stress = !once_in(&mut rng, 30);
    let average = rng.i64(18..48);
    let (battery_low, battery_high) = (rng.i64(5..35), rng.i64(60..101));
    let spo2 = !once_in(&mut rng, 5) && day >= plan.spo2_since;
    let (lowest_spo2, average_spo2) = (rng.i64(82..92) as f64, rng.i64(93..99) as f64);
    DailyTruth {
        day,
        steps: Some(steps),
        step_goal: Some(rng.i64(7_000..10_500)),
        distance_m: Some(rounded(steps as f64 * 0.78, 0)),
        floors_up: (!once_in(&mut rng, 20)).then(|| part(rng.i64(0..40))),
        floors_down: (!once_in(&mut rng, 20)).then(|| part(rng.i64(0..40))),
        active_kcal: Some(active),
        resting_kcal: Some(resting),
        total_kcal: Some(active + resting),
        resting_hr_bpm: (!once_in(&mut rng, 40)).then_some(resting_hr),
        min_hr_bpm: Some(resting_hr - rng.i64(1..5)),
        max_hr_bpm: Some(rng.i64(110..186)),
        avg_stress: stress.then_some(average),
        max_stress: stress.then(|| rng.i64(70..100)),
        rest_stress_s: Some(slot(rest)),
        low_stress_s: Some(slot(low)),
        medium_stress_s: Some(slot(medium)),
        high_stress_s: Some(slot(rng.i64(0..4))),
        body_battery_min: Some(battery_low),
        body_battery_max: Some(battery_high),
        body_battery_charged: Some(rng.i64(30..80)),
        body_battery_drained: Some(rng.i64(30..80)),
        moderate_min: Some(part(rng.i64(0..60))),
        vigorous_min: Some(part(rng.i64(0..70))),
        hydration_ml: (!once_in(&mut rng, 3)).then(|| f64::from(rng.u32(2..14)) * 250.0),
        avg_respiration_brpm: (!once_in(&mut rng, 30)).then(|| rng.i64(11..18) as f64),
        avg_spo2_pct: spo2.then_some(average_spo2),
        min_spo2_pct: spo2.then_some(lowest_spo2),
    }
}

/// Garmin still counts resting energy and shows the goal.
fn watch_left_off(plan: &Plan, day: NaiveDate) -> DailyTruth {
    let resting = of_day(plan.seed, day, "off").i64(1_500..2_050) as f64;
    DailyTruth {
        day,
        steps: None,
        step_goal: Some(8_000),
        distance_m: None,
        floors_up: None,
        floors_down: None,
        active_kcal: None,
        resting_kcal: Some(resting),
        total_kcal: Some(resting),
        resting_hr_bpm: None,
        min_hr_bpm: None,
        max_hr_bpm: None,
        avg_stress: None,
        max_stress: None,
        rest_stress_s: None,
        low_stress_s: None,
        medium_stress_s: None,
        high_stress_s: None,
        body_battery_min: None,
        body_battery_max: None,
        body_battery_charged: None,
        body_battery_drained: None,
        moderate_min: None,
        vigorous_min: None,
        hydration_ml: None,
        avg_respiration_brpm: None,
        avg_spo2_pct: None,
        min_spo2_pct: None,
    }
}

/// The night before `day`. Another `take` is the same night scored again.
pub(super) fn sleep(plan: &Plan, day: NaiveDate, take: u32) -> SleepTruth {
    let mut night = of_day(plan.seed, day, "night");
    let mut scored = of_day(plan.seed, day, &format!("scored/{take}"));
    // Most nights begin before midnight, some after it.
    let start_utc = plan.begin(day) + Duration::minutes(night.i64(-120..60));
    let window_min = night.i64(300..540);
    let end_utc = start_utc + Duration::minutes(window_min);
    let awake_min = scored.i64(0..35);
    let asleep_min = window_min - awake_min;
    let deep_min = asleep_min * scored.i64(12..26) / 100;
    let rem_min = asleep_min * scored.i64(14..28) / 100;
    SleepTruth {
        day,
        start_utc,
        end_utc,
        start_local: plan.local(start_utc),
        end_local: plan.local(end_utc),
        asleep_s: asleep_min * 60,
        deep_s: deep_min * 60,
        light_s: (asleep_min - deep_min - rem_min) * 60,
        rem_s: Some(rem_min * 60),
        awake_s: awake_min * 60,
        nap_s: Some(if once_in(&mut night, 12) { night.i64(20..90) * 60 } else { 0 }),
        score: (!once_in(&mut scored, 30)).then(|| scored.i64(35..98)),
        avg_hr_bpm: Some(scored.i64(46..64) as f64),
        avg_stress: Some(decimal(&mut scored, 8.0, 32.0, 1)),
        avg_spo2_pct: (!once_in(&mut scored, 5) && day >= plan.spo2_since).then(|| scored.i64(92..99) as f64),
        avg_respiration_brpm: Some(scored.i64(11..17) as f64),
        confirmation: Some(if take > 0 { "enhanced_confirmed_final" } else { "auto_confirmed" }.to_owned()),
    }
}

fn hrv(plan: &Plan, day: NaiveDate) -> HrvTruth {
    let mut rng = of_day(plan.seed, day, "hrv");
    let average = rng.i64(38..66);
    // The baseline needs about three weeks of nights.
    let since = plan.hrv_since.max(plan.first);
    let baseline = day >= since + Days::new(21);
    HrvTruth {
        day,
        last_night_avg_ms: Some(average),
        last_night_5min_high_ms: Some(average + rng.i64(8..40)),
        weekly_avg_ms: (day >= since + Days::new(7)).then(|| rng.i64(46..58)),
        baseline_low_ms: baseline.then_some(41),
        baseline_balanced_low_ms: baseline.then_some(45),
        baseline_balanced_high_ms: baseline.then_some(59),
        status: Some(
            match (baseline, average) {
                (false, _) => "NONE",
                (true, ..41) => "LOW",
                (true, 45..60) => "BALANCED",
                (true, _) => "UNBALANCED",
            }
            .to_owned(),
        ),
    }
}
