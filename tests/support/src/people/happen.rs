//! What happens to a life: watches that sync, nights that are scored again, edits, uploads, deletions, days that go by.
//! Tests call it through `FakeGarmin::live`, other languages through `/_fake/life` (`Change`).

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::chance::{decimal, of_day, once_in, rounded};
use super::life::{Day, Life};
use super::truth::{ActivityTruth, Source};
use super::{activities, body, days};

/// What came of some days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Passed {
    /// Days whose data were filled in late or changed.
    pub days: Vec<NaiveDate>,
    /// New activities.
    pub added: Vec<i64>,
    /// Activities that were renamed, described, retyped, published or trimmed.
    pub edited: Vec<i64>,
    /// Activities that were deleted.
    pub deleted: Vec<i64>,
}

/// One thing that happens, as `/_fake/life` takes it: `{"kind": "days_pass", "days": 30}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the method of `Life` of the same name")]
pub enum Change {
    NextDay,
    DaysPass { days: u32 },
    SyncToday { hours: u32 },
    LateUpload { days: Vec<NaiveDate>, activities: usize },
    Fill { day: NaiveDate },
    Clear { day: NaiveDate },
    RescoreSleep { day: NaiveDate },
    ReviseDay { day: NaiveDate },
    AddActivity { day: NaiveDate },
    RenameActivity { id: i64, name: String },
    DescribeActivity { id: i64, description: Option<String> },
    RetypeActivity { id: i64, r#type: String },
    PublishActivity { id: i64 },
    TrimActivity { id: i64 },
    DeleteActivity { id: i64 },
    ReuploadActivity { id: i64 },
    AddWeight { day: NaiveDate, weight_g: f64 },
    AddBloodPressure { day: NaiveDate, systolic: i64, diastolic: i64 },
    DeleteWeight { sample_pk: i64 },
    DeleteBloodPressure { version: i64 },
    ForgetDrinks { day: NaiveDate },
    EditSleep { day: NaiveDate },
    DeleteSleep { day: NaiveDate },
    MoveCycle { from: NaiveDate, to: NaiveDate },
    DeleteGoal { id: i64 },
    RemoveDevice { id: i64 },
    DeleteGear { uuid: String },
    DeleteWorkout { id: i64 },
    Offload { before: NaiveDate },
    BreakDay { day: NaiveDate, path: String },
}

impl Life {
    /// Lets one thing happen, and tells what came of it.
    pub fn happen(&mut self, change: Change) -> serde_json::Value {
        use serde_json::json;
        match change {
            Change::NextDay => json!(self.next_day()),
            Change::DaysPass { days } => json!(self.days_pass(days)),
            Change::SyncToday { hours } => json!(self.sync_today(hours)),
            Change::LateUpload { days, activities } => json!(self.late_upload(&days, activities)),
            Change::Fill { day } => json!(self.fill(day)),
            Change::Clear { day } => json!(self.clear(day)),
            Change::RescoreSleep { day } => json!(self.rescore_sleep(day)),
            Change::ReviseDay { day } => json!(self.revise_day(day)),
            Change::AddActivity { day } => json!(self.add_activity(day)),
            Change::RenameActivity { id, name } => json!(self.rename_activity(id, &name)),
            Change::DescribeActivity { id, description } => {
                json!(self.edit_activity(id, |activity| activity.description = description))
            }
            Change::RetypeActivity { id, r#type } => json!(self.edit_activity(id, |activity| activity.kind = r#type)),
            Change::PublishActivity { id } => json!(self.edit_activity(id, |activity| activity.privacy = "public")),
            Change::TrimActivity { id } => json!(self.trim_activity(id)),
            Change::DeleteActivity { id } => json!(self.delete_activity(id)),
            Change::ReuploadActivity { id } => json!(self.reupload_activity(id)),
            Change::AddWeight { day, weight_g } => json!(self.add_weight(day, weight_g)),
            Change::AddBloodPressure { day, systolic, diastolic } => {
                json!(self.add_blood_pressure(day, systolic, diastolic))
            }
            Change::DeleteWeight { sample_pk } => json!(self.delete_weight(sample_pk)),
            Change::DeleteBloodPressure { version } => json!(self.delete_blood_pressure(version)),
            Change::ForgetDrinks { day } => json!(self.forget_drinks(day)),
            Change::EditSleep { day } => json!(self.edit_sleep(day)),
            Change::DeleteSleep { day } => json!(self.delete_sleep(day)),
            Change::MoveCycle { from, to } => json!(self.move_cycle(from, to)),
            Change::DeleteGoal { id } => json!(self.delete_goal(id)),
            Change::RemoveDevice { id } => json!(self.remove_device(id)),
            Change::DeleteWorkout { id } => json!(self.delete_workout(id)),
            Change::DeleteGear { uuid } => json!(self.delete_gear(&uuid)),
            Change::Offload { before } => json!(self.offload(before)),
            Change::BreakDay { day, path } => json!(self.break_day(day, &path)),
        }
    }

    /// Puts data where there was none (or other data): a day with the watch worn, and the night before it.
    pub fn fill(&mut self, day: NaiveDate) {
        let passed = self.known_until(day) - self.plan.begin(day);
        let share = passed.as_seconds_f64() / (self.plan.end(day) - self.plan.begin(day)).as_seconds_f64();
        self.days.insert(day, days::worn(&self.plan, day, true, share.clamp(0.0, 1.0)));
    }

    /// Takes all data of a day away, save activities and what was typed in.
    pub fn clear(&mut self, day: NaiveDate) {
        self.days.insert(day, Day::default());
    }

    /// Garmin scores a night again: same window, other stages, score and confirmation. False if there is no night.
    pub fn rescore_sleep(&mut self, day: NaiveDate) -> bool {
        let Some(sleep) = self.days.get_mut(&day).and_then(|data| data.sleep.as_mut()) else { return false };
        let take = self.rescored.entry(day).or_default();
        *take += 1;
        *sleep = days::sleep(&self.plan, day, *take);
        true
    }

    /// A day's summary changes, and with it samples and scores. False if the watch was not worn.
    pub fn revise_day(&mut self, day: NaiveDate) -> bool {
        if self.worn(day).is_none() {
            return false;
        }
        let revision = self.revised.entry(day).or_default();
        *revision += 1;
        let more = i64::from(*revision) * 61;
        if let Some(row) = self.days.get_mut(&day).and_then(|day| day.daily.as_mut()) {
            row.steps = row.steps.map(|steps| steps + more);
            row.distance_m = row.distance_m.map(|metres| metres + more as f64);
            row.active_kcal = row.active_kcal.map(|kcal| kcal + 3.0);
            row.total_kcal = row.total_kcal.map(|kcal| kcal + 3.0);
            row.resting_hr_bpm = row.resting_hr_bpm.map(|bpm| bpm + 1);
        }
        true
    }

    /// Adds the next kind of activity on a day and gives its id.
    pub fn add_activity(&mut self, day: NaiveDate) -> i64 {
        let mut made = activities::of(&self.plan, self.id_base, self.made, day);
        self.made += 1;
        while made.iter().any(|activity| self.activities.contains_key(&activity.activity_id)) {
            for activity in &mut made {
                activity.activity_id += 1;
                activity.parent = activity.parent.map(|id| id + 1);
                activity.legs.iter_mut().for_each(|id| *id += 1);
            }
        }
        let id = made[0].activity_id;
        self.activities.extend(made.into_iter().map(|activity| (activity.activity_id, activity)));
        id
    }

    /// Changes an activity as its owner would on the web page; moves `updated_utc` on, and leaves the file as it was
    /// uploaded. False if there is none, or nothing changes.
    pub fn edit_activity(&mut self, id: i64, edit: impl FnOnce(&mut ActivityTruth)) -> bool {
        let Some(activity) = self.activities.get_mut(&id) else { return false };
        let before = activity.clone();
        edit(activity);
        if *activity == before {
            return false;
        }
        activity.uploaded.get_or_insert_with(|| Box::new(before));
        activity.updated_utc += Duration::hours(1);
        true
    }

    /// Gives an activity another name.
    pub fn rename_activity(&mut self, id: i64, name: &str) -> bool {
        self.edit_activity(id, |activity| activity.name = name.to_owned())
    }

    /// Cuts the end off an activity: the summary gets shorter, the file stays.
    pub fn trim_activity(&mut self, id: i64) -> bool {
        self.edit_activity(id, |activity| {
            activity.trimmed = true;
            activity.duration_s = rounded(activity.duration_s * 0.9, 3);
            activity.elapsed_s = activity.elapsed_s.map(|seconds| rounded(seconds * 0.9, 3));
            activity.distance_m = activity.distance_m.map(|metres| rounded(metres * 0.9, 2));
        })
    }

    /// Deletes an activity with its legs. False if there is none.
    pub fn delete_activity(&mut self, id: i64) -> bool {
        let Some(activity) = self.activities.remove(&id) else { return false };
        for leg in activity.legs {
            self.activities.remove(&leg);
        }
        true
    }

    /// Deletes an activity and uploads its file again: the same activity under another id, without its edits. `None` if
    /// there is none, or no file of it.
    pub fn reupload_activity(&mut self, id: i64) -> Option<i64> {
        let mut activity = self.activities.get(&id).filter(|activity| activity.source != Source::None)?.clone();
        self.delete_activity(id);
        activity = activity.uploaded.take().map_or(activity, |uploaded| *uploaded);
        activity.activity_id = (id + 1..).find(|id| !self.activities.contains_key(id))?;
        activity.updated_utc += Duration::days(1);
        let new = activity.activity_id;
        self.activities.insert(new, activity);
        Some(new)
    }

    /// A watch syncs after days: fills these days, spreads `activities` over them, and moves the time of the last sync.
    /// Gives the ids of the new activities, which appear at their start time, deep in the list.
    pub fn late_upload(&mut self, days: &[NaiveDate], activities: usize) -> Vec<i64> {
        for day in days {
            self.fill(*day);
        }
        self.last_sync += Duration::hours(1);
        days.iter().cycle().take(activities).map(|day| self.add_activity(*day)).collect()
    }

    /// Garmin puts the samples of days before this one away: their answers have empty arrays until they are asked back.
    pub fn offload(&mut self, before: NaiveDate) {
        self.offloaded_before = Some(before);
    }

    pub(crate) fn ask_back(&mut self, day: NaiveDate, ready: DateTime<Utc>) {
        self.asked_back.entry(day).or_insert(ready);
    }

    /// From now on requests for this one day whose path contains `path` are answered 500, for ever.
    pub fn break_day(&mut self, day: NaiveDate, path: &str) {
        self.broken.insert((day, path.to_owned()));
    }

    /// The watch syncs today when so many hours of the day have passed: today's values grow.
    pub fn sync_today(&mut self, hours: u32) {
        let today = self.plan.today;
        self.last_sync = (self.plan.begin(today) + Duration::hours(hours.into())).max(self.last_sync);
        if self.worn(today).is_some() {
            let (night, hrv) = (self.sleep(today).cloned(), self.hrv(today).cloned());
            self.fill(today);
            if let Some(data) = self.days.get_mut(&today) {
                (data.sleep, data.hrv) = (night, hrv);
            }
        }
    }

    /// The next day begins: yesterday's row becomes complete, the new day's is partial.
    pub fn next_day(&mut self) {
        let yesterday = self.plan.today;
        self.begin_day();
        self.last_sync = self.plan.begin(self.plan.today) + Duration::hours(7);
        self.complete(yesterday);
        self.fill(self.plan.today);
    }

    fn begin_day(&mut self) {
        self.plan.today = self.plan.today + Days::new(1);
        body::measure(self, self.plan.today);
    }

    /// Only the row grows: a night that was scored again stays, and so does a day that was cleared.
    fn complete(&mut self, day: NaiveDate) {
        let complete = days::worn(&self.plan, day, false, 1.0).daily;
        if let Some(row) = self.days.get_mut(&day).and_then(|day| day.daily.as_mut())
            && let (Some(complete), true) = (complete, row.steps.is_some())
        {
            *row = complete;
        }
    }

    /// So many days go by, with what happens in them: activities, edits, deletions, nights scored again, days that change,
    /// weights typed in later, and now and then a watch that is synced only after days. All of it follows from the seed.
    pub fn days_pass(&mut self, days: u32) -> Passed {
        let mut passed = Passed::default();
        // Days that the watch knows and Garmin does not yet.
        let mut owed: Vec<NaiveDate> = Vec::new();
        for number in 0..days {
            let mut rng = of_day(self.plan.seed, self.plan.today, "passing");
            let last = number + 1 == days;
            if last || owed.len() > 3 || !once_in(&mut rng, 5) {
                self.next_day();
                if !owed.is_empty() {
                    // The day before them was cut off in the middle.
                    self.complete(owed[0] - Days::new(1));
                    passed.days.push(owed[0] - Days::new(1));
                    passed.added.extend(self.late_upload(&owed, owed.len() / 2));
                    passed.days.append(&mut owed);
                }
                if !once_in(&mut rng, 4) {
                    passed.added.push(self.add_activity(self.plan.today));
                }
            } else {
                // Not synced: the sync time stays where it was, the new day is empty.
                self.begin_day();
                self.clear(self.plan.today);
                owed.push(self.plan.today);
            }
            self.something_happens(&mut rng, &mut passed);
        }
        passed
    }

    fn something_happens(&mut self, rng: &mut Rng, passed: &mut Passed) {
        let back = |rng: &mut Rng, days: u64| self.plan.today - Days::new(rng.u64(1..days));
        let (night, day, entry) = (back(rng, 6), back(rng, 6), back(rng, 60));
        if once_in(rng, 3) && self.rescore_sleep(night) {
            passed.days.push(night);
        }
        if once_in(rng, 4) && self.revise_day(day) {
            passed.days.push(day);
        }
        if once_in(rng, 5) {
            self.add_weight(entry, decimal(rng, 60_000.0, 66_000.0, 0));
        }
        if once_in(rng, 6) {
            self.add_blood_pressure(entry, rng.i64(105..140), rng.i64(65..90));
        }
        self.something_goes(rng, passed);
        let newest: Vec<_> = self.activities().iter().take(60).map(|activity| activity.activity_id).collect();
        let Some(id) = rng.choice(&newest).copied() else { return };
        let edited = match rng.u32(0..12) {
            0 => self.rename_activity(id, &format!("Umbenannt {} ✓", rng.u32(..))),
            1 => self.edit_activity(id, |activity| activity.description = Some("Notiz".into())),
            2 => self.edit_activity(id, |activity| activity.privacy = "public"),
            3 => self.trim_activity(id),
            4 => self.edit_activity(id, |activity| activity.kind = "other".into()),
            5 => {
                self.delete_activity(id);
                passed.deleted.push(id);
                false
            }
            6 => {
                if let Some(new) = self.reupload_activity(id) {
                    passed.deleted.push(id);
                    passed.added.push(new);
                }
                false
            }
            7 => {
                // Another watch, which was not synced for weeks.
                let day = self.plan.today - Days::new(rng.u64(10..40));
                passed.added.push(self.add_activity(day));
                false
            }
            _ => false,
        };
        if edited {
            passed.edited.push(id);
        }
    }
}
