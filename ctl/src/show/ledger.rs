//! The tables of `gaps`, `history` and `datasets` for people. Pure, as everything here.

use std::fmt::Display;

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use garminsync_protocol::{DatasetEntry, DatasetsList, Gap, GapState, GapUnit, GapsList, History, Outcome, RunEntry};

use super::table::{or_dash, table};
use super::{Paint, time};

/// `gaps`; nothing where there are none.
pub fn gaps<Tz: TimeZone<Offset: Display>>(list: &GapsList, now: &DateTime<Tz>, paint: Paint) -> String {
    let head = ["DATASET", "FROM", "TO", "MISSING", "STATE", "SINCE", "TRIES", "NEXT TRY", "WHY"];
    let row = |gap: &Gap| {
        let unit = match (gap.unit, gap.missing) {
            (GapUnit::Day, 1) => "day",
            (GapUnit::Day, _) => "days",
            (GapUnit::File, 1) => "file",
            (GapUnit::File, _) => "files",
            (GapUnit::Item, 1) => "item",
            (GapUnit::Item, _) => "items",
        };
        [
            gap.dataset.clone(),
            day(gap.from),
            day(gap.to),
            format!("{} {unit}", gap.missing),
            gap.state.as_str().into(),
            moment(gap.since, now),
            or_dash(Some(gap.attempts).filter(|tries| *tries > 0)),
            next_try(gap, list.login_needed, now),
            or_dash(gap.detail.clone().or((gap.state == GapState::Unread).then(|| "not read yet".into()))),
        ]
    };
    rows(head, list.gaps.iter().map(row), paint)
}

/// When it is tried, or what has to happen before.
fn next_try<Tz: TimeZone<Offset: Display>>(gap: &Gap, login_needed: bool, now: &DateTime<Tz>) -> String {
    match (gap.next_at, gap.rests_until) {
        _ if login_needed => "after a login".into(),
        (Some(at), _) => time::clock(at, now),
        (None, Some(at)) => format!("with a sync after {}", time::clock(at, now)),
        (None, None) => "with a sync".into(),
    }
}

/// `history`; nothing where there are none.
pub fn history<Tz: TimeZone<Offset: Display>>(history: &History, now: &DateTime<Tz>, paint: Paint) -> String {
    let head = ["SYNC", "STARTED", "TOOK", "TRIGGER", "OUTCOME", "REQUESTS", "RECEIVED", "NEW", "CHANGED", "ERROR"];
    let row = |run: &RunEntry| {
        [
            run.sync.to_string(),
            time::clock(run.started_at, now),
            or_dash(run.duration_s.map(took)),
            run.trigger.clone(),
            run.outcome.as_str().replace('_', " "),
            run.requests.to_string(),
            bytes(run.bytes),
            run.new_items.to_string(),
            run.changed_items.to_string(),
            or_dash(run.error.clone().filter(|_| run.outcome != Outcome::Ok)),
        ]
    };
    rows(head, history.runs.iter().map(row), paint)
}

/// `datasets`.
pub fn datasets<Tz: TimeZone<Offset: Display>>(list: &DatasetsList, now: &DateTime<Tz>, paint: Paint) -> String {
    let head =
        ["DATASET", "STATE", "TIERS", "GROUPS", "HELD", "FROM", "TO", "MISSING", "LAST READ", "COST A YEAR", "ABOUT"];
    let row = |dataset: &DatasetEntry| {
        let state = match (dataset.on, dataset.reachable) {
            (false, _) => "off",
            (true, true) => "on",
            (true, false) => "on, no key or login",
        };
        let mut groups = dataset.groups.clone();
        groups.extend(Some(dataset.lane.clone()).filter(|lane| lane != "day" && !dataset.groups.contains(lane)));
        [
            dataset.name.clone(),
            state.into(),
            dataset.tiers.join("+"),
            or_dash(Some(groups.join(" "))),
            dataset.held.to_string(),
            day(dataset.oldest),
            day(dataset.newest),
            or_dash(Some(dataset.missing).filter(|missing| *missing > 0)),
            dataset.last_read_at.map_or_else(|| "never".into(), |at| time::relative(at, now)),
            match dataset.requests_per_year {
                None => "1 an activity".into(),
                Some(0) => "none of its own".into(),
                Some(1) => "1 request".into(),
                Some(requests) => format!("{requests} requests"),
            },
            dataset.about.clone(),
        ]
    };
    rows(head, list.datasets.iter().map(row), paint)
}

