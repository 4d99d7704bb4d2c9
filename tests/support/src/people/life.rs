//! A person's data as Garmin holds it, and everything that can happen to it: late uploads, edits, deletions.
//! Made from a `Plan`; the fake serves it, tests read the truth from it and change it through `FakeGarmin::change`.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};

use super::chance::hash;
use super::original::Original;
use super::plan::Plan;
use super::truth::{ActivityTruth, DailyTruth, HrvTruth, SleepTruth};
use super::{activities, days, original};

/// What Garmin has of one local day. All `None`: the day is left out of every answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Day {
    /// The daily summary.
    pub daily: Option<DailyTruth>,
    /// The night that ended on this day.
    pub sleep: Option<SleepTruth>,
    /// HRV of that night.
    pub hrv: Option<HrvTruth>,
}

/// Everything Garmin holds of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    plan: Plan,
    id_base: i64,
    days: BTreeMap<NaiveDate, Day>,
    activities: BTreeMap<i64, ActivityTruth>,
    made: usize,
    rescored: BTreeMap<NaiveDate, u32>,
    last_sync: DateTime<Utc>,
}

impl Life {
    /// The life of `owner` (who only keeps activity ids of different people apart).
    pub fn new(plan: Plan, owner: &str) -> Life {
        let days = plan.days().map(|day| (day, days::of(&plan, day))).collect();
        // Below 2^53, as JSON readers want it, and different for each person.
        let id_base = i64::try_from(10 + hash(owner) % 8_000).unwrap_or(10) * 1_000_000_000;
        let last_sync = plan.begin(plan.today) + Duration::hours(7);
        let mut life =
            Life { plan, id_base, days, activities: BTreeMap::new(), made: 0, rescored: BTreeMap::new(), last_sync };
        life.spread_activities();
        life
    }

    /// What it was made from.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// When the watch last synced: `lastUsedDeviceUploadTime`.
    pub fn last_sync(&self) -> DateTime<Utc> {
        self.last_sync
    }

    /// One day; all empty if Garmin has nothing of it.
    pub fn day(&self, day: NaiveDate) -> Day {
        self.days.get(&day).cloned().unwrap_or_default()
    }

    /// Every day of the plan, with or without data.
    pub fn days(&self) -> impl DoubleEndedIterator<Item = (NaiveDate, &Day)> {
        self.days.iter().map(|(day, data)| (*day, data))
    }

    /// The row of `daily_summary`.
    pub fn daily(&self, day: NaiveDate) -> Option<&DailyTruth> {
        self.days.get(&day)?.daily.as_ref()
    }

    /// The row of `sleep`.
    pub fn sleep(&self, day: NaiveDate) -> Option<&SleepTruth> {
        self.days.get(&day)?.sleep.as_ref()
    }

    /// The row of `hrv`.
    pub fn hrv(&self, day: NaiveDate) -> Option<&HrvTruth> {
        self.days.get(&day)?.hrv.as_ref()
    }

    /// All activities as the listing has them: newest start first, without multisport legs.
    pub fn activities(&self) -> Vec<&ActivityTruth> {
        let mut listed: Vec<_> = self.activities.values().filter(|activity| activity.parent.is_none()).collect();
        listed.sort_by_key(|activity| std::cmp::Reverse((activity.start_utc, activity.activity_id)));
        listed
    }

    /// True if an activity began on this local day.
    pub fn active_on(&self, day: NaiveDate) -> bool {
        self.activities.values().any(|activity| activity.start_local.date() == day)
    }

    /// The legs of multisport activities.
    pub fn legs(&self) -> Vec<&ActivityTruth> {
        self.activities.values().filter(|activity| activity.parent.is_some()).collect()
    }

    /// One activity or leg.
    pub fn activity(&self, id: i64) -> Option<&ActivityTruth> {
        self.activities.get(&id)
    }

    /// The original file of an activity; `None` for those typed in by hand, legs and unknown ids.
    pub fn original(&self, id: i64) -> Option<Original> {
        original::of(self.activities.get(&id)?)
    }

    /// Puts data where there was none (or other data): a day with the watch worn, and the night before it.
    pub fn fill(&mut self, day: NaiveDate) {
        let data = days::worn(&self.plan, day, true);
        self.days.insert(day, data);
    }

    /// Takes all data of a day away.
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

    /// Changes an activity as its owner would on the web page; moves `updated_utc` on. False if there is none.
    pub fn edit_activity(&mut self, id: i64, edit: impl FnOnce(&mut ActivityTruth)) -> bool {
        let Some(activity) = self.activities.get_mut(&id) else { return false };
        edit(activity);
        activity.updated_utc += Duration::hours(1);
        true
    }

    /// Gives an activity another name.
    pub fn rename_activity(&mut self, id: i64, name: &str) -> bool {
        self.edit_activity(id, |activity| activity.name = name.to_owned())
    }

    /// Deletes an activity with its legs. False if there is none.
    pub fn delete_activity(&mut self, id: i64) -> bool {
        let Some(activity) = self.activities.remove(&id) else { return false };
        for leg in activity.legs {
            self.activities.remove(&leg);
        }
        true
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

    /// The next day begins: yesterday's row becomes complete, the new day's is partial.
    pub fn next_day(&mut self) {
        let yesterday = self.plan.today;
        self.plan.today = yesterday + Days::new(1);
        let today = self.plan.today;
        // Only the row grows: a night that was scored again stays, and so does a day that was cleared.
        let complete = days::worn(&self.plan, yesterday, false).daily;
        if let Some(row) = self.days.get_mut(&yesterday).and_then(|day| day.daily.as_mut())
            && let (Some(complete), true) = (complete, row.steps.is_some())
        {
            *row = complete;
        }
        self.days.insert(today, days::worn(&self.plan, today, true));
        self.last_sync = self.plan.begin(today) + Duration::hours(7);
    }

    fn spread_activities(&mut self) {
        // Nobody trains with the watch in a drawer: only days with data.
        let worn: Vec<_> = self
            .days
            .iter()
            .filter(|(_, data)| data.daily.as_ref().is_some_and(|daily| daily.steps.is_some()))
            .map(|(day, _)| *day)
            .collect();
        let wanted = self.plan.activities;
        for number in 0..wanted {
            if let Some(day) = worn.get(number * worn.len() / wanted.max(1)) {
                self.add_activity(*day);
            }
        }
    }
}
