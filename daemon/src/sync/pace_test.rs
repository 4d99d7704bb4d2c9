//! Queues by the clock of a test: how fast they become, what a limit teaches them, and what they keep from a day.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

fn queue(tier: Tier) -> Pace {
    Pace::new(Rules::of(tier), Memory::default())
}

fn noon() -> DateTime<Utc> {
    "2026-10-21T12:00:00Z".parse().unwrap()
}

/// So long after noon.
fn after(start: Instant, span: Duration) -> Moment {
    let at = noon() + TimeDelta::from_std(span).unwrap();
    Moment { now: start + span, at, day: at.date_naive() }
}

fn throttled(pace: &mut Pace, asked: Option<Duration>) -> Refused {
    let moment = after(Instant::now(), Duration::ZERO);
    pace.throttled(moment.now, moment, asked)
}

fn pause(pace: &mut Pace, asked: Option<Duration>) -> Duration {
    match throttled(pace, asked) {
        Refused::Pause(until) => (until - noon()).to_std().unwrap(),
        Refused::Wait(_) => panic!("waits"),
    }
}

/// A limit as Garmin may have it: so many at once, and then so many a second.
struct Limit {
    a_second: f64,
    burst: f64,
    left: f64,
    start: Instant,
    at: Duration,
}

impl Limit {
    fn of(a_second: f64, burst: f64) -> Self {
        Self { a_second, burst, left: burst, start: Instant::now(), at: Duration::ZERO }
    }

    fn grants(&mut self, now: Duration) -> bool {
        self.left = (self.left + (now - self.at).as_secs_f64() * self.a_second).min(self.burst);
        self.at = now;
        let granted = self.left >= 1.0;
        self.left -= f64::from(u8::from(granted));
        granted
    }
}

/// Asks so often, one after the other; the 429s on the way and how long it took.
fn asked(pace: &mut Pace, limit: &mut Limit, requests: usize) -> (u32, Duration) {
    let (start, mut now, mut refusals) = (limit.start, limit.at + SECOND, 0);
    let begun = now;
    pace.begin(start + now);
    let mut done = 0;
    while done < requests {
        match pace.turn(after(start, now), true) {
            Turn::Now => {}
            Turn::In(left) => now += left,
            Turn::Paused(until) => now = (until - noon()).to_std().unwrap(),
            Turn::Spent => panic!("no budget"),
        }
        let moment = after(start, now);
        assert!(pace.start(moment, true));
        if limit.grants(now) {
            pace.answered(moment.now, moment.at);
            done += 1;
        } else {
            refusals += 1;
            now += Duration::from_millis(1);
            pace.throttled(moment.now, after(start, now), Some(SECOND));
        }
    }
    (refusals, now - begun)
}

#[test]
fn a_run_begins_gently_and_is_soon_as_fast_as_it_may() {
    for tier in [Tier::Account, Tier::Personal] {
        let (mut pace, least) = (queue(tier), Rules::of(tier).gap);
        let mut gaps = Vec::new();
        for _ in 0..=WARM {
            gaps.push(pace.gap());
            pace.answered(Instant::now(), noon());
        }
        assert!(gaps.is_sorted_by(|one, next| one > next), "{gaps:?}");
        assert_eq!((gaps[0], *gaps.last().unwrap()), (least * 3, least));
        pace.begin(Instant::now());
        assert_eq!(pace.gap(), least * 3, "nothing was sent for long");
    }
    // What that costs a first sync of a year, of 950 requests, beside a policy of just that speed.
    let (refusals, took) = asked(&mut queue(Tier::Account), &mut Limit::of(10.0, 10.0), 950);
    assert_eq!(refusals, 0);
    assert!(took < Duration::from_secs(100), "{took:?}");
}

#[test]
fn requests_keep_their_distance() {
    let (mut pace, start) = (queue(Tier::Personal), Instant::now());
    let at = |span| after(start, span);
    assert_eq!(pace.turn(at(Duration::ZERO), true), Turn::Now);
    assert!(pace.start(at(Duration::ZERO), true));
    assert_eq!(pace.turn(at(SECOND / 2), true), Turn::In(SECOND / 4));
    assert!(!pace.start(at(SECOND / 2), true));
    assert_eq!(pace.turn(at(MINUTE), true), Turn::Now);
}

/// Two that were answered 401 wait for one renewal, and are both ready in the same moment.
#[test]
fn what_is_sent_again_keeps_its_distance_too() {
    let (mut pace, start) = (queue(Tier::Personal), Instant::now());
    let at = |span| after(start, span);
    assert_eq!(pace.again(at(Duration::ZERO)), Turn::Now);
    assert_eq!(pace.again(at(Duration::ZERO)), Turn::In(3 * SECOND / 4));
    assert!(!pace.start(at(SECOND / 2), true));
    assert_eq!(pace.again(at(SECOND)), Turn::Now);
}

#[test]
fn a_steady_limit_below_its_speed_refuses_it_once() {
    for (a_second, burst) in
        [(3.0, 1.0), (3.0, 3.0), (3.0, 10.0), (3.0, 30.0), (5.0, 5.0), (8.0, 8.0), (2.0, 2.0), (4.0, 4.0)]
    {
        let (mut pace, mut limit) = (queue(Tier::Account), Limit::of(a_second, burst));
        let (refusals, _) = asked(&mut pace, &mut limit, 3000);
        assert_eq!(refusals, 1, "{a_second} a second, {burst} at once");
        // Nor by the next run.
        assert_eq!(asked(&mut pace, &mut limit, 300).0, 0, "{a_second} a second, {burst} at once");
        // What it learned survives the daemon.
        let mut again = Pace::new(Rules::of(Tier::Account), pace.memory());
        assert_eq!(again.gap().max(again.rules.gap * GENTLE), pace.gap().max(pace.rules.gap * GENTLE));
        assert_eq!(asked(&mut again, &mut limit, 300).0, 0, "{a_second} a second, {burst} at once");
    }
}

