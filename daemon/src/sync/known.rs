//! What the ledger knows of one account, in the form that the plan needs, and what it remembers beside days and things: refusals of tiers, sizes
//! of pages. The plan and the run read it; the run adds what it asks for. It writes nothing.

use std::collections::HashMap;
use std::num::NonZeroU32;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use garminsync_garmin::Tier;
use garminsync_store::{Error, LedgerEntry, Mark, State, Store};

use super::archive::ALL;
use super::calendar::{Calendar, Pack};
use super::plan::{EARLIEST, day_of};

/// The ledger's item that says: the activity list was read to its beginning.
pub const WHOLE_LIST: &str = ALL;
/// How the ledger's items begin that say: so far the pages of this list had to be made smaller. The tier follows.
const PAGES: &str = "pages ";
/// A page that was too big once may do later, as what it holds changes: it is tried again after this.
const PAGES_AGAIN: TimeDelta = TimeDelta::days(30);
/// The ledger's item that remembers how many more activities Garmin counts than are held, though the list was read.
pub const COUNT: &str = "count";
/// How the ledger's items begin that say: this tier does not serve the dataset to this person. The tier follows.
const CLOSED: &str = "tier ";
/// What failed in this many runs rests before it is asked for again: some days are answered with 500 for ever. What is old rests
/// for the longest time. What is young, or was read once, rests an hour first and then twice as long each time: a service of Garmin's
/// that was down for an evening must not cost the week.
pub(super) const STUBBORN: u32 = 3;
const SHORTEST_REST: TimeDelta = TimeDelta::hours(1);
const LONGEST_REST: TimeDelta = TimeDelta::days(7);
/// What the ledger says is believed if it is not more than this ahead of the clock.
const CLOCK_SLACK: TimeDelta = TimeDelta::days(1);
/// An area that the account tier refused is asked for again after this; the Personal tier a quarter of it later.
const AREA_CLOSED: TimeDelta = TimeDelta::hours(24);

/// Of what no tier serves to a person, in the ledger's words.
pub(super) const NOT_SERVED: &str = "Garmin does not serve it to this account";

/// A tier's name in the store: in the `pause` table, and in the ledger's items that are about a tier.
pub fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Account => "account",
        Tier::Personal => "personal",
    }
}

/// What the ledger knows about one day or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its state.
    pub state: State,
    /// When Garmin last answered for it, or, where it never did, was last asked.
    pub fetched_utc: DateTime<Utc>,
    /// The person's local day at that moment.
    pub read_on: NaiveDate,
    /// Runs in a row that failed to read it.
    pub attempts: u32,
}

impl Known {
    /// Whether data came of it.
    pub fn has_data(&self) -> bool {
        matches!(self.state, State::Ok | State::Provisional)
    }

    /// Whether Garmin has ever answered for it.
    pub fn is_answered(&self) -> bool {
        self.has_data() || self.state == State::Empty
    }

    /// How long it rests after its last failure.
    fn rest(&self, young: bool) -> Option<TimeDelta> {
        let more = self.attempts.checked_sub(STUBBORN)?;
        let doubled = (SHORTEST_REST * (1 << more.min(8))).min(LONGEST_REST);
        Some(if young || self.has_data() { doubled } else { LONGEST_REST })
    }

    pub(super) fn rests(&self, now: DateTime<Utc>, young: bool) -> bool {
        self.rest(young).is_some_and(|rest| self.is_within(rest, now))
    }

    /// Whether it was fetched in the last `span`. What lies ahead was not.
    pub(super) fn is_within(&self, span: TimeDelta, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..span).contains(&(now - self.fetched_utc))
    }
}

/// What is kept of a [`Known`]: eight bytes.
#[derive(Clone, Copy, Debug)]
pub struct Packed {
    fetched_utc: NonZeroU32,
    /// Days since 2000.
    read_on: u16,
    /// No rule tells more of them apart than there are here.
    attempts: u8,
    state: State,
}

impl Pack for Known {
    type Packed = Packed;

    fn pack(self) -> Packed {
        let read_on = (self.read_on - EARLIEST).num_days().clamp(0, u16::MAX.into());
        Packed {
            fetched_utc: self.fetched_utc.pack(),
            read_on: u16::try_from(read_on).unwrap_or_default(),
            attempts: u8::try_from(self.attempts).unwrap_or(u8::MAX),
            state: self.state,
        }
    }

    fn unpack(packed: Packed) -> Self {
        let Packed { fetched_utc, read_on, attempts, state } = packed;
        let read_on = EARLIEST.checked_add_days(Days::new(read_on.into())).unwrap_or(EARLIEST);
        Self { state, fetched_utc: DateTime::unpack(fetched_utc), read_on, attempts: attempts.into() }
    }
}

/// What is known of things that have no day. Most are activities, whose names are numbers.
#[derive(Clone, Debug, Default)]
pub struct Items {
    numbered: HashMap<i64, Packed>,
    named: HashMap<String, Packed>,
}

