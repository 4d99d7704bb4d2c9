//! The body: Body Battery and its events, water, weight, blood pressure, health status, fitness age, snapshots.
//! Entries of scales and cuffs are put into a life when its days begin (`measure`); the rest is made when it is asked for.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, Utc};

use super::chance::{decimal, hash, of_day, once_in, rounded};
use super::life::Life;
use super::truth::{
    BloodPressureTruth, BodyBatteryEventTruth, BodyBatteryTruth, FitnessAgeTruth, HealthStatusTruth, HydrationTruth,
    NapTruth, NoticedTruth, SnapshotTruth, Vital, WeightGoalTruth, WeightTruth,
};

/// 1986-04-12, as the settings say.
const BORN: i32 = 1986;
const HEIGHT_M: f64 = 1.71;

/// What scale and cuff upload on this day, at or before its seventh hour.
pub(super) fn measure(life: &mut Life, day: NaiveDate) {
    let mut rng = of_day(life.plan.seed, day, "scale");
    let begin = life.plan.begin(day);
    if rng.u32(0..5) < 2 {
        let times = if once_in(&mut rng, 8) { rng.i64(2..4) } else { 1 };
        for number in 0..times {
            let at = begin + Duration::minutes(number * 90 + rng.i64(60..140)) + Duration::seconds(rng.i64(0..60));
            let weight_g = decimal(&mut rng, 60_500.0, 66_500.0, 0);
            // Some step on a scale without a sensor and type it in.
            let entry = if once_in(&mut rng, 6) {
                by_hand(life, day, at, weight_g)
            } else {
                let fat = decimal(&mut rng, 18.0, 24.0, 1);
                WeightTruth {
                    body_fat_pct: Some(fat),
                    body_water_pct: Some(rounded(80.0 - fat, 1)),
                    bone_mass_g: Some(decimal(&mut rng, 3_000.0, 3_300.0, 0)),
                    muscle_mass_g: Some(decimal(&mut rng, 27_000.0, 30_000.0, 0)),
                    physique_rating: once_in(&mut rng, 3).then_some(5.0),
                    visceral_fat: Some(f64::from(rng.u32(3..8))),
                    metabolic_age: Some(f64::from(rng.u32(28..40))),
                    source: "INDEX_SCALE".into(),
                    ..by_hand(life, day, at, weight_g)
                }
            };
            // Twice on the scale within a second, or typed in with it: an entry of its own all the same.
            let again = day.ordinal().is_multiple_of(5).then(|| WeightTruth {
                sample_pk: entry.sample_pk + 1,
                weight_g: entry.weight_g + 100.0,
                ..entry.clone()
            });
            for entry in [Some(entry), again].into_iter().flatten() {
                life.weights.insert(entry.sample_pk, entry);
            }
        }
    }
    if once_in(&mut rng, 4) {
        for number in 0..if once_in(&mut rng, 5) { 2 } else { 1 } {
            let at = begin + Duration::minutes(300 + number * 7) + Duration::seconds(rng.i64(0..60));
            let systolic = rng.i64(104..142);
            let entry = BloodPressureTruth {
                measured_utc: at,
                measured_local: life.plan.local(at),
                day,
                version: at.timestamp_millis(),
                systolic_mmhg: systolic,
                diastolic_mmhg: systolic - rng.i64(35..55),
                pulse_bpm: (!once_in(&mut rng, 5)).then(|| rng.i64(48..75)),
                source: if once_in(&mut rng, 3) { "MANUAL" } else { "INDEX_BPM" }.into(),
                category: (!once_in(&mut rng, 4)).then(|| if systolic < 120 { "NORMAL" } else { "ELEVATED" }.into()),
                notes: once_in(&mut rng, 6).then(|| "nach dem Kaffee ☕".into()),
            };
            let again = day.ordinal().is_multiple_of(5).then(|| BloodPressureTruth {
                version: entry.version + 1,
                diastolic_mmhg: entry.diastolic_mmhg + 1,
                ..entry.clone()
            });
            for entry in [Some(entry), again].into_iter().flatten() {
                life.pressures.insert(entry.version, entry);
            }
        }
    }
}

/// A weight without a composition.
pub(super) fn by_hand(life: &Life, day: NaiveDate, at: DateTime<Utc>, weight_g: f64) -> WeightTruth {
    WeightTruth {
        measured_utc: at,
        measured_local: life.plan.local(at),
        day,
        sample_pk: at.timestamp_millis(),
        weight_g,
        bmi: Some(rounded(weight_g / 1000.0 / (HEIGHT_M * HEIGHT_M), 1)),
        body_fat_pct: None,
        body_water_pct: None,
        bone_mass_g: None,
        muscle_mass_g: None,
        physique_rating: None,
        visceral_fat: None,
        metabolic_age: None,
        source: "MANUAL".into(),
    }
}

