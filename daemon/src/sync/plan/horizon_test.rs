//! Lives of all kinds, and what it costs to find where they began.

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use garminsync_garmin::Tier;
use garminsync_store::Mark;
use proptest::prelude::*;

use super::*;
use crate::sync::datasets;
use crate::sync::plan::plan;

fn today() -> NaiveDate {
    "2026-10-21".parse().unwrap()
}

fn back(days: u64) -> NaiveDate {
    earlier(today(), Days::new(days))
}

/// Days from so long ago to so long ago.
fn span(from: u64, to: u64) -> impl Iterator<Item = NaiveDate> {
    (to..=from).map(back)
}

fn dataset(name: &str) -> &'static Dataset {
    datasets::all().unwrap().iter().find(|dataset| dataset.name == name).unwrap()
}

/// What became of a mirror that goes back to the beginning.
struct Mirrored {
    found: BTreeSet<NaiveDate>,
    asked: BTreeSet<NaiveDate>,
    requests: u64,
}

/// Mirrors one dataset of a person who has data of `life` in it, and signs of life elsewhere.
fn mirror(name: &str, tier: Tier, life: &BTreeSet<NaiveDate>, signs: impl IntoIterator<Item = NaiveDate>) -> Mirrored {
    let now = today().and_hms_opt(12, 0, 0).unwrap().and_utc();
    let scope = Scope {
        now,
        today: today(),
        start: None,
        since: None,
        until: None,
        missing: false,
        rest: Some(TimeDelta::zero()),
        new_activities: false,
    };
    let mut ledger = Ledger::default();
    ledger.witness(signs);
    let mut mirrored = Mirrored { found: BTreeSet::new(), asked: BTreeSet::new(), requests: 0 };
    let next =
        |ledger: &Ledger| plan([dataset(name)], ledger, &scope, |_| Some(tier), &HashMap::new()).into_iter().next();
    while let Some(fetch) = next(&ledger) {
        mirrored.requests += 1;
        let range: Vec<NaiveDate> = fetch.from.unwrap().iter_days().take_while(|day| *day <= fetch.to).collect();
        assert!(range.iter().all(|day| mirrored.asked.insert(*day)), "{} is asked for twice", fetch.to);
        let present: Vec<NaiveDate> = range.into_iter().filter(|day| life.contains(day)).collect();
        let mark = |day: &NaiveDate| Mark { item: day.to_string(), state: State::Ok, detail: None };
        ledger.found(name, &present.iter().map(mark).collect::<Vec<_>>(), now, today());
        ledger.ask(name, fetch.from, fetch.to);
        mirrored.found.extend(present);
    }
    mirrored
}

fn summaries(life: &BTreeSet<NaiveDate>, signs: impl IntoIterator<Item = NaiveDate>) -> Mirrored {
    mirror("daily_summary", Tier::Personal, life, signs)
}

/// Glances in the two years before a day, counted by the calendar.
fn glances_before(first: NaiveDate) -> u64 {
    let days = earlier(first, Days::new(731)).iter_days().take_while(|day| *day < earlier(first, Days::new(61)));
    days.filter(|day| day.day() == 1 && [1, 4, 7, 10].contains(&day.month())).count() as u64
}

#[test]
fn a_beginning_costs_a_month_of_silence_and_a_glance_at_each_quarter_of_two_years() {
    for days in [1_u64, 2, 31, 32, 100, 365, 1096, 3650] {
        let life: BTreeSet<_> = span(days - 1, 0).collect();
        let mirrored = summaries(&life, []);
        assert_eq!(mirrored.found, life, "{days}");
        let ranges = days.div_ceil(31);
        // Thirty days of silence may lie in the range that holds the first day.
        let margin = u64::from(ranges * 31 - days < 30);
        assert_eq!(mirrored.requests, ranges + margin + glances_before(back(days - 1)), "{days}");
        assert!(mirrored.requests - ranges <= 9, "less than a year of empty months");
    }
}

#[test]
fn who_has_no_data_at_all_is_looked_for_for_two_years() {
    let mirrored = summaries(&BTreeSet::new(), []);
    assert_eq!(mirrored.requests, 1 + glances_before(today()));
    assert_eq!(mirrored.asked.len() as u64, mirrored.requests * 31);
}

