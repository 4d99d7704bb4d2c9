//! How fast Garmin is asked: one queue per account and tier, with a gap between requests, a budget of the day, and what a refusal means for
//! both. A run asks it before each request and tells it what came; `status` shows its numbers. It is pure: it never waits and reads no
//! clock.
//!
//! Several requests of a queue may be under way: what one of them hears counts for all that have not started.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use garminsync_garmin::Tier;
use tokio::time::Instant;

use super::budget::Budget;

/// The longest pause that is believed. One that would end later was made under a clock that was ahead.
const LONGEST: TimeDelta = TimeDelta::days(7);

/// A queue's first requests keep so many times the gap that they come to keep ...
const GENTLE: u32 = 3;
/// ... after so many answers. ...
const WARM: u32 = 40;
/// ... It is cold again after a rest of this.
const COLD_AFTER: Duration = Duration::from_secs(3600);
/// Answers in a row after which a gap that a 429 has widened shrinks by a tenth.
const ANSWERS: u32 = 20;
/// How long it does not shrink at all: a speed that was refused is not tried again on the same day, as far as a limit holds that long.
const CAUTION: TimeDelta = TimeDelta::hours(6);
/// How many times its least the gap may become.
const WIDEST: u32 = 16;
/// From fewer requests than this nobody can tell how fast they came.
const ENOUGH_TO_MEASURE: u32 = 10;
/// Requests that follow each other after no more than this are one row: a limit forgets what lies before a rest.
const REST: Duration = Duration::from_secs(60);
/// Requests under way at once: no client was seen to keep up more.
const IN_FLIGHT: usize = 2;

/// The end of a pause that begins now.
pub fn end_of(pause: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::from_std(pause).unwrap_or(LONGEST).min(LONGEST)
}

/// Whether a pause that was to end `until` still lasts.
pub fn lasts(until: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (TimeDelta::nanoseconds(1)..=LONGEST).contains(&(until - now))
}

/// The manners of one queue.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Least time between the starts of two requests.
    pub gap: Duration,
    /// Requests of a local day; `None`: no limit.
    pub daily: Option<u64>,
    /// Pauses before the second, third, ... try after trouble that may pass.
    pub retries: Vec<Duration>,
    /// A 429 that asks for no more than this is waited out, once a run.
    pub short_wait: Duration,
    /// The pause after a 429 that asks for nothing, or that comes again; it doubles ...
    pub pause: Duration,
    /// ... up to this.
    pub longest_pause: Duration,
}

impl Rules {
    /// The manners towards a tier. Garmin publishes no numbers. Account tier: 0.1 s between requests is the fastest that other clients
    /// have been seen to keep up, they pause half an hour after a 429, and try three times, 2 and 8 seconds apart. Personal tier: clients
    /// settled on 0.25 to 0.5 s, on at least 15 minutes, and on two more tries within 0.5 and 8 s.
    pub fn of(tier: Tier) -> Self {
        let (gap, pause, retries) = match tier {
            Tier::Account => (100, Duration::from_secs(30 * 60), [2000, 8000]),
            Tier::Personal => (250, Duration::from_secs(15 * 60), [500, 8000]),
        };
        Self {
            gap: Duration::from_millis(gap),
            daily: Some(super::budget::DAILY),
            retries: retries.map(Duration::from_millis).to_vec(),
            short_wait: Duration::from_secs(60),
            pause,
            longest_pause: Duration::from_secs(6 * 3600),
        }
    }
}

/// A moment by the three clocks that a queue goes by.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The one that is never set.
    pub now: Instant,
    /// The calendar.
    pub at: DateTime<Utc>,
    /// The local day.
    pub day: NaiveDate,
}

/// Whether a request may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// At once.
    Now,
    /// Not before so long.
    In(Duration),
    /// Not before then.
    Paused(DateTime<Utc>),
    /// Not on this day: its budget is used.
    Spent,
}

/// What to do after a 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Ask again; the queue starts nothing before so long.
    Wait(Duration),
    /// End the run; ask nothing until then.
    Pause(DateTime<Utc>),
}

