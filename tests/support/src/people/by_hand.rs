//! What people type in, put right and take back by hand: weights, blood pressures, drinks, nights, cycles, goals, gear. Tests call it as
//! they call `happen`.

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
use fastrand::Rng;

use super::body;
use super::chance::once_in;
use super::happen::Passed;
use super::life::Life;
use super::plan::at_local;
use super::things::EDGE;
use super::truth::{BloodPressureTruth, WeightTruth};

impl Life {
    /// A weight typed in for a past (or this) day, at noon. Gives its `samplePk`.
    pub fn add_weight(&mut self, day: NaiveDate, weight_g: f64) -> i64 {
        let at = self.free_moment(day, |life, at| life.weights.values().any(|entry| entry.measured_utc == at));
        let entry = WeightTruth { measured_utc: at, ..body::by_hand(self, day, at, weight_g) };
        let key = entry.sample_pk;
        self.weights.insert(key, entry);
        key
    }

    /// Deletes a weight by its `samplePk`. False if there is none.
    pub fn delete_weight(&mut self, sample_pk: i64) -> bool {
        self.weights.remove(&sample_pk).is_some()
    }

    /// A blood pressure typed in for a past (or this) day, at noon. Gives its `version`.
    pub fn add_blood_pressure(&mut self, day: NaiveDate, systolic: i64, diastolic: i64) -> i64 {
        let at = self.free_moment(day, |life, at| life.pressures.values().any(|entry| entry.measured_utc == at));
        let entry = BloodPressureTruth {
            measured_utc: at,
            measured_local: self.plan.local(at),
            day,
            version: at.timestamp_millis(),
            systolic_mmhg: systolic,
            diastolic_mmhg: diastolic,
            pulse_bpm: None,
            source: "MANUAL".into(),
            category: None,
            notes: Some("nachgetragen".into()),
        };
        let key = entry.version;
        self.pressures.insert(key, entry);
        key
    }

    /// Deletes a blood pressure by its `version`. False if there is none.
    pub fn delete_blood_pressure(&mut self, version: i64) -> bool {
        self.pressures.remove(&version).is_some()
    }

    /// Takes back all that was said to have been drunk on a day. False if nothing was.
    pub fn forget_drinks(&mut self, day: NaiveDate) -> bool {
        let row = self.days.get_mut(&day).and_then(|day| day.daily.as_mut());
        row.is_some_and(|row| row.hydration_ml.take().is_some())
    }

    /// The owner says that they fell asleep later and woke up earlier: the window is shorter at both ends. False if there is no night, or
    /// too short a one.
    pub fn edit_sleep(&mut self, day: NaiveDate) -> bool {
        let (later, earlier) = (Duration::minutes(25), Duration::minutes(30));
        let less = (later + earlier).num_seconds();
        let night = self.days.get_mut(&day).and_then(|data| data.sleep.as_mut());
        let Some(night) = night.filter(|night| night.light_s > less) else { return false };
        night.start_utc += later;
        night.end_utc -= earlier;
        night.asleep_s -= less;
        night.light_s -= less;
        night.confirmation = Some("manually_confirmed".into());
        (night.start_local, night.end_local) = (self.plan.local(night.start_utc), self.plan.local(night.end_utc));
        true
    }

    /// Deletes a night, and what was made of it. False if there is none.
    pub fn delete_sleep(&mut self, day: NaiveDate) -> bool {
        let Some(data) = self.days.get_mut(&day) else { return false };
        data.hrv = None;
        data.sleep.take().is_some()
    }

    /// A cycle began on another day. False if none began on the first.
    pub fn move_cycle(&mut self, from: NaiveDate, to: NaiveDate) -> bool {
        let begins = self.cycles(from, from).len() == 1 && !self.moved_cycles.values().any(|moved| *moved == from);
        begins && self.moved_cycles.insert(from, to).is_none()
    }

    /// Deletes a goal. False if there is none.
    pub fn delete_goal(&mut self, id: i64) -> bool {
        self.goals().iter().any(|goal| goal.goal_id == id) && self.removed.insert(format!("goal {id}"))
    }

    /// Takes a device out of those that are registered; it stays among the former ones. False if it is not registered.
    pub fn remove_device(&mut self, id: i64) -> bool {
        let registered = self.devices().iter().any(|device| device.device_id == id && device.current);
        registered && self.removed.insert(format!("device {id}"))
    }

    /// Deletes gear, and its links to activities. False if there is none.
    pub fn delete_gear(&mut self, uuid: &str) -> bool {
        self.gear().iter().any(|gear| gear.gear_uuid == uuid) && self.removed.insert(format!("gear {uuid}"))
    }

    /// Deletes a workout with its steps. False if there is none.
    pub fn delete_workout(&mut self, id: i64) -> bool {
        self.workouts().iter().any(|workout| workout.workout_id == id) && self.removed.insert(format!("workout {id}"))
    }

    fn free_moment(&self, day: NaiveDate, taken: impl Fn(&Life, DateTime<Utc>) -> bool) -> DateTime<Utc> {
        let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
        let mut at = at_local(self.plan.zone_on(day), day.and_time(noon));
        while taken(self, at) {
            at += Duration::minutes(1);
        }
        at
    }

    /// What people take back or put right by hand.
    pub(super) fn something_goes(&mut self, rng: &mut Rng, passed: &mut Passed) {
        let today = self.plan.today;
        let mut back = |days: u64| today - Days::new(rng.u64(1..days));
        let (entry, drinks, night) = (back(60), back(6), back(6));
        let weight = self.weights_between(entry, today).next().map(|entry| entry.sample_pk);
        if let Some(key) = weight.filter(|_| once_in(rng, 3)) {
            self.delete_weight(key);
        }
        let pressure = self.blood_pressures(entry, today).next().map(|entry| entry.version);
        if let Some(key) = pressure.filter(|_| once_in(rng, 3)) {
            self.delete_blood_pressure(key);
        }
        if once_in(rng, 3) && self.forget_drinks(drinks) {
            passed.days.push(drinks);
        }
        let changed = match rng.u32(0..8) {
            0 | 1 => self.edit_sleep(night),
            2 => self.delete_sleep(night),
            _ => false,
        };
        if changed {
            passed.days.push(night);
        }
        if let Some(cycle) = self.cycles(today - Days::new(4), today).first() {
            self.move_cycle(cycle.start_day, cycle.start_day - Days::new(1));
        }
        let (goal, gear) = (self.goals().pop(), rng.choice(self.gear()));
        match (rng.u32(0..12), goal, gear) {
            (0, Some(goal), _) => drop(self.delete_goal(goal.goal_id)),
            (1, _, Some(gear)) => drop(self.delete_gear(&gear.gear_uuid)),
            (2, _, _) => drop(self.remove_device(EDGE)),
            (3, _, _) => drop(self.workouts().pop().map(|workout| self.delete_workout(workout.workout_id))),
            _ => {}
        }
    }
}
