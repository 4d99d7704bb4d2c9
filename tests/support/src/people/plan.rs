//! The frame of a life: seed, home, period, travels; and from it, when each local day begins.
//! `life` generates from it, tests choose it.

use chrono::{DateTime, Days, Duration, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

/// Where people live who were not told otherwise.
const HOME: Tz = Tz::Europe__Berlin;

/// What a life is generated from. The same plan gives the same life, byte for byte.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Everything random follows from this.
    pub seed: u64,
    /// The zone at home; its daylight-saving changes show in the data.
    pub home: Tz,
    /// The first day with data.
    pub first: NaiveDate,
    /// The last day with data; its daily row is partial.
    pub today: NaiveDate,
    /// How many activities, spread over the period (multisport legs not counted).
    pub activities: usize,
    /// Days spent in another zone.
    pub travel: Option<Travel>,
    /// The first night the watch could measure HRV, skin temperature and the scores that need them.
    pub hrv_since: NaiveDate,
    /// The first day the watch could measure SpO2.
    pub spo2_since: NaiveDate,
    /// First and last of some days in a row on which Garmin has nothing: the watch lay in a drawer.
    pub drawer: Option<(NaiveDate, NaiveDate)>,
    /// What the person logs by hand.
    pub habits: Habits,
}

/// What some people log and most do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Habits {
    /// The menstrual cycle.
    pub menstrual: bool,
    /// Food.
    pub nutrition: bool,
    /// The lifestyle log.
    pub lifestyle: bool,
}

impl Habits {
    /// Everything.
    pub const ALL: Habits = Habits { menstrual: true, nutrition: true, lifestyle: true };
}

/// A stay in another zone, which makes its first and last day longer or shorter.
#[derive(Debug, Clone, PartialEq)]
pub struct Travel {
    /// The first day there.
    pub from: NaiveDate,
    /// The last day there.
    pub to: NaiveDate,
    /// The zone there.
    pub zone: Tz,
}

impl Plan {
    /// `days` days up to and with `today` in Berlin, ten of them spent in New York, and 300 activities a year. In lives of
    /// more than two years the first watch knows no HRV and no SpO2; from 200 days on, the watch lies in a drawer for a week.
    pub fn until(today: NaiveDate, days: u64) -> Plan {
        let first = today - Days::new(days.saturating_sub(1));
        let travel = (days >= 60).then(|| {
            let from = today - Days::new(45);
            Travel { from, to: from + Days::new(9), zone: chrono_tz::America::New_York }
        });
        let activities = usize::try_from(days * 300 / 365).unwrap_or(usize::MAX);
        let newer = if days >= 730 { first + Days::new(days / 4) } else { first };
        let drawer = (days >= 200).then(|| (today - Days::new(120), today - Days::new(114)));
        Plan {
            seed: 1,
            home: HOME,
            first,
            today,
            activities,
            travel,
            hrv_since: newer,
            spo2_since: newer + Days::new(if newer > first { 60 } else { 0 }),
            drawer,
            habits: Habits::default(),
        }
    }

    /// Every day from the first to today.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let today = self.today;
        self.first.iter_days().take_while(move |day| *day <= today)
    }

    /// The zone the person is in on this day.
    pub fn zone_on(&self, day: NaiveDate) -> Tz {
        match &self.travel {
            Some(travel) if (travel.from..=travel.to).contains(&day) => travel.zone,
            _ => self.home,
        }
    }

    /// When the local day begins.
    pub fn begin(&self, day: NaiveDate) -> DateTime<Utc> {
        at_local(self.zone_on(day), day.and_time(chrono::NaiveTime::MIN))
    }

    /// When the local day ends. 23 or 25 hours after its beginning where daylight saving changes.
    pub fn end(&self, day: NaiveDate) -> DateTime<Utc> {
        self.begin(day + Days::new(1))
    }

    /// What the person's watch shows at this moment.
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let day_at_home = at.with_timezone(&self.home).date_naive();
        at.with_timezone(&self.zone_on(day_at_home)).naive_local()
    }
}

/// Today where people live who were not told otherwise: Berlin. For tests whose Garmin goes by the real clock.
pub fn today() -> NaiveDate {
    Utc::now().with_timezone(&HOME).date_naive()
}

/// The moment a wall clock shows this; the first one if it does so twice, the end of the gap if never.
pub(super) fn at_local(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.with_timezone(&Utc),
        LocalResult::None => at_local(zone, local + Duration::hours(1)),
    }
}
