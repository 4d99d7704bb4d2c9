//! Whose mirror it is: the person's number, and the time zone by which their days go. The run learns it before it plans, because the plan
//! begins with what day it is. It must not know what else is mirrored.

use chrono::{DateTime, NaiveDate, Utc};
use garminsync_store::Store;

use super::{Login, Run, Stop, failed};
use crate::sync::archive::ALL;
use crate::sync::grounds;
use crate::sync::plan::{self, Ledger};
use crate::sync::zone::Zone;

/// The dataset that tells the time zone of an account.
pub(super) const SETTINGS: &str = "settings";

impl<S: Login> Run<S> {
    /// Learns what the records say of the person.
    pub(super) async fn meet(&mut self) -> Result<(), Stop> {
        let account = self.job.account.clone();
        let known = self.job.store.call(move |store| store.account(&account)).await?.map_err(failed)?;
        let (profile, zone) = known.map(|known| (known.profile_id, known.time_zone)).unwrap_or_default();
        (self.profile, self.zone) = (profile, Zone::of(zone.as_deref()));
        self.scope.today = self.local_day(self.scope.now);
        Ok(())
    }

    /// Reads the ledger, its moments by the person's days.
    pub(super) async fn look_up(&mut self) -> Result<(), Stop> {
        let (account, now, zone) = (self.job.account.clone(), self.scope.now, self.zone);
        let read = move |store: &mut Store| Ledger::read(store, &account, now, |at| zone.day(at));
        self.ledger = self.job.store.call(read).await?.map_err(failed)?;
        self.hear_witnesses().await
    }

    /// Lets the horizon reach back to what inventories tell of the past.
    pub(super) async fn hear_witnesses(&mut self) -> Result<(), Stop> {
        let account = self.job.account.clone();
        let days = self.job.store.call(move |store| grounds::witnesses(store, &account)).await?.map_err(failed)?;
        self.ledger.witness(days);
        Ok(())
    }

    /// Where nobody knows the person's time zone yet, the settings are read before everything else. They are due anyway, so it costs nothing.
    pub(super) async fn find_zone(&mut self) -> Result<(), Stop> {
        let settings = self.job.datasets.iter().copied().find(|dataset| dataset.name == SETTINGS);
        let Some(settings) = settings.filter(|_| self.zone == Zone::Host) else { return Ok(()) };
        if plan::inventory(settings, self.ledger.standing(SETTINGS), &self.scope) {
            self.knows_settings = true;
            self.say(settings.name.clone(), 1, settings);
            self.thing(settings, ALL).await?;
            self.meet().await?;
            self.look_up().await?;
        }
        Ok(())
    }

    /// The person's local day at a moment.
    pub(super) fn local_day(&self, at: DateTime<Utc>) -> NaiveDate {
        self.zone.day(at)
    }
}
