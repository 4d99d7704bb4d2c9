//! How long something is kept: `forever`, or a span like `5y`. A value of the configuration that checks itself; whoever lets go of things
//! asks it for the first day that stays. Pure.

use chrono::{Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// Garmin may still change what is younger.
const SHORTEST: u32 = 90;
const LONGEST_YEARS: u32 = 100;

/// How long something is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Keep {
    /// For good.
    #[default]
    Forever,
    /// So many years.
    Years(u32),
    /// So many months.
    Months(u32),
    /// So many days.
    Days(u32),
}

impl Keep {
    /// The first day that is kept; `None` where all are.
    pub fn since(self, today: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Forever => None,
            Self::Years(years) => today.checked_sub_months(Months::new(years * 12)),
            Self::Months(months) => today.checked_sub_months(Months::new(months)),
            Self::Days(days) => today.checked_sub_days(Days::new(days.into())),
        }
    }
}

impl TryFrom<String> for Keep {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "forever" {
            return Ok(Self::Forever);
        }
        let number = |unit: char| text.strip_suffix(unit).and_then(|digits| digits.parse::<u32>().ok());
        let (keep, days) = match (number('y'), number('m'), number('d')) {
            (Some(years), _, _) => (Self::Years(years), years.saturating_mul(365)),
            (_, Some(months), _) => (Self::Months(months), months.saturating_mul(30)),
            (_, _, Some(days)) => (Self::Days(days), days),
            _ => return Err(format!("{text:?} is neither \"forever\" nor a span like \"5y\", \"18m\" or \"400d\"")),
        };
        if (SHORTEST..=LONGEST_YEARS * 366).contains(&days) {
            Ok(keep)
        } else {
            Err(format!(
                "{text:?}: {SHORTEST} days to {LONGEST_YEARS} years make sense, as Garmin may still change what is younger"
            ))
        }
    }
}

impl From<Keep> for String {
    fn from(keep: Keep) -> Self {
        match keep {
            Keep::Forever => "forever".into(),
            Keep::Years(years) => format!("{years}y"),
            Keep::Months(months) => format!("{months}m"),
            Keep::Days(days) => format!("{days}d"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(text: &str) -> Result<Keep, String> {
        Keep::try_from(text.to_owned())
    }

    #[test]
    fn a_span_is_read_and_written() {
        for text in ["forever", "5y", "18m", "400d", "90d", "3m", "100y"] {
            assert_eq!(String::from(keep(text).unwrap()), text);
        }
        for text in ["", "5", "y", "-5y", "5 years", "89d", "2m", "0y", "101y", "99999999999y", "4294967295y"] {
            assert!(keep(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_day_that_is_kept() {
        let today = "2028-02-29".parse().unwrap();
        let since = |text: &str| keep(text).unwrap().since(today).map(|day| day.to_string());
        assert_eq!(since("forever"), None);
        assert_eq!(since("1y").as_deref(), Some("2027-02-28"));
        assert_eq!(since("18m").as_deref(), Some("2026-08-29"));
        assert_eq!(since("400d").as_deref(), Some("2027-01-25"));
    }
}