/// A 429, and the gap that the queue keeps since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// When it was heard.
    pub at: DateTime<Utc>,
    /// At least twice the gap that was refused.
    pub gap: Duration,
}

/// What outlives the daemon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The end of the last pause.
    pub paused_until: Option<DateTime<Utc>>,
    /// Pauses in a row.
    pub strikes: u32,
    /// The last 429.
    pub lesson: Option<Lesson>,
    /// The last day on which anything was asked, and how many requests that took.
    pub spent: Option<(NaiveDate, u64)>,
}

/// One queue.
#[derive(Clone, Debug)]
pub struct Pace {
    rules: Rules,
    budget: Budget,
    /// What it keeps when it is warm.
    gap: Duration,
    /// Answers since it was cold.
    warm: u32,
    last_start: Option<Instant>,
    /// Since when requests follow each other, and how many.
    row: Option<(Instant, u32)>,
    /// When a 429 was heard last, and what it meant.
    refused: Option<(Instant, Refused)>,
    lesson: Option<Lesson>,
    waited: bool,
    /// In a row, since the gap was widened.
    answers: u32,
    strikes: u32,
    paused_until: Option<DateTime<Utc>>,
}

impl Pace {
    /// A queue, with what is remembered of it.
    pub fn new(rules: Rules, memory: Memory) -> Self {
        let gap = memory.lesson.map_or(rules.gap, |lesson| lesson.gap.clamp(rules.gap, rules.gap * WIDEST));
        let Memory { paused_until, strikes, lesson, spent } = memory;
        let budget = Budget::new(rules.daily, spent);
        let (warm, last_start, row, refused, waited, answers) = (0, None, None, None, false, 0);
        Self { rules, budget, gap, warm, last_start, row, refused, lesson, waited, answers, strikes, paused_until }
    }

    /// A new run begins, gently if the queue has rested for long. What was learned of the gap stays.
    pub fn begin(&mut self, now: Instant) {
        self.waited = false;
        if self.last_start.is_none_or(|last| now.saturating_duration_since(last) > COLD_AFTER) {
            self.warm = 0;
        }
    }

    /// The gap that it keeps now.
    pub fn gap(&self) -> Duration {
        let cold = WARM - self.warm.min(WARM);
        self.gap.max(self.rules.gap + self.rules.gap * (GENTLE - 1) * cold / WARM)
    }

    /// Whether the next request may start. `later`: it may as well be sent on another day.
    pub fn turn(&self, moment: Moment, later: bool) -> Turn {
        if let Some(until) = self.paused_until(moment.at) {
            return Turn::Paused(until);
        }
        if !self.budget.allows(moment.day, later) {
            return Turn::Spent;
        }
        let after_gap = self.last_start.map(|last| last + self.gap());
        let after_wait = match self.refused {
            Some((heard, Refused::Wait(wait))) => Some(heard + wait),
            _ => None,
        };
        let left = after_gap.max(after_wait).map_or(Duration::ZERO, |next| next.saturating_duration_since(moment.now));
        if left.is_zero() { Turn::Now } else { Turn::In(left) }
    }

    /// How many requests may be under way at once. Clients settled on two, and on one after a 429.
    pub fn in_flight(&self, at: DateTime<Utc>) -> usize {
        if self.is_cautious(at) { 1 } else { IN_FLIGHT }
    }

    /// Starts a request, if it may, and counts it.
    pub fn start(&mut self, moment: Moment, later: bool) -> bool {
        if self.turn(moment, later) != Turn::Now {
            return false;
        }
        let rested = self.last_start.is_none_or(|last| moment.now.saturating_duration_since(last) > REST);
        let (since, started) = self.row.filter(|_| !rested).unwrap_or((moment.now, 0));
        self.row = Some((since, started.saturating_add(1)));
        self.last_start = Some(moment.now);
        self.budget.spend(moment.day);
        true
    }

