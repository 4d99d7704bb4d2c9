//! A person's data as Garmin holds it. Made from a `Plan`; the fake serves it, tests read the truth from it.
//! What is small and can be changed is kept here; what follows from it (samples, scores, laps) is made when it is asked for,
//! in `samples`, `training`, `body`, `habits`, `sessions`, `things`. What can happen to it is in `happen`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use fastrand::Rng;

use super::chance::{hash, of_day};
use super::original::Original;
use super::plan::Plan;
use super::truth::{ActivityTruth, BloodPressureTruth, DailyTruth, HrvTruth, SleepTruth, WeightTruth};
use super::{activities, body, days, original};

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
    pub(super) plan: Plan,
    pub(super) id_base: i64,
    pub(super) days: BTreeMap<NaiveDate, Day>,
    pub(super) activities: BTreeMap<i64, ActivityTruth>,
    pub(super) made: usize,
    pub(super) rescored: BTreeMap<NaiveDate, u32>,
    pub(super) revised: BTreeMap<NaiveDate, u32>,
    pub(super) weights: BTreeMap<i64, WeightTruth>,
    pub(super) pressures: BTreeMap<i64, BloodPressureTruth>,
    /// Goals, devices and gear that their owner removed.
    pub(super) removed: BTreeSet<String>,
    /// Cycles that began on another day than was said first.
    pub(super) moved_cycles: BTreeMap<NaiveDate, NaiveDate>,
    pub(super) last_sync: DateTime<Utc>,
    /// Samples of days before this one were put away.
    pub(super) offloaded_before: Option<NaiveDate>,
    /// Days whose samples were asked back, and when.
    pub(super) asked_back: BTreeMap<NaiveDate, DateTime<Utc>>,
    /// Days that Garmin cannot serve, each with a part of the path.
    pub(super) broken: BTreeSet<(NaiveDate, String)>,
}

impl Life {
    /// The life of `owner` (who only keeps ids of different people apart).
    pub fn new(plan: Plan, owner: &str) -> Life {
        let days: BTreeMap<_, _> = plan.days().map(|day| (day, days::of(&plan, day))).collect();
        // Below 2^53, as JSON readers want it, and different for each person.
        let id_base = i64::try_from(10 + hash(owner) % 8_000).unwrap_or(10) * 1_000_000_000;
        let last_sync = plan.begin(plan.today) + Duration::hours(7);
        let mut life = Life {
            plan,
            id_base,
            days,
            activities: BTreeMap::new(),
            made: 0,
            rescored: BTreeMap::new(),
            revised: BTreeMap::new(),
            weights: BTreeMap::new(),
            pressures: BTreeMap::new(),
            removed: BTreeSet::new(),
            moved_cycles: BTreeMap::new(),
            last_sync,
            offloaded_before: None,
            asked_back: BTreeMap::new(),
            broken: BTreeSet::new(),
        };
        life.spread_activities();
        for day in life.plan.clone().days() {
            body::measure(&mut life, day);
        }
        life
    }

    /// What it was made from.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The first day that Garmin knows anything of: the plan's, unless an older one was filled in.
    pub fn first_day(&self) -> NaiveDate {
        self.days.first_key_value().map_or(self.plan.first, |(day, _)| *day)
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

    /// The activities that began on this local day, legs left out, earliest first.
    pub fn activities_on(&self, day: NaiveDate) -> impl Iterator<Item = &ActivityTruth> {
        // Ids grow with the start; a day on the move is far shorter than two days on each side.
        let (from, to) = (self.plan.begin(day) - Duration::days(2), self.plan.begin(day) + Duration::days(3));
        let ids = activities::id_at(self.id_base, from)..activities::id_at(self.id_base, to);
        let here = move |it: &&ActivityTruth| it.parent.is_none() && it.start_local.date() == day;
        self.activities.range(ids).map(|(_, activity)| activity).filter(here)
    }

    /// True if an activity began on this local day.
    pub fn active_on(&self, day: NaiveDate) -> bool {
        self.activities_on(day).next().is_some()
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

    /// The row of a day on which the watch was worn.
    pub(super) fn worn(&self, day: NaiveDate) -> Option<&DailyTruth> {
        self.daily(day).filter(|daily| daily.steps.is_some())
    }

    /// Chance for one purpose on one day; another one after the day was changed.
    pub(super) fn chance(&self, day: NaiveDate, purpose: &str) -> Rng {
        match self.revised.get(&day) {
            None => of_day(self.plan.seed, day, purpose),
            Some(revision) => of_day(self.plan.seed, day, &format!("{purpose}/{revision}")),
        }
    }

    /// Until when Garmin knows this day.
    pub(super) fn known_until(&self, day: NaiveDate) -> DateTime<Utc> {
        self.plan.end(day).min(self.last_sync)
    }

    /// True if the day's samples can be had at this moment.
    pub(crate) fn has_samples(&self, day: NaiveDate, now: DateTime<Utc>) -> bool {
        let put_away = self.offloaded_before.is_some_and(|before| day < before);
        !put_away || self.asked_back.get(&day).is_some_and(|at| *at <= now)
    }

    /// True if Garmin cannot serve this day on this path.
    pub(crate) fn is_broken(&self, day: NaiveDate, path: &str) -> bool {
        self.broken.iter().any(|(broken, part)| *broken == day && path.contains(part.as_str()))
    }

    fn spread_activities(&mut self) {
        // Nobody trains with the watch in a drawer: only days with data.
        let worn: Vec<_> = self.days.keys().copied().filter(|day| self.worn(*day).is_some()).collect();
        let wanted = self.plan.activities;
        for number in 0..wanted {
            if let Some(day) = worn.get(number * worn.len() / wanted.max(1)) {
                self.add_activity(*day);
            }
        }
    }
}
