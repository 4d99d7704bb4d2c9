//! The clock with a faked wall and paused tokio time: both stand still unless a test moves them.

use std::sync::Mutex;

use tokio::sync::mpsc;

use super::*;

#[derive(Clone, Debug, PartialEq)]
enum Fired {
    Sync(String, DateTime<Utc>),
    Refresh(DateTime<Utc>),
}

struct Recorder {
    wall: WallClock,
    fired: mpsc::UnboundedSender<Fired>,
    stored: Arc<Mutex<Option<DateTime<Utc>>>>,
    next: Arc<Mutex<Option<DateTime<Utc>>>>,
}

impl Duties for Recorder {
    fn accounts(&self) -> Vec<String> {
        vec!["eva".into()]
    }
    async fn last_started(&self, _: &str) -> Option<DateTime<Utc>> {
        *self.stored.lock().unwrap()
    }
    async fn sync(&self, account: String) {
        self.fired.send(Fired::Sync(account, (self.wall)())).unwrap();
    }
    async fn refresh(&self) {
        self.fired.send(Fired::Refresh((self.wall)())).unwrap();
    }
    fn show_next(&self, account: &str, next: Option<DateTime<Utc>>) {
        assert_eq!(account, "eva");
        *self.next.lock().unwrap() = next;
    }
}

/// A wall clock that runs with tokio's, plus an error that tests set.
struct Bench {
    clock: Clock,
    fired: mpsc::UnboundedReceiver<Fired>,
    error: Arc<Mutex<TimeDelta>>,
    wall: WallClock,
    next: Arc<Mutex<Option<DateTime<Utc>>>>,
}

fn utc(text: &str) -> DateTime<Utc> {
    format!("{text}Z").parse().unwrap()
}

fn bench(begin: &str, sync: &str, refresh: &str, stored: Option<&str>) -> Bench {
    let (begin, started) = (utc(begin), Instant::now());
    let error = Arc::new(Mutex::new(TimeDelta::zero()));
    let seen = error.clone();
    let wall: WallClock =
        Arc::new(move || begin + TimeDelta::from_std(started.elapsed()).unwrap() + *seen.lock().unwrap());
    let (send, fired) = mpsc::unbounded_channel();
    let next = Arc::new(Mutex::new(None));
    let duties =
        Recorder { wall: wall.clone(), fired: send, stored: Arc::new(Mutex::new(stored.map(utc))), next: next.clone() };
    let schedules = Schedules {
        sync: Schedule::parse(sync).unwrap(),
        refresh: Schedule::parse(refresh).unwrap(),
        on_the_slot: "eva".into(),
    };
    let clock = start(schedules, chrono_tz::Europe::Berlin, wall.clone(), duties);
    Bench { clock, fired, error, wall, next }
}

impl Bench {
    /// Runs until something fires; panics when nothing does for `hours`.
    async fn next(&mut self, hours: u64) -> DateTime<Utc> {
        let within = Duration::from_secs(hours * 3600);
        match tokio::time::timeout(within, self.fired.recv()).await.expect("something fires").unwrap() {
            Fired::Sync(account, at) => {
                assert_eq!(account, "eva");
                at
            }
            Fired::Refresh(at) => at,
        }
    }

    /// Asserts that nothing fires for so long.
    async fn quiet(&mut self, minutes: u64) {
        let fired = tokio::time::timeout(Duration::from_secs(minutes * 60), self.fired.recv()).await;
        assert!(fired.is_err(), "{fired:?}");
    }

    fn jump(&self, by: TimeDelta) {
        *self.error.lock().unwrap() += by;
    }
}

fn between(at: DateTime<Utc>, from: &str, until: &str) {
    assert!(at >= utc(from) && at < utc(until), "{at} is not in {from}..{until}");
}