#[test]
fn what_was_learned_is_forgotten_slowly() {
    let (mut pace, start) = (queue(Tier::Account), Instant::now());
    let many = |pace: &mut Pace, hours: u64| {
        let moment = after(start, 60 * MINUTE * u32::try_from(hours).unwrap());
        (0..2000).for_each(|_| pace.answered(moment.now, moment.at));
    };
    many(&mut pace, 0);
    assert_eq!(throttled(&mut pace, None), Refused::Pause(noon() + TimeDelta::minutes(30)));
    assert_eq!(pace.gap().as_millis(), 200);
    many(&mut pace, 5);
    assert_eq!((pace.gap().as_millis(), pace.in_flight(noon())), (200, 1), "not within hours");
    many(&mut pace, 7);
    assert_eq!(pace.gap().as_millis(), 100);
    for _ in 0..10 {
        throttled(&mut pace, None);
    }
    assert_eq!(pace.gap().as_millis(), 1600, "it has an end");
}

#[test]
fn a_short_wait_is_waited_out_once_a_run() {
    let mut pace = queue(Tier::Personal);
    assert_eq!(throttled(&mut pace, Some(14 * SECOND)), Refused::Wait(14 * SECOND));
    assert_eq!(pace.paused_until(noon()), None);
    let (start, at) = (Instant::now(), |span| after(Instant::now(), span));
    assert!(matches!(pace.turn(at(Duration::ZERO), true), Turn::In(left) if left > 13 * SECOND), "{start:?}");
    assert_eq!(pace.turn(at(MINUTE), true), Turn::Now);
    assert_eq!(pause(&mut pace, Some(14 * SECOND)), 15 * MINUTE, "a second one ends the run");
    pace.begin(Instant::now());
    assert_eq!(throttled(&mut pace, Some(MINUTE)), Refused::Wait(MINUTE), "a new run may wait again");
}

#[test]
fn what_was_under_way_when_a_429_came_is_the_same_refusal() {
    let (mut pace, start) = (queue(Tier::Account), Instant::now());
    let heard =
        |pace: &mut Pace, started, heard, asked| pace.throttled(start + started, after(start, heard), Some(asked));
    assert_eq!(heard(&mut pace, Duration::ZERO, SECOND, 14 * SECOND), Refused::Wait(14 * SECOND));
    assert_eq!(heard(&mut pace, SECOND / 2, 2 * SECOND, 13 * SECOND), Refused::Wait(14 * SECOND));
    assert_eq!(pace.turn(after(start, 3 * SECOND), true), Turn::In(12 * SECOND));
    assert_eq!(pace.in_flight(noon() + TimeDelta::minutes(1)), 1);
    let end = noon() + TimeDelta::seconds(17) + TimeDelta::minutes(30);
    assert_eq!(heard(&mut pace, 16 * SECOND, 17 * SECOND, 14 * SECOND), Refused::Pause(end));
    pace.answered(start + 16 * SECOND, noon());
    let turn = pace.turn(after(start, 18 * SECOND), false);
    assert_eq!((turn, pace.memory().strikes), (Turn::Paused(end), 1), "nor does a late answer end it");
}

#[test]
fn pauses_double_up_to_six_hours_and_start_small_after_an_answer() {
    let mut pace = queue(Tier::Account);
    for minutes in [30, 60, 120, 240, 360, 360] {
        assert_eq!(pause(&mut pace, None), minutes * MINUTE);
    }
    assert_eq!(pace.paused_until(noon()), Some(noon() + 360 * MINUTE));
    assert_eq!(pace.paused_until(noon() + 360 * MINUTE), None);
    pace.answered(Instant::now(), noon());
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
    let memory = Memory { paused_until: Some(noon()), strikes: 3, ..Memory::default() };
    let mut pace = Pace::new(Rules::of(Tier::Account), memory);
    assert_eq!(pace.paused_until(noon() - MINUTE), Some(noon()));
    assert_eq!(pause(&mut pace, None), 240 * MINUTE);
}

#[test]
fn a_day_s_budget_ends_the_day() {
    let rules = Rules { daily: Some(20), gap: Duration::ZERO, ..Rules::of(Tier::Account) };
    let moment = after(Instant::now(), Duration::ZERO);
    let mut pace = Pace::new(rules.clone(), Memory::default());
    let started = |pace: &mut Pace, later| (0..100).take_while(|_| pace.start(moment, later)).count();
    assert_eq!((started(&mut pace, true), started(&mut pace, false)), (18, 2));
    let mut again = Pace::new(rules, pace.memory());
    assert_eq!(again.turn(moment, false), Turn::Spent, "it survives a restart");
    again.correct(moment.day, -1);
    assert_eq!(again.turn(moment, false), Turn::Now);
    assert_eq!(again.turn(Moment { day: moment.day.succ_opt().unwrap(), ..moment }, true), Turn::Now);
}

#[test]
fn trouble_is_tried_three_times() {
    for (tier, pauses) in
        [(Tier::Account, [Some(2000), Some(8000), None]), (Tier::Personal, [Some(500), Some(8000), None])]
    {
        let pace = queue(tier);
        assert_eq!([1, 2, 3].map(|tries| pace.retry(tries).map(|pause| pause.as_millis())), pauses);
    }
}
