//! What Garmin keeps beside each activity: laps, weather, sets, heart rate zones. Made when it is asked for.

use chrono::Duration;

use super::chance::{decimal, of_number, once_in, rounded};
use super::life::Life;
use super::truth::{
    ActivityPowerZoneTruth, ActivityStepTruth, ActivityTruth, ActivityZoneTruth, LapTruth, SetTruth, Source,
    SplitTruth, WeatherTruth,
};

impl Life {
    /// The rows of `activity_lap`: each kilometre of what was recorded, and the rest; otherwise one.
    pub fn laps(&self, activity: &ActivityTruth) -> Vec<LapTruth> {
        let metres = activity.distance_m.filter(|_| activity.source == Source::Fit).unwrap_or(0.0);
        let count = ((metres / 1_000.0).ceil() as i64).clamp(1, 60);
        let mut rng = of_number(self.plan.seed, activity.activity_id, "laps");
        let share = |number: i64| number as f64 / count as f64;
        (0..count)
            .map(|number| {
                let duration_s = rounded(activity.duration_s / count as f64, 3);
                LapTruth {
                    activity_id: activity.activity_id,
                    lap: number + 1,
                    start_utc: activity.start_utc + Duration::seconds((activity.duration_s * share(number)) as i64),
                    distance_m: activity.distance_m.map(|metres| rounded(metres / count as f64, 2)),
                    duration_s,
                    avg_hr_bpm: activity.avg_hr_bpm.map(|bpm| bpm + rng.i64(-6..6) as f64),
                    max_hr_bpm: activity.max_hr_bpm.map(|bpm| bpm - rng.i64(0..6) as f64),
                    avg_speed_mps: activity.avg_speed_mps,
                    intensity: if once_in(&mut rng, 7) { "REST" } else { "ACTIVE" }.into(),
                }
            })
            .collect()
    }

    /// The row of `activity_weather`; none indoors, and none for what was not recorded by a device of Garmin's.
    pub fn weather(&self, activity: &ActivityTruth) -> Option<WeatherTruth> {
        if activity.start_lat.is_none() || activity.source != Source::Fit {
            return None;
        }
        let mut rng = of_number(self.plan.seed, activity.activity_id, "weather");
        let fahrenheit = rng.i64(24..92);
        Some(WeatherTruth {
            activity_id: activity.activity_id,
            observed_utc: activity.start_utc - Duration::seconds(activity.start_utc.timestamp() % 1_800),
            temperature_c: celsius(fahrenheit),
            apparent_c: celsius(fahrenheit - 3),
            dew_point_c: celsius(fahrenheit - 11),
            humidity_pct: rng.i64(35..99),
            wind_direction: rng.i64(0..360),
            wind_speed: decimal(&mut rng, 0.0, 18.0, 0),
            wind_gust: once_in(&mut rng, 3).then(|| decimal(&mut rng, 18.0, 40.0, 0)),
            description: "Partly Cloudy".into(),
        })
    }

    /// The rows of `activity_set`: strength training alone has sets.
    pub fn sets(&self, activity: &ActivityTruth) -> Vec<SetTruth> {
        if activity.kind != "strength_training" {
            return Vec::new();
        }
        let mut rng = of_number(self.plan.seed, activity.activity_id, "sets");
        let mut at = activity.start_utc;
        let count = 2 * rng.i64(4..9);
        (0..count)
            .map(|position| {
                let active = position % 2 == 0;
                let seconds = rng.i64(30..90);
                let start_utc = at;
                at += Duration::seconds(seconds);
                SetTruth {
                    activity_id: activity.activity_id,
                    position,
                    kind: if active { "ACTIVE" } else { "REST" }.into(),
                    start_utc,
                    duration_s: seconds as f64,
                    repetitions: active.then(|| rng.i64(5..15)),
                    weight_g: (active && !once_in(&mut rng, 4)).then(|| f64::from(rng.u32(4..40)) * 2_500.0),
                    exercise: active.then(|| ["BENCH_PRESS", "SQUAT", "PLANK"][rng.usize(0..3)].to_owned()),
                }
            })
            .collect()
    }

    /// The rows of `activity_power_zone`.
    pub fn power_zones_of(&self, activity: &ActivityTruth) -> Vec<ActivityPowerZoneTruth> {
        let share = |zone: i64| rounded(activity.duration_s / 7.0, 3) + zone as f64;
        let zones = (1..=7).filter(|_| activity.avg_power_w.is_some());
        zones
            .map(|zone| ActivityPowerZoneTruth {
                activity_id: activity.activity_id,
                zone,
                time_s: share(zone),
                low_w: 100 + 40 * zone,
            })
            .collect()
    }

    /// The rows of `activity_split`: running and walking where that was recorded, else one stretch.
    pub fn splits(&self, activity: &ActivityTruth) -> Vec<SplitTruth> {
        let kinds: &[&str] =
            if activity.kind.contains("running") { &["RWD_RUN", "RWD_WALK", "RWD_RUN"] } else { &["INTERVAL_ACTIVE"] };
        let count = kinds.len() as f64;
        (0..)
            .zip(kinds)
            .map(|(position, kind)| SplitTruth {
                activity_id: activity.activity_id,
                position,
                kind: (*kind).into(),
                start_utc: activity.start_utc + Duration::seconds((activity.duration_s / count) as i64 * position),
                duration_s: rounded(activity.duration_s / count, 3),
                distance_m: activity.distance_m.map(|metres| rounded(metres / count, 2)),
                avg_hr_bpm: activity.avg_hr_bpm.filter(|_| *kind != "RWD_WALK"),
            })
            .collect()
    }

    /// The rows of `activity_workout_step`: some runs followed a workout.
    pub fn steps_of(&self, activity: &ActivityTruth) -> Vec<ActivityStepTruth> {
        let mut rng = of_number(self.plan.seed, activity.activity_id, "workout");
        if activity.kind != "running" || once_in(&mut rng, 2) {
            return Vec::new();
        }
        let step =
            |position: i64, intensity: &str, until: &str, until_value: f64, pace: Option<f64>| ActivityStepTruth {
                activity_id: activity.activity_id,
                workout: 0,
                position,
                name: "6 × 800 m".into(),
                sport: "RUNNING".into(),
                intensity: intensity.into(),
                until: until.into(),
                until_value: Some(until_value),
                target: if pace.is_some() { "SPEED" } else { "OPEN" }.into(),
                target_low: pace,
                target_high: pace.map(|pace| rounded(pace + 0.3, 3)),
            };
        vec![step(0, "WARMUP", "TIME", 600.0, None), step(1, "INTERVAL", "DISTANCE", 800.0, Some(3.9))]
    }

    /// The rows of `activity_hr_zone`.
    pub fn zones(&self, activity: &ActivityTruth) -> Vec<ActivityZoneTruth> {
        if activity.avg_hr_bpm.is_none() {
            return Vec::new();
        }
        [92, 110, 129, 147, 166]
            .into_iter()
            .zip(1..)
            .map(|(low_bpm, zone)| ActivityZoneTruth {
                activity_id: activity.activity_id,
                zone,
                time_s: rounded(activity.duration_s / [10.0, 4.0, 2.0, 8.0, 40.0][zone as usize - 1], 3),
                low_bpm,
            })
            .collect()
    }
}

/// Garmin gives Fahrenheit; two decimals of the other scale.
fn celsius(fahrenheit: i64) -> f64 {
    rounded((fahrenheit - 32) as f64 * 5.0 / 9.0, 2)
}
