//! The plan by examples: what is asked for first, again, not any more.

use garminsync_store::{ActivityRef, LedgerEntry, Mark};

use super::super::datasets;
use super::*;

const NOW: &str = "2026-10-21T12:00:00Z";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn today() -> NaiveDate {
    day("2026-10-21")
}

fn known(state: State, read_on: NaiveDate, attempts: u32) -> Known {
    Known { state, fetched_utc: read_on.and_hms_opt(12, 0, 0).unwrap().and_utc(), read_on, attempts }
}

fn scope(start: Option<NaiveDate>) -> Scope {
    Scope {
        now: NOW.parse().unwrap(),
        today: today(),
        start,
        since: None,
        until: None,
        missing: false,
        rest: None,
        new_activities: false,
    }
}

fn only(name: &str) -> Vec<Dataset> {
    datasets::all().unwrap().iter().filter(|dataset| dataset.name == name).cloned().collect()
}

/// The four that everybody has on both tiers.
fn core() -> Vec<Dataset> {
    let core = ["activities", "daily_summary", "hrv", "sleep"];
    datasets::all().unwrap().iter().filter(|dataset| core.contains(&dataset.name.as_str())).cloned().collect()
}

fn ledger(dataset: &str, days: impl IntoIterator<Item = (NaiveDate, Known)>) -> Ledger {
    let mut ledger = Ledger::default();
    let days: Vec<_> = days.into_iter().collect();
    ledger.witness(days.iter().filter(|(_, known)| known.has_data()).map(|(day, _)| *day));
    ledger.standings.entry(dataset.into()).or_default().days.extend(days);
    ledger
}

fn planned(dataset: &str, ledger: &Ledger, scope: &Scope) -> Vec<(Option<NaiveDate>, NaiveDate)> {
    let fetches = plan(&only(dataset), ledger, scope, |_| Some(Tier::Account), &HashMap::new());
    fetches.into_iter().map(|fetch| (fetch.from, fetch.to)).collect()
}

fn back(days: u64) -> NaiveDate {
    today() - Days::new(days)
}

#[test]
fn a_first_sync_of_a_year_takes_the_known_number_of_requests() {
    let scope = scope(Some(back(364)));
    let count = |tier| {
        plan(&core(), &Ledger::default(), &scope, |_| Some(tier), &HashMap::new()).iter().fold(
            HashMap::new(),
            |mut counts: HashMap<_, _>, fetch| {
                *counts.entry(fetch.dataset.clone()).or_insert(0) += 1;
                counts
            },
        )
    };
    let counts = |daily, sleep| {
        HashMap::from(
            [("daily_summary", daily), ("sleep", sleep), ("hrv", 1), ("activities", 1)].map(|(n, c)| (n.into(), c)),
        )
    };
    assert_eq!(count(Tier::Personal), counts(12, 12));
    assert_eq!(count(Tier::Account), counts(12, 14));
}

#[test]
fn a_second_sync_reads_only_what_may_still_change() {
    let read = |from: u64| (0..from).map(back).map(|day| (day, known(State::Provisional, today(), 0)));
    let scope = scope(Some(back(399)));
    assert_eq!(planned("hrv", &ledger("hrv", read(400)), &scope), [(Some(back(7)), today())]);
    assert_eq!(planned("activities", &ledger("activities", read(400)), &scope), [(Some(back(30)), today())]);
    // Read a month ago: what was young then is read once more, and what came since.
    let read = (20..400).map(back).map(|day| (day, known(State::Ok, back(20), 0)));
    assert_eq!(planned("hrv", &ledger("hrv", read), &scope).last().unwrap().1, today());
}

