//! How fast Garmin is asked: one queue per account and tier, with a gap between requests, and what a refusal means for it. The runner
//! asks it before each request and tells it what came. It is pure: it never waits and reads no clock.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use garminsync_garmin::Tier;
use tokio::time::Instant;

/// The longest pause that is believed. One that would end later was made under a clock that was ahead.
const LONGEST: TimeDelta = TimeDelta::days(7);

/// Answers in a row after which the gap shrinks by a tenth.
const ANSWERS: u32 = 20;
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

/// What to do after a 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Wait so long, then ask again.
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
        Self { rules, gap, last_start: None, waited: false, answers: 0, strikes, paused_until }
    }

    /// A new run begins. What was learned of the gap stays.
    pub fn begin(&mut self) {
        self.waited = false;
    }

    /// How long to wait before the next request.
    pub fn gap_left(&self, now: Instant) -> Duration {
        self.last_start.map_or(Duration::ZERO, |last| (last + self.gap).saturating_duration_since(now))
    }

    /// A request starts now.
    pub fn started(&mut self, now: Instant) {
        self.last_start = Some(now);
    }

    /// The pause before another try, after `tries` that failed; `None`: enough.
    pub fn retry(&self, tries: usize) -> Option<Duration> {
        self.rules.retries.get(tries.checked_sub(1)?).copied()
    }

    /// Garmin answered: the next pause starts small again, and after a row of answers the gap may shrink a little towards its least.
    pub fn answered(&mut self) {
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

    /// Garmin answered 429.
    pub fn throttled(&mut self, now: DateTime<Utc>, retry_after: Option<Duration>) -> Refused {
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

    fn pause(pace: &mut Pace, asked: Option<Duration>) -> Duration {
        match pace.throttled(noon(), asked) {
            Refused::Pause(until) => (until - noon()).to_std().unwrap(),
            Refused::Wait(_) => panic!("waits"),
        }
    }

    #[test]
    fn requests_keep_their_distance() {
        let mut pace = queue(Tier::Personal);
        let start = Instant::now();
        assert_eq!(pace.gap_left(start), Duration::ZERO);
        pace.started(start);
        assert_eq!(pace.gap_left(start + Duration::from_millis(100)), Duration::from_millis(150));
        assert_eq!(pace.gap_left(start + MINUTE), Duration::ZERO);
    }

    #[test]
    fn a_short_wait_is_waited_out_once_and_slows_the_run() {
        let mut pace = queue(Tier::Personal);
        assert_eq!(pace.throttled(noon(), Some(Duration::from_secs(14))), Refused::Wait(Duration::from_secs(14)));
        assert_eq!(pace.paused_until(noon()), None);
        let start = Instant::now();
        pace.started(start);
        assert_eq!(pace.gap_left(start), Duration::from_millis(500));
        assert_eq!(pause(&mut pace, Some(Duration::from_secs(14))), 15 * MINUTE, "a second one ends the run");
        pace.begin();
        assert_eq!(pace.gap_left(start), Duration::from_millis(1000), "what was learned stays");
        (0..2000).for_each(|_| pace.answered());
        assert_eq!(pace.gap_left(start), Duration::from_millis(250), "and is forgotten slowly");
        assert_eq!(pace.throttled(noon(), Some(MINUTE)), Refused::Wait(MINUTE), "a new run may wait again");
    }

    #[test]
    fn the_gap_widens_at_once_and_narrows_slowly() {
        let mut pace = queue(Tier::Account);
        let start = Instant::now();
        let mut gap = |change: &dyn Fn(&mut Pace)| {
            change(&mut pace);
            pace.started(start);
            pace.gap_left(start).as_millis()
        };
        assert_eq!(gap(&|pace| _ = pace.throttled(noon(), None)), 200);
        assert_eq!(gap(&|pace| (0..19).for_each(|_| pace.answered())), 200);
        assert_eq!(gap(&|pace| pace.answered()), 180);
        for _ in 0..10 {
            gap(&|pace| _ = pace.throttled(noon(), None));
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
        pace.answered();
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