impl Items {
    /// What is known of one.
    pub fn get(&self, item: &str) -> Option<Known> {
        let packed = match number(item) {
            Some(number) => self.numbered.get(&number),
            None => self.named.get(item),
        };
        packed.copied().map(Known::unpack)
    }

    /// Remembers one.
    pub fn insert(&mut self, item: String, known: Known) {
        match number(&item) {
            Some(number) => self.numbered.insert(number, known.pack()),
            None => self.named.insert(item, known.pack()),
        };
    }
}

/// An item's number, if it is one as we write them.
fn number(item: &str) -> Option<i64> {
    let plain = item.len() < 19 && !item.starts_with('0') && item.bytes().all(|b| b.is_ascii_digit());
    item.parse().ok().filter(|_| plain)
}

/// What is known about one dataset, and what this run has asked for already.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// By day.
    pub days: Calendar<Known>,
    /// What has no day: activities, gear, an inventory.
    pub items: Items,
    /// When which tier refused to serve it.
    closed: HashMap<String, DateTime<Utc>>,
    /// Which of the page sizes a tier took at last, and when that was found.
    pages: HashMap<String, (usize, DateTime<Utc>)>,
    /// What this run has asked for.
    pub(super) asked: Calendar<()>,
    /// This run has asked for this day and all before it.
    pub(super) asked_down_from: Option<NaiveDate>,
    /// How many more activities Garmin counted than were held when the list had just been read as far as it is wanted.
    pub uncounted: Option<i64>,
    /// Now Garmin counts others.
    pub(super) miscounted: bool,
}

impl Standing {
    /// When the list was read to its beginning.
    pub fn whole_list(&self) -> Option<Known> {
        self.items.get(WHOLE_LIST).filter(|known| known.state == State::Ok)
    }

    /// Whether a tier has refused to serve it so shortly ago that it is not asked again: 24 hours on the account tier, 6 on the Personal.
    pub fn is_closed(&self, tier: Tier, now: DateTime<Utc>) -> bool {
        self.closed_until(tier, now).is_some()
    }

    /// When such a tier is asked again.
    pub fn closed_until(&self, tier: Tier, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let rest = match tier {
            Tier::Account => AREA_CLOSED,
            Tier::Personal => AREA_CLOSED / 4,
        };
        let refused = self.closed.get(&closed_item(tier))?;
        (TimeDelta::zero()..rest).contains(&(now - *refused)).then(|| *refused + rest)
    }
}

impl Standing {
    /// Which of the page sizes of a list a tier takes, if that was found out lately.
    pub fn page_size(&self, tier: Tier, now: DateTime<Utc>) -> Option<usize> {
        let (size, at) = self.pages.get(&pages_item(tier))?;
        (TimeDelta::zero()..PAGES_AGAIN).contains(&(now - *at)).then_some(*size)
    }
}

/// The ledger's item that remembers which page size a tier takes.
pub fn pages_item(tier: Tier) -> String {
    format!("{PAGES}{}", tier_name(tier))
}

/// The ledger's item that remembers the refusal of a tier.
pub fn closed_item(tier: Tier) -> String {
    format!("{CLOSED}{}", tier_name(tier))
}

/// Whether an item of the ledger only remembers something for the next run, and is nothing that could be missing.
pub fn is_note(item: &str) -> bool {
    item.starts_with(CLOSED) || item.starts_with(PAGES) || item == COUNT
}

/// The ledger of one account, as the plan needs it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(super) standings: HashMap<String, Standing>,
    /// Days on which the person is known to have lived with Garmin.
    alive: Calendar<()>,
}

impl Ledger {
    /// From the store's rows. `local_day` tells the person's day at a moment. What was written while the clock was ahead is left out:
    /// who looked into the future saw empty days, and took for final what was not.
    pub fn new(entries: &[LedgerEntry], now: DateTime<Utc>, local_day: impl Fn(DateTime<Utc>) -> NaiveDate) -> Self {
        let mut ledger = Self::default();
        entries.iter().for_each(|entry| ledger.learn(entry.clone(), now, &local_day));
        ledger
    }

    /// As [`Ledger::new`], from the store itself.
    ///
    /// # Errors
    /// What the store says.
    pub fn read(
        store: &Store,
        account: &str,
        now: DateTime<Utc>,
        local_day: impl Fn(DateTime<Utc>) -> NaiveDate,
    ) -> Result<Self, Error> {
        let mut ledger = Self::default();
        store.each_entry(account, |entry| ledger.learn(entry, now, &local_day))?;
        Ok(ledger)
    }