    /// Starts a request again whose token was renewed, if it may; [`Pace::correct`] counts it. It takes a start as any other does, or two that
    /// waited for the same renewal would go out together.
    pub fn again(&mut self, moment: Moment) -> Turn {
        let turn = self.turn(moment, false);
        if matches!(turn, Turn::Now | Turn::Spent) {
            self.last_start = Some(moment.now);
        }
        turn
    }

    /// A request that started on `day` took so many more than one, or none at all.
    pub fn correct(&mut self, day: NaiveDate, more: i64) {
        self.budget.correct(day, more);
    }

    /// The pause before another try, after `tries` that failed; `None`: enough.
    pub fn retry(&self, tries: usize) -> Option<Duration> {
        self.rules.retries.get(tries.checked_sub(1)?).copied()
    }

    /// Garmin answered a request that started at `started`: the queue gets warm, the next pause starts small again, and after a row of
    /// answers a gap that was widened long ago may shrink a little. What was under way when a 429 came proves nothing.
    pub fn answered(&mut self, started: Instant, at: DateTime<Utc>) {
        if self.refused.is_some_and(|(heard, _)| started < heard) {
            return;
        }
        self.strikes = 0;
        self.paused_until = None;
        self.warm = self.warm.saturating_add(1);
        self.answers = self.answers.saturating_add(1);
        if self.answers.is_multiple_of(ANSWERS) && !self.is_cautious(at) {
            self.gap = (self.gap * 9 / 10).max(self.rules.gap);
        }
    }

    /// Garmin answered 429 to a request that started at `started`. What it answers to those that were under way when it was heard first is
    /// the same refusal.
    pub fn throttled(&mut self, started: Instant, moment: Moment, retry_after: Option<Duration>) -> Refused {
        let refused = match self.refused {
            Some((heard, refused)) if started < heard => return refused,
            _ => self.judge(moment, retry_after),
        };
        self.refused = Some((moment.now, refused));
        refused
    }

    fn judge(&mut self, moment: Moment, retry_after: Option<Duration>) -> Refused {
        let short = retry_after.filter(|wait| *wait <= self.rules.short_wait);
        self.slow_down(moment, short.unwrap_or_default());
        if let Some(wait) = short.filter(|_| !self.waited) {
            self.waited = true;
            return Refused::Wait(wait);
        }
        let doubled = self.rules.pause.saturating_mul(1 << self.strikes.min(16)).min(self.rules.longest_pause);
        let pause = retry_after.filter(|asked| *asked > self.rules.short_wait).unwrap_or(doubled);
        self.strikes = self.strikes.saturating_add(1);
        let until = end_of(pause, moment.at);
        self.paused_until = Some(until);
        Refused::Pause(until)
    }

    /// Halves the speed that was refused: the one at the end or, where a limit let much pass at first, that of the whole row with the wait
    /// that it was to have been.
    fn slow_down(&mut self, moment: Moment, wait: Duration) {
        let measured = self.row.take().filter(|(_, started)| *started >= ENOUGH_TO_MEASURE);
        let of_row = measured.map(|(since, started)| (moment.now.saturating_duration_since(since) + wait) / started);
        self.gap = (self.gap().max(of_row.unwrap_or_default()) * 2).min(self.rules.gap * WIDEST);
        self.answers = 0;
        self.lesson = Some(Lesson { at: moment.at, gap: self.gap });
    }

    /// A speed was refused not long ago.
    fn is_cautious(&self, at: DateTime<Utc>) -> bool {
        self.lesson.is_some_and(|lesson| (TimeDelta::zero()..CAUTION).contains(&(at - lesson.at)))
    }

    /// The end of the pause, while it lasts.
    pub fn paused_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.paused_until.filter(|until| lasts(*until, now))
    }

    /// What has to outlive the daemon.
    pub fn memory(&self) -> Memory {
        let Self { paused_until, strikes, lesson, .. } = *self;
        Memory { paused_until, strikes, lesson, spent: self.budget.spent() }
    }

    /// What was asked on a day, and what may be.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }
}

#[cfg(test)]
#[path = "pace_test.rs"]
mod tests;
