//! How many requests a local day may take: so many for all, of which the last tenth is kept for what is new on that day. The queue goes
//! by it. It is pure.

use chrono::NaiveDate;

/// Requests of a tier and account each day when nobody says otherwise. What a person has in a year, samples and all, comes within one; ten
/// years without samples too, and with them within three or four.
pub const DAILY: u64 = 10_000;
/// The part of a day's requests that is kept for what is new: what is old can wait for another day.
const KEPT: u64 = 10;

/// The budget of one queue.
#[derive(Clone, Debug)]
pub struct Budget {
    daily: Option<u64>,
    spent: Option<(NaiveDate, u64)>,
}

impl Budget {
    /// `daily`: requests of a day, or no limit; `spent`: a day and what it has taken already.
    pub fn new(daily: Option<u64>, spent: Option<(NaiveDate, u64)>) -> Self {
        Self { daily, spent }
    }

    /// Requests sent on a day.
    pub fn spent_on(&self, day: NaiveDate) -> u64 {
        self.spent.filter(|(of, _)| *of == day).map_or(0, |(_, spent)| spent)
    }

    /// Requests that a day still allows; `None`: no limit.
    pub fn left_on(&self, day: NaiveDate) -> Option<u64> {
        self.daily.map(|daily| daily.saturating_sub(self.spent_on(day)))
    }

    /// Requests that a day may take.
    pub fn daily(&self) -> Option<u64> {
        self.daily
    }

    /// Those of them that may be sent for this; `later`: it could as well be sent on another day.
    pub fn left_for(&self, day: NaiveDate, later: bool) -> Option<u64> {
        let kept = if later { self.daily.unwrap_or_default() / KEPT } else { 0 };
        self.left_on(day).map(|left| left.saturating_sub(kept))
    }

    /// Whether one more is allowed. `later`: it could as well be sent on another day.
    pub fn allows(&self, day: NaiveDate, later: bool) -> bool {
        self.left_for(day, later) != Some(0)
    }

    /// One more is sent.
    pub fn spend(&mut self, day: NaiveDate) {
        self.spent = Some((day, self.spent_on(day).saturating_add(1)));
    }

    /// What was sent on that day was so many more than was thought, or fewer. Where another day has begun meanwhile, nobody counts that one any
    /// more.
    pub fn correct(&mut self, day: NaiveDate, more: i64) {
        if let Some((of, spent)) = &mut self.spent
            && *of == day
        {
            *spent = spent.saturating_add_signed(more);
        }
    }

    /// The last day on which anything was sent, and how much.
    pub fn spent(&self) -> Option<(NaiveDate, u64)> {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(of_month: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 10, of_month).unwrap()
    }

    #[test]
    fn the_last_tenth_is_kept_for_what_is_new() {
        let mut budget = Budget::new(Some(100), Some((day(20), 77)));
        assert_eq!(budget.left_on(day(21)), Some(100), "each day is a new one");
        (0..89).for_each(|_| budget.spend(day(21)));
        assert!(budget.allows(day(21), true));
        budget.spend(day(21));
        assert!(!budget.allows(day(21), true) && budget.allows(day(21), false));
        budget.correct(day(21), 10);
        assert!(!budget.allows(day(21), false));
        assert_eq!((budget.left_on(day(21)), budget.spent()), (Some(0), Some((day(21), 100))));
        budget.correct(day(21), -1);
        assert!(budget.allows(day(21), false), "one that was not sent after all");
        assert!(budget.allows(day(22), true));
        budget.spend(day(22));
        budget.correct(day(21), 1);
        assert_eq!(budget.spent(), Some((day(22), 1)), "what began before midnight does not bring the old day back");
    }

    #[test]
    fn without_a_limit_everything_is_allowed() {
        let mut budget = Budget::new(None, None);
        budget.spend(day(21));
        budget.correct(day(21), i64::MAX);
        assert!(budget.allows(day(21), true));
        assert_eq!(budget.left_on(day(21)), None);
    }
}
