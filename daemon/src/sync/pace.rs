//! How fast Garmin is asked: one queue per account and tier, with a gap between requests, and what a refusal means for it. The runner
//! asks it before each request and tells it what came. It is pure: it never waits and reads no clock.
//!
//! Several requests of a queue may be under way: what one of them hears counts for all that have not started.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use garminsync_garmin::Tier;
use tokio::time::Instant;

/// The longest pause that is believed. One that would end later was made under a clock that was ahead.
const LONGEST: TimeDelta = TimeDelta::days(7);

/// Answers in a row after which the gap shrinks by a tenth.
const ANSWERS: u32 = 20;
/// Requests under way at once: no client was seen to keep up more.
const IN_FLIGHT: usize = 2;
/// How many times its least the gap may become: a 429 doubles it.
const WIDEST: u32 = 16;

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
    /// have been seen to keep up, and they pause half an hour after a 429. Personal tier: clients settled on 0.25 to 0.5 s and on at
    /// least 15 minutes. The retries are what both were seen to bear.
    pub fn of(tier: Tier) -> Self {
        let (gap, pause) = match tier {
            Tier::Account => (Duration::from_millis(100), Duration::from_secs(30 * 60)),
            Tier::Personal => (Duration::from_millis(250), Duration::from_secs(15 * 60)),
        };
        Self {
            gap,
            retries: vec![Duration::from_secs(2), Duration::from_secs(8)],
            short_wait: Duration::from_secs(60),
            pause,
            longest_pause: Duration::from_secs(6 * 3600),
        }
    }
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
}

/// What to do after a 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Ask again; the queue starts nothing before so long.
    Wait(Duration),
    /// End the run; ask nothing until then.
    Pause(DateTime<Utc>),
}

/// One queue.
#[derive(Clone, Debug)]
pub struct Pace {
    rules: Rules,
    gap: Duration,
    last_start: Option<Instant>,
    /// When a 429 was heard last, and what it meant.
    refused: Option<(Instant, Refused)>,
    waited: bool,
    /// In a row, since the gap was widened or narrowed.
    answers: u32,
    strikes: u32,
    paused_until: Option<DateTime<Utc>>,
}

impl Pace {
    /// A queue, and what is remembered of it: the end of its pause, and the pauses in a row so far.
    pub fn new(rules: Rules, paused_until: Option<DateTime<Utc>>, strikes: u32) -> Self {
        let gap = rules.gap;
        Self { rules, gap, last_start: None, refused: None, waited: false, answers: 0, strikes, paused_until }
    }

    /// A new run begins. What was learned of the gap stays.
    pub fn begin(&mut self) {
        self.waited = false;
    }

    /// Whether the next request may start at `now`, which is `at` by the calendar.
    pub fn turn(&self, now: Instant, at: DateTime<Utc>) -> Turn {
        if let Some(until) = self.paused_until(at) {
            return Turn::Paused(until);
        }
        let after_gap = self.last_start.map(|last| last + self.gap);
        let after_wait = match self.refused {
            Some((heard, Refused::Wait(wait))) => Some(heard + wait),
            _ => None,
        };
        let left = after_gap.max(after_wait).map_or(Duration::ZERO, |next| next.saturating_duration_since(now));
        if left.is_zero() { Turn::Now } else { Turn::In(left) }
    }

    /// How many requests may be under way at once. Clients settled on two, and on one after a 429.
    pub fn in_flight(&self) -> usize {
        if self.waited { 1 } else { IN_FLIGHT }
    }

    /// Starts a request at `now`, if it may.
    pub fn start(&mut self, now: Instant, at: DateTime<Utc>) -> bool {
        let may = self.turn(now, at) == Turn::Now;
        if may {
            self.last_start = Some(now);
        }
        may
    }

    /// The pause before another try, after `tries` that failed; `None`: enough.
    pub fn retry(&self, tries: usize) -> Option<Duration> {
        self.rules.retries.get(tries.checked_sub(1)?).copied()
    }

