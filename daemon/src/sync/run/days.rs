//! Datasets that are asked for by ranges of days: one request, cut down where Garmin refuses its length. The run calls it.

use std::collections::BTreeSet;

use std::io::{Read, Seek};

use chrono::{Days, NaiveDate, Utc};
use garminsync_garmin::Tier;
use garminsync_store::{Batch, GONE, Item, Mark, Recorded, State, Store};

use super::ask::Trouble;
use super::fetch::{Lacking, Whole};
use super::{Login, NotRecorded, Run, Stop};
use crate::sync::archive::{self, Part};
use crate::sync::datasets::Dataset;
use crate::sync::originals::ZIP;
use crate::sync::parts;
use crate::sync::plan::{Fetch, earlier, later};
use crate::sync::route::{Route, Values};

/// Days in a row without anything to find (404) after which it is not the days: the person's devices do not measure it.
const ENOUGH_ABSENT: u32 = 10;

/// A range to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub dataset: &'static Dataset,
    pub tier: Tier,
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// A part of a range that failed: it is asked for once, so that the day to blame is found with few requests.
    pub narrowed: bool,
}

impl Piece {
    fn days(self, from: NaiveDate, to: NaiveDate) -> Self {
        Self { from, to, ..self }
    }

    /// Two halves, the newer one last.
    pub fn halves(self) -> Option<[Self; 2]> {
        (self.from < self.to).then(|| {
            let middle = self.from + (self.to - self.from) / 2;
            [self.days(self.from, middle), self.days(later(middle, Days::new(1)), self.to)]
        })
    }

    pub fn errors(self, why: &str) -> Vec<Mark> {
        errors(self.from, self.to, why)
    }
}

