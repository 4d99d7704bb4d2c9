//! A token bucket, for the knob that limits data requests. Pure arithmetic on times it is given.

use chrono::{DateTime, Utc};

use super::knobs::Rate;

#[derive(Debug)]
pub(crate) struct Bucket {
    left: f64,
    at: DateTime<Utc>,
}

impl Bucket {
    pub fn full(rate: Rate, now: DateTime<Utc>) -> Bucket {
        Bucket { left: rate.burst, at: now }
    }

    /// Takes one; false if there is none.
    pub fn take(&mut self, rate: Rate, now: DateTime<Utc>) -> bool {
        let passed = (now - self.at).as_seconds_f64().max(0.0);
        self.at = now;
        self.left = (self.left + passed * rate.per_second).min(rate.burst);
        let granted = self.left >= 1.0;
        if granted {
            self.left -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;

    #[test]
    fn gives_the_burst_then_waits_for_the_rate() {
        let rate = Rate { per_second: 2.0, burst: 3.0, in_flight: 1, retry_after_s: None };
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let mut bucket = Bucket::full(rate, start);
        let granted: Vec<_> = (0..4).map(|_| bucket.take(rate, start)).collect();
        assert_eq!(granted, [true, true, true, false]);
        assert!(!bucket.take(rate, start + Duration::milliseconds(400)));
        assert!(bucket.take(rate, start + Duration::milliseconds(600)));
    }
}