#[test]
fn what_costs_no_more_is_read_again_each_week_and_each_month() {
    // 2026-10-21 is a Wednesday. Everything was read on that day, and was final then.
    let read_on = |day: NaiveDate| (0..800).map(back).map(move |past| (past, known(State::Ok, day, 0)));
    let oldest = |name, read: NaiveDate| {
        let fetches = planned(name, &ledger(name, read_on(read)), &scope(Some(back(799))));
        assert_eq!(fetches.len(), 1, "{name}: one request");
        (today() - fetches[0].0.unwrap()).num_days()
    };
    let (monday, sunday, last_month) = (day("2026-10-19"), day("2026-10-18"), day("2026-09-30"));
    assert_eq!([monday, sunday, last_month].map(|read| oldest("daily_summary", read)), [9, 30, 30]);
    assert_eq!([monday, sunday, last_month].map(|read| oldest("hrv", read)), [9, 30, 364]);
}

#[test]
fn an_empty_answer_for_ten_years_is_not_believed_for_longer_than_a_week() {
    let oldest = |name, read_on: NaiveDate, data: &[u64]| {
        let state = |past| if data.contains(&past) { State::Ok } else { State::Empty };
        let days = (0..4000).map(|past| (back(past), known(state(past), read_on, 0)));
        let fetches = planned(name, &ledger(name, days), &scope(Some(back(3999))));
        assert_eq!(fetches.len(), 1, "{name}: no more than the request that is due anyway");
        (today() - fetches[0].0.unwrap()).num_days()
    };
    let (monday, sunday) = (day("2026-10-19"), day("2026-10-18"));
    assert_eq!([monday, sunday].map(|read| oldest("weight", read, &[])), [9, 3649]);
    assert_eq!([monday, sunday].map(|read| oldest("hrv", read, &[3000])), [9, 366]);
    // Something that is held proves the answer.
    assert_eq!([monday, sunday].map(|read| oldest("weight", read, &[3000])), [9, 30]);
    assert_eq!(oldest("sleep", sunday, &[]), 27);
}

#[test]
fn the_list_is_read_as_far_down_as_the_mirror_goes_each_week() {
    let read = |ago| ledger("activities", (0..400).map(back).map(move |day| (day, known(State::Ok, back(ago), 0))));
    let scope = scope(Some(back(399)));
    let whole = (Some(back(399)), today());
    assert_eq!(planned("activities", &read(6), &scope), [(Some(back(36)), today())]);
    assert_eq!(planned("activities", &read(7), &scope), [whole]);
    let mut asked = read(7);
    asked.ask("activities", Some(back(399)), today());
    assert_eq!(planned("activities", &asked, &scope), [], "once a run");
    assert_eq!(planned("activities", &read(7), &Scope { missing: true, ..scope }), []);
    let bounded = Scope { since: Some(back(100)), until: Some(back(90)), ..scope };
    assert_eq!(planned("activities", &read(7), &bounded), [], "a person who names days gets these");
}

#[test]
fn a_follower_asks_where_there_is_reason_and_again_when_it_changed() {
    let sleep = only("sleep");
    let noon = |day: NaiveDate| day.and_hms_opt(12, 0, 0).unwrap().and_utc();
    let planned = |ledger: &Ledger, days: &[(NaiveDate, DateTime<Utc>)], others| {
        let grounds = Grounds { days: days.iter().copied().collect(), others };
        let grounds = HashMap::from([("sleep".to_owned(), grounds)]);
        let fetches = plan(&sleep, ledger, &scope(None), |_| Some(Tier::Account), &grounds);
        fetches.into_iter().map(|fetch| (fetch.from.unwrap(), fetch.to)).collect::<Vec<_>>()
    };
    let worn = [back(2), back(3), back(200), back(210), back(900)].map(|day| (day, noon(day)));
    let ranges = [(back(3), back(2)), (back(210), back(200)), (back(900), back(900))];
    assert_eq!(planned(&Ledger::default(), &worn, false), ranges, "the empty months between cost nothing");
    assert_eq!(planned(&Ledger::default(), &[], false), []);
    assert_eq!(planned(&Ledger::default(), &[], true), [(back(27), today())], "nobody is there to give reasons");
    let read = ledger("sleep", [back(200), back(210), back(900)].map(|day| (day, known(State::Ok, back(100), 0))));
    let mut changed = worn;
    assert_eq!(planned(&read, &changed, false), ranges[..1]);
    changed[3].1 = noon(back(1));
    assert_eq!(planned(&read, &changed, false), [ranges[0], (back(210), back(210))], "a watch that came late");
    // Where the other one could not be read, nobody can tell.
    let mut unclear = read.clone();
    unclear.standings.insert("daily_summary".into(), Standing::default());
    unclear.standings.get_mut("daily_summary").unwrap().days.insert(back(50), known(State::Error, back(1), 1));
    assert!(planned(&unclear, &worn, false).contains(&(back(50), back(50))));
}

