//! Something about each of many days, packed: the ledger of ten years of some forty datasets has to fit into little more memory than that of
//! one year. What is known of days, and the plan, keep their days in it. It must not know what a value means.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::num::NonZeroU32;

use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// Days of the longest year.
const YEAR: usize = 366;
/// The beginning of 2000, in seconds since 1970: no moment that counts here is older.
const EPOCH: i64 = 946_684_800;

/// A value that can be kept in fewer bytes than it has.
pub trait Pack: Copy {
    /// What is kept of it. `Option` of it should not be larger.
    type Packed: Copy + Debug + Send + Sync;
    /// Packs it.
    fn pack(self) -> Self::Packed;
    /// Gets it back.
    fn unpack(packed: Self::Packed) -> Self;
}

impl Pack for () {
    type Packed = ();
    fn pack(self) {}
    fn unpack((): ()) {}
}

/// To the second, from 2000 to 2136; what lies outside becomes the nearest of these.
impl Pack for DateTime<Utc> {
    type Packed = NonZeroU32;

    fn pack(self) -> NonZeroU32 {
        let seconds = (self.timestamp() - EPOCH).clamp(0, u32::MAX.into());
        NonZeroU32::new(u32::try_from(seconds).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN)
    }

    fn unpack(packed: NonZeroU32) -> Self {
        Self::from_timestamp(EPOCH + i64::from(packed.get()), 0).unwrap_or_default()
    }
}

/// Values by day, in the order of days.
#[derive(Clone, Debug)]
pub struct Calendar<T: Pack>(BTreeMap<i32, Box<[Option<T::Packed>; YEAR]>>);

impl<T: Pack> Default for Calendar<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Pack> Calendar<T> {
    /// What there is of a day.
    pub fn get(&self, day: &NaiveDate) -> Option<T> {
        self.0.get(&day.year())?.get(day.ordinal0() as usize)?.map(T::unpack)
    }

    /// Whether there is anything of a day.
    pub fn contains(&self, day: &NaiveDate) -> bool {
        self.get(day).is_some()
    }

    /// Puts a value to a day, instead of what was there.
    pub fn insert(&mut self, day: NaiveDate, value: T) {
        let year = self.0.entry(day.year()).or_insert_with(|| Box::new([None; YEAR]));
        if let Some(place) = year.get_mut(day.ordinal0() as usize) {
            *place = Some(value.pack());
        }
    }

    /// The first day of which there is anything.
    pub fn first(&self) -> Option<NaiveDate> {
        self.iter().next().map(|(day, _)| day)
    }

    /// All days of which there is anything.
    pub fn iter(&self) -> impl Iterator<Item = (NaiveDate, T)> {
        self.0.iter().flat_map(|(year, days)| {
            days.iter().zip(1..).filter_map(move |(packed, ordinal)| {
                Some((NaiveDate::from_yo_opt(*year, ordinal)?, T::unpack((*packed)?)))
            })
        })
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = T> {
        self.0.values().flat_map(|days| days.iter().filter_map(|packed| packed.map(T::unpack)))
    }
}

impl<T: Pack> Extend<(NaiveDate, T)> for Calendar<T> {
    fn extend<I: IntoIterator<Item = (NaiveDate, T)>>(&mut self, days: I) {
        days.into_iter().for_each(|(day, value)| self.insert(day, value));
    }
}

impl<T: Pack> FromIterator<(NaiveDate, T)> for Calendar<T> {
    fn from_iter<I: IntoIterator<Item = (NaiveDate, T)>>(days: I) -> Self {
        let mut calendar = Self::default();
        calendar.extend(days);
        calendar
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_day() -> impl Strategy<Value = NaiveDate> {
        (1990_i32..2040, 1_u32..=366).prop_filter_map("no such day", |(year, day)| NaiveDate::from_yo_opt(year, day))
    }

    proptest! {
        #[test]
        fn it_is_a_map_of_days(days in prop::collection::vec((any_day(), 1_i64..2_000_000_000), 0..400)) {
            let moments = days.iter().map(|(day, at)| (*day, DateTime::from_timestamp(EPOCH + at, 0).unwrap()));
            let map: BTreeMap<_, _> = moments.clone().collect();
            let calendar: Calendar<DateTime<Utc>> = moments.collect();
            prop_assert_eq!(calendar.first(), map.keys().next().copied());
            prop_assert!(calendar.iter().eq(map.iter().map(|(day, at)| (*day, *at))));
            prop_assert!(calendar.values().eq(map.values().copied()));
            for day in map.keys().flat_map(|day| [day.pred_opt().unwrap(), *day]) {
                prop_assert_eq!(calendar.get(&day), map.get(&day).copied());
                prop_assert_eq!(calendar.contains(&day), map.contains_key(&day));
            }
        }
    }

    #[test]
    fn a_moment_out_of_reach_is_the_nearest() {
        let kept = |at: DateTime<Utc>| DateTime::unpack(at.pack()).to_string();
        assert_eq!(kept(DateTime::UNIX_EPOCH), "2000-01-01 00:00:01 UTC");
        assert_eq!(kept(DateTime::<Utc>::MAX_UTC), "2136-02-07 06:28:15 UTC");
        assert_eq!(kept("2026-10-21T12:00:00.9Z".parse().unwrap()), "2026-10-21 12:00:00 UTC");
    }

    #[test]
    fn a_year_takes_little() {
        assert_eq!(size_of::<Option<<DateTime<Utc> as Pack>::Packed>>(), 4);
        assert_eq!(size_of::<Option<<() as Pack>::Packed>>(), 1);
    }
}
