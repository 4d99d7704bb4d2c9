//! Schedules across daylight-saving changes, jumps of the clock and downtime.

use chrono::NaiveDate;
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;

const BERLIN: Tz = chrono_tz::Europe::Berlin;
const NEW_YORK: Tz = chrono_tz::America::New_York;
const LORD_HOWE: Tz = chrono_tz::Australia::Lord_Howe; // puts its clocks by half an hour only

fn schedule(text: &str) -> Schedule {
    Schedule::parse(text).unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    format!("{text}Z").parse().unwrap()
}

/// The slots in (from, until], by walking forwards.
fn slots(cron: &str, zone: Tz, from: &str, until: &str) -> Vec<String> {
    let (schedule, mut at, until) = (schedule(cron), utc(from), utc(until));
    let mut seen = Vec::new();
    while let Some(slot) = schedule.slot_after(at, &zone).filter(|slot| *slot <= until) {
        assert!(slot > at, "{cron}: {slot} is not after {at}");
        seen.push(slot.with_timezone(&zone).format("%d %H:%M%:z").to_string());
        at = slot;
    }
    seen
}

#[test]
fn a_gap_gathers_its_slots_at_its_end() {
    // Berlin, 2026-03-29: 02:00+01:00 becomes 03:00+02:00, which is 01:00 UTC.
    let night = ("2026-03-29T00:15:00", "2026-03-29T02:00:00");
    assert_eq!(
        slots("*/30 * * * *", BERLIN, night.0, night.1),
        ["29 01:30+01:00", "29 03:00+02:00", "29 03:30+02:00", "29 04:00+02:00"]
    );
    assert_eq!(slots("30 2 * * *", BERLIN, night.0, night.1), ["29 03:00+02:00"]);
    assert_eq!(slots("15,45 2 * * *", BERLIN, night.0, night.1), ["29 03:00+02:00"]);
    assert_eq!(slots("0 3 * * *", BERLIN, night.0, night.1), ["29 03:00+02:00"]);
    assert_eq!(slots("30 2 * * *", NEW_YORK, "2026-03-08T06:00:00", "2026-03-08T09:00:00"), ["08 03:00-04:00"]);
    assert_eq!(slots("10 2 * * *", LORD_HOWE, "2026-10-03T12:00:00", "2026-10-03T18:00:00"), ["04 02:30+11:00"]);
}

#[test]
fn a_repeated_hour_repeats_only_what_runs_every_hour() {
    // Berlin, 2026-10-25: 03:00+02:00 becomes 02:00+01:00, which is 01:00 UTC.
    let night = ("2026-10-24T23:45:00", "2026-10-25T02:00:00");
    assert_eq!(
        slots("*/30 * * * *", BERLIN, night.0, night.1),
        ["25 02:00+02:00", "25 02:30+02:00", "25 02:00+01:00", "25 02:30+01:00", "25 03:00+01:00"]
    );
    assert_eq!(slots("30 * * * *", BERLIN, night.0, night.1), ["25 02:30+02:00", "25 02:30+01:00"]);
    assert_eq!(slots("30 2 * * *", BERLIN, night.0, night.1), ["25 02:30+02:00"]);
    assert_eq!(slots("30 2,3 * * *", BERLIN, night.0, "2026-10-25T03:00:00"), ["25 02:30+02:00", "25 03:30+01:00"]);
    assert_eq!(slots("30 1 * * *", NEW_YORK, "2026-11-01T04:00:00", "2026-11-01T08:00:00"), ["01 01:30-04:00"]);
    assert_eq!(
        slots("45 * * * *", LORD_HOWE, "2026-04-04T14:00:00", "2026-04-04T16:30:00"),
        ["05 01:45+11:00", "05 01:45+10:30", "05 02:45+10:30"]
    );
}

#[test]
fn no_day_around_a_change_is_without_its_daily_slot() {
    for (zone, cron) in
        [(BERLIN, "30 2 * * *"), (NEW_YORK, "30 2 * * *"), (LORD_HOWE, "15 2 * * *"), (BERLIN, "0 0 * * *")]
    {
        let slots = slots(cron, zone, "2025-12-31T23:59:00", "2026-12-31T12:00:00");
        assert!((364..=366).contains(&slots.len()), "{zone} {cron}: {}", slots.len());
    }
}