#[test]
fn the_clock_and_a_resumed_run_leave_alone_what_was_just_read_and_a_person_does_not() {
    let read = |dataset| ledger(dataset, (0..8).map(back).map(|day| (day, known(State::Provisional, today(), 0))));
    let later = |dataset, minutes, rest: Option<i64>| {
        let (now, rest) = (scope(None).now + TimeDelta::minutes(minutes), rest.map(TimeDelta::hours));
        planned(dataset, &read(dataset), &Scope { now, rest, ..scope(Some(back(7))) }).len()
    };
    let clock = Some(0);
    assert_eq!([later("sleep", 59, clock), later("sleep", 60, clock), later("sleep", 1, None)], [0, 1, 1]);
    let resumed = Some(1);
    let summary = "daily_summary";
    assert_eq!([later(summary, 1, clock), later(summary, 59, resumed), later(summary, 60, resumed)], [1, 0, 1]);
}

#[test]
fn a_new_activity_changes_what_it_is_the_measure_of_at_once() {
    let read = |dataset| ledger(dataset, (0..8).map(back).map(|day| (day, known(State::Provisional, today(), 0))));
    let fetches = |dataset, new_activities| {
        let now = scope(None).now + TimeDelta::minutes(10);
        let scope = Scope { now, rest: Some(TimeDelta::zero()), new_activities, ..scope(Some(back(7))) };
        planned(dataset, &read(dataset), &scope).len()
    };
    for dataset in ["training_status", "training_readiness", "vo2max", "race_prediction", "endurance_score"] {
        assert_eq!((fetches(dataset, false), fetches(dataset, true)), (0, 1), "{dataset}");
    }
    assert_eq!(fetches("sleep", true), 0);
}

#[test]
fn of_a_month_its_last_day_is_enough() {
    let age = only("fitness_age");
    let fetches =
        plan(&age, &Ledger::default(), &scope(Some(day("2026-06-15"))), |_| Some(Tier::Personal), &HashMap::new());
    let days: Vec<_> =
        fetches.iter().map(|fetch| (fetch.from.unwrap() == fetch.to).then_some(fetch.to.to_string())).collect();
    let expected = ["2026-10-21", "2026-09-30", "2026-08-31", "2026-07-31", "2026-06-30"];
    assert_eq!(days, expected.map(|day| Some(day.to_owned())));
}

#[test]
fn things_are_asked_for_once_and_again_when_there_is_reason() {
    let detail = only("activity_detail").remove(0);
    let one = |item: &str, age, changed: Option<&str>| Candidate {
        item: item.into(),
        day: Some(back(age)),
        changed_utc: changed.map(|at| at.parse().unwrap()),
    };
    let all = vec![
        one("5", 0, None),
        one("4", 10, None),
        one("3", 40, None),
        one("2", 50, Some("2026-10-20T11:00:00Z")),
        one("1", 60, None),
    ];
    let due = |standing: &Standing, scope: &Scope| {
        items(&detail, all.clone(), Some(standing), scope).into_iter().map(|c| c.item).collect::<Vec<_>>().concat()
    };
    let mut standing = Standing::default();
    assert_eq!(due(&standing, &scope(None)), "54321");
    for item in 2..=5 {
        standing.items.insert(item.to_string(), known(State::Ok, back(2), 0));
    }
    assert_eq!(due(&standing, &scope(None)), "5421", "two are young, one has changed, one is new");
    for item in 1..=5 {
        standing.items.insert(item.to_string(), known(State::Ok, today(), 0));
    }
    assert_eq!(due(&standing, &scope(None)), "");
    standing.items.insert("3".into(), known(State::Error, today(), 3));
    assert_eq!(due(&standing, &scope(None)), "", "what failed thrice rests");
    let rested = Scope { now: scope(None).now + TimeDelta::days(7), ..scope(None) };
    assert!(due(&standing, &rested).contains('3'));
}

