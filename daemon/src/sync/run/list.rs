//! The activity list: pages by offset, newest first, until one is not full. The run calls it.

use std::collections::{BTreeSet, HashSet};

use chrono::{Days, NaiveDate, Utc};
use garminsync_garmin::{Accept, Answer};
use garminsync_store::{Batch, Mark, Recorded, State, Store};

use super::ask::Trouble;
use super::days::errors;
use super::{Login, NotRecorded, Run, Stop};
use crate::sync::archive::{self, Row};
use crate::sync::datasets::{Dataset, Kind};
use crate::sync::plan::{Fetch, WHOLE_LIST, earlier, later};
use crate::sync::route::{Values, render};

/// Days before today that are marked although the list, read to its beginning, holds nothing so old.
const LOOKED_BACK: Days = Days::new(365);
/// More activities than anybody has: a list that is still not over is no list.
const MOST_ACTIVITIES: usize = 50_000;

/// How far a listing has come.
#[derive(Clone)]
struct Listing {
    from: Option<NaiveDate>,
    to: NaiveDate,
    /// The newest day that is not marked yet.
    left: NaiveDate,
    /// Days with an activity, so far.
    days: BTreeSet<NaiveDate>,
    ids: HashSet<String>,
    /// Whether the list is in the order it should be, newest first, so far.
    in_order: bool,
}

/// What a page brought.
struct Page {
    listing: Listing,
    rows: usize,
    odd: usize,
    recorded: Recorded,
    marks: Vec<Mark>,
}

impl<S: Login> Run<S> {
    /// Reads the list from `fetch.to` back. Each page is recorded as it comes, with the days that are complete by it, so that a run
    /// that is stopped goes on below. An activity that arrives meanwhile only shifts the pages, and the next run finds it; one
    /// that comes twice is one.
    pub(super) async fn list(&mut self, dataset: &'static Dataset, fetch: &Fetch, plan: &[Fetch]) -> Result<(), Stop> {
        let Some(route) = dataset.route(fetch.tier) else { return Ok(()) };
        let mut listing = Listing::new(fetch.from, fetch.to);
        let mut start = 0;
        let trouble = loop {
            let size = self.page_size(dataset, fetch.tier);
            let Some(limit) = route.pages.get(size).copied() else { return Ok(()) };
            let smaller = size + 1 < route.pages.len();
            // Without a last day where that is today: it may be tomorrow already where the person is.
            let to = Some(fetch.to).filter(|to| *to < self.scope.today);
            let values = Values {
                from: fetch.from,
                to,
                page: Some((start, limit)),
                display_name: self.job.display_name.as_deref(),
                ..Values::default()
            };
            let Some(path) = render(&route.path, &values) else { return self.close(dataset, fetch.tier, plan).await };
            match self.ask(fetch.tier, path, Accept::Json, smaller, true).await? {
                Ok(answer) => match self.keep_page(dataset, fetch, listing.clone(), limit, answer).await? {
                    Ok((next, rows)) if rows < limit as usize => {
                        listing = next;
                        break None;
                    }
                    Ok((next, rows)) => {
                        listing = next;
                        start += rows as u32;
                    }
                    Err(why) => break Some(Trouble::Odd(why)),
                },
                Err(Trouble::Refused(_)) if smaller => {
                    self.shrink_pages(dataset, fetch.tier, size + 1).await?;
                }
                Err(Trouble::Absent | Trouble::Closed) => return self.close(dataset, fetch.tier, plan).await,
                Err(Trouble::Nobody) => return Ok(()),
                Err(other) => break Some(other),
            }
        };
        let from = fetch.from.unwrap_or_else(|| self.scope.first(&self.ledger).min(listing.left));
        self.ledger.ask(&dataset.name, fetch.from, fetch.to);
        match trouble {
            None => {
                self.was_served(dataset, fetch.tier, true);
                self.deletions(fetch.from, fetch.to, &listing.ids).await
            }
            Some(Trouble::Passing(why)) => {
                self.suspect((dataset, fetch.tier), errors(from, listing.left, &why), why, None)
            }
            Some(Trouble::Odd(why)) => self.failed(dataset, errors(from, listing.left, &why), why).await,
            Some(Trouble::Refused(status)) => {
                let why = format!("Garmin refuses this request (HTTP {status})");
                self.failed(dataset, errors(from, listing.left, &why), why).await
            }
            Some(Trouble::Absent | Trouble::Closed | Trouble::Nobody) => Ok(()),
        }
    }