    /// Garmin answered a request that started at `started`: the next pause starts small again, and after a row of answers the gap may
    /// shrink a little towards its least. What was under way when a 429 came proves nothing.
    pub fn answered(&mut self, started: Instant) {
        if self.refused.is_some_and(|(heard, _)| started < heard) {
            return;
        }
        self.strikes = 0;
        self.paused_until = None;
        self.answers += 1;
        if self.answers.is_multiple_of(ANSWERS) {
            self.gap = (self.gap * 9 / 10).max(self.rules.gap);
        }
    }

    fn slow_down(&mut self) {
        self.answers = 0;
        self.gap = (self.gap * 2).min(self.rules.gap * WIDEST);
    }

    /// Garmin answered 429 to a request that started at `started`. What it answers to those that were under way when it was heard first is
    /// the same refusal.
    pub fn throttled(
        &mut self,
        started: Instant,
        now: Instant,
        at: DateTime<Utc>,
        retry_after: Option<Duration>,
    ) -> Refused {
        let refused = match self.refused {
            Some((heard, refused)) if started < heard => return refused,
            _ => self.judge(at, retry_after),
        };
        self.refused = Some((now, refused));
        refused
    }

    fn judge(&mut self, now: DateTime<Utc>, retry_after: Option<Duration>) -> Refused {
        if let Some(wait) = retry_after
            && wait <= self.rules.short_wait
            && !self.waited
        {
            self.waited = true;
            self.slow_down();
            return Refused::Wait(wait);
        }
        self.slow_down();
        let doubled = self.rules.pause.saturating_mul(1 << self.strikes.min(16)).min(self.rules.longest_pause);
        let pause = retry_after.filter(|asked| *asked > self.rules.short_wait).unwrap_or(doubled);
        self.strikes = self.strikes.saturating_add(1);
        let until = end_of(pause, now);
        self.paused_until = Some(until);
        Refused::Pause(until)
    }