#[test]
fn what_is_only_to_be_completed_reads_nothing_for_its_age() {
    let missing = Scope { missing: true, ..scope(Some(back(99))) };
    let mut days: Vec<_> = (0..90).map(back).map(|day| (day, known(State::Provisional, today(), 0))).collect();
    assert_eq!(planned("hrv", &ledger("hrv", days.clone()), &missing), [(Some(back(99)), back(90))]);
    days[40].1 = known(State::Error, back(1), 1);
    days[50].1 = known(State::Ok, back(1), 1);
    assert_eq!(
        planned("hrv", &ledger("hrv", days.clone()), &missing),
        [(Some(back(40)), back(40)), (Some(back(99)), back(90))],
        "and what failed"
    );
    days[40].1 = known(State::Error, back(1), 9);
    assert_eq!(planned("hrv", &ledger("hrv", days), &missing), [(Some(back(99)), back(90))], "unless it rests");
}

#[test]
fn an_empty_day_that_is_not_final_is_read_again() {
    let days = (0..10).map(back).map(|day| (day, known(State::Empty, today(), 0)));
    assert_eq!(planned("hrv", &ledger("hrv", days), &scope(Some(back(9)))), [(Some(back(7)), today())]);
}

#[test]
fn the_horizon_moves_back_with_the_data() {
    let newest = |name: &str, ledger: &Ledger| planned(name, ledger, &scope(None)).last().copied();
    let first = |days: u64| Some((Some(back(days - 1)), today()));
    assert_eq!(newest("daily_summary", &Ledger::default()), first(31), "as far as one request may, ...");
    assert_eq!(newest("hrv", &Ledger::default()), first(367), "... which may be long");
    let mut ledger = Ledger::default();
    ledger.ask("hrv", Some(back(366)), today());
    let found = [Mark { item: back(100).to_string(), state: State::Ok, detail: None }];
    ledger.found("hrv", &found, NOW.parse().unwrap(), today());
    assert_eq!(newest("daily_summary", &ledger), Some((Some(back(100)), back(93))), "for every dataset");
    assert_eq!(planned("hrv", &ledger, &scope(None)), [(Some(back(367 + 366)), back(367))], "a year is not yet silent");
    ledger.ask("hrv", Some(back(367 + 366)), back(367));
    assert_eq!(planned("hrv", &ledger, &scope(None)), []);
}

#[test]
fn the_activity_list_is_read_to_its_beginning_once() {
    let auto = scope(None);
    assert_eq!(planned("activities", &Ledger::default(), &auto), [(None, today())]);
    // Stopped on the way: the newest 100 days are known.
    let newest = (0..100).map(back).map(|day| (day, known(State::Provisional, today(), 0)));
    let mut stopped = ledger("activities", newest);
    assert_eq!(planned("activities", &stopped, &auto), [(Some(back(30)), today()), (None, back(100))]);
    stopped.ask("activities", Some(back(30)), today());
    stopped.ask("activities", None, back(100));
    assert_eq!(planned("activities", &stopped, &auto), [], "once a run");
    let mut whole = ledger("activities", (0..100).map(back).map(|day| (day, known(State::Ok, today(), 0))));
    whole.standings.get_mut("activities").unwrap().items.insert(WHOLE_LIST.into(), known(State::Ok, today(), 0));
    whole.found("hrv", &[Mark { item: back(4000).to_string(), state: State::Ok, detail: None }], auto.now, today());
    assert_eq!(planned("activities", &whole, &auto), [(Some(back(30)), today())], "older data elsewhere do not matter");
    assert_eq!(planned("activities", &Ledger::default(), &scope(Some(back(50)))), [(Some(back(50)), today())]);
}