    /// Records a page; how far the listing is then, and how many rows the page had.
    async fn keep_page(
        &mut self,
        dataset: &'static Dataset,
        fetch: &Fetch,
        listing: Listing,
        limit: u32,
        answer: Answer,
    ) -> Result<Result<(Listing, usize), String>, Stop> {
        let Some(route) = dataset.route(fetch.tier) else { return Ok(Err("no route".into())) };
        let (account, run, (requests, bytes)) = (self.job.account.clone(), self.job.run, self.spent());
        let (fetched_utc, today) = (Utc::now(), self.scope.today);
        let read_on = self.local_day(fetched_utc);
        let files = self.job.datasets.iter().find(|known| known.kind == Kind::Files).map(|files| files.name.as_str());
        let record = move |store: &mut Store| -> Result<Page, NotRecorded> {
            let text = match &answer {
                Answer::Body(body) => std::str::from_utf8(body).map_err(|_| NotRecorded::Odd("not UTF-8".into()))?,
                Answer::NoData => "[]",
            };
            let (rows, odd) = archive::page(route, text)?;
            let mut listing = listing;
            let last = rows.len() + odd < limit as usize;
            let ledger = listing.advance(&rows, last, today, read_on, dataset.reread_days)?;
            let items = archive::items(&rows);
            let name = dataset.name.as_str();
            let batch = Batch { account: &account, run, dataset: name, fetched_utc, requests, bytes, items, ledger };
            let recorded = store.record(&batch)?;
            // An activity that was typed in has no file: that is known without asking.
            if let Some(files) = files {
                let manual = rows.iter().filter(|row| row.manual).map(|row| Mark {
                    item: row.item.clone(),
                    state: State::Empty,
                    detail: Some("typed in by hand: there is no file".into()),
                });
                let ledger: Vec<Mark> = manual.collect();
                let (requests, bytes, items) = (0, 0, Vec::new());
                store.record(&Batch {
                    account: &account,
                    run,
                    dataset: files,
                    fetched_utc,
                    requests,
                    bytes,
                    items,
                    ledger,
                })?;
            }
            Ok(Page { rows: rows.len() + odd, odd, recorded, marks: batch.ledger, listing })
        };
        match self.job.store.call(record).await? {
            Ok(page) => {
                self.count(dataset, &page.recorded);
                self.scope.new_activities |= page.recorded.new > 0;
                if page.odd > 0 {
                    self.complain(dataset, format!("{} of {} rows cannot be read", page.odd, page.rows));
                }
                self.ledger.found(&dataset.name, &page.marks, fetched_utc, read_on);
                Ok(Ok((page.listing, page.rows)))
            }
            Err(NotRecorded::Odd(why)) => {
                self.unrecorded = (requests, bytes);
                Ok(Err(why))
            }
            Err(NotRecorded::Store(error)) => Err(super::failed(error)),
        }
    }
}

impl Listing {
    fn new(from: Option<NaiveDate>, to: NaiveDate) -> Self {
        Self { from, to, left: to, days: BTreeSet::new(), ids: HashSet::new(), in_order: true }
    }

    /// Takes a page, and marks the days that are complete by it: after the last page all, before that all down to the oldest activity
    /// of the pages before. (This page's own end counts when the next one has gone on from there: an old activity may have strayed
    /// to it.) A day of slack on either side, because the list is in the order of moments, not of local days. A list that is not in order
    /// proves nothing before its last page.
    fn advance(
        &mut self,
        rows: &[Row<'_>],
        last: bool,
        today: NaiveDate,
        read_on: NaiveDate,
        reread_days: u32,
    ) -> Result<Vec<Mark>, NotRecorded> {
        let known = self.ids.len();
        self.ids.extend(rows.iter().map(|row| row.item.clone()));
        if !rows.is_empty() && self.ids.len() == known {
            return Err(NotRecorded::Odd("the list repeats itself".into()));
        }
        if self.ids.len() > MOST_ACTIVITIES {
            return Err(NotRecorded::Odd("the list has no end".into()));
        }
        let before = self.days.first().copied();
        for day in rows.iter().filter_map(|row| row.day) {
            self.in_order &= self.days.first().is_none_or(|oldest| day <= later(*oldest, Days::new(1)));
            self.days.insert(day);
        }
        if !self.in_order {
            self.left = self.to;
        }
        let from = match (last, self.from) {
            (true, Some(from)) => Some(from),
            (true, None) => Some(self.days.first().copied().unwrap_or(self.left).min(earlier(today, LOOKED_BACK))),
            (false, _) => before.filter(|_| self.in_order).map(|day| later(day, Days::new(2))),
        };
        let mut marks = Vec::new();
        if let Some(from) = from.filter(|from| *from <= self.left) {
            marks = archive::marks(from, self.left, &self.days, read_on, reread_days);
            self.left = earlier(from, Days::new(1));
        }
        if last && self.from.is_none() {
            let detail = Some("the list was read to its beginning".into());
            marks.push(Mark { item: WHOLE_LIST.into(), state: State::Ok, detail });
        }
        Ok(marks)
    }
}

#[cfg(test)]
#[path = "list_test.rs"]
mod tests;