    /// The end of the pause, while it lasts.
    pub fn paused_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.paused_until.filter(|until| lasts(*until, now))
    }

    /// Pauses in a row.
    pub fn strikes(&self) -> u32 {
        self.strikes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn queue(tier: Tier) -> Pace {
        Pace::new(Rules::of(tier), None, 0)
    }

    fn noon() -> DateTime<Utc> {
        "2026-10-21T12:00:00Z".parse().unwrap()
    }

    fn throttled(pace: &mut Pace, asked: Option<Duration>) -> Refused {
        let now = Instant::now();
        pace.throttled(now, now, noon(), asked)
    }

    fn left(pace: &Pace, now: Instant) -> Duration {
        match pace.turn(now, noon() + TimeDelta::days(30)) {
            Turn::Now => Duration::ZERO,
            Turn::In(left) => left,
            Turn::Paused(until) => panic!("until {until}"),
        }
    }

    fn pause(pace: &mut Pace, asked: Option<Duration>) -> Duration {
        match throttled(pace, asked) {
            Refused::Pause(until) => (until - noon()).to_std().unwrap(),
            Refused::Wait(_) => panic!("waits"),
        }
    }

    #[test]
    fn requests_keep_their_distance() {
        let mut pace = queue(Tier::Personal);
        let start = Instant::now();
        assert_eq!(left(&pace, start), Duration::ZERO);
        assert!(pace.start(start, noon() + TimeDelta::days(30)));
        assert_eq!(left(&pace, start + Duration::from_millis(100)), Duration::from_millis(150));
        assert_eq!(left(&pace, start + MINUTE), Duration::ZERO);
    }

    #[test]
    fn a_short_wait_is_waited_out_once_and_slows_the_run() {
        let mut pace = queue(Tier::Personal);
        assert_eq!(throttled(&mut pace, Some(Duration::from_secs(14))), Refused::Wait(Duration::from_secs(14)));
        assert_eq!(pace.paused_until(noon()), None);
        assert_eq!(left(&pace, Instant::now()).as_secs(), 13);
        assert_eq!(left(&pace, Instant::now() + MINUTE), Duration::ZERO);
        assert_eq!(pace.gap.as_millis(), 500);
        assert_eq!(pause(&mut pace, Some(Duration::from_secs(14))), 15 * MINUTE, "a second one ends the run");
        pace.begin();
        assert_eq!(pace.gap.as_millis(), 1000, "what was learned stays");
        (0..2000).for_each(|_| pace.answered(Instant::now()));
        assert_eq!(pace.gap.as_millis(), 250, "and is forgotten slowly");
        assert_eq!(throttled(&mut pace, Some(MINUTE)), Refused::Wait(MINUTE), "a new run may wait again");
    }

    #[test]
    fn what_was_under_way_when_a_429_came_is_the_same_refusal() {
        let (mut pace, start) = (queue(Tier::Account), Instant::now());
        let second = Duration::from_secs(1);
        let heard = |pace: &mut Pace, started, now, asked| pace.throttled(started, now, noon(), Some(asked));
        assert_eq!(heard(&mut pace, start, start + second, 14 * second), Refused::Wait(14 * second));
        assert_eq!(heard(&mut pace, start + second / 2, start + 2 * second, 13 * second), Refused::Wait(14 * second));
        assert_eq!(left(&pace, start + 3 * second), 12 * second);
        assert_eq!(pace.in_flight(), 1);
        let again = heard(&mut pace, start + 16 * second, start + 17 * second, 14 * second);
        assert_eq!(again, Refused::Pause(noon() + 30 * MINUTE));
        pace.answered(start + 16 * second);
        let later = noon() + TimeDelta::minutes(30);
        assert_eq!(
            (pace.turn(start, noon()), pace.strikes()),
            (Turn::Paused(later), 1),
            "nor does a late answer end it"
        );
    }

    #[test]
    fn the_gap_widens_at_once_and_narrows_slowly() {
        let mut pace = queue(Tier::Account);
        let mut gap = |change: &dyn Fn(&mut Pace)| {
            change(&mut pace);
            pace.gap.as_millis()
        };
        assert_eq!(gap(&|pace| _ = throttled(pace, None)), 200);
        assert_eq!(gap(&|pace| (0..19).for_each(|_| pace.answered(Instant::now()))), 200);
        assert_eq!(gap(&|pace| pace.answered(Instant::now())), 180);
        for _ in 0..10 {
            gap(&|pace| _ = throttled(pace, None));
        }
        assert_eq!(gap(&|_| ()), 1600, "it has an end");
    }

    #[test]
    fn pauses_double_up_to_six_hours_and_start_small_after_an_answer() {
        let mut pace = queue(Tier::Account);
        for minutes in [30, 60, 120, 240, 360, 360] {
            assert_eq!(pause(&mut pace, None), minutes * MINUTE);
        }
        assert_eq!(pace.paused_until(noon()), Some(noon() + 360 * MINUTE));
        assert_eq!(pace.paused_until(noon() + 360 * MINUTE), None);
        pace.answered(Instant::now());
        assert_eq!(pause(&mut pace, None), 30 * MINUTE);
    }

    #[test]
    fn a_long_retry_after_is_obeyed_as_it_stands() {
        assert_eq!(pause(&mut queue(Tier::Account), Some(2 * MINUTE)), 2 * MINUTE);
        assert_eq!(pause(&mut queue(Tier::Account), Some(600 * MINUTE)), 600 * MINUTE);
    }

    #[test]
    fn a_pause_made_under_a_clock_ahead_is_not_believed() {
        let mut pace = queue(Tier::Account);
        assert_eq!(pause(&mut pace, Some(Duration::MAX)), 7 * 24 * 60 * MINUTE, "nor is one of ages");
        assert_eq!(pace.paused_until(noon() - MINUTE), None);
        assert_eq!(pace.paused_until(noon()), Some(noon() + 7 * 24 * 60 * MINUTE));
    }

    #[test]
    fn a_pause_survives_a_restart() {
        let pace = Pace::new(Rules::of(Tier::Account), Some(noon()), 3);
        assert_eq!(pace.paused_until(noon() - MINUTE), Some(noon()));
        let mut pace = pace;
        assert_eq!(pause(&mut pace, None), 240 * MINUTE);
    }

    #[test]
    fn trouble_is_tried_three_times() {
        let pace = queue(Tier::Account);
        assert_eq!([1, 2, 3].map(|tries| pace.retry(tries).map(|d| d.as_secs())), [Some(2), Some(8), None]);
    }
}
