//! Times as people say them: how long, how long ago, at what o'clock. Pure; the caller says what time it is and where.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use std::fmt::Display;

/// A span in its largest sensible unit.
pub fn span(span: TimeDelta) -> String {
    let (minutes, hours, days) = (span.num_minutes(), span.num_hours(), span.num_days());
    match () {
        () if minutes < 1 => "less than a minute".into(),
        () if minutes < 120 => format!("{minutes} min"),
        () if hours < 48 => format!("{hours} h"),
        () => format!("{days} days"),
    }
}

/// A span of seconds; beyond a minute, what is left of one counts as one, so that nobody comes too early.
pub fn span_s(seconds: u64) -> String {
    if seconds < 60 {
        return format!("{seconds} s");
    }
    let minutes = i64::try_from(seconds.div_ceil(60)).unwrap_or(i64::MAX / 60_000);
    span(TimeDelta::try_minutes(minutes).unwrap_or(TimeDelta::MAX))
}

/// `12 min ago`, or `in 27 days`.
pub fn relative<Tz: TimeZone>(at: DateTime<Utc>, now: &DateTime<Tz>) -> String {
    let ahead = at - now.to_utc();
    if ahead > TimeDelta::zero() {
        format!("in {}", span(ahead))
    } else if ahead > TimeDelta::minutes(-1) {
        "just now".into()
    } else {
        format!("{} ago", span(-ahead))
    }
}

/// The time of day, with the date unless it is today's.
pub fn clock<Tz: TimeZone<Offset: Display>>(at: DateTime<Utc>, now: &DateTime<Tz>) -> String {
    let at = at.with_timezone(&now.timezone());
    let today = at.date_naive() == now.date_naive();
    at.format(if today { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::FixedOffset;

    #[test]
    fn spans_use_their_largest_unit() {
        assert_eq!(span(TimeDelta::seconds(59)), "less than a minute");
        assert_eq!(span(TimeDelta::minutes(90)), "90 min");
        assert_eq!(span(TimeDelta::hours(47)), "47 h");
        assert_eq!(span(TimeDelta::hours(49)), "2 days");
        assert_eq!(span_s(24), "24 s");
        assert_eq!(span_s(60), "1 min");
        assert_eq!(span_s(61), "2 min");
        assert!(span_s(u64::MAX).ends_with("days"));
    }

    #[test]
    fn the_clock_is_local_and_tells_another_day() {
        let now = DateTime::parse_from_rfc3339("2026-11-22T23:30:00+02:00").unwrap();
        let _: &DateTime<FixedOffset> = &now;
        assert_eq!(clock(now.to_utc() + TimeDelta::minutes(20), &now), "23:50");
        assert_eq!(clock(now.to_utc() + TimeDelta::minutes(40), &now), "2026-11-23 00:10");
        assert_eq!(relative(now.to_utc() - TimeDelta::minutes(12), &now), "12 min ago");
        assert_eq!(relative(now.to_utc() + TimeDelta::days(27), &now), "in 27 days");
    }
}
