//! What a look at real records finds.

use chrono::{Days, TimeDelta};
use garminsync_store::{Batch, Mark, State};
use tempfile::TempDir;

use super::super::gaps::Why;
use super::super::plan::closed_item;
use super::super::zone::Zone;
use super::super::{datasets, projections};
use super::*;

/// Records with a ledger of their own.
struct Records {
    _dir: TempDir,
    store: Store,
    run: i64,
    now: DateTime<Utc>,
}

impl Records {
    fn new() -> Self {
        let (dir, now) = (tempfile::tempdir().unwrap(), Utc::now());
        let mut store = Store::open(dir.path(), &projections()).unwrap();
        let run = store.begin_run("ana", "manual", now).unwrap();
        Self { _dir: dir, store, run, now }
    }

    fn back(&self, days: u64) -> NaiveDate {
        Zone::Host.day(self.now) - Days::new(days)
    }

    fn mark(&mut self, dataset: &str, item: impl ToString, state: State, why: Option<&str>) {
        let ledger = vec![Mark { item: item.to_string(), state, detail: why.map(Into::into) }];
        let (fetched_utc, items) = (self.now - TimeDelta::minutes(10), Vec::new());
        let batch = Batch { account: "ana", run: self.run, dataset, fetched_utc, requests: 0, bytes: 0, items, ledger };
        self.store.record(&batch).unwrap();
    }

    /// As `dataset days why: detail`.
    fn gaps(&self, names: &[&str], tiers: &[Tier]) -> Vec<String> {
        let looked = look(&self.store, "ana", &of(names), tiers, Some(self.back(10)), self.now).unwrap();
        let ago = |day: NaiveDate| (Zone::Host.day(self.now) - day).num_days();
        let days = |gap: &Gap| gap.days.map(|(from, to)| format!("{}..{}", ago(from), ago(to))).unwrap_or_default();
        let gaps = looked.gaps.iter();
        gaps.map(|gap| format!("{} {} {:?}: {}", gap.dataset, days(gap), gap.why, gap.detail)).collect()
    }
}

fn of(names: &[&str]) -> Vec<&'static Dataset> {
    datasets::all().unwrap().iter().filter(|dataset| names.contains(&dataset.name.as_str())).collect()
}

#[test]
fn what_is_held_is_counted_by_dataset() {
    let mut records = Records::new();
    for n in 1..=9 {
        records.mark("hrv", records.back(n), State::Ok, None);
    }
    records.mark("hrv", records.back(10), State::Empty, None);
    records.mark("hrv", records.back(11), State::Error, Some("HTTP 500"));
    records.mark("activities", ALL, State::Ok, None);
    records.mark("activities", records.back(2), State::Ok, None);
    records.mark("original", 17, State::Ok, None);
    let gaps = look(&records.store, "ana", &of(&["hrv"]), &[Tier::Account], Some(records.back(12)), records.now);
    let gaps = gaps.unwrap().gaps;
    let summaries = records.store.summaries("ana").unwrap();
    let held = held(&summaries, &gaps, datasets::all().unwrap(), &of(&["hrv"]), &[Tier::Account]);
    let of = |name: &str| held.iter().find(|held| held.dataset.name == name).unwrap();
    let hrv = of("hrv");
    assert_eq!((hrv.held, hrv.oldest, hrv.newest), (9, Some(records.back(9)), Some(records.back(1))));
    assert_eq!((hrv.on, hrv.reachable, hrv.missing), (true, true, 2), "one failed, one was never read");
    assert_eq!(hrv.last_read.map(|at| (records.now - at).num_minutes()), Some(10));
    assert_eq!((of("activities").held, of("activities").on, of("original").held), (1, false, 1));
    assert_eq!((of("sleep").held, of("sleep").last_read), (0, None));
    assert_eq!(held.len(), datasets::all().unwrap().len());
}

