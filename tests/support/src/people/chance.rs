//! Chance that repeats: a generator for each (seed, thing, purpose), so that one day's data do not depend on which
//! other days were generated.

use chrono::{Datelike, NaiveDate};
use fastrand::Rng;

/// FNV-1a, the same on every machine and in every version.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

pub(super) fn of_day(seed: u64, day: NaiveDate, purpose: &str) -> Rng {
    of_number(seed, i64::from(day.num_days_from_ce()), purpose)
}

pub(super) fn of_number(seed: u64, number: i64, purpose: &str) -> Rng {
    Rng::with_seed(hash(&format!("{seed}/{number}/{purpose}")))
}

/// True once in `n`.
pub(super) fn once_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(0..n) == 0
}

/// Between the two, with this many decimals.
pub(super) fn decimal(rng: &mut Rng, low: f64, high: f64, decimals: u32) -> f64 {
    rounded(low + rng.f64() * (high - low), decimals)
}

pub(crate) fn rounded(value: f64, decimals: u32) -> f64 {
    let scale = f64::from(10_u32.pow(decimals));
    (value * scale).round() / scale
}