/// What became of an answer, for each dataset that lies in it.
type Kept = Vec<(&'static Dataset, Recorded)>;

impl<S: Login> Run<S> {
    /// Reads a range. A 400 is never repeated as it was. If the range ends today, today may not have begun where the person is, so it is
    /// asked for apart, and a refusal of today alone is "nothing yet"; else the range is halved, once.
    /// Why a part of a range that failed has failed again is the answer, and the caller's business.
    pub(super) async fn days(&mut self, piece: Piece, plan: &[Fetch]) -> Result<Option<String>, Stop> {
        let Piece { dataset, tier, .. } = piece;
        let Some(route) = dataset.route(tier) else { return Ok(None) };
        let job = self.job.clone();
        let mut parts = vec![(piece, true)];
        while let Some((piece, may_halve)) = parts.pop() {
            let Piece { from, to, .. } = piece;
            let values = Values { from: Some(from), to: Some(to), ..self.values(&job) };
            let (asked, today) =
                (self.whole(dataset, tier, route, values, !piece.narrowed || from == to).await?, self.scope.today);
            let is_today = from == to && to == today;
            match asked {
                Ok(whole) => {
                    self.absent.remove(dataset.name.as_str());
                    self.keep_days(piece, route, whole).await?;
                }
                Err(Lacking::Trouble(Trouble::Refused(_) | Trouble::Absent)) if is_today => {
                    let marks = archive::all_days(from, to, |_| State::Empty, Some("nothing yet"));
                    self.mark(dataset, marks).await?;
                }
                Err(Lacking::Trouble(Trouble::Absent)) if route.is_single_day() => {
                    let marks = archive::all_days(from, to, |_| State::Empty, Some("Garmin has nothing"));
                    self.mark(dataset, marks).await?;
                    let absent = self.absent.entry(&dataset.name).or_default();
                    *absent += 1;
                    if *absent >= ENOUGH_ABSENT {
                        self.ledger.ask(&dataset.name, Some(from), to);
                        self.close(dataset, tier, plan).await?;
                        return Ok(None);
                    }
                }
                Err(Lacking::Trouble(Trouble::Refused(_))) if from < to && to == today => {
                    let before = earlier(to, Days::new(1));
                    parts.extend([(piece.days(from, before), may_halve), (piece.days(to, to), false)]);
                    continue;
                }
                Err(Lacking::Trouble(Trouble::Refused(_))) if from < to && may_halve => {
                    parts.extend(piece.halves().into_iter().flatten().map(|half| (half, false)));
                    continue;
                }
                Err(Lacking::Trouble(Trouble::Refused(status))) => {
                    let why = format!("Garmin refuses this request (HTTP {status})");
                    self.failed(dataset, piece.errors(&why), why).await?;
                }
                Err(Lacking::NoPath | Lacking::Trouble(Trouble::Absent | Trouble::Closed)) => {
                    self.close(dataset, tier, plan).await?;
                    return Ok(None);
                }
                Err(Lacking::Trouble(Trouble::Nobody)) => return Ok(None),
                Err(Lacking::Trouble(Trouble::Odd(why))) => {
                    self.failed(dataset, piece.errors(&why), why).await?;
                }
                Err(Lacking::Trouble(Trouble::Passing(why))) if piece.narrowed => return Ok(Some(why)),
                Err(Lacking::Trouble(Trouble::Passing(why))) => {
                    self.suspect((dataset, tier), piece.errors(&why), why, Some(piece))?;
                }
            }
            self.ledger.ask(&dataset.name, Some(from), to);
        }
        Ok(None)
    }

    /// Records what came, for the dataset itself and for those whose answers lie within.
    async fn keep_days(&mut self, piece: Piece, route: &'static Route, whole: Whole) -> Result<(), Stop> {
        let Piece { dataset, tier, from, to, .. } = piece;
        let (account, run, (requests, bytes)) = (self.job.account.clone(), self.job.run, self.spent());
        let fetched_utc = Utc::now();
        let read_on = self.local_day(fetched_utc);
        let inside: Vec<_> = self.inside(dataset, tier);
        let record = move |store: &mut Store| -> Result<(Kept, Vec<Mark>), NotRecorded> {
            if route.file {
                let (recorded, marks) =
                    keep_file(store, &account, run, dataset, to, whole, (requests, bytes), read_on)?;
                return Ok((vec![(dataset, recorded)], marks));
            }
            let parts = whole.parts().ok_or_else(|| NotRecorded::Odd("not UTF-8".into()))?;
            let mut all = Vec::new();
            let mut learned = Vec::new();
            // Those within go first: the day is read when the last of them is. But nothing is kept of an answer that is none.
            // What is odd about one within is its own business.
            let mut cut = vec![(dataset, route, Ok(archive::rows(route, from, to, &parts)?))];
            for (dataset, route) in inside {
                cut.push((dataset, route, archive::rows(route, from, to, &parts)));
            }
            for (dataset, route, rows) in cut.into_iter().rev() {
                let mut rows = match rows {
                    Ok(rows) => rows,
                    Err(shape) => {
                        all.push((dataset, odd(store, &account, run, dataset, errors(from, to, &shape.to_string()))?));
                        continue;
                    }
                };
                let missing = parts::missing(route, &parts);
                parts::take_over(store, (&account, &dataset.name), route, &missing, &mut rows)?;
                let listed = archive::days(&rows);
                let ledger = archive::marks(from, to, &listed, read_on, dataset.reread_days);
                let ledger = of_points(ledger, route, to);
                let gone = gone(store, &account, (dataset, route), (from, to), &parts, (&listed, &missing))?;
                let (name, mut items) = (dataset.name.as_str(), archive::items(&rows));
                items.extend(gone.into_iter().map(|day| Item { item: day.to_string(), body: GONE }));
                let (requests, bytes) = if route.within.is_empty() { (requests, bytes) } else { (0, 0) };
                let batch =
                    Batch { account: &account, run, dataset: name, fetched_utc, requests, bytes, items, ledger };
                all.push((dataset, store.record(&batch)?));
                learned = batch.ledger;
            }
            Ok((all, learned))
        };
        match self.job.store.call(record).await? {
            Ok((kept, marks)) => {
                kept.iter().for_each(|(dataset, recorded)| self.count(dataset, recorded));
                self.ledger.found(&dataset.name, &marks, fetched_utc, read_on);
                Ok(())
            }
            Err(NotRecorded::Odd(why)) => {
                self.unrecorded = (requests, bytes);
                self.failed(dataset, piece.errors(&why), why).await
            }
            Err(NotRecorded::Store(error)) => Err(super::failed(error)),
        }
    }

    /// The datasets of this run that lie within the answers of another on a tier.
    fn inside(&self, outer: &Dataset, tier: Tier) -> Vec<(&'static Dataset, &'static Route)> {
        let inside = |dataset: &&'static Dataset| {
            let route = dataset.route(tier).filter(|route| route.within == outer.name)?;
            (self.tier_of(dataset) == Some(tier)).then_some((*dataset, route))
        };
        self.job.datasets.iter().filter_map(inside).collect()
    }
}

