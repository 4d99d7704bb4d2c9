//! Every reason for a gap, told as ranges.

use chrono::{Days, TimeDelta};

use super::super::datasets;
use super::*;

fn today() -> NaiveDate {
    "2026-10-21".parse().unwrap()
}

fn back(days: u64) -> NaiveDate {
    today() - Days::new(days)
}

fn now() -> DateTime<Utc> {
    "2026-10-21T12:00:00Z".parse().unwrap()
}

fn entry(dataset: &str, item: impl ToString, state: State, attempts: u32) -> LedgerEntry {
    let fails = matches!(state, State::Error | State::Unavailable);
    LedgerEntry {
        dataset: dataset.into(),
        item: item.to_string(),
        state,
        fetched_utc: now() - TimeDelta::minutes(10),
        attempts,
        since_utc: fails.then(|| now() - TimeDelta::days(3)),
        detail: fails.then(|| format!("it is {state}")),
    }
}

fn of(names: &[&str]) -> Vec<&'static Dataset> {
    datasets::all().unwrap().iter().filter(|dataset| names.contains(&dataset.name.as_str())).collect()
}

fn found(entries: &[LedgerEntry], owed: &[ActivityRef], names: &[&str]) -> Vec<Gap> {
    let scope = Scope {
        now: now(),
        today: today(),
        start: Some(back(20)),
        since: None,
        until: None,
        missing: true,
        rest: None,
    };
    let ledger = Ledger::new(entries, now(), |at| at.date_naive());
    let datasets = of(names);
    let fetches = plan::plan(
        datasets.iter().copied(),
        &ledger,
        &scope,
        |dataset| dataset.tiers().next(),
        &std::collections::HashMap::new(),
    );
    gaps(entries, &fetches, owed, &datasets, &ledger, &scope)
}

/// As a person would write it down.
fn lines(gaps: &[Gap]) -> Vec<String> {
    let line = |gap: &Gap| {
        let days = gap.days.map(|(from, to)| format!("{}..{}", (today() - from).num_days(), (today() - to).num_days()));
        let rests = gap.rests_until.map(|until| format!(" rests {} h", (until - now()).num_hours()));
        format!(
            "{} {} {} {:?} {:?} x{}{}",
            gap.dataset,
            days.unwrap_or_default(),
            gap.missing,
            gap.unit,
            gap.why,
            gap.attempts,
            rests.unwrap_or_default()
        )
    };
    gaps.iter().map(line).collect()
}

#[test]
fn what_was_never_read_is_missing_except_today() {
    assert_eq!(lines(&found(&[], &[], &["hrv"])), ["hrv 20..1 20 Day Unread x0"]);
    let read: Vec<_> = (1..=20).map(|n| entry("hrv", back(n), State::Ok, 0)).collect();
    assert_eq!(found(&read, &[], &["hrv"]), []);
}

#[test]
fn days_in_a_row_with_one_reason_are_one_gap() {
    let state = |n| match n {
        3..=5 => State::Error,
        6 | 9 => State::Unavailable,
        _ => State::Empty,
    };
    let mut entries: Vec<_> = (1..=20).map(|n| entry("hrv", back(n), state(n), if n == 4 { 2 } else { 1 })).collect();
    entries.retain(|entry| entry.item != back(12).to_string());
    let gaps = found(&entries, &[], &["hrv"]);
    // What an area was refused for hides nothing else of it that is missing.
    assert_eq!(
        lines(&gaps),
        [
            "hrv 5..3 3 Day Error x2",
            "hrv 6..6 1 Day Unavailable x1 rests 23 h",
            "hrv 9..9 1 Day Unavailable x1 rests 23 h",
            "hrv 12..12 1 Day Unread x0"
        ]
    );
    assert_eq!(gaps[0].since, Some(now() - TimeDelta::days(3)));
    assert_eq!(gaps[0].detail.as_deref(), Some("it is error"));

    entries.retain(|entry| entry.state != State::Unavailable);
    let days = [
        "hrv 5..3 3 Day Error x2",
        "hrv 6..6 1 Day Unread x0",
        "hrv 9..9 1 Day Unread x0",
        "hrv 12..12 1 Day Unread x0",
    ];
    assert_eq!(lines(&found(&entries, &[], &["hrv"])), days);
}

#[test]
fn what_failed_for_long_rests_and_says_until_when() {
    let entries: Vec<_> =
        (1..=20).map(|n| entry("hrv", back(n), if n == 15 { State::Error } else { State::Ok }, 3)).collect();
    assert_eq!(lines(&found(&entries, &[], &["hrv"])), ["hrv 15..15 1 Day Error x3 rests 167 h"]);
}

#[test]
fn files_that_are_owed_are_told_by_reason() {
    let owed = |id: i64, n| ActivityRef {
        activity_id: id,
        name: None,
        activity_type: None,
        start_local: Some(format!("{}T08:00:00", back(n))),
    };
    let refused = [entry("original", 3, State::Error, 1), entry("original", 4, State::Error, 4)];
    let gaps = found(&refused, &[owed(5, 1), owed(4, 2), owed(3, 7), owed(2, 9)], &["original"]);
    assert_eq!(lines(&gaps), ["original 9..1 2 File Unread x0", "original 7..2 2 File Error x4"]);
    assert_eq!(found(&refused, &[], &["original"]), [], "what is not owed is not missing");
}

#[test]
fn what_is_held_is_counted_by_dataset() {
    let mut entries: Vec<_> = (1..=9).map(|n| entry("hrv", back(n), State::Ok, 0)).collect();
    entries.extend([entry("hrv", back(10), State::Empty, 0), entry("hrv", back(11), State::Error, 1)]);
    entries.extend([entry("activities", "all", State::Ok, 0), entry("activities", back(2), State::Ok, 0)]);
    let missing = found(&entries, &[], &["hrv"]);
    let held = held(&entries, &missing, datasets::all().unwrap(), &of(&["hrv"]), &[Tier::Account]);
    let of = |name: &str| held.iter().find(|held| held.dataset.name == name).unwrap();
    let hrv = of("hrv");
    assert_eq!((hrv.held, hrv.oldest, hrv.newest, hrv.missing), (9, Some(back(9)), Some(back(1)), 10));
    assert_eq!((hrv.on, hrv.reachable, hrv.last_read), (true, true, Some(now() - TimeDelta::minutes(10))));
    assert_eq!((of("activities").held, of("activities").on), (1, false));
    assert_eq!((of("sleep").held, of("sleep").last_read), (0, None));
    assert_eq!(held.len(), datasets::all().unwrap().len());
}
