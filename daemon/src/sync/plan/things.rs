//! What has no days of its own: inventories, things asked for one by one, files of activities. Which of them are due. It is pure, as the rest of
//! the plan.

use chrono::{DateTime, Days, NaiveDate, Utc};
use garminsync_store::{ActivityRef, State};

use super::{Known, Scope, Standing, day_of, is_final, later};
use crate::sync::archive::ALL;
use crate::sync::datasets::Dataset;

/// A thing that a dataset of items asks for, as the store's tables know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What goes into the path, and into the ledger.
    pub item: String,
    /// Its day; only things of the days that are wanted are asked for.
    pub day: Option<NaiveDate>,
    /// When what it is asked for last changed.
    pub changed_utc: Option<DateTime<Utc>>,
}

/// The things to ask for now, in the order they came: never read, changed since, young and not read today, old enough, or failed and
/// due again.
pub fn items(
    dataset: &Dataset,
    candidates: Vec<Candidate>,
    standing: Option<&Standing>,
    scope: &Scope,
) -> Vec<Candidate> {
    let due = |candidate: &Candidate| {
        let Some(known) = standing.and_then(|standing| standing.items.get(&candidate.item)) else { return true };
        if known.rests(scope.now, false) || !scope.takes(Some(known)) {
            return false;
        }
        if matches!(known.state, State::Error | State::Unavailable) || known.attempts > 0 {
            return true;
        }
        // Times of the ledger are whole seconds: what changed in the same one was read with it.
        if candidate.changed_utc.is_some_and(|changed| known.fetched_utc < changed) {
            return true;
        }
        let young = candidate.day.is_some_and(|day| !is_final(day, scope.today, dataset.reread_days));
        (young && known.read_on < scope.today) || is_old(&known, dataset.every_days, scope)
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.day.is_none_or(|day| scope.holds(day)) && due(candidate))
        .collect()
}

/// Whether an inventory is to be read now.
pub fn inventory(dataset: &Dataset, standing: Option<&Standing>, scope: &Scope) -> bool {
    let Some(known) = standing.and_then(|standing| standing.items.get(ALL)) else { return true };
    if known.rests(scope.now, true) || !scope.takes(Some(known)) {
        return false;
    }
    match known.state {
        State::Error | State::Unavailable => true,
        _ => known.attempts > 0 || is_old(&known, dataset.every_days, scope),
    }
}

fn is_old(known: &Known, every_days: u32, scope: &Scope) -> bool {
    every_days > 0 && later(known.read_on, Days::new(every_days.into())) <= scope.today
}

/// The activities whose file is to be fetched now, of those that have none, in the order they came (newest first).
pub fn originals(missing: Vec<ActivityRef>, standing: Option<&Standing>, scope: &Scope) -> Vec<ActivityRef> {
    let rests = |id: i64| {
        let known = standing.and_then(|standing| standing.items.get(&id.to_string()));
        known.is_some_and(|known| known.rests(scope.now, false))
    };
    missing
        .into_iter()
        .filter(|activity| !rests(activity.activity_id))
        .filter(|activity| activity.start_local.as_deref().and_then(day_of).is_none_or(|day| scope.holds(day)))
        .collect()
}

impl Scope {
    /// Whether a thing of that day is wanted in this run.
    pub(crate) fn holds(&self, day: NaiveDate) -> bool {
        self.since.is_none_or(|since| day >= since) && self.until.is_none_or(|until| day <= until)
    }
}
