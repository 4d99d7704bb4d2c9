//! Activities that are gone at Garmin: those that are known, lie inside a stretch of the list that was read to its end, and are not in it. The
//! run calls it after each such stretch. Nothing is ever taken for gone because a page was empty or failed.

use std::collections::HashSet;

use chrono::{Days, NaiveDate, SecondsFormat, Utc};
use garminsync_garmin::Accept;
use garminsync_store::{Batch, Item, Mark, State, Store};

use super::ask::Trouble;
use super::{Login, Run, Stop};
use crate::sync::datasets::{Dataset, Kind};
use crate::sync::plan::{EARLIEST, earlier, later};
use crate::sync::route::{Values, render};

/// No more are looked after in one run: whoever deletes more has them marked by the next ones.
const MOST: usize = 50;

impl<S: Login> Run<S> {
    /// Looks after what the list from `from` to `to` should hold and does not. A day of slack on either side, because the list goes by
    /// moments and not by local days. If it holds nothing that is known, it may be another person's, and proves nothing.
    pub(super) async fn deletions(
        &mut self,
        from: Option<NaiveDate>,
        to: NaiveDate,
        listed: &HashSet<String>,
    ) -> Result<(), Stop> {
        let Some(dataset) = self.job.datasets.iter().copied().find(|dataset| dataset.kind == Kind::Deletions) else {
            return Ok(());
        };
        let first = match from {
            // Below the oldest day of the mirror there is no other stretch that could hold it.
            Some(from) if self.scope.start.is_none_or(|start| start < from) => later(from, Days::new(1)),
            Some(from) => from,
            None => EARLIEST,
        };
        let last = if to >= self.scope.today { to } else { earlier(to, Days::new(1)) };
        let account = self.job.account.clone();
        let known = self.job.store.call(move |store| store.activities_between(&account, first, last)).await?;
        let known = known.map_err(super::failed)?;
        let is_listed = |id: i64| listed.contains(&id.to_string());
        if !known.iter().any(|(id, _)| is_listed(*id)) {
            return Ok(());
        }
        for (id, _) in known.iter().filter(|(id, deleted)| *deleted && is_listed(*id)) {
            self.tombstone(dataset, *id, None).await?;
        }
        let absent: Vec<i64> =
            known.iter().filter(|(id, deleted)| !deleted && !is_listed(*id)).map(|(id, _)| *id).take(MOST).collect();
        for id in absent {
            let Some(tier) = self.tier_of(dataset) else { return Ok(()) };
            let text = id.to_string();
            let values = Values { id: Some(&text), ..Values::default() };
            let path = dataset.route(tier).and_then(|route| render(&route.path, &values));
            let Some(path) = path else { return Ok(()) };
            self.say(format!("{}: {id}", dataset.name), 1, dataset);
            // Otherwise it is there, or hidden, or nobody knows: the next listing asks again.
            if let Err(Trouble::Absent) = self.ask(tier, path, Accept::Json, false, true).await? {
                let gone = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
                self.tombstone(dataset, id, Some(gone)).await?;
            }
        }
        Ok(())
    }

    /// Records that an activity is gone, or, without a moment, that it has come back.
    async fn tombstone(&mut self, dataset: &'static Dataset, id: i64, gone: Option<String>) -> Result<(), Stop> {
        let (account, run, (requests, bytes)) = (self.job.account.clone(), self.job.run, self.spent());
        let record = move |store: &mut Store| {
            let body = serde_json::json!({ "deletedUtc": gone }).to_string();
            let state = if gone.is_some() { State::Ok } else { State::Empty };
            let ledger = vec![Mark { item: id.to_string(), state, detail: None }];
            let items = vec![Item { item: id.to_string(), body: &body }];
            let (dataset, fetched_utc) = (dataset.name.as_str(), Utc::now());
            store.record(&Batch { account: &account, run, dataset, fetched_utc, requests, bytes, items, ledger })
        };
        let recorded = self.job.store.call(record).await?.map_err(super::failed)?;
        self.count(dataset, &recorded);
        Ok(())
    }
}
