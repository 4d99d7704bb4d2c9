//! What Garmin keeps beside each activity: laps, weather, sets, heart rate zones. Made when it is asked for.

use chrono::Duration;

use super::chance::{decimal, of_number, once_in, rounded};
use super::life::Life;
use super::truth::{ActivityTruth, ActivityZoneTruth, LapTruth, SetTruth, Source, WeatherTruth};

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