#[test]
fn a_gap_of_eighteen_months_loses_nothing_though_nothing_else_tells() {
    // Since 2013; nothing from the middle of 2019 on until the end of 2020; and not one activity in all that time.
    let life: BTreeSet<_> = span(4800, 2680).chain(span(2130, 0)).collect();
    let mirrored = summaries(&life, []);
    assert_eq!(mirrored.found, life);
    assert!(mirrored.asked.is_superset(&span(4800, 0).collect()), "an era is read without a hole");
}

#[test]
fn empty_decades_before_an_old_activity_cost_a_glance_a_year() {
    // Typed in: one in 2003. The watch came in 2016.
    let watch: BTreeSet<_> = span(3800, 0).collect();
    let old: NaiveDate = "2003-05-17".parse().unwrap();
    let mirrored = summaries(&watch, [old]);
    assert_eq!(mirrored.found, watch);
    assert!(mirrored.asked.contains(&old), "there may be a summary of that day");
    let walked = (back(3800) - old).num_days() as u64 / 31;
    let empty = mirrored.requests - 3801_u64.div_ceil(31);
    assert!(walked > 140 && empty <= 3 + 1 + 8 + 13 + 8, "{empty} requests for nothing, instead of {walked}");
    // What comes by the year does not go there either, except where people type things in.
    let wide = mirror("training_readiness", Tier::Account, &watch, [old]);
    assert!(wide.asked.contains(&old) && wide.requests <= 3801_u64.div_ceil(366) + 2, "{}", wide.requests);
    let weighed: BTreeSet<_> = ["2008-03-01".parse().unwrap()].into();
    for tier in [Tier::Personal, Tier::Account] {
        let weight = mirror("weight", tier, &weighed, watch.iter().copied().chain([old]));
        assert_eq!(weight.found, weighed, "weighed in the silence between");
    }
}

#[test]
fn a_year_of_silence_is_the_end_of_what_comes_by_the_year() {
    for days in [1_u64, 366, 500, 1000] {
        let life: BTreeSet<_> = span(days - 1, 0).collect();
        let mirrored = mirror("hrv", Tier::Personal, &life, []);
        assert_eq!(mirrored.found, life);
        assert!(mirrored.requests <= (days + 365).div_ceil(365) + 1, "{days}: {}", mirrored.requests);
    }
    // A request that reaches ten years is one.
    assert_eq!(mirror("blood_pressure", Tier::Account, &BTreeSet::new(), []).requests, 1);
}

#[test]
fn nothing_is_looked_for_before_the_earliest_day() {
    let first = later(EARLIEST, Days::new(40));
    let life: BTreeSet<_> = [first].into();
    for name in ["daily_summary", "training_readiness", "endurance_score"] {
        let mirrored = mirror(name, Tier::Account, &life, [first]);
        assert!(mirrored.found == life && mirrored.asked.first() >= Some(&EARLIEST), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Eras of at least three months, with silences of up to twenty months between them, of which nothing else tells.
    #[test]
    fn eras_are_found_whatever_lies_between(
        eras in prop::collection::vec((93_u64..700, 1_u64..600), 1..5), holes in prop::collection::vec((0_u64..2500, 1_u64..29), 0..6),
        lately in 0_u64..400, by_account: bool,
    ) {
        let (mut life, mut ago) = (BTreeSet::new(), lately);
        for (long, silence) in eras {
            life.extend(span(ago + long, ago));
            ago += long + silence;
        }
        // Days on which the watch lay in a drawer, apart from each other.
        for (n, (at, long)) in holes.into_iter().enumerate() {
            let at = at / 7 * 7 + n as u64 * 97;
            span(at + long, at).for_each(|day| _ = life.remove(&day));
        }
        let tier = if by_account { Tier::Account } else { Tier::Personal };
        let mirrored = mirror("daily_summary", tier, &life, []);
        let lost: Vec<_> = life.difference(&mirrored.found).collect();
        prop_assert!(lost.is_empty(), "{:?}", lost);
    }

    /// Wherever a sign of life is, its day is read, and what was worn around it.
    #[test]
    fn signs_are_followed(signs in prop::collection::btree_set(0_u64..8000, 0..6), long in 1_u64..200) {
        let life: BTreeSet<NaiveDate> = signs.iter().flat_map(|ago| span(ago + long, *ago)).collect();
        let mirrored = summaries(&life, signs.iter().map(|ago| back(*ago)));
        prop_assert_eq!(&mirrored.found, &life);
        let least = 1 + life.len() as u64 / 31;
        // Around each: the months beside it, the silences that are read because they are short, and glances.
        prop_assert!(mirrored.requests <= least + 40 * (signs.len() as u64 + 1), "{}", mirrored.requests);
    }
}
