//! Pauses that Garmin asked for outlive the process.

use chrono::TimeDelta;
use garminsync_store::Pause;

use super::{noon, open};

#[test]
fn a_pause_survives_and_the_newest_counts() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let pause = |tier: &str, strikes| Pause {
        tier: tier.into(),
        until_utc: noon() + TimeDelta::minutes(i64::from(strikes)),
        strikes,
    };
    for written in [pause("personal", 1), pause("account", 3), pause("personal", 2)] {
        store.set_pause("default", &written).unwrap();
    }
    store.set_pause("eva", &pause("account", 7)).unwrap();
    drop(store);
    assert_eq!(open(dir.path()).pauses("default").unwrap(), [pause("account", 3), pause("personal", 2)]);
}
