//! What holds of every plan, whatever the ledger says: each wanted day is covered once, none that is not wanted is asked for twice, no request is longer
//! than its cap, nothing can do with fewer, and a mirror that goes back to the beginning finds it. What is wanted is worked out here once
//! more, day by day, from the rules as they are written down.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::Datelike;
use proptest::prelude::*;

use super::cover::cover;
use super::*;
use crate::sync::datasets;

const NOW: &str = "2026-10-21T12:00:00Z";

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

/// Todays at the edges of weeks, months and years, and of February.
const TODAYS: [&str; 7] =
    ["2026-10-21", "2026-01-01", "2025-12-31", "2026-03-01", "2024-02-29", "2026-11-30", "2026-06-07"];

fn any_today() -> impl Strategy<Value = NaiveDate> {
    prop::sample::select(TODAYS.map(|day| day.parse().unwrap()).to_vec())
}

fn before(day: NaiveDate, days: u64) -> NaiveDate {
    earlier(day, Days::new(days))
}

fn back(days: u64) -> NaiveDate {
    before("2026-10-21".parse().unwrap(), days)
}

fn scope(today: NaiveDate, start: Option<NaiveDate>) -> Scope {
    let now = today.and_hms_opt(12, 0, 0).unwrap().and_utc();
    Scope { now, today, start, since: None, until: None, missing: false, rest: None, new_activities: false }
}

/// The smallest number of ranges, found another way: by dynamic programming over the wanted days, oldest first.
fn fewest(wanted: &BTreeSet<NaiveDate>, limit: &dyn Fn(NaiveDate) -> u32) -> usize {
    let days: Vec<NaiveDate> = wanted.iter().copied().collect();
    let allowed = |from: NaiveDate, to: NaiveDate| {
        let length = (to - from).num_days() + 1;
        from == to || from.iter_days().take(length as usize).all(|day| i64::from(limit(day)) >= length)
    };
    let mut best = vec![0];
    for end in 1..=days.len() {
        let counts = (0..end).filter(|start| allowed(days[*start], days[end - 1])).map(|start| best[start] + 1);
        best.push(counts.min().unwrap());
    }
    best[days.len()]
}

proptest! {
    #[test]
    fn every_wanted_day_is_covered_once_by_the_fewest_ranges(
        wanted in prop::collection::btree_set(0_u64..400, 0..120),
        cap in 1_u32..60,
        odd in prop::collection::hash_map(0_u64..400, 0_u32..20, 0..30),
    ) {
        let offsets: HashMap<NaiveDate, u32> = odd.into_iter().map(|(offset, limit)| (back(offset), limit)).collect();
        let wanted: BTreeSet<NaiveDate> = wanted.into_iter().map(back).collect();
        // A wanted day may always be asked for alone.
        let limit = |day: NaiveDate| {
            let limit = offsets.get(&day).copied().unwrap_or(cap);
            if wanted.contains(&day) { limit.max(1) } else { limit }
        };
        let ranges = cover(&wanted, limit);
        for day in &wanted {
            prop_assert_eq!(ranges.iter().filter(|(from, to)| from <= day && day <= to).count(), 1);
        }
        for (from, to) in &ranges {
            let length = u32::try_from((*to - *from).num_days() + 1).unwrap();
            prop_assert!(from.iter_days().take(length as usize).all(|day| length <= limit(day)));
            prop_assert!(wanted.contains(from) && wanted.contains(to));
        }
        prop_assert!(ranges.is_sorted_by(|a, b| a.0 > b.1));
        prop_assert_eq!(ranges.len(), fewest(&wanted, &limit));
    }
}

/// What a ledger may say of a day: its state, how many days ago that was, and how often it failed in a row.
fn any_known() -> impl Strategy<Value = (State, u64, u32)> {
    let state =
        prop::sample::select(vec![State::Ok, State::Empty, State::Provisional, State::Error, State::Unavailable]);
    (state, 0_u64..50, prop_oneof![4 => Just(0_u32), 1 => 1_u32..5]).prop_map(|(state, ago, attempts)| match state {
        State::Error => (state, ago, attempts.max(1)),
        _ => (state, ago, attempts),
    })
}

/// A ledger of one dataset, holes and all, by how long ago its days are.
fn any_days() -> impl Strategy<Value = BTreeMap<u64, (State, u64, u32)>> {
    (prop::collection::btree_map(0_u64..420, any_known(), 0..60), 0_u64..420, 0_u64..420, 0_u64..20).prop_map(
        |(mut odd, one, other, read)| {
            for age in one.min(other)..one.max(other) {
                odd.entry(age).or_insert((State::Ok, read.min(age), 0));
            }
            odd
        },
    )
}

