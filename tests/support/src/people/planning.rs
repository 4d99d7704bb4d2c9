//! What a person is and plans: profile, workouts, calendar, challenges. Made when it is asked for.

use chrono::{Days, Duration, NaiveDate};

use super::chance::{hash, of_day, once_in};
use super::life::Life;
use super::truth::{CalendarTruth, ChallengeTruth, ProfileTruth, WorkoutStepTruth, WorkoutTruth};

impl Life {
    /// The row of `profile`.
    pub fn profile(&self) -> ProfileTruth {
        ProfileTruth {
            gender: "FEMALE".into(),
            birth_day: NaiveDate::from_ymd_opt(1986, 4, 12).unwrap_or_default(),
            height_m: 1.71,
            weight_g: 63_500.0,
            vo2max_running: Some(48.0),
            vo2max_cycling: None,
            lactate_threshold_speed_mps: Some(3.3),
            lactate_threshold_hr_bpm: Some(171),
            ftp_w: None,
            training_days: "MONDAY,SATURDAY".into(),
            sleep_s: 81_000,
            wake_s: 23_400,
        }
    }

    /// The rows of `workout`.
    pub fn workouts(&self) -> Vec<WorkoutTruth> {
        let workout = |number: i64, name: &str, sport: &str| {
            let created_utc = self.plan.begin(self.plan.first) + Duration::hours(8 + number);
            WorkoutTruth {
                workout_id: self.id_base / 1_000 + 500 + number,
                name: name.into(),
                description: (number == 2).then(|| "Nur bei gutem Wetter ☀".into()),
                sport: sport.into(),
                estimated_s: (number != 3).then_some(1_800 * number),
                estimated_m: (number == 3).then_some(40_000.0),
                created_utc,
                updated_utc: created_utc + Duration::days(number),
            }
        };
        let all = [(1, "6 × 800 m", "running"), (2, "Langer Lauf", "running"), (3, "Grundlage", "cycling")];
        let all = all.into_iter().map(|(number, name, sport)| workout(number, name, sport));
        all.filter(|workout| !self.removed.contains(&format!("workout {}", workout.workout_id))).collect()
    }

    /// The rows of `workout_step` of all workouts: warming up, repeats, and what is repeated.
    pub fn workout_steps(&self) -> Vec<WorkoutStepTruth> {
        let steps = |workout: WorkoutTruth| {
            let step = move |position: i64, kind: &str, repeats: Option<i64>, until: Option<(&str, f64)>| {
                let target = if kind == "interval" { "pace.zone" } else { "no.target" };
                WorkoutStepTruth {
                    workout_id: workout.workout_id,
                    position,
                    kind: kind.into(),
                    repeats,
                    until: until.map(|(until, _)| until.into()),
                    until_value: until.map(|(_, value)| value),
                    target: repeats.is_none().then(|| target.into()),
                }
            };
            [
                step(1, "warmup", None, Some(("time", 600.0))),
                step(2, "repeat", Some(6), None),
                step(3, "interval", None, Some(("distance", 800.0))),
                step(4, "recovery", None, Some(("time", 120.0))),
            ]
        };
        self.workouts().into_iter().flat_map(steps).collect()
    }

    /// The rows of `calendar_entry` of one day.
    pub fn calendar(&self, day: NaiveDate) -> Option<CalendarTruth> {
        let mut rng = of_day(self.plan.seed, day, "calendar");
        if !once_in(&mut rng, 6) || !(self.plan.first..=self.plan.today).contains(&day) {
            return None;
        }
        let kind = ["workout", "race", "note"][rng.usize(0..3)];
        Some(CalendarTruth {
            entry_id: format!("{kind} {}", self.id_base / 1_000 + i64::from(rng.u32(0..900_000))),
            day,
            kind: kind.into(),
            title: format!("Eintrag „{kind}“"),
            workout_id: (kind == "workout").then_some(self.id_base / 1_000 + 501),
        })
    }

    /// The rows of `challenge`.
    pub fn challenges(&self) -> Vec<ChallengeTruth> {
        let challenge = |number: u64, kind: &str| {
            let start_day = self.plan.first + Days::new(number);
            ChallengeTruth {
                challenge_id: format!("{:016X}", hash(&format!("challenge/{}/{number}", self.id_base))),
                kind: kind.into(),
                name: format!("Herausforderung {number}"),
                start_day,
                end_day: (kind != "in_progress").then(|| start_day + Days::new(30)),
                target: (kind != "with_friends").then_some(100_000.0),
                progress: (kind != "with_friends").then_some(1_000.0 * number as f64),
                points: (kind == "completed").then_some(2),
                ranking: (kind == "with_friends").then_some(3),
            }
        };
        let completed = (0..35).map(|number| challenge(number, "completed"));
        completed.chain([challenge(40, "with_friends"), challenge(41, "in_progress")]).collect()
    }
}
