//! Whether the activity list holds what Garmin counts: one request, where the account tier is there to answer it. An activity that was uploaded
//! late, or deleted, deep in the list is found by it on the same day, not only when the whole list is read again. The run asks it
//! when the newest part of the list is read. It must not know how a list is read.

use garminsync_garmin::{Accept, Answer, Tier};
use garminsync_store::{Mark, State};
use serde_json::Value;

use super::{Login, Run, Stop, failed};
use crate::sync::Trigger;
use crate::sync::datasets::{Dataset, Kind};
use crate::sync::plan::COUNT;

impl<S: Login> Run<S> {
    /// Asks how many activities there are, and has the list read to its beginning if that is not what is held. Trouble tells nothing, and
    /// harms nothing: the list is read again each week anyway.
    pub(super) async fn count_activities(&mut self) -> Result<(), Stop> {
        let Some(dataset) = self.list_of_activities().filter(|dataset| self.may_count(dataset)) else { return Ok(()) };
        self.counted = self.ask_count(dataset).await?;
        let Some(more) = self.uncounted().await? else { return Ok(()) };
        let standing = self.ledger.standing(&dataset.name);
        // A list that was read to its beginning holds all; of one that begins on a certain day the difference has to be seen once.
        let whole = standing.and_then(|standing| standing.whole_list()).map(|_| 0);
        match standing.and_then(|standing| standing.uncounted).or(whole) {
            Some(expected) if expected != more => self.ledger.miscounted(&dataset.name),
            Some(_) => self.counted = None,
            None => {}
        }
        Ok(())
    }

    /// Remembers the difference that is left when the list was read because of it, or was seen for the first time: reading it once more would
    /// find nothing.
    pub(super) async fn note_count(&mut self) -> Result<(), Stop> {
        if let Some(dataset) = self.list_of_activities()
            && self.failures == 0
            && self.unproven.is_empty()
            && let Some(more) = self.uncounted().await?
        {
            let mark = Mark { item: COUNT.into(), state: State::Ok, detail: Some(more.to_string()) };
            self.mark(dataset, vec![mark]).await?;
        }
        Ok(())
    }

    fn list_of_activities(&self) -> Option<&'static Dataset> {
        self.job.datasets.iter().copied().find(|dataset| dataset.kind == Kind::Activities)
    }

    /// Not where only a part is wanted, nor where the list has just been read to its beginning.
    fn may_count(&self, dataset: &'static Dataset) -> bool {
        let bounded = self.scope.since.is_some() || self.scope.until.is_some() || self.scope.missing;
        let wanted = matches!(self.job.trigger, Trigger::Manual | Trigger::Schedule);
        let read = self.ledger.standing(&dataset.name).is_some_and(|standing| {
            let bottom = self.scope.start.is_some_and(|start| standing.asked.contains(&start));
            standing.days.first().is_some() && standing.asked_down_from.is_none() && !bottom
        });
        // What is in a pause on the other tier stays there.
        !bounded && wanted && read && self.tier_of(dataset).is_some()
    }

    /// How many activities Garmin says there are; `None` where nobody can tell.
    async fn ask_count(&mut self, dataset: &'static Dataset) -> Result<Option<i64>, Stop> {
        let tier = Tier::Account;
        let path = dataset.route(tier).map(|route| route.count.clone()).filter(|path| !path.is_empty());
        let path = path.filter(|_| self.serves(dataset, tier) && !self.is_paused(tier));
        let Some(path) = path else { return Ok(None) };
        let Ok(Answer::Body(body)) = self.ask(tier, path, Accept::Json, false, false).await? else { return Ok(None) };
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let number = |name: &str| answer.get(name).and_then(Value::as_i64);
        // Legs are counted, but stand in no list.
        Ok(number("totalCount").map(|total| total - number("multisportChildCount").unwrap_or_default()))
    }

    /// How many more activities Garmin counts than are held.
    async fn uncounted(&mut self) -> Result<Option<i64>, Stop> {
        let Some(counted) = self.counted else { return Ok(None) };
        let account = self.job.account.clone();
        let held = self.job.store.call(move |store| store.activities_held(&account)).await?.map_err(failed)?;
        Ok(Some(counted - i64::try_from(held).unwrap_or(i64::MAX)))
    }
}
