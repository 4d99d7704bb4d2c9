//! When something is due: a pure function of wall clock, time zone, cron expression and the last start. `clock` asks it whenever anything
//! wakes it, `config` parses into it. It must not read a clock, keep a state, or know what is scheduled.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, DurationRound, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

/// A start that lies this far in the future was written by a clock that went wrong, and counts as unknown. Less is a clock being set.
const CLOCK_SLACK: TimeDelta = TimeDelta::minutes(1);
/// No jitter is longer than this.
const MAX_JITTER_S: u64 = 180;
/// No account's turn is further from the slot than this: whoever asks for four in the morning means the night.
const LONGEST_OFFSET_S: u64 = 30 * 60;
/// Time zones change their offset months apart; looking this often finds every change.
const OFFSET_STEP: TimeDelta = TimeDelta::days(7);

/// A cron expression of five fields in local time, or none: then it is never due.
///
/// Where clocks are put forward, slots inside the gap become one slot at its end. Where they are put back, a schedule whose hour is a
/// wildcard has slots in both passes of the repeated hour, any other only in the first.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    text: String,
    cron: Option<Cron>,
}

/// Something to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The slot it is due for; the newest, if several were missed.
    pub slot: DateTime<Utc>,
}

/// Whose turn it is within a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// In thousandths of the way to the last possible offset.
    share: u64,
    /// Of the jitter.
    seed: u64,
}

impl Turn {
    /// The turn of an account, always the same for the same name: accounts of one machine do not meet at Garmin in the same second.
    /// `first` comes at the slot itself, so who has one account sees the schedule that was written.
    pub fn of(account: &str, first: &str, seed: u64) -> Self {
        // FNV-1a: unlike the standard library's hash it stays the same over the years.
        let hash = account
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        // Names that differ in a digit only differ in a few bits so far; this (of MurmurHash 3) spreads them.
        let spread = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let share = if account == first { 0 } else { (spread ^ (spread >> 33)) % 1000 };
        Self { share, seed }
    }
}