fn days_of_ledger(today: NaiveDate, days: &BTreeMap<u64, (State, u64, u32)>) -> Vec<(NaiveDate, Known)> {
    let known = |(age, (state, ago, attempts)): (&u64, &(State, u64, u32))| {
        let read_on = before(today, *ago);
        let fetched_utc = read_on.and_hms_opt(11, 0, 0).unwrap().and_utc();
        (before(today, *age), Known { state: *state, fetched_utc, read_on, attempts: *attempts })
    };
    days.iter().map(known).collect()
}

fn ledger(dataset: &str, days: &[(NaiveDate, Known)]) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.witness(days.iter().filter(|(_, known)| known.has_data()).map(|(day, _)| *day));
    ledger.standings.entry(dataset.into()).or_default().days.extend(days.iter().copied());
    ledger
}

/// What is not held: it failed, or nobody served it, and now there is somebody who may be asked.
fn is_open(state: State) -> bool {
    matches!(state, State::Error | State::Unavailable)
}

/// Whether a day is wanted by a person who asks, as the rules say it.
fn is_wanted(day: NaiveDate, known: Option<&Known>, dataset: &Dataset, cap: u32, scope: &Scope) -> bool {
    let Some(known) = known else { return true };
    let (today, age) = (scope.today, (scope.today - day).num_days());
    let young = age <= i64::from(dataset.reread_days);
    // Three failures in a row: what is old rests a week, what is young or was read once an hour, two, four.
    if known.attempts >= 3 {
        let hours = if young || known.has_data() { 1 << (known.attempts - 3) } else { 7 * 24 };
        let ago = scope.now - known.fetched_utc;
        if ago < TimeDelta::hours(hours) {
            return false;
        }
    }
    if scope.missing || is_open(known.state) || known.attempts > 0 {
        return is_open(known.state) || !scope.missing;
    }
    let was_final = (known.read_on - day).num_days() > i64::from(dataset.reread_days);
    let monday = |day: NaiveDate| day - Days::new(day.weekday().num_days_from_monday().into());
    let weekly = cap >= 28 && age < i64::from(cap.min(31)) && monday(known.read_on) != monday(today);
    let months = |day: NaiveDate| (day.year(), day.month());
    let monthly = cap >= 365 && age < 365 && months(known.read_on) != months(today);
    !was_final || weekly || monthly
}

fn plan_of(dataset: &Dataset, tier: Tier, ledger: &Ledger, scope: &Scope) -> Vec<(NaiveDate, NaiveDate)> {
    let fetches = plan([dataset], ledger, scope, |_| Some(tier), &HashMap::new());
    fetches.into_iter().map(|fetch| (fetch.from.unwrap(), fetch.to)).collect()
}

