//! Random histories, and a model of a few lines that says what must come of them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{DateTime, TimeDelta, Utc};
use garminsync_store::{Batch, Item, Mark, Rebuilt, Recorded, State};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{Engine, both};
use crate::noon;

const STATES: [State; 5] = [State::Ok, State::Empty, State::Provisional, State::Error, State::Unavailable];
const ACCOUNTS: [&str; 2] = ["default", "eva"];

/// One thing that happens. Numbers stand for the account, the day, what was counted.
#[derive(Clone, Debug)]
enum Event {
    Begin(usize),
    /// Of an account: answers (day, steps), and marks (day, state).
    Record(usize, Vec<(u32, u32)>, Vec<(u32, usize)>),
    /// A batch with a good answer and one that fits no table.
    Odd(usize, u32),
    End(usize),
    Rebuild,
    /// The process ends, with or without a word, and another begins.
    Reopen,
}

fn event() -> impl Strategy<Value = Event> {
    let answers = prop::collection::vec((1..8_u32, 0..4_u32), 0..4);
    let marks = prop::collection::vec((1..8_u32, 0..STATES.len()), 0..4);
    let account = 0..ACCOUNTS.len();
    prop_oneof![
        1 => account.clone().prop_map(Event::Begin),
        8 => (account.clone(), answers, marks).prop_map(|(account, answers, marks)| Event::Record(account, answers, marks)),
        1 => (account.clone(), 1..8_u32).prop_map(|(account, day)| Event::Odd(account, day)),
        1 => account.prop_map(Event::End),
        1 => Just(Event::Rebuild),
        1 => Just(Event::Reopen),
    ]
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Run {
    id: i64,
    requests: u64,
    new: u64,
    changed: u64,
    outcome: Option<String>,
}

/// What is known of one day: its state, when it was answered (or, where never, tried), failures, and since when it fails.
type Known = (State, DateTime<Utc>, u32, Option<DateTime<Utc>>);

#[derive(Default)]
struct Model {
    answers: BTreeMap<(usize, String), u32>,
    ledger: BTreeMap<(usize, String), Known>,
    runs: BTreeMap<usize, Vec<Run>>,
    count: i64,
}

impl Model {
    fn mark(&mut self, account: usize, item: &str, state: State, at: DateTime<Utc>) {
        let key = (account, item.to_owned());
        let has_answer = self.answers.contains_key(&key);
        let old = self.ledger.get(&key).copied();
        let held = old.filter(|(state, ..)| *state == State::Ok || (*state == State::Provisional && has_answer));
        let since = old.and_then(|(.., since)| since).unwrap_or(at);
        let new = match (state, held) {
            (State::Ok | State::Provisional, _) => (state, at, 0, None),
            (State::Empty | State::Unavailable, Some((held, ..))) => (held, at, 0, None),
            (State::Empty, None) => (state, at, 0, None),
            (State::Unavailable, None) => (state, at, 0, Some(since)),
            (State::Error, Some((held, answered, tries, _))) => (held, answered, tries + 1, Some(since)),
            (State::Error, None) => (state, at, old.map_or(0, |(_, _, tries, _)| tries) + 1, Some(since)),
        };
        self.ledger.insert(key, new);
    }
}

fn day(number: u32) -> String {
    format!("2026-10-{number:02}")
}

pub fn any_history_is_what_the_model_says(make: &dyn Fn() -> Box<dyn Engine>) {
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() });
    let histories = prop::collection::vec(event(), 1..30);
    runner.run(&histories, |events| happens(make().as_ref(), &events)).unwrap();
}