impl Schedule {
    /// Reads an expression; "" switches off.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self { text: String::new(), cron: None });
        }
        // Five fields and nothing else: nicknames such as @daily have no form that the scheduler could take.
        if text.split_whitespace().count() != 5 {
            return Err(format!("{text:?} has not the five fields of cron: minute hour day month weekday"));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|why| format!("{text:?} is no cron expression: {why}"))?;
        if cron.find_next_occurrence(&DateTime::UNIX_EPOCH, true).is_err() {
            return Err(format!("{text:?} names a time that never comes"));
        }
        Ok(Self { text: text.into(), cron: Some(cron) })
    }

    /// An expression of our own.
    #[expect(clippy::expect_used, reason = "a constant that every test run parses")]
    pub(crate) fn fixed(text: &'static str) -> Self {
        Self::parse(text).expect("our own expressions are right")
    }

    /// The expression as it was written; "" when off.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The expression with the field of seconds that tokio-cron-scheduler wants.
    pub(crate) fn with_seconds(&self) -> Option<String> {
        self.cron.as_ref().map(|_| format!("0 {}", self.text))
    }

    /// What is due at `now`: the newest slot whose moment (slot, offset and jitter) has come, unless a start at or after it is known.
    /// Missed slots coalesce into the newest. A start in the future counts as unknown, and unknown is due.
    pub fn due<Tz: TimeZone>(
        &self,
        last_started: Option<DateTime<Utc>>,
        now: &DateTime<Tz>,
        turn: Turn,
    ) -> Option<Due> {
        let (zone, now) = (now.timezone(), now.to_utc());
        let mut slot = self.slot_until(now, &zone)?;
        if slot + self.delay(slot, &zone, turn) > now {
            slot = self.slot_until(slot - TimeDelta::seconds(1), &zone)?;
        }
        let covered = believable(last_started, now).is_some_and(|started| started >= slot);
        (!covered).then_some(Due { slot })
    }

    /// The next moment at which something will be due; `now` if something is.
    pub fn next_at<Tz: TimeZone>(
        &self,
        last_started: Option<DateTime<Utc>>,
        now: &DateTime<Tz>,
        turn: Turn,
    ) -> Option<DateTime<Utc>> {
        if self.due(last_started, now, turn).is_some() {
            return Some(now.to_utc());
        }
        let (zone, now) = (now.timezone(), now.to_utc());
        let after = believable(last_started, now).map_or(now, |started| started.max(now));
        let open = self.slot_until(now, &zone).filter(|slot| believable(last_started, now).is_none_or(|at| at < *slot));
        let moments = [open, self.slot_after(after, &zone)].into_iter().flatten();
        moments.map(|slot| slot + self.delay(slot, &zone, turn)).find(|moment| *moment > now)
    }

    /// How long after the slot this turn begins: the account's own offset, then a jitter that differs between installations. Together
    /// they are shorter than the way to the next slot, so moments keep the order of their slots.
    fn delay<Tz: TimeZone>(&self, slot: DateTime<Utc>, zone: &Tz, turn: Turn) -> TimeDelta {
        let interval = self.slot_after(slot, zone).map_or(0, |next| (next - slot).num_seconds().unsigned_abs());
        let offset = (interval * 9 / 10).min(LONGEST_OFFSET_S) * turn.share / 1000;
        let width = (interval / 10).min(MAX_JITTER_S);
        let mut hash = DefaultHasher::new();
        (turn.seed, slot.timestamp()).hash(&mut hash);
        TimeDelta::seconds((offset + hash.finish() % width.max(1)) as i64)
    }

    /// The newest slot at or before `now`. The search runs back through stretches of one offset each.
    fn slot_until<Tz: TimeZone>(&self, now: DateTime<Utc>, zone: &Tz) -> Option<DateTime<Utc>> {
        let cron = self.cron.as_ref()?;
        let mut until = now.duration_trunc(TimeDelta::seconds(1)).ok()?;
        loop {
            let offset = offset(zone, until);
            let slot = cron.find_previous_occurrence(&(until + offset), true).ok()? - offset;
            if let Some(change) = last_change(zone, slot, until) {
                if let Some(slot) = self.slot_of_gap(zone, change) {
                    return Some(slot);
                }
                until = change - TimeDelta::seconds(1);
            } else if self.is_repeat(zone, slot) {
                until = slot - TimeDelta::seconds(1);
            } else {
                return Some(slot);
            }
        }
    }

    /// The first slot after `now`.
    fn slot_after<Tz: TimeZone>(&self, now: DateTime<Utc>, zone: &Tz) -> Option<DateTime<Utc>> {
        let cron = self.cron.as_ref()?;
        let mut from = now.duration_trunc(TimeDelta::seconds(1)).ok()? + TimeDelta::seconds(1);
        loop {
            let offset = offset(zone, from);
            let slot = cron.find_next_occurrence(&(from + offset), true).ok()? - offset;
            if let Some(change) = first_change(zone, from, slot) {
                if let Some(slot) = self.slot_of_gap(zone, change) {
                    return Some(slot);
                }
                from = change;
            } else if self.is_repeat(zone, slot) {
                from = slot + TimeDelta::seconds(1);
            } else {
                return Some(slot);
            }
        }
    }

    /// The end of a gap, if slots fell into it.
    fn slot_of_gap<Tz: TimeZone>(&self, zone: &Tz, change: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (before, after) = (offset(zone, change - TimeDelta::seconds(1)), offset(zone, change));
        let first_skipped = self.cron.as_ref()?.find_next_occurrence(&(change + before), true).ok()?;
        (first_skipped < change + after).then_some(change)
    }

    /// Whether this slot is the second pass of a repeated hour, in which a schedule with fixed hours does not run again.
    fn is_repeat<Tz: TimeZone>(&self, zone: &Tz, slot: DateTime<Utc>) -> bool {
        let every_hour = self.cron.as_ref().is_some_and(|cron| cron.pattern.hours.from_wildcard);
        let local: NaiveDateTime = (slot + offset(zone, slot)).naive_utc();
        !every_hour && zone.from_local_datetime(&local).earliest().is_some_and(|first| first.to_utc() < slot)
    }
}

/// The last start, unless a clock that went wrong wrote it.
fn believable(last_started: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    last_started.filter(|started| *started <= now + CLOCK_SLACK)
}

/// What local clocks are ahead of UTC. Adding it to a UTC time gives the local time, still typed as UTC: croner then searches in a
/// zone without gaps and repeats (its own handling of them depends on the direction of the search).
fn offset<Tz: TimeZone>(zone: &Tz, at: DateTime<Utc>) -> TimeDelta {
    TimeDelta::seconds(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc().into())
}

/// The last moment in (from, until] that has another offset than the second before it.
fn last_change<Tz: TimeZone>(zone: &Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut end = until;
    while end > from {
        let start = (end - OFFSET_STEP).max(from);
        if offset(zone, start) != offset(zone, end) {
            return Some(change_between(zone, start, end));
        }
        end = start;
    }
    None
}

/// The first moment in (from, until] that has another offset than the second before it.
fn first_change<Tz: TimeZone>(zone: &Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut start = from;
    while start < until {
        let end = (start + OFFSET_STEP).min(until);
        if offset(zone, start) != offset(zone, end) {
            return Some(change_between(zone, start, end));
        }
        start = end;
    }
    None
}

fn change_between<Tz: TimeZone>(zone: &Tz, mut before: DateTime<Utc>, mut after: DateTime<Utc>) -> DateTime<Utc> {
    let old = offset(zone, before);
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if offset(zone, middle) == old { before = middle } else { after = middle }
    }
    after
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for Schedule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.text
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
