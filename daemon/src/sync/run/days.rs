//! Datasets that are asked for by ranges of days: one request, cut down where Garmin refuses its length. The run calls it.

use chrono::{Days, NaiveDate, Utc};
use garminsync_garmin::{Accept, Answer};
use garminsync_store::{Batch, Mark, Recorded, State, Store};

use super::ask::Trouble;
use super::{Login, NotRecorded, Run, Stop, local_day};
use crate::sync::archive;
use crate::sync::datasets::{Dataset, Values};
use crate::sync::plan::{Fetch, earlier, later};

impl<S: Login> Run<S> {
    /// Reads a range. A 400 is never repeated as it was. If the range ends today, today may not have begun where the person is, so it is
    /// asked for apart, and a refusal of today alone is "nothing yet"; else the range is halved, once.
    pub(super) async fn days(&mut self, dataset: &'static Dataset, fetch: &Fetch, plan: &[Fetch]) -> Result<(), Stop> {
        let whole = fetch.from.unwrap_or(fetch.to);
        let mut parts = vec![(whole, fetch.to, true)];
        while let Some((from, to, may_halve)) = parts.pop() {
            let values = Values {
                from: Some(from),
                to: Some(to),
                display_name: self.job.display_name.as_deref(),
                ..Values::default()
            };
            let Some(path) = dataset.route(fetch.tier).and_then(|route| route.render(&values)) else {
                return self.close(dataset, fetch.tier, plan).await;
            };
            let asked = self.ask(fetch.tier, path, Accept::Json, false).await?;
            let today = self.scope.today;
            match asked {
                Ok(answer) => self.keep_days(dataset, fetch, from, to, answer).await?,
                Err(Trouble::Refused(_) | Trouble::Absent) if from == to && to == today => {
                    let marks = archive::all_days(from, to, |_| State::Empty, Some("nothing yet"));
                    self.mark(dataset, marks).await?;
                }
                Err(Trouble::Refused(_)) if from < to && to == today => {
                    let before = earlier(to, Days::new(1));
                    parts.extend([(from, before, may_halve), (to, to, false)]);
                    continue;
                }
                Err(Trouble::Refused(_)) if from < to && may_halve => {
                    let middle = from + (to - from) / 2;
                    parts.extend([(from, middle, false), (later(middle, Days::new(1)), to, false)]);
                    continue;
                }
                Err(Trouble::Refused(status)) => {
                    self.failed(
                        dataset,
                        errors(from, to, None),
                        format!("Garmin refuses this request (HTTP {status})"),
                    )
                    .await?;
                }
                Err(Trouble::Absent | Trouble::Closed) => return self.close(dataset, fetch.tier, plan).await,
                Err(Trouble::NoLogin) => return Ok(()),
                Err(Trouble::Odd(why)) => self.failed(dataset, errors(from, to, Some(&why)), why).await?,
                Err(Trouble::Passing(why)) => self.suspect(dataset, errors(from, to, Some(&why)), why)?,
            }
            self.ledger.ask(&dataset.name, Some(from), to);
        }
        Ok(())
    }

    async fn keep_days(
        &mut self,
        dataset: &'static Dataset,
        fetch: &Fetch,
        from: NaiveDate,
        to: NaiveDate,
        answer: Answer,
    ) -> Result<(), Stop> {
        let Some(route) = dataset.route(fetch.tier) else { return Ok(()) };
        let (account, run, (requests, bytes)) = (self.job.account.clone(), self.job.run, self.spent());
        let fetched_utc = Utc::now();
        let read_on = local_day(fetched_utc);
        let record = move |store: &mut Store| -> Result<(Recorded, Vec<Mark>), NotRecorded> {
            let text = match &answer {
                Answer::Body(body) => std::str::from_utf8(body).map_err(|_| NotRecorded::Odd("not UTF-8".into()))?,
                Answer::NoData => "[]",
            };
            let rows = archive::rows(route, text)?;
            let ledger = archive::marks(from, to, &archive::days(&rows), read_on, dataset.reread_days);
            let (dataset, items) = (dataset.name.as_str(), archive::items(&rows));
            let batch = Batch { account: &account, run, dataset, fetched_utc, requests, bytes, items, ledger };
            Ok((store.record(&batch)?, batch.ledger))
        };
        match self.job.store.call(record).await? {
            Ok((recorded, marks)) => {
                self.count(recorded);
                self.ledger.found(&dataset.name, &marks, fetched_utc, read_on);
                Ok(())
            }
            Err(NotRecorded::Odd(why)) => {
                self.unrecorded = (requests, bytes);
                self.failed(dataset, errors(from, to, Some(&why)), why).await
            }
            Err(NotRecorded::Store(error)) => Err(super::failed(error)),
        }
    }
}

pub(super) fn errors(from: NaiveDate, to: NaiveDate, why: Option<&str>) -> Vec<Mark> {
    archive::all_days(from, to, |_| State::Error, why)
}