fn happens(engine: &dyn Engine, events: &[Event]) -> Result<(), TestCaseError> {
    let mut store = engine.open(&both());
    let mut model = Model::default();
    for (step, event) in (0..).zip(events) {
        let at = noon() + TimeDelta::seconds(step);
        match event {
            Event::Begin(account) => {
                model.count += 1;
                let id = store.begin_run(ACCOUNTS[*account], "manual", at).unwrap();
                prop_assert_eq!(id, model.count);
                model.runs.entry(*account).or_default().push(Run { id, ..Run::default() });
            }
            Event::Record(account, answers, marks) => {
                let Some(run) = model.runs.get(account).and_then(|runs| runs.last()).map(|run| run.id) else {
                    continue;
                };
                let bodies: Vec<_> = answers.iter().map(|(d, n)| (day(*d), format!(r#"{{"steps":{n}}}"#))).collect();
                let batch = Batch {
                    account: ACCOUNTS[*account],
                    run,
                    dataset: "steps",
                    fetched_utc: at,
                    requests: 1,
                    bytes: 10,
                    items: bodies.iter().map(|(item, body)| Item { item: item.clone(), body }).collect(),
                    ledger: marks
                        .iter()
                        .map(|(d, s)| Mark { item: day(*d), state: STATES[*s], detail: None })
                        .collect(),
                };
                let mut expected = Recorded::default();
                for (d, n) in answers {
                    match model.answers.insert((*account, day(*d)), *n) {
                        None => expected.new += 1,
                        Some(known) if known == *n => expected.unchanged += 1,
                        Some(_) => expected.changed += 1,
                    }
                }
                for (d, s) in marks {
                    model.mark(*account, &day(*d), STATES[*s], at);
                }
                prop_assert_eq!(&store.record(&batch).unwrap(), &expected);
                let run = model.runs.get_mut(account).and_then(|runs| runs.last_mut()).unwrap();
                run.requests += 1;
                run.new += expected.new;
                run.changed += expected.changed;
            }
            Event::Odd(account, number) => {
                let Some(run) = model.runs.get(account).and_then(|runs| runs.last()).map(|run| run.id) else {
                    continue;
                };
                let item = day(*number);
                let marks = vec![Mark { item: item.clone(), state: State::Ok, detail: None }];
                let nine = Item { item: day(9), body: r#"{"steps":9}"# };
                let items = vec![nine, Item { item: item.clone(), body: "{" }];
                let (name, dataset) = (ACCOUNTS[*account], "steps");
                let odd =
                    Batch { account: name, run, dataset, fetched_utc: at, requests: 1, bytes: 1, items, ledger: marks };
                let recorded = store.record(&odd).unwrap();
                let new = u64::from(model.answers.insert((*account, day(9)), 9).is_none());
                model.mark(*account, &item, State::Error, at);
                prop_assert_eq!((recorded.new, recorded.changed, recorded.unchanged), (new, 0, 1 - new));
                prop_assert_eq!(recorded.refused.iter().map(|mark| &mark.item).collect::<Vec<_>>(), [&item]);
                let run = model.runs.get_mut(account).and_then(|runs| runs.last_mut()).unwrap();
                run.requests += 1;
                run.new += new;
            }
            Event::End(account) => {
                let Some(run) = model.runs.get_mut(account).and_then(|runs| runs.last_mut()) else { continue };
                store.end_run(run.id, "ok", None, at).unwrap();
                run.outcome = Some("ok".into());
            }
            Event::Rebuild => {
                let count = model.answers.len() as u64;
                let rebuilt = store.rebuild("steps", &mut |_| ControlFlow::Continue(())).unwrap();
                prop_assert_eq!(rebuilt, Rebuilt { answers: count, rows: count, refused: 0 });
            }
            Event::Reopen => {
                drop(store);
                store = engine.open(&both());
                for run in model.runs.values_mut().flatten() {
                    run.outcome.get_or_insert_with(|| "interrupted".into());
                }
            }
        }
        let table: Vec<_> =
            model.answers.iter().map(|((account, item), n)| format!("{}|{item}|{n}", ACCOUNTS[*account])).collect();
        prop_assert_eq!(engine.rows("SELECT account, day, steps FROM steps ORDER BY account, day"), table);
        for (number, account) in ACCOUNTS.into_iter().enumerate() {
            let found = crate::ledger(&store, account)
                .into_iter()
                .map(|entry| (entry.item, (entry.state, entry.fetched_utc, entry.attempts, entry.since_utc)));
            let found: Vec<_> = found.collect();
            let known = model.ledger.iter().filter(|((of, _), _)| *of == number);
            let known: Vec<_> = known.map(|((_, item), known)| (item.clone(), *known)).collect();
            prop_assert_eq!(found, known);
            let newest = model
                .ledger
                .iter()
                .filter(|((of, _), known)| *of == number && matches!(known.0, State::Ok | State::Provisional));
            let newest = newest.map(|((_, item), _)| item.parse().unwrap()).max();
            prop_assert_eq!(store.newest_day(account).unwrap(), newest);
            let runs = store.runs(account, 500).unwrap().into_iter().rev().map(|run| Run {
                id: run.id,
                requests: run.requests,
                new: run.new_items,
                changed: run.changed_items,
                outcome: run.outcome,
            });
            prop_assert_eq!(runs.collect::<Vec<_>>(), model.runs.get(&number).cloned().unwrap_or_default());
        }
    }
    Ok(())
}