fn rows<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>, paint: Paint) -> String {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { String::new() } else { table(head, &rows, paint) }
}

fn day(day: Option<NaiveDate>) -> String {
    or_dash(day)
}

fn moment<Tz: TimeZone<Offset: Display>>(at: Option<DateTime<Utc>>, now: &DateTime<Tz>) -> String {
    or_dash(at.map(|at| time::clock(at, now)))
}

/// Seconds where they matter, else as other spans are told.
fn took(seconds: u64) -> String {
    match i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds) {
        Some(span) if seconds >= 120 => time::span(span),
        _ => format!("{seconds} s"),
    }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_gap_says_what_why_since_when_and_until_when() {
        let gap = Gap {
            dataset: "hrv".into(),
            from: "2026-10-01".parse().ok(),
            to: "2026-10-03".parse().ok(),
            missing: 3,
            unit: GapUnit::Day,
            state: GapState::Error,
            detail: Some("Garmin is in \u{1b}[31mtrouble (HTTP 500)".into()),
            since: "2026-11-20T08:00:00Z".parse().ok(),
            attempts: 2,
            next_at: "2026-11-22T10:30:00Z".parse().ok(),
            rests_until: None,
        };
        let unread = Gap {
            dataset: "original".into(),
            missing: 1,
            unit: GapUnit::File,
            state: GapState::Unread,
            detail: None,
            since: None,
            attempts: 0,
            next_at: None,
            ..gap.clone()
        };
        let by_hand = Gap { next_at: None, rests_until: gap.next_at, ..gap.clone() };
        let (account, missing) = ("default".into(), vec![gap, by_hand, unread]);
        let list = GapsList { account, gaps: missing, more: 0, missing: 7, login_needed: false };
        let shown = gaps(&list, &now(), Paint(false));
        assert_eq!(
            shown,
            "DATASET   FROM        TO          MISSING  STATE   SINCE             TRIES  NEXT TRY                 WHY\n\
             hrv       2026-10-01  2026-10-03  3 days   error   2026-11-20 08:00  2      10:30                    Garmin is in  [31mtrouble (HTTP 500)\n\
             hrv       2026-10-01  2026-10-03  3 days   error   2026-11-20 08:00  2      with a sync after 10:30  Garmin is in  [31mtrouble (HTTP 500)\n\
             original  2026-10-01  2026-10-03  1 file   unread  -                 -      with a sync              not read yet"
        );
        let shown = gaps(&GapsList { login_needed: true, ..list.clone() }, &now(), Paint(false));
        assert_eq!(shown.matches("after a login").count(), 3, "{shown}");
        assert_eq!(gaps(&GapsList { gaps: Vec::new(), ..list }, &now(), Paint(false)), "");
    }

    #[test]
    fn a_run_says_what_it_took() {
        let run = RunEntry {
            sync: 7,
            trigger: "schedule".into(),
            outcome: Outcome::RateLimited,
            started_at: now() - TimeDelta::minutes(10),
            ended_at: Some(now()),
            duration_s: Some(600),
            requests: 12,
            bytes: 1_234_567,
            new_items: 3,
            changed_items: 1,
            error: Some("Garmin asks to wait".into()),
        };
        let shown = history(&History { account: "default".into(), runs: vec![run] }, &now(), Paint(false));
        assert_eq!(
            shown.lines().nth(1),
            Some(
                "7     09:50    10 min  schedule  rate limited  12        1.2 MB    3    1        Garmin asks to wait"
            )
        );
        assert_eq!([took(0), took(119), took(120)], ["0 s", "119 s", "2 min"]);
        assert_eq!([bytes(999), bytes(1000), bytes(20_000_000)], ["999 B", "1 kB", "20.0 MB"]);
    }
}