impl Life {
    /// The rows of `weight` of one day, earliest first.
    pub fn weights(&self, day: NaiveDate) -> Vec<&WeightTruth> {
        self.weights.values().filter(|entry| entry.day == day).collect()
    }

    /// Every row of `weight` in a period, earliest first.
    pub fn weights_between(&self, first: NaiveDate, last: NaiveDate) -> impl DoubleEndedIterator<Item = &WeightTruth> {
        self.weights.values().filter(move |entry| (first..=last).contains(&entry.day))
    }

    /// The rows of `blood_pressure` in a period, earliest first.
    pub fn blood_pressures(
        &self,
        first: NaiveDate,
        last: NaiveDate,
    ) -> impl DoubleEndedIterator<Item = &BloodPressureTruth> {
        self.pressures.values().filter(move |entry| (first..=last).contains(&entry.day))
    }

    /// The row of `body_battery`.
    pub fn body_battery(&self, day: NaiveDate) -> Option<BodyBatteryTruth> {
        let row = self.daily(day)?;
        Some(BodyBatteryTruth {
            day,
            charged: row.body_battery_charged,
            drained: row.body_battery_drained,
            lowest: row.body_battery_min,
            highest: row.body_battery_max,
        })
    }

    /// The rows of `body_battery_event` in the report of this day.
    pub fn body_battery_events(&self, day: NaiveDate) -> Vec<BodyBatteryEventTruth> {
        if self.worn(day).is_none() {
            return Vec::new();
        }
        let mut rng = self.chance(day, "events");
        let mut event = |kind: &str, start: DateTime<Utc>, duration_s: i64| BodyBatteryEventTruth {
            start_utc: start,
            kind: kind.into(),
            day,
            start_local: self.plan.local(start),
            duration_s,
            impact: if kind == "ACTIVITY" || kind == "STRESS" { -rng.i64(1..25) } else { rng.i64(2..60) },
            feedback: (!once_in(&mut rng, 4)).then(|| "GOOD_RECOVERY".into()),
        };
        let mut events = Vec::new();
        if let Some(night) = self.sleep(day) {
            events.push(event("SLEEP", night.start_utc, night.asleep_s));
            if let Some(nap) = night.nap_s.filter(|nap| *nap > 0) {
                events.push(event("NAP", self.plan.begin(day) + Duration::hours(14), nap));
            }
        }
        events.extend(self.activities_on(day).map(|it| event("ACTIVITY", it.start_utc, it.duration_s as i64)));
        events.retain(|event| event.start_utc < self.known_until(day));
        events
    }

    /// The row of `nap`: at most one a day.
    pub fn nap(&self, day: NaiveDate) -> Option<NapTruth> {
        let event = self.body_battery_events(day).into_iter().find(|event| event.kind == "NAP")?;
        Some(NapTruth {
            start_utc: event.start_utc,
            day,
            end_utc: event.start_utc + Duration::seconds(event.duration_s),
            start_local: event.start_local,
            duration_s: event.duration_s,
            source: 1,
            feedback: Some("IDEAL_DURATION".into()),
        })
    }

    /// The rows of `noticed_activity` of one day.
    pub fn noticed(&self, day: NaiveDate) -> Option<NoticedTruth> {
        self.worn(day)?;
        let mut rng = of_day(self.plan.seed, day, "noticed");
        let start_utc = self.plan.begin(day) + Duration::minutes(rng.i64(360..1_100));
        let duration_s = rng.i64(10..60) * 60;
        let known = start_utc + Duration::seconds(duration_s) <= self.known_until(day);
        (known && once_in(&mut rng, 3)).then(|| NoticedTruth {
            start_utc,
            kind: "walking".into(),
            day,
            start_local: self.plan.local(start_utc),
            duration_s,
        })
    }

    /// The row of `hydration`.
    pub fn hydration(&self, day: NaiveDate) -> Option<HydrationTruth> {
        let row = self.worn(day)?;
        let mut rng = self.chance(day, "hydration");
        let sweat: f64 = self.activities_on(day).filter_map(|it| it.calories_kcal).sum();
        let consumed = row.hydration_ml;
        (consumed.is_some() || sweat > 0.0).then(|| HydrationTruth {
            day,
            consumed_ml: consumed,
            goal_ml: Some(2_500.0),
            sweat_loss_ml: (sweat > 0.0).then(|| rounded(sweat * 1.4, 0)),
            activity_intake_ml: (sweat > 0.0 && once_in(&mut rng, 2)).then_some(500.0),
            last_entry_local: consumed.map(|_| day.and_time(chrono::NaiveTime::MIN) + Duration::minutes(379)),
        })
    }