#[test]
fn a_tier_that_does_not_serve_is_named_where_something_is_missing_and_nowhere_else() {
    let mut records = Records::new();
    records.mark("hrv", closed_item(Tier::Personal), State::Unavailable, Some("not served"));
    let both = [Tier::Personal, Tier::Account];
    let unread = "hrv 10..1 Unread: not read yet; not served by the personal tier, so the account tier is asked";
    assert_eq!(records.gaps(&["hrv"], &both), [unread]);
    assert_eq!(records.gaps(&["hrv"], &[Tier::Account]), ["hrv 10..1 Unread: not read yet"]);
    for n in 1..=10 {
        records.mark("hrv", records.back(n), State::Ok, None);
    }
    assert_eq!(records.gaps(&["hrv"], &both), [""; 0]);
}

#[test]
fn what_no_tier_serves_is_unavailable_until_one_of_them_is_asked_again() {
    let mut records = Records::new();
    // The chunk that was refused, and all before it that nobody asked for then.
    records.mark("hrv", closed_item(Tier::Personal), State::Unavailable, None);
    for n in 1..=3 {
        records.mark("hrv", records.back(n), State::Unavailable, Some("Garmin does not serve it to this account"));
    }
    let gone = "hrv 10..1 Unavailable: Garmin does not serve it to this account";
    assert_eq!(records.gaps(&["hrv"], &[Tier::Personal]), [gone]);
    let look = |tiers: &[Tier]| {
        look(&records.store, "ana", &of(&["hrv"]), tiers, Some(records.back(10)), records.now).unwrap().gaps
    };
    let rests = |gaps: Vec<Gap>| gaps[0].rests_until.map(|at| (at - records.now).num_hours());
    assert_eq!(rests(look(&[Tier::Personal])), Some(5), "six hours on that tier, less ten minutes");
    let both = [Tier::Personal, Tier::Account];
    assert_eq!(rests(look(&both)), None, "the other may be asked at once");
    let unread = "hrv 10..1 Unread: not read yet; not served by the personal tier, so the account tier is asked";
    assert_eq!(records.gaps(&["hrv"], &both), [unread]);
}

#[test]
fn a_day_that_there_is_no_reason_any_more_to_ask_for_is_no_gap() {
    let mut records = Records::new();
    for n in 1..=10 {
        records.mark("hrv", records.back(n), State::Empty, None);
    }
    // Asked for before it was known that there is nothing.
    records.mark("hrv_readings", records.back(1), State::Unavailable, Some("not served"));
    records.mark("hrv_readings", records.back(2), State::Unavailable, Some("not served"));
    assert_eq!(records.gaps(&["hrv_readings", "hrv"], &[Tier::Account]), [""; 0]);
}

#[test]
fn what_follows_a_dataset_that_nobody_serves_is_missing_all_the_same() {
    let mut records = Records::new();
    records.mark("daily_summary", closed_item(Tier::Account), State::Unavailable, None);
    records.mark("daily_summary", records.back(1), State::Unavailable, Some("not served"));
    let gaps = records.gaps(&["daily_summary", "sleep"], &[Tier::Account]);
    assert!(gaps.contains(&"sleep 10..1 Unread: not read yet".into()), "{gaps:?}");
}

#[test]
fn without_a_login_all_is_missing_that_any_could_bring() {
    let mut records = Records::new();
    for n in 2..=10 {
        records.mark("hrv", records.back(n), State::Ok, None);
    }
    assert_eq!(records.gaps(&["hrv"], &[]), ["hrv 1..1 Unread: not read yet"]);
    // No request may ever bring what no tier of the account serves.
    assert_eq!(records.gaps(&["training_readiness"], &[Tier::Personal]), [""; 0]);
}

#[test]
fn an_inventory_is_missing_until_it_was_read() {
    let mut records = Records::new();
    assert_eq!(records.gaps(&["device"], &[Tier::Account]), ["device  Unread: not read yet"]);
    records.mark("device", ALL, State::Unavailable, Some("Garmin does not serve it"));
    records.mark("device", closed_item(Tier::Account), State::Unavailable, None);
    let look = |records: &Records| {
        look(&records.store, "ana", &of(&["device"]), &[Tier::Account], None, records.now).unwrap().gaps
    };
    let [gap] = look(&records).try_into().unwrap();
    assert_eq!((gap.why, gap.rests_until.map(|at| (at - records.now).num_hours())), (Why::Unavailable, Some(23)));
    records.mark("device", ALL, State::Ok, None);
    assert_eq!(look(&records), []);
}
