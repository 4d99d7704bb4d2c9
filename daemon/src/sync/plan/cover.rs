//! From days to ranges: as few as may be. The plan calls it. It knows nothing of datasets.

use std::collections::BTreeSet;

use chrono::NaiveDate;

/// Covers `wanted` by the smallest number of ranges, newest first: each begins at the newest day that is left and reaches back as far
/// as it may. No range is longer than the `limit` of any day inside it, and none holds a day whose limit is 0. As a part of a range
/// that is allowed is allowed too, nothing can do with fewer.
pub fn cover(wanted: &BTreeSet<NaiveDate>, limit: impl Fn(NaiveDate) -> u32) -> Vec<(NaiveDate, NaiveDate)> {
    let mut ranges: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for &to in wanted.iter().rev() {
        if ranges.last().is_some_and(|(from, _)| *from <= to) {
            continue;
        }
        let (mut from, mut reach) = (to, limit(to));
        for (length, day) in (2..).zip(to.iter_days().rev().skip(1)) {
            reach = reach.min(limit(day));
            if length > reach {
                break;
            }
            if wanted.contains(&day) {
                from = day;
            }
        }
        ranges.push((from, to));
    }
    ranges
}

/// The runs of consecutive days, newest first. A list costs by its length, so it is not read again across days that are known.
pub fn runs(wanted: &BTreeSet<NaiveDate>) -> Vec<(NaiveDate, NaiveDate)> {
    let mut runs: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for &day in wanted.iter().rev() {
        match runs.last_mut() {
            Some((from, _)) if day.succ_opt() == Some(*from) => *from = day,
            _ => runs.push((day, day)),
        }
    }
    runs
}