    /// The row of `health_status`: a night's vital signs against the person's own ranges.
    pub fn health_status(&self, day: NaiveDate) -> Option<HealthStatusTruth> {
        let night = self.sleep(day).filter(|_| day >= self.plan.hrv_since)?;
        let mut rng = self.chance(day, "health");
        // Ranges need three weeks of nights.
        let onboarding = day < self.plan.hrv_since.max(self.plan.first) + Days::new(21);
        let vital = |value: Option<f64>, low: f64, high: f64| match value {
            Some(_) | None if onboarding => {
                Vital { value: None, status: Some("ONBOARDING".into()), low: None, high: None }
            }
            None => Vital { value: None, status: Some("UNKNOWN".into()), low: Some(low), high: Some(high) },
            Some(value) => {
                let status = if value < low {
                    "BELOW"
                } else if value > high {
                    "ABOVE"
                } else {
                    "IN_RANGE"
                };
                Vital { value: Some(value), status: Some(status.into()), low: Some(low), high: Some(high) }
            }
        };
        let skin = (!once_in(&mut rng, 7)).then(|| decimal(&mut rng, -1.6, 1.6, 1));
        let hr = vital(night.avg_hr_bpm, 47.0, 61.0);
        let hrv = vital(self.hrv(day).and_then(|hrv| hrv.last_night_avg_ms).map(|ms| ms as f64), 41.0, 60.0);
        let respiration = vital(night.avg_respiration_brpm, 11.5, 15.5);
        let skin_temp = vital(skin, -1.0, 1.0);
        let spo2 = vital(night.avg_spo2_pct, 93.0, 100.0);
        let outliers = [&hr, &hrv, &respiration, &skin_temp, &spo2]
            .iter()
            .filter(|vital| matches!(vital.status.as_deref(), Some("ABOVE" | "BELOW")))
            .count() as i64;
        Some(HealthStatusTruth { day, outliers, hr, hrv, respiration, skin_temp, spo2 })
    }

    /// The row of `fitness_age`.
    pub fn fitness_age(&self, day: NaiveDate) -> Option<FitnessAgeTruth> {
        let row = self.worn(day)?;
        let mut rng = self.chance(day, "fitness age");
        let age = i64::from(day.year() - BORN - i32::from(day.ordinal() < 102));
        let fitness_age = decimal(&mut rng, age as f64 - 9.0, age as f64, 4);
        Some(FitnessAgeTruth {
            day,
            chronological_age: Some(age),
            fitness_age: Some(fitness_age),
            achievable_fitness_age: Some(rounded(fitness_age - 2.5, 4)),
            resting_hr_bpm: row.resting_hr_bpm,
            bmi: Some(decimal(&mut rng, 20.8, 22.9, 1)),
            body_fat_pct: once_in(&mut rng, 2).then(|| decimal(&mut rng, 18.0, 24.0, 1)),
            vigorous_days_avg: Some(decimal(&mut rng, 0.0, 4.0, 1)),
            vigorous_minutes_avg: Some(decimal(&mut rng, 0.0, 180.0, 1)),
        })
    }

    /// The rows of `weight_goal`.
    pub fn weight_goals(&self) -> Vec<WeightGoalTruth> {
        let half = self.half();
        let goal = |start_day, end_day, target_g| WeightGoalTruth { start_day, end_day, target_g };
        vec![goal(self.plan.first, Some(half - Days::new(1)), 64_000.0), goal(half, None, 62_500.0)]
    }

    /// The row of `health_snapshot` of this day.
    pub fn snapshot(&self, day: NaiveDate) -> Option<SnapshotTruth> {
        self.worn(day)?;
        let mut rng = of_day(self.plan.seed, day, "snapshot");
        if !once_in(&mut rng, 12) {
            return None;
        }
        let start_utc = self.plan.begin(day) + Duration::minutes(390);
        let heart = rng.i64(50..75) as f64;
        let id = hash(&format!("{}/{day}/snapshot", self.plan.seed));
        (start_utc + Duration::minutes(2) <= self.known_until(day)).then(|| SnapshotTruth {
            snapshot_id: format!("{:08x}-0000-4000-8000-{:012x}", id >> 32, id & 0xffff_ffff),
            day,
            start_utc,
            end_utc: start_utc + Duration::minutes(2),
            start_local: self.plan.local(start_utc),
            avg_hr_bpm: Some(heart),
            min_hr_bpm: Some(heart - 4.0),
            max_hr_bpm: Some(heart + 9.0),
            avg_stress: Some(rng.i64(10..40) as f64),
            avg_respiration_brpm: Some(decimal(&mut rng, 10.0, 16.0, 1)),
            avg_spo2_pct: (day >= self.plan.spo2_since).then(|| rng.i64(93..100) as f64),
            rmssd_ms: Some(rng.i64(25..80) as f64),
            sdrr_ms: Some(rng.i64(30..90) as f64),
        })
    }
}
