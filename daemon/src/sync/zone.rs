//! Whose day it is: the time zone that a person has set at Garmin, which tells on which of their days a moment falls. The runs, the views
//! and the gaps go by it, so that a daemon on a server in another country still plans the person's days. It must not know where the
//! name of the zone comes from.

use chrono::{DateTime, Days, Local, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::plan::later;

/// A person's time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// Not known yet, or Garmin's word for it is none of the tz database's: this machine's.
    #[default]
    Host,
    /// The account's own.
    Named(Tz),
}

impl Zone {
    /// The zone of that name, as Garmin writes it: an IANA name, or `gmt`.
    pub fn of(name: Option<&str>) -> Self {
        let known = |name: &str| if name.eq_ignore_ascii_case("gmt") { Some(Tz::UTC) } else { name.parse().ok() };
        name.and_then(known).map_or(Self::Host, Self::Named)
    }

    /// The person's calendar day at a moment.
    pub fn day(self, at: DateTime<Utc>) -> NaiveDate {
        match self {
            Self::Host => at.with_timezone(&Local).date_naive(),
            Self::Named(zone) => at.with_timezone(&zone).date_naive(),
        }
    }
}

/// When a day of this machine ends; where a clock change swallows the moment, an hour later.
pub fn midnight_after(day: NaiveDate) -> DateTime<Utc> {
    let midnight = later(day, Days::new(1)).and_time(NaiveTime::MIN);
    let local = midnight.and_local_timezone(Local).earliest();
    let local = local.or_else(|| (midnight + TimeDelta::hours(1)).and_local_timezone(Local).earliest());
    local.map_or_else(|| midnight.and_utc(), |local| local.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, at: &str) -> String {
        Zone::of(Some(zone)).day(at.parse().unwrap()).to_string()
    }

    #[test]
    fn a_moment_falls_on_the_day_of_the_person() {
        let noon = "2026-10-21T12:30:00Z";
        assert_eq!(day("Pacific/Auckland", noon), "2026-10-22");
        assert_eq!(day("Pacific/Kiritimati", "2026-10-21T10:00:00Z"), "2026-10-22");
        assert_eq!(day("Pacific/Honolulu", "2026-10-21T09:59:59Z"), "2026-10-20");
        assert_eq!(day("Pacific/Honolulu", "2026-10-21T10:00:00Z"), "2026-10-21");
        for utc in ["gmt", "GMT", "UTC", "Etc/UTC"] {
            assert_eq!(day(utc, "2026-10-21T23:59:59Z"), "2026-10-21", "{utc}");
        }
    }

    /// Clocks went forward on 2026-03-29 and back on 2026-10-25 in Berlin: days of 23 and 25 hours.
    #[test]
    fn days_of_23_and_25_hours_begin_and_end_at_the_persons_midnight() {
        for (first, last, date) in [
            ("2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29"),
            ("2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25"),
        ] {
            assert_eq!([first, last].map(|at| day("Europe/Berlin", at)), [date, date]);
            let beside = |at: &str, seconds| {
                let at = at.parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds);
                Zone::of(Some("Europe/Berlin")).day(at).to_string()
            };
            assert!(beside(first, -1).as_str() < date && beside(last, 1).as_str() > date);
        }
    }

    #[test]
    fn a_zone_that_is_none_is_the_machines() {
        for odd in [None, Some(""), Some("Mars/Olympus"), Some("+02:00")] {
            assert_eq!(Zone::of(odd), Zone::Host, "{odd:?}");
        }
        let now = Utc::now();
        assert_eq!(Zone::Host.day(now), now.with_timezone(&Local).date_naive());
    }
}