    /// One row more; see [`Ledger::new`].
    pub fn learn(&mut self, entry: LedgerEntry, now: DateTime<Utc>, local_day: impl Fn(DateTime<Utc>) -> NaiveDate) {
        let LedgerEntry { dataset, item, state, fetched_utc, attempts, detail, .. } = entry;
        if fetched_utc - now > CLOCK_SLACK {
            return;
        }
        let known = Known { state, fetched_utc, read_on: local_day(fetched_utc), attempts };
        let standing = self.standings.entry(dataset).or_default();
        if let Some(day) = day_of(&item) {
            if known.has_data() {
                self.alive.insert(day, ());
            }
            standing.days.insert(day, known);
        } else if item.starts_with(CLOSED) {
            standing.closed.insert(item, fetched_utc);
        } else if item.starts_with(PAGES) {
            let size = detail.and_then(|detail| detail.parse().ok()).unwrap_or_default();
            standing.pages.insert(item, (size, fetched_utc));
        } else if item == COUNT {
            standing.uncounted = detail.and_then(|detail| detail.parse().ok());
        } else {
            standing.items.insert(item, known);
        }
    }

    /// What is known about a dataset.
    pub fn standing(&self, dataset: &str) -> Option<&Standing> {
        self.standings.get(dataset)
    }

    /// All datasets that anything is known about.
    pub fn standings(&self) -> impl Iterator<Item = (&str, &Standing)> {
        self.standings.iter().map(|(name, standing)| (name.as_str(), standing))
    }

    /// These days were asked for, whatever the answer: this run does not ask again. No `from` is the beginning of the list.
    pub fn ask(&mut self, dataset: &str, from: Option<NaiveDate>, to: NaiveDate) {
        let standing = self.standings.entry(dataset.into()).or_default();
        match from {
            Some(from) => standing.asked.extend(from.iter_days().take_while(|day| *day <= to).map(|day| (day, ()))),
            None => standing.asked_down_from = standing.asked_down_from.max(Some(to)),
        }
    }

    /// These days have data. Only the horizon of this run depends on it; the store keeps the ledger itself.
    pub fn found(&mut self, dataset: &str, marks: &[Mark], fetched_utc: DateTime<Utc>, read_on: NaiveDate) {
        let standing = self.standings.entry(dataset.into()).or_default();
        for mark in marks {
            if let (State::Ok | State::Provisional, Some(day)) = (mark.state, day_of(&mark.item)) {
                self.alive.insert(day, ());
                standing.days.insert(day, Known { state: mark.state, fetched_utc, read_on, attempts: 0 });
            }
        }
    }

    /// On these days something happened that only happens to people with Garmin: it moves the horizon, as data do.
    pub fn witness(&mut self, days: impl IntoIterator<Item = NaiveDate>) {
        self.alive.extend(days.into_iter().filter(|day| *day >= EARLIEST).map(|day| (day, ())));
    }

    /// The days of which any dataset has data, or to which something else bears witness.
    pub(super) fn alive(&self) -> impl Iterator<Item = NaiveDate> {
        self.alive.iter().map(|(day, ())| day)
    }

    /// The oldest of them.
    pub(super) fn oldest_sign(&self) -> Option<NaiveDate> {
        self.alive.first()
    }

    /// Garmin counts other activities than are held: the list is to be read to its beginning in this run.
    pub fn miscounted(&mut self, dataset: &str) {
        self.standings.entry(dataset.into()).or_default().miscounted = true;
    }
}

/// Until when something that failed rests; `None` where the next run may try it.
pub fn rests_until(entry: &LedgerEntry, now: DateTime<Utc>, young: bool) -> Option<DateTime<Utc>> {
    let LedgerEntry { state, fetched_utc, attempts, .. } = *entry;
    let known = Known { state, fetched_utc, read_on: fetched_utc.date_naive(), attempts };
    known.rest(young).filter(|rest| known.is_within(*rest, now)).map(|rest| fetched_utc + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(state: State, attempts: u32) -> Known {
        let fetched_utc = "2026-10-21T12:00:01Z".parse().unwrap();
        Known { state, fetched_utc, read_on: "2026-10-22".parse().unwrap(), attempts }
    }

    #[test]
    fn a_day_takes_eight_bytes_and_loses_nothing_in_them() {
        assert_eq!(size_of::<Option<Packed>>(), 8);
        for state in [State::Ok, State::Empty, State::Provisional, State::Error, State::Unavailable] {
            for attempts in [0, 3, 255] {
                let known = known(state, attempts);
                assert_eq!(Known::unpack(known.pack()), known);
            }
        }
        let stubborn = Known::unpack(known(State::Error, 1_000_000).pack());
        assert_eq!(stubborn.attempts, 255, "more makes no difference to any rule");
    }

    #[test]
    fn things_are_known_by_the_very_name_they_have() {
        let mut items = Items::default();
        for (attempts, item) in (1..).zip(["7", "07", "+7", "-7", "9223372036854775808", "", ALL, "a gear"]) {
            items.insert(item.into(), known(State::Ok, attempts));
        }
        for (attempts, item) in (1..).zip(["7", "07", "+7", "-7", "9223372036854775808", "", ALL, "a gear"]) {
            assert_eq!(items.get(item), Some(known(State::Ok, attempts)), "{item:?}");
        }
        assert_eq!(items.get("8"), None);
    }
}
