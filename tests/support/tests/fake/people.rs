//! The generator: the same people every time, and days as odd as real ones.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use garminsync_test_support::people::{Life, Person, Plan, SignInMood, Source};

use crate::client::{ANA, account, fake};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_same_plan_gives_the_same_life_and_the_same_bytes() {
    let (one, other) = (Person::named(ANA), Person::named(ANA));
    assert!(one == other);
    let texts: BTreeSet<_> = (0..2)
        .map(|_| {
            let fake = fake(SignInMood::Ok);
            let path = "/usersummary-service/v2/dailysummaries?startDate=2026-03-01&endDate=2026-03-31";
            account(&fake, &fake.tokens(ANA).access, path).send().text()
        })
        .collect();
    assert_eq!(texts.len(), 1);
    let id = one.life.activities()[0].activity_id;
    assert_eq!(one.life.original(id), other.life.original(id));
    let ben = Person::named("ben@example.org");
    assert!(one.life != ben.life);
    let ids = |person: &Person| person.life.activities().iter().map(|it| it.activity_id).collect::<BTreeSet<_>>();
    assert!(ids(&one).is_disjoint(&ids(&ben)));
}

#[test]
fn a_day_does_not_depend_on_the_period_around_it() {
    let plan = Plan::until(day("2026-10-21"), 100);
    let longer = Plan { first: plan.first - Days::new(600), ..plan.clone() };
    let (short, long) = (Life::new(plan, ANA), Life::new(longer, ANA));
    let probe = day("2026-09-28");
    assert!(short.daily(probe).is_some() && short.sleep(probe).is_some());
    assert_eq!(short.daily(probe), long.daily(probe));
    assert_eq!(short.sleep(probe), long.sleep(probe));
}

#[test]
fn local_days_have_23_25_or_any_number_of_hours() {
    let plan = Plan::until(day("2026-10-31"), 800);
    let hours = |text: &str| (plan.end(day(text)) - plan.begin(day(text))).num_hours();
    assert_eq!(hours("2026-03-29"), 23);
    assert_eq!(hours("2026-10-25"), 25);
    assert_eq!(hours("2026-06-01"), 24);
    let travel = plan.travel.clone().unwrap();
    let before = travel.from - Days::new(1);
    assert_eq!(hours(&before.to_string()), 30, "the day before New York");
    assert_eq!(hours(&travel.to.to_string()), 18, "the last day there");
    // Days follow one another without gap or overlap, whatever happens.
    for today in plan.days() {
        assert_eq!(plan.end(today), plan.begin(today + Days::new(1)));
    }
}

#[test]
fn nights_belong_to_the_day_of_waking_up_and_add_up() {
    let life = Person::named(ANA).lived(day("2026-10-31"), 800, 100).life;
    let mut offsets = BTreeSet::new();
    for (today, data) in life.days() {
        let Some(sleep) = &data.sleep else { continue };
        assert_eq!(sleep.end_local.date(), today);
        assert_eq!(sleep.asleep_s, sleep.deep_s + sleep.light_s + sleep.rem_s.unwrap());
        assert_eq!((sleep.end_utc - sleep.start_utc).num_seconds(), sleep.asleep_s + sleep.awake_s);
        let offset =
            |local: chrono::NaiveDateTime, utc: chrono::DateTime<chrono::Utc>| (local - utc.naive_utc()).num_hours();
        offsets.insert((offset(sleep.start_local, sleep.start_utc), offset(sleep.end_local, sleep.end_utc)));
    }
    assert!(offsets.contains(&(1, 1)) && offsets.contains(&(2, 2)), "{offsets:?}");
    assert!(offsets.contains(&(1, 2)) && offsets.contains(&(2, 1)), "no night over a clock change: {offsets:?}");
    assert!(offsets.contains(&(-4, -4)), "no night abroad: {offsets:?}");
}

#[test]
fn two_years_hold_every_kind_of_gap_and_activity() {
    let person = Person::named(ANA).lived(day("2026-10-21"), 800, 640);
    let days: Vec<_> = person.life.days().map(|(_, data)| data).collect();
    assert_eq!(days.len(), 800);
    let count =
        |of: &dyn Fn(&&&garminsync_test_support::people::Day) -> bool| days.iter().filter(|day| of(day)).count();
    assert!(count(&|day| day.daily.is_none() && day.sleep.is_none()) > 5, "missing days");
    assert!(count(&|day| day.daily.is_some() && day.sleep.is_none()) > 5, "missing nights");
    assert!(count(&|day| day.daily.as_ref().is_some_and(|row| row.steps.is_none())) > 5, "watch left off");
    assert!(count(&|day| day.hrv.as_ref().is_some_and(|row| row.status.as_deref() == Some("BALANCED"))) > 100, "HRV");

    let activities = person.life.activities();
    assert_eq!(activities.len(), 640);
    let ids: BTreeSet<_> = activities.iter().map(|it| it.activity_id).collect();
    assert_eq!(ids.len(), 640);
    for source in [Source::Fit, Source::Tcx, Source::Gpx, Source::None] {
        assert!(activities.iter().any(|it| it.source == source), "{source:?}");
    }
    let devices: BTreeSet<_> = activities.iter().filter_map(|it| it.device_id).collect();
    assert_eq!(devices.len(), 2);
    let parent = activities.iter().find(|it| !it.legs.is_empty()).unwrap();
    assert!(parent.legs.iter().all(|leg| person.life.activity(*leg).unwrap().parent == Some(parent.activity_id)));
    assert!(activities.iter().any(|it| !it.name.is_ascii()) && activities.iter().any(|it| it.start_lat.is_none()));
}

#[test]
fn today_is_partial_until_the_next_day_begins() {
    let mut life = Person::named(ANA).life;
    let today = life.plan().today;
    life.fill(today);
    let partial = life.daily(today).unwrap().clone();
    let night = life.sleep(today).cloned();
    life.next_day();
    let whole = life.daily(today).unwrap();
    assert!(whole.steps > partial.steps && whole.step_goal == partial.step_goal);
    assert_eq!(life.sleep(today).cloned(), night);
    assert_eq!(life.plan().today, today + Days::new(1));
    assert!(life.daily(today + Days::new(1)).is_some());
}

#[test]
fn a_night_is_scored_again_in_the_same_window() {
    let mut life = Person::named(ANA).life;
    let night = life.days().find_map(|(day, data)| data.sleep.as_ref().map(|_| day)).unwrap();
    let before = life.sleep(night).unwrap().clone();
    assert!(life.rescore_sleep(night));
    let after = life.sleep(night).unwrap();
    assert_eq!((before.start_utc, before.end_utc), (after.start_utc, after.end_utc));
    assert_ne!(before.confirmation, after.confirmation);
    assert_ne!((before.deep_s, before.rem_s, before.score), (after.deep_s, after.rem_s, after.score));
    life.clear(night);
    assert!(!life.rescore_sleep(night));
}
