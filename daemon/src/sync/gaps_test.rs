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

fn found(entries: &[LedgerEntry], things: &[(&'static str, Vec<Candidate>)], names: &[&str]) -> Vec<Gap> {
    let scope = Scope {
        now: now(),
        today: today(),
        start: Some(back(20)),
        since: None,
        until: None,
        missing: true,
        rest: None,
        new_activities: false,
    };
    let ledger = Ledger::new(entries, now(), |at| at.date_naive());
    let datasets = of(names);
    let fetches =
        plan::plan(datasets.iter().copied(), &ledger, &scope, |dataset| dataset.tiers().next(), &HashMap::new());
    let things = things.iter().cloned().collect();
    gaps(entries, &fetches, &things, &datasets, &ledger, &scope, |_| Reach::Open(None))
}

fn thing(id: i64, n: u64) -> Candidate {
    Candidate { item: id.to_string(), day: Some(back(n)), changed_utc: None }
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
            "hrv 6..6 1 Day Unavailable x1",
            "hrv 9..9 1 Day Unavailable x1",
            "hrv 12..12 1 Day Unread x0"
        ]
    );
    assert_eq!(gaps[0].since, Some(now() - TimeDelta::days(3)));
    assert_eq!(gaps[0].detail, "it is error");

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
    let refused = [entry("original", 3, State::Error, 1), entry("original", 4, State::Error, 4)];
    let owed = vec![thing(5, 1), thing(4, 2), thing(3, 7), thing(2, 9)];
    let gaps = found(&refused, &[("original", owed)], &["original"]);
    assert_eq!(lines(&gaps), ["original 9..1 2 File Unread x0", "original 7..2 2 File Error x4"]);
    assert_eq!(found(&refused, &[("original", Vec::new())], &["original"]), [], "what is not owed is not missing");
}

#[test]
fn an_item_that_nobody_has_asked_for_is_missing_and_one_that_is_gone_is_not() {
    let known = [
        entry("activity_detail", 1, State::Ok, 0),
        entry("activity_detail", 2, State::Error, 3),
        entry("activity_detail", 8, State::Error, 1),
    ];
    let there = vec![thing(1, 3), thing(2, 5), thing(3, 9)];
    let gaps = found(&known, &[("activity_detail", there)], &["activity_detail"]);
    let told = ["activity_detail 5..5 1 Item Error x3 rests 167 h", "activity_detail 9..9 1 Item Unread x0"];
    assert_eq!(lines(&gaps), told);
    assert_eq!(gaps.iter().map(|gap| gap.detail.as_str()).collect::<Vec<_>>(), ["it is error", "not read yet"]);
}

#[test]
fn what_lies_before_the_mirror_is_not_missing() {
    let failed = [entry("hrv", back(20), State::Error, 1), entry("hrv", back(21), State::Error, 1)];
    let days: Vec<_> = found(&failed, &[], &["hrv"]).into_iter().filter(|gap| gap.why == Why::Error).collect();
    assert_eq!(lines(&days), ["hrv 20..20 1 Day Error x1"]);
}