#[test]
fn yearly_and_leap_day_slots_are_found_both_ways() {
    for (cron, newest, next) in [
        ("0 12 1 1 *", "2026-01-01T11:00:00", "2027-01-01T11:00:00"),
        ("0 12 29 2 *", "2024-02-29T11:00:00", "2028-02-29T11:00:00"),
    ] {
        let now = utc("2026-11-20T00:00:00");
        assert_eq!(schedule(cron).slot_until(now, &BERLIN), Some(utc(newest)), "{cron}");
        assert_eq!(schedule(cron).slot_after(now, &BERLIN), Some(utc(next)), "{cron}");
    }
}

proptest! {
    /// Backwards finds the slots that forwards finds, in every zone, at any moment of the years around the changes.
    #[test]
    fn both_directions_agree(
        zone in prop::sample::select(vec![BERLIN, NEW_YORK, LORD_HOWE, chrono_tz::Africa::Casablanca, chrono_tz::Asia::Kathmandu]),
        cron in prop::sample::select(vec!["*/30 * * * *", "30 2 * * *", "*/7 1-3 * * *", "15 * * * *", "0 3 * * 0", "45 1,2 25-31 * *"]),
        near in prop::sample::select(vec!["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2026-02-15"]),
        second in 0..200_000i64,
    ) {
        let schedule = schedule(cron);
        let day: NaiveDate = near.parse().unwrap();
        let now = day.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::seconds(second - 80_000);
        let newest = schedule.slot_until(now, &zone).unwrap();
        let next = schedule.slot_after(now, &zone).unwrap();
        prop_assert!(newest <= now && now < next);
        prop_assert_eq!(schedule.slot_after(newest, &zone), Some(next));
        prop_assert_eq!(schedule.slot_until(next - TimeDelta::seconds(1), &zone), Some(newest));
        prop_assert_eq!(schedule.slot_until(next, &zone), Some(next));
    }

    /// Whatever the clock does, what is due is due once: after a start it is quiet until the moment it had told.
    #[test]
    fn a_start_is_good_until_the_next_moment(
        cron in prop::sample::select(vec!["*/30 * * * *", "30 2 * * *", "* * * * *", "0 3 * * 0"]),
        seed: u64,
        share in 0..1000_u64,
        second in 0..40_000_000i64,
        ahead in 0..100_000i64,
    ) {
        let schedule = schedule(cron);
        let started = utc("2026-01-01T00:00:00") + TimeDelta::seconds(second);
        let at = |moment: DateTime<Utc>| moment.with_timezone(&BERLIN);
        let next = schedule.next_at(Some(started), &at(started), turn(share, seed)).unwrap();
        prop_assert!(next > started);
        let later = started + TimeDelta::seconds(ahead);
        prop_assert_eq!(schedule.due(Some(started), &at(later), turn(share, seed)).is_some(), later >= next);
    }
}

/// Tables of (cron, last start, now) in Berlin, without jitter worth mentioning, and the slot that is due.
#[test]
fn what_is_due() {
    let cases = [
        ("never ran: due", "*/30 * * * *", None, "2026-11-20T10:10:00", Some("2026-11-20T10:00:00")),
        ("ran for this slot", "*/30 * * * *", Some("2026-11-20T10:00:01"), "2026-11-20T10:29:59", None),
        ("ran at the slot itself", "*/30 * * * *", Some("2026-11-20T10:00:00"), "2026-11-20T10:00:00", None),
        (
            "the next slot",
            "*/30 * * * *",
            Some("2026-11-20T10:00:01"),
            "2026-11-20T10:34:00",
            Some("2026-11-20T10:30:00"),
        ),
        (
            "a tick that comes late",
            "*/30 * * * *",
            Some("2026-11-20T10:00:01"),
            "2026-11-20T10:59:00",
            Some("2026-11-20T10:30:00"),
        ),
        (
            "days of downtime are one run",
            "*/30 * * * *",
            Some("2026-11-01T10:00:01"),
            "2026-11-20T10:10:00",
            Some("2026-11-20T10:00:00"),
        ),
        ("a clock put back a little", "*/30 * * * *", Some("2026-11-20T10:30:40"), "2026-11-20T10:30:02", None),
        (
            "a clock put back an hour",
            "*/30 * * * *",
            Some("2026-11-20T11:28:00"),
            "2026-11-20T10:29:00",
            Some("2026-11-20T10:00:00"),
        ),
        (
            "a start from the year 2040",
            "30 2 * * *",
            Some("2040-01-01T00:00:00"),
            "2026-11-20T10:00:00",
            Some("2026-11-20T01:30:00"),
        ),
        (
            "a clock put forward a day",
            "30 2 * * *",
            Some("2026-11-20T01:30:10"),
            "2026-11-21T09:00:00",
            Some("2026-11-21T01:30:00"),
        ),
        ("off", "", None, "2026-11-20T10:10:00", None),
    ];
    for (what, cron, last, now, slot) in cases {
        let due = schedule(cron).due(
            last.map(utc),
            &utc(now).with_timezone(&BERLIN),
            turn(0, seed_without_jitter(cron, now)),
        );
        assert_eq!(due.map(|due| due.slot), slot.map(utc), "{what}");
    }
}