#[test]
fn since_and_until_bound_a_run() {
    let bounded = Scope { since: Some(back(500)), until: Some(back(450)), ..scope(Some(back(10))) };
    assert_eq!(planned("hrv", &Ledger::default(), &bounded), [(Some(back(500)), back(450))]);
    assert_eq!(planned("activities", &Ledger::default(), &bounded), [(Some(back(500)), back(450))]);
    let future = Scope { until: Some(today() + Days::new(30)), ..scope(Some(today())) };
    assert_eq!(
        planned("hrv", &Ledger::default(), &future),
        [(Some(today()), today())],
        "never a day that has not begun"
    );
}

#[test]
fn a_range_that_failed_is_asked_for_in_halves_and_keeps_others_out() {
    let failed = |attempts| (100..131).map(back).map(move |day| (day, known(State::Error, back(1), attempts)));
    let good = (0..100).map(back).map(|day| (day, known(State::Ok, today() + Days::new(9), 0)));
    let scope = scope(Some(back(199)));
    let ledger_with = |attempts| ledger("daily_summary", good.clone().chain(failed(attempts)));
    let lengths = |attempts| {
        let fetches = planned("daily_summary", &ledger_with(attempts), &scope);
        fetches.iter().map(|(from, to)| (*to - from.unwrap()).num_days() + 1).collect::<Vec<_>>()
    };
    assert_eq!(lengths(1), [15, 15, 15, 31, 24], "the odd one takes fresh days along");
    assert_eq!(lengths(2)[..4], [7, 7, 7, 7]);
    // After three runs the days rest; no range reaches across them.
    let fetches = planned("daily_summary", &ledger_with(3), &scope);
    assert!(fetches.iter().all(|(_, to)| *to < back(130)), "{fetches:?}");
    let rested = Scope { now: scope.now + TimeDelta::days(7), ..scope };
    assert!(planned("daily_summary", &ledger_with(3), &rested).iter().any(|(_, to)| *to == back(100)));
}

#[test]
fn what_is_young_rests_for_hours_and_what_is_old_for_a_week() {
    let failed = |day, attempts| ledger("hrv", [(day, known(State::Error, today(), attempts))]);
    let after = |day, attempts, hours| {
        // `known` was read at noon, which is now.
        let later =
            Scope { now: scope(None).now + TimeDelta::hours(hours), since: Some(day), until: Some(day), ..scope(None) };
        !planned("hrv", &failed(day, attempts), &later).is_empty()
    };
    for (day, attempts, rests_h) in
        [(today(), 2, 0), (today(), 3, 1), (back(7), 5, 4), (today(), 30, 168), (back(8), 3, 168)]
    {
        assert!(after(day, attempts, rests_h), "{day} {attempts}");
        assert!(rests_h == 0 || !after(day, attempts, rests_h - 1), "{day} {attempts}");
    }
}

#[test]
fn what_was_refused_is_wanted_of_whoever_may_be_asked() {
    let refused = ledger("hrv", [(back(3), known(State::Unavailable, today(), 0))]);
    assert_eq!(planned("hrv", &refused, &scope(Some(back(9)))), [(Some(back(9)), today())]);
    let nobody = plan(&core(), &refused, &scope(None), |_| None, &HashMap::new());
    assert_eq!(nobody, []);
}

#[test]
fn the_newest_days_of_all_datasets_come_first() {
    let fetches = plan(&core(), &Ledger::default(), &scope(None), |_| Some(Tier::Personal), &HashMap::new());
    assert!(fetches.is_sorted_by(|a, b| a.to >= b.to));
    let names: Vec<_> = fetches.iter().take(4).map(|fetch| fetch.dataset.as_str()).collect();
    assert_eq!(names, ["activities", "daily_summary", "hrv", "sleep"]);
    let nobody = plan(&core(), &Ledger::default(), &scope(None), |_| None, &HashMap::new());
    assert_eq!(nobody, []);
}