#[tokio::test(start_paused = true)]
async fn each_slot_fires_once_within_its_jitter() {
    let mut bench = bench("2026-11-20T10:05:00", "*/30 * * * *", "", Some("2026-11-20T10:01:00"));
    for (from, until) in [("10:30:00", "10:33:01"), ("11:00:00", "11:03:01"), ("11:30:00", "11:33:01")] {
        let told = *bench.next.lock().unwrap();
        let at = bench.next(1).await;
        between(at, &format!("2026-11-20T{from}"), &format!("2026-11-20T{until}"));
        if let Some(told) = told {
            assert!((at - told).abs() < TimeDelta::seconds(1), "told {told}, fired {at}");
        }
        for _ in 0..5 {
            bench.clock.look(); // doubled ticks change nothing
        }
        bench.quiet(20).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_while_down_is_made_good_once_at_start() {
    let mut bench = bench("2026-11-20T10:15:00", "*/30 * * * *", "", Some("2026-11-13T10:01:00"));
    between(bench.next(1).await, "2026-11-20T10:15:00", "2026-11-20T10:15:02");
    bench.quiet(14).await;
    between(bench.next(1).await, "2026-11-20T10:30:00", "2026-11-20T10:33:01");
}

#[tokio::test(start_paused = true)]
async fn after_a_suspend_it_is_made_good_within_a_minute() {
    let mut bench = bench("2026-11-20T10:05:00", "*/30 * * * *", "", Some("2026-11-20T10:01:00"));
    bench.quiet(10).await;
    bench.jump(TimeDelta::hours(9)); // the monotonic clock stood still
    let resumed = (bench.wall)();
    assert!(bench.next(1).await - resumed <= TimeDelta::seconds(60));
    bench.quiet(10).await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_put_back_does_not_wait_for_the_old_time() {
    let mut bench = bench("2026-11-20T10:05:00", "*/30 * * * *", "", Some("2026-11-20T10:01:00"));
    between(bench.next(1).await, "2026-11-20T10:30:00", "2026-11-20T10:33:01");
    bench.jump(TimeDelta::days(-2));
    let put_back = (bench.wall)();
    // The known start is in the future now, so it counts for nothing; then the slots go on by the new time.
    assert!(bench.next(1).await - put_back <= TimeDelta::seconds(60));
    between(bench.next(1).await, "2026-11-18T11:00:00", "2026-11-18T11:03:01");
    bench.quiet(20).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_in_a_wrong_future_is_no_licence_to_hammer() {
    let mut bench = bench("2026-11-20T10:05:00", "*/30 * * * *", "", Some("2031-01-01T00:00:00"));
    between(bench.next(1).await, "2026-11-20T10:05:00", "2026-11-20T10:05:02");
    bench.quiet(20).await;
    between(bench.next(1).await, "2026-11-20T10:30:00", "2026-11-20T10:33:01");
}

#[tokio::test(start_paused = true)]
async fn a_daily_sync_keeps_its_local_hour_when_clocks_change() {
    // At 01:00 UTC clocks go from 03:00+02:00 back to 02:00+01:00; four o'clock is an hour later than the day before.
    let mut bench = bench("2026-10-25T00:30:00", "0 4 * * *", "", Some("2026-10-24T02:01:00"));
    between(bench.next(5).await, "2026-10-25T03:00:00", "2026-10-25T03:03:01");
}

#[tokio::test(start_paused = true)]
async fn tokens_are_looked_at_when_starting_and_then_by_schedule() {
    let mut bench = bench("2026-11-20T10:05:00", "", "*/10 * * * *", None);
    between(bench.next(1).await, "2026-11-20T10:05:00", "2026-11-20T10:05:02");
    between(bench.next(1).await, "2026-11-20T10:10:00", "2026-11-20T10:11:01");
    between(bench.next(1).await, "2026-11-20T10:20:00", "2026-11-20T10:21:01");
    assert_eq!(*bench.next.lock().unwrap(), None, "periodic syncs are off");
    bench.clock.stop().await;
    assert!(bench.fired.recv().await.is_none(), "stopped, and its duties are gone");
}