/// Marks the days of a dataset whose part of an answer cannot be read, though the rest can.
fn odd(
    store: &mut Store,
    account: &str,
    run: i64,
    dataset: &Dataset,
    marks: Vec<Mark>,
) -> Result<Recorded, garminsync_store::Error> {
    let (dataset, fetched_utc, items, ledger) = (dataset.name.as_str(), Utc::now(), Vec::new(), marks.clone());
    store.record(&Batch { account, run, dataset, fetched_utc, requests: 0, bytes: 0, items, ledger })?;
    Ok(Recorded { refused: marks, ..Recorded::default() })
}

/// The days that Garmin had and has no more, by this answer.
fn gone(
    store: &Store,
    account: &str,
    (dataset, route): (&Dataset, &Route),
    (from, to): (NaiveDate, NaiveDate),
    parts: &[Part<'_>],
    (listed, missing): (&BTreeSet<NaiveDate>, &BTreeSet<&str>),
) -> Result<Vec<NaiveDate>, garminsync_store::Error> {
    let (from, to) = route.points.span(from, to);
    let known = store.days_held(account, &dataset.name, from, to)?;
    let held: BTreeSet<NaiveDate> = known.into_iter().filter(|(_, gone)| !gone).map(|(day, _)| day).collect();
    if held.is_subset(listed) {
        return Ok(Vec::new());
    }
    let parent = dataset.follows.as_ref().map(|follows| store.days_held(account, &follows.dataset, from, to));
    let parent = parent.transpose()?.unwrap_or_default();
    let unfounded = |day: NaiveDate| parent.get(&day) == Some(&true);
    let mut gone = Vec::new();
    for day in archive::gone(route, (from, to), parts, listed, &held, unfounded) {
        // Of a part that did not come nobody knows.
        let is_unknown = |held: String| parts::holds(&held, missing);
        if missing.is_empty() || !store.answer(account, &dataset.name, &day.to_string())?.is_some_and(is_unknown) {
            gone.push(day);
        }
    }
    Ok(gone)
}

/// Where one day stands for others, an answer is about that day only.
fn of_points(marks: Vec<Mark>, route: &Route, to: NaiveDate) -> Vec<Mark> {
    if route.points == Default::default() {
        return marks;
    }
    marks.into_iter().filter(|mark| mark.item == to.to_string()).collect()
}

/// Saves a day's file, and records its name as Garmin's answer for the day.
#[expect(clippy::too_many_arguments, reason = "the loose ends of one answer")]
fn keep_file(
    store: &mut Store,
    account: &str,
    run: i64,
    dataset: &'static Dataset,
    day: NaiveDate,
    whole: Whole,
    (requests, bytes): (u32, u64),
    read_on: NaiveDate,
) -> Result<(Recorded, Vec<Mark>), NotRecorded> {
    let mut body = None;
    if let Some(mut file) = whole.file {
        let mut start = Vec::new();
        let size = file.metadata().and_then(|found| {
            (&mut file).take(ZIP.len() as u64).read_to_end(&mut start)?;
            file.rewind().map(|()| found.len())
        });
        let size = size.map_err(|error| NotRecorded::Odd(format!("a file that cannot be read: {error}")))?;
        // An empty zip has only the end of one. Whatever else comes instead of a day's files is no proof that there are none.
        let begins = if size >= SMALLEST_ZIP { ZIP } else { EMPTY_ZIP };
        if !start.starts_with(begins) {
            return Err(NotRecorded::Odd("no zip".into()));
        }
        if size >= SMALLEST_ZIP {
            let path = format!("wellness/{}/{day}-{}.zip", day.format("%Y"), slug(account));
            let (bytes, sha256) = store.originals().save_from(&path, &mut file)?;
            body = Some(serde_json::json!({ "path": path, "bytes": bytes, "sha256": sha256 }).to_string());
        }
    }
    let present = body.iter().map(|_| day).collect();
    let ledger = archive::marks(day, day, &present, read_on, dataset.reread_days);
    let items = body.iter().map(|body| Item { item: day.to_string(), body }).collect();
    let fetched_utc = Utc::now();
    let batch = Batch { account, run, dataset: &dataset.name, fetched_utc, requests, bytes, items, ledger };
    Ok((store.record(&batch)?, batch.ledger))
}

/// Less than this is a zip with nothing in it, in bytes.
const SMALLEST_ZIP: u64 = 100;
/// How that one begins.
const EMPTY_ZIP: &[u8] = b"PK";

/// An account's name as a part of a file name.
fn slug(account: &str) -> String {
    account.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

pub(super) fn errors(from: NaiveDate, to: NaiveDate, why: &str) -> Vec<Mark> {
    archive::all_days(from, to, |_| State::Error, Some(why))
}