/// A seed whose jitter near `now` is at most a minute: the tables above leave that much room.
fn seed_without_jitter(cron: &str, now: &str) -> u64 {
    let schedule = schedule(cron);
    let Some(slot) = schedule.slot_until(utc(now), &BERLIN) else { return 0 };
    let near = [slot, schedule.slot_until(slot - TimeDelta::seconds(1), &BERLIN).unwrap()];
    let small =
        |seed: &u64| near.iter().all(|slot| schedule.delay(*slot, &BERLIN, turn(0, *seed)) <= TimeDelta::seconds(60));
    (0..).find(small).unwrap()
}

fn turn(share: u64, seed: u64) -> Turn {
    Turn { share, seed }
}

#[test]
fn accounts_take_turns_that_never_change() {
    let schedule = schedule("*/30 * * * *");
    let slot = utc("2026-11-20T10:00:00");
    let offset =
        |name: &str| schedule.delay(slot, &Utc, Turn::of(name, "default", 7)) - schedule.delay(slot, &Utc, turn(0, 7));
    assert_eq!(offset("default"), TimeDelta::zero());
    // Written down: another release must not move them.
    assert_eq!([offset("ana"), offset("eva"), offset("club")].map(|at| at.num_seconds()), [902, 889, 842]);
    let seconds: std::collections::BTreeSet<_> =
        (0..100).map(|n| offset(&format!("member-{n}")).num_seconds()).collect();
    assert!(seconds.len() > 90, "they hardly ever meet: {}", seconds.len());
    assert!(seconds.iter().all(|at| (0..27 * 60).contains(at)), "within the interval");
    assert!(seconds.iter().any(|at| *at < 180) && seconds.iter().any(|at| *at > 24 * 60), "over all of it");

    // A nightly schedule stays in its night.
    let nightly = Schedule::parse("0 4 * * *").unwrap();
    let late = nightly.delay(utc("2026-11-20T04:00:00"), &Utc, turn(999, 7));
    assert!(late < TimeDelta::minutes(33), "{late}");
}

#[test]
fn jitter_spreads_below_its_bounds_and_never_changes_its_mind() {
    let slot = utc("2026-11-20T10:00:00");
    for (cron, width) in [("*/30 * * * *", 180), ("*/10 * * * *", 60), ("* * * * *", 6), ("0 10 * * *", 180)] {
        let schedule = schedule(cron);
        let jitters: Vec<i64> = (0..2000).map(|seed| schedule.delay(slot, &Utc, turn(0, seed)).num_seconds()).collect();
        assert!(jitters.iter().all(|seconds| (0..width).contains(seconds)), "{cron}");
        let distinct: std::collections::BTreeSet<_> = jitters.iter().collect();
        assert!(distinct.len() as i64 * 10 >= width * 9, "{cron}: {} of {width}", distinct.len());
        assert_eq!(schedule.delay(slot, &Utc, turn(0, 7)), schedule.delay(slot, &Utc, turn(0, 7)));
    }
}

#[test]
fn next_at_tells_the_moment_that_then_is_due() {
    let schedule = schedule("*/30 * * * *");
    let started = utc("2026-11-20T10:05:00");
    let next = schedule.next_at(Some(started), &started, turn(0, 3)).unwrap();
    assert!(next >= utc("2026-11-20T10:30:00") && next < utc("2026-11-20T10:33:00"), "{next}");
    assert_eq!(schedule.due(Some(started), &(next - TimeDelta::seconds(1)), turn(0, 3)), None);
    assert_eq!(schedule.due(Some(started), &next, turn(0, 3)).unwrap().slot, utc("2026-11-20T10:30:00"));
    assert_eq!(schedule.next_at(None, &started, turn(0, 3)), Some(started));
    assert_eq!(Schedule::parse("").unwrap().next_at(None, &started, turn(0, 3)), None);
}