#[test]
fn files_that_failed_rest_like_days() {
    let activity = |id, start: &str| ActivityRef {
        activity_id: id,
        name: None,
        activity_type: None,
        start_local: Some(start.into()),
    };
    let missing = vec![
        activity(3, "2026-10-20T07:00:00"),
        activity(2, "2026-10-02T07:00:00"),
        activity(1, "2026-09-01T07:00:00"),
    ];
    let mut standing = Standing::default();
    standing.items.insert("2".into(), known(State::Error, today(), 3));
    let ids = |scope: &Scope| {
        originals(missing.clone(), Some(&standing), scope).iter().map(|a| a.activity_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&scope(None)), [3, 1]);
    assert_eq!(ids(&Scope { since: Some(day("2026-10-01")), ..scope(None) }), [3]);
    assert_eq!(ids(&Scope { until: Some(day("2026-10-01")), ..scope(None) }), [1]);
}

#[test]
fn nothing_is_wanted_from_before_the_earliest_day() {
    let before = EARLIEST.pred_opt().unwrap();
    for far in [before, day("1989-12-31"), NaiveDate::MIN] {
        for scope in [scope(Some(far)), Scope { since: Some(far), ..scope(None) }] {
            let fetches = planned("daily_summary", &Ledger::default(), &scope);
            assert_eq!(fetches.last().unwrap().0, Some(EARLIEST), "{far}");
        }
        // What an older version put into the ledger moves nothing either.
        for dataset in ["hrv", "activities"] {
            let entry = entry(dataset, far, State::Ok, NOW);
            let read = Ledger::new(&[entry], NOW.parse().unwrap(), |at| at.date_naive());
            assert_eq!(scope(None).first(&read), back(365), "{far}");
        }
    }
    // An old activity moves the horizon no further than to the earliest day.
    let old = ledger("activities", [(day("2000-03-01"), known(State::Ok, today(), 0))]);
    assert_eq!(scope(None).first(&old), EARLIEST);
}

#[test]
fn a_day_is_four_two_and_two_digits() {
    assert_eq!(day_of("2026-10-21 07:34:00"), Some(today()));
    assert_eq!(day_of("2000-01-01"), Some(EARLIEST));
    for odd in [
        "0001-01-01 00:00:00",
        "1989-12-31",
        "1999-12-31",
        "-99999-1-1",
        "+12345-1-1",
        "2026-1-1-1-",
        "2026-02-30",
        "2026/10/21",
        "20261021",
        "2026-10-2",
        "٢٠٢٦-10-21",
        "",
    ] {
        assert_eq!(day_of(odd), None, "{odd}");
    }
}

#[test]
fn what_was_read_under_a_clock_ahead_was_not_read() {
    let read = |at: &str| -> Vec<_> { (0..30).map(|n| entry("hrv", back(n), State::Empty, at)).collect() };
    let planned = |entries: &[LedgerEntry]| {
        let ledger = Ledger::new(entries, NOW.parse().unwrap(), |at| at.date_naive());
        planned("hrv", &ledger, &scope(Some(back(29))))
    };
    assert_eq!(planned(&read("2026-12-20T12:00:00Z")), [(Some(back(29)), today())]);
    assert_eq!(planned(&read("2026-10-22T11:00:00Z")), [(Some(back(6)), today())], "a clock may be a little off");
    // Nor does anything rest because of a moment that has not come.
    let stubborn = |state| LedgerEntry { attempts: 5, ..entry("hrv", back(20), state, "2026-10-21T13:00:00Z") };
    for state in [State::Error, State::Unavailable] {
        assert!(
            planned(&[stubborn(state)]).iter().any(|(from, to)| *to >= back(20) && *from <= Some(back(20))),
            "{state}"
        );
    }
}

fn entry(dataset: &str, day: NaiveDate, state: State, fetched_utc: &str) -> LedgerEntry {
    let fetched_utc = fetched_utc.parse().unwrap();
    LedgerEntry {
        dataset: dataset.into(),
        item: day.to_string(),
        state,
        fetched_utc,
        attempts: 0,
        since_utc: None,
        detail: None,
    }
}