/// Datasets of days that are asked for by ranges or by the day, on either tier.
fn any_dataset() -> impl Strategy<Value = (&'static Dataset, Tier)> {
    let days = datasets::all().unwrap().iter().filter(|dataset| dataset.kind == Kind::Days);
    let routes = days.flat_map(|dataset| dataset.tiers().map(move |tier| (dataset, tier)));
    let plain = |(dataset, tier): &(&'static Dataset, Tier)| {
        let route = dataset.route(*tier).unwrap();
        route.within.is_empty() && route.points == Default::default()
    };
    prop::sample::select(routes.filter(plain).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_wanted_day_is_asked_for_once_by_the_fewest_requests(
        (dataset, tier) in any_dataset(), days in any_days(), first in 0_u64..420, until in prop::option::of(0_u64..100),
        today in any_today(), missing: bool,
    ) {
        let known = days_of_ledger(today, &days);
        let until = until.map(|ago| before(today, ago));
        let scope = Scope { until, missing, ..scope(today, Some(before(today, first))) };
        let ledger = ledger(&dataset.name, &known);
        let cap = dataset.route(tier).unwrap().cap_days;
        let known: BTreeMap<NaiveDate, Known> = known.into_iter().collect();
        let last = until.unwrap_or(today);
        let asked_about = before(today, first).iter_days().take_while(|day| *day <= last);
        let wanted: BTreeSet<NaiveDate> =
            asked_about.filter(|day| is_wanted(*day, known.get(day), dataset, cap, &scope)).collect();

        let ranges = plan_of(dataset, tier, &ledger, &scope);
        for day in &wanted {
            let times = ranges.iter().filter(|(from, to)| from <= day && day <= to).count();
            prop_assert_eq!(times, 1, "{} {}", dataset.name, day);
        }
        for (from, to) in &ranges {
            prop_assert!(wanted.contains(from) && wanted.contains(to), "{} asks for {from} to {to}", dataset.name);
            prop_assert!((*to - *from).num_days() < i64::from(cap));
        }
        prop_assert!(ranges.is_sorted_by(|a, b| a.0 > b.1), "newest first");
        // What failed is asked for in halves, and what rests keeps ranges apart.
        let limit = |day: NaiveDate| match known.get(&day) {
            Some(known) if known.attempts > 0 && wanted.contains(&day) => (cap >> known.attempts).max(1),
            Some(known) if known.attempts > 0 => 0,
            _ => cap,
        };
        prop_assert_eq!(ranges.len(), fewest(&wanted, &limit));
        prop_assert_eq!(plan([dataset], &ledger, &scope, |_| None, &HashMap::new()), [], "nobody may be asked");
    }

    /// A person who asks for what is missing, right after a sync, gets nothing.
    #[test]
    fn what_a_plan_brought_is_not_wanted_again(
        (dataset, tier) in any_dataset(), days in any_days(), first in 0_u64..420, missing: bool,
    ) {
        let scope = Scope { missing, ..scope(back(0), Some(back(first))) };
        let mut known: BTreeMap<_, _> = days_of_ledger(back(0), &days).into_iter().collect();
        let of_the_run = ledger(&dataset.name, &known.iter().map(|(day, known)| (*day, *known)).collect::<Vec<_>>());
        let (mut run, mut asked) = (of_the_run, BTreeSet::new());
        while let Some((from, to)) = plan_of(dataset, tier, &run, &scope).first().copied() {
            for day in from.iter_days().take_while(|day| *day <= to) {
                prop_assert!(asked.insert(day), "{} twice", day);
                known.insert(day, Known { state: State::Empty, fetched_utc: now(), read_on: back(0), attempts: 0 });
            }
            run.ask(&dataset.name, Some(from), to);
        }
        let known: Vec<_> = known.into_iter().collect();
        let next = Scope { missing: true, ..scope };
        prop_assert_eq!(plan_of(dataset, tier, &ledger(&dataset.name, &known), &next), []);
    }

    /// A follower is asked for the days with reason, again when the reason changed, and for no other.
    #[test]
    fn a_follower_asks_for_what_has_reason(
        days in any_days(), reasons in prop::collection::btree_map(0_u64..420, 0_u64..60, 0..80), first in 0_u64..420,
        open: bool,
    ) {
        let (today, sleep) = (back(0), datasets::all().unwrap().iter().find(|known| known.name == "sleep").unwrap());
        let known = days_of_ledger(today, &days);
        let changed = |ago: u64| before(today, ago).and_hms_opt(11, 30, 0).unwrap().and_utc();
        let grounds = Grounds { days: reasons.iter().map(|(age, ago)| (back(*age), changed(*ago))).collect(), others: false };
        let scope = scope(today, (!open).then(|| back(first)));
        let by_day: BTreeMap<NaiveDate, Known> = known.iter().copied().collect();
        let wanted: BTreeSet<NaiveDate> = (reasons.iter())
            .filter(|(age, _)| open || **age <= first)
            .map(|(age, ago)| (back(*age), changed(*ago)))
            .filter(|(day, changed)| match by_day.get(day) {
                // The sleep of a day whose summary changed since is read again, unless it rests.
                Some(known) if !is_open(known.state) && known.attempts == 0 && known.fetched_utc < *changed => true,
                known => is_wanted(*day, known, sleep, 28, &scope),
            })
            .map(|(day, _)| day)
            .collect();
        let grounds = HashMap::from([("sleep".to_owned(), grounds)]);
        let fetches = plan([sleep], &ledger("sleep", &known), &scope, |_| Some(Tier::Account), &grounds);
        let ends: BTreeSet<_> = fetches.iter().flat_map(|fetch| [fetch.from.unwrap(), fetch.to]).collect();
        prop_assert!(ends.is_subset(&wanted), "{ends:?}");
        for day in &wanted {
            let covers = fetches.iter().filter(|fetch| fetch.from.unwrap() <= *day && *day <= fetch.to).count();
            prop_assert_eq!(covers, 1);
        }
    }

    /// Of each month in which the watch was worn one day is asked for, the last such day.
    #[test]
    fn of_each_month_its_last_worn_day_is_enough(
        worn in prop::collection::btree_set(0_u64..420, 0..200), today in any_today(),
    ) {
        let age = datasets::all().unwrap().iter().find(|known| known.name == "fitness_age").unwrap();
        let worn: BTreeSet<NaiveDate> = worn.into_iter().map(|ago| before(today, ago)).collect();
        let days = worn.iter().map(|day| (*day, now())).collect();
        let grounds = HashMap::from([("fitness_age".to_owned(), Grounds { days, others: false })]);
        let fetches = plan([age], &Ledger::default(), &scope(today, None), |_| Some(Tier::Personal), &grounds);
        let mut last: BTreeMap<(i32, u32), NaiveDate> = BTreeMap::new();
        for day in &worn {
            let this_month = (day.year(), day.month()) == (today.year(), today.month());
            if !this_month || day.day() <= today.day() - today.day() % 7 {
                last.insert((day.year(), day.month()), *day);
            }
        }
        let asked: Vec<NaiveDate> = fetches.iter().map(|fetch| fetch.to).collect();
        prop_assert!(fetches.iter().all(|fetch| fetch.from == Some(fetch.to)));
        prop_assert_eq!(asked, last.into_values().rev().collect::<Vec<_>>());
    }

    /// What has no days is asked for in the order it came, each at most once, and all that was never read.
    #[test]
    fn things_keep_their_order(
        all in prop::collection::vec((0_u64..60, prop::option::of(any_known())), 0..40), missing: bool,
    ) {
        let detail = datasets::all().unwrap().iter().find(|known| known.name == "activity_detail").unwrap();
        let scope = Scope { missing, ..scope(back(0), None) };
        let (mut standing, mut candidates) = (Standing::default(), Vec::new());
        for (id, (age, known)) in (1..).zip(&all) {
            let item = id.to_string();
            if let Some((state, ago, attempts)) = known {
                let read_on = back(*ago);
                let fetched_utc = read_on.and_hms_opt(11, 0, 0).unwrap().and_utc();
                standing.items.insert(item.clone(), Known { state: *state, fetched_utc, read_on, attempts: *attempts });
            }
            candidates.push(Candidate { item, day: Some(back(*age)), changed_utc: None });
        }
        let due = items(detail, candidates.clone(), Some(&standing), &scope);
        let mut left = candidates.iter();
        prop_assert!(due.iter().all(|one| left.any(|candidate| candidate == one)), "in their order");
        for (candidate, (age, known)) in candidates.iter().zip(&all) {
            // Everything was read at eleven, and it is noon.
            let rests = |state: State, ago: u64, attempts: u32| {
                let hours = if matches!(state, State::Ok | State::Provisional) { 1 << attempts.saturating_sub(3) } else { 168 };
                attempts >= 3 && ago * 24 + 1 < hours
            };
            let expected = match *known {
                None => true,
                Some((state, ago, attempts)) if rests(state, ago, attempts) => false,
                Some((state, ..)) if missing => is_open(state),
                Some((state, ago, attempts)) => is_open(state) || attempts > 0 || (*age <= 14 && ago > 0),
            };
            prop_assert_eq!(due.contains(candidate), expected, "{:?} {:?}", candidate, known);
        }
    }

    /// With a budget a plan is, tier by tier, the beginning of the plan without one: as much of it as the budget pays for, and no more.
    #[test]
    fn a_budget_buys_the_beginning_of_the_plan(
        days in any_days(), first in 0_u64..900, account in prop::option::of(0_u64..40), personal in prop::option::of(0_u64..40),
        by_login in any::<u64>(),
    ) {
        let known = days_of_ledger(back(0), &days);
        let (ledger, scope) = (ledger("daily_summary", &known), scope(back(0), Some(back(first))));
        let all: Vec<&Dataset> = datasets::all().unwrap().iter().collect();
        // Some datasets by the login, the others by the key, as far as each serves them.
        let tier = |dataset: &Dataset| {
            let at = all.iter().position(|known| known.name == dataset.name).unwrap();
            let second = (by_login >> (at % 64)) & 1 == 1;
            dataset.tiers().nth(usize::from(second)).or(dataset.tiers().next())
        };
        let cost = |fetch: &Fetch| {
            let dataset = all.iter().find(|dataset| dataset.name == fetch.dataset).unwrap();
            u64::from(dataset.route(fetch.tier).unwrap().requests())
        };
        let limits = [(Tier::Account, account), (Tier::Personal, personal)];
        let left: HashMap<_, _> = limits.into_iter().filter_map(|(tier, left)| Some((tier, left?))).collect();
        let whole = plan(all.iter().copied(), &ledger, &scope, tier, &HashMap::new());
        let (paid, cut) = plan_within(&all, &ledger, &scope, tier, &HashMap::new(), &left);
        let mut rest = whole.iter();
        prop_assert!(paid.iter().all(|one| rest.any(|fetch| fetch == one)), "in its order");
        for (tier, limit) in limits {
            let of_tier = |fetches: &[Fetch]| fetches.iter().filter(|fetch| fetch.tier == tier).cloned().collect::<Vec<_>>();
            let (whole, paid) = (of_tier(&whole), of_tier(&paid));
            prop_assert!(whole.starts_with(&paid));
            prop_assert_eq!(cut.contains(&tier), paid.len() < whole.len());
            let spent: u64 = paid.iter().map(cost).sum();
            prop_assert!(limit.is_none_or(|limit| spent <= limit), "{spent} of {limit:?}");
            if let Some(next) = whole.get(paid.len()) {
                prop_assert!(limit.is_some_and(|limit| spent + cost(next) > limit), "the next one would have been paid for");
            }
        }
        if left.is_empty() {
            prop_assert_eq!(paid, whole);
        }
    }
}
