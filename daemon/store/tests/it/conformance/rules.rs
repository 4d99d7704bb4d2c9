//! The rules of the store's interface, one function each. They see an engine only through [`Engine`].

use chrono::TimeDelta;
use garminsync_store::{
    AccountRow, ActivityRef, Error, GONE, LastRuns, LedgerEntry, OriginalBatch, OriginalRow, Pause, Projection,
    Recorded, State, Store, sha256_hex,
};

use super::{Engine, both};
use crate::{at, batch, noon, steps};

const EVERYTHING: [&str; 7] = [
    "SELECT * FROM account",
    "SELECT account, dataset, item, fetched_utc, sha256, body FROM answer",
    "SELECT * FROM ledger",
    "SELECT * FROM sync_run",
    "SELECT * FROM steps",
    "SELECT * FROM activity",
    "SELECT * FROM lap",
];

pub fn an_answer_that_came_before_is_not_written_again(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let first = batch(run, "steps", &[("2026-10-21", r#"{"steps":1}"#)], &[]);
    store.record(&first).unwrap();
    // Somebody else's mark in the rows shows whether they are written.
    engine.hand("UPDATE answer SET fetched_utc = 'untouched'; UPDATE steps SET steps = 99");

    let again = store.record(&first).unwrap();
    assert_eq!(again, Recorded { unchanged: 1, ..Recorded::default() });
    assert_eq!(engine.rows("SELECT fetched_utc FROM answer"), ["untouched"]);
    assert_eq!(engine.rows("SELECT steps FROM steps"), ["99"]);

    let changed = store.record(&batch(run, "steps", &[("2026-10-21", r#"{"steps":2}"#)], &[])).unwrap();
    assert_eq!(changed, Recorded { changed: 1, ..Recorded::default() });
    assert_eq!(engine.rows("SELECT fetched_utc FROM answer"), ["2026-10-21T12:00:00Z"]);
    assert_eq!(engine.rows("SELECT steps FROM steps"), ["2"]);
    assert_eq!(engine.rows("SELECT requests, bytes, new_items, changed_items FROM sync_run"), ["3|300|1|1"]);
}

pub fn what_an_answer_echoes_is_no_change(engine: &dyn Engine) {
    let echoing = Projection { echo: vec!["from".into(), "asked".into()], ..steps() };
    let mut store = engine.open(&[echoing]);
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let mut record = |body| store.record(&batch(run, "steps", &[("2026-10-21", body)], &[])).unwrap();
    let (changed, unchanged) =
        (Recorded { changed: 1, ..Recorded::default() }, Recorded { unchanged: 1, ..Recorded::default() });
    record(r#"{"steps":1,"from":"2026-10-01","more":[{"asked":1,"x":2}]}"#);
    assert_eq!(record(r#"{"more": [{"x":2, "asked":{"at":3}}], "steps":1}"#), unchanged);
    let first = sha256_hex(br#"{"steps":1,"from":"2026-10-01","more":[{"asked":1,"x":2}]}"#);
    assert_eq!(engine.rows("SELECT sha256 FROM answer"), [first], "the one that came first is kept");
    assert_eq!(record(r#"{"steps":1,"from":"2026-10-01","more":[{"asked":1,"x":3}]}"#), changed);
    assert_eq!(record(r#"{"steps":2,"from":"2026-10-02","more":[{"asked":1,"x":3}]}"#), changed);
    assert_eq!(engine.rows("SELECT steps FROM steps"), ["2"]);
    assert_eq!(record(GONE), changed);
    assert_eq!(engine.rows("SELECT steps FROM steps"), [""; 0]);
    assert_eq!(record(r#"{"steps":2}"#), changed);
    assert_eq!(engine.rows("SELECT steps FROM steps"), ["2"]);
}

pub fn a_batch_that_fails_leaves_nothing_behind(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    store.record(&batch(run, "steps", &[("2026-10-20", r#"{"steps":1}"#)], &[("2026-10-20", State::Ok)])).unwrap();
    let state = || EVERYTHING.map(|sql| engine.rows(sql));
    let before = state();

    let marks = [("2026-10-20", State::Ok), ("2026-10-21", State::Ok)];
    let of_no_run = store.record(&batch(run + 1, "steps", &[("2026-10-21", r#"{"steps":1}"#)], &marks));
    assert!(matches!(of_no_run, Err(Error::UnknownRun(_))));
    assert_eq!(state(), before);

    let of_no_dataset = store.record(&batch(run, "naps", &[("2026-10-21", "{}")], &marks));
    assert!(matches!(of_no_dataset, Err(Error::Dataset { .. })));
    assert_eq!(state(), before);

    store.record(&batch(run, "steps", &[("2026-10-21", r#"{"steps":3}"#)], &[])).unwrap();
    assert_ne!(state(), before);
}

pub fn an_answer_that_does_not_fit_its_tables_costs_no_other(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let ok = |day| (day, State::Ok);
    let (old, new) = ("2026-10-20", "2026-10-21");
    store.record(&batch(run, "steps", &[(old, r#"{"steps":1}"#)], &[ok(old)])).unwrap();
    let broken = r#"{"steps":"#;
    let items = [(old, broken), (new, r#"{"steps":2}"#), ("2026-10-22", broken)];
    let odd = batch(run, "steps", &items, &[ok(old), ok(new), ok("2026-10-22")]);
    let recorded = store.record(&odd).unwrap();
    assert_eq!((recorded.new, recorded.changed, recorded.unchanged), (1, 0, 0));
    let refused: Vec<_> = recorded.refused.iter().map(|mark| (mark.item.as_str(), mark.state)).collect();
    assert_eq!(refused, [(old, State::Error), ("2026-10-22", State::Error)]);
    let why = "the answer does not fit its tables (malformed JSON)";
    assert!(recorded.refused.iter().all(|mark| mark.detail.as_deref() == Some(why)), "{recorded:?}");
    // What was held stays, in the archive too; where nothing was, there is nothing.
    assert_eq!(engine.rows("SELECT day, steps FROM steps ORDER BY day"), ["2026-10-20|1", "2026-10-21|2"]);
    let archived = [(old, r#"{"steps":1}"#), (new, r#"{"steps":2}"#)];
    assert_eq!(
        engine.rows("SELECT item, sha256 FROM answer ORDER BY item"),
        archived.map(|(day, body)| format!("{day}|{}", sha256_hex(body.as_bytes())))
    );
    let states = "SELECT item, state, attempts, detail FROM ledger ORDER BY item";
    let known = [format!("{old}|ok|1|{why}"), format!("{new}|ok|0|NULL"), format!("2026-10-22|error|1|{why}")];
    assert_eq!(engine.rows(states), known);
    assert_eq!(engine.rows("SELECT requests, new_items, changed_items FROM sync_run"), ["2|2|0"]);
}

pub fn requests_that_brought_nothing_are_counted_and_marked(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    let run = store.begin_run("default", "schedule", noon()).unwrap();
    for _ in 0..2 {
        store.record(&batch(run, "steps", &[], &[("2026-10-21", State::Error)])).unwrap();
    }
    let entry = LedgerEntry {
        dataset: "steps".into(),
        item: "2026-10-21".into(),
        state: State::Error,
        fetched_utc: noon(),
        attempts: 2,
        since_utc: Some(noon()),
        detail: None,
    };
    assert_eq!(crate::ledger(&store, "default"), [entry]);
    assert_eq!(crate::ledger(&store, "other"), []);
}

pub fn whether_a_provisional_day_has_data_is_read_from_the_archive(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let both = [("2026-10-20", State::Provisional), ("2026-10-21", State::Provisional)];
    store.record(&batch(run, "steps", &[("2026-10-20", r#"{"steps":1}"#)], &both)).unwrap();
    store.record(&batch(run, "steps", &[], &both.map(|(day, _)| (day, State::Empty)))).unwrap();
    let states: Vec<_> = crate::ledger(&store, "default").into_iter().map(|entry| entry.state).collect();
    assert_eq!(states, [State::Provisional, State::Empty]);
}

pub fn runs_are_remembered_and_the_unfinished_are_interrupted(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    assert_eq!(store.last_runs("default").unwrap(), LastRuns::default());
    let first = store.begin_run("default", "schedule", at("2026-10-21T10:00:00Z")).unwrap();
    store.end_run(first, "ok", None, at("2026-10-21T10:05:00Z")).unwrap();
    let second = store.begin_run("default", "manual", at("2026-10-21T11:00:00Z")).unwrap();
    store.end_run(second, "failed", Some("Garmin cannot be reached"), at("2026-10-21T11:00:30Z")).unwrap();
    store.begin_run("other", "schedule", noon()).unwrap();
    let runs = LastRuns {
        last_started: Some(at("2026-10-21T11:00:00Z")),
        newest_is_over: true,
        last_ok_ended: Some(at("2026-10-21T10:05:00Z")),
        last_error: Some("Garmin cannot be reached".into()),
    };
    assert_eq!(store.last_runs("default").unwrap(), runs);
    assert!(matches!(store.end_run(99, "ok", None, noon()), Err(Error::UnknownRun(99))));

    drop(store);
    let mut store = engine.open(&both());
    assert_eq!(
        engine.rows("SELECT account, outcome, ended_utc FROM sync_run ORDER BY id"),
        ["default|ok|2026-10-21T10:05:00Z", "default|failed|2026-10-21T11:00:30Z", "other|interrupted|NULL"]
    );
    let third = store.begin_run("default", "manual", noon()).unwrap();
    store.end_run(third, "ok", None, noon()).unwrap();
    let runs = store.last_runs("default").unwrap();
    assert_eq!((runs.last_ok_ended, runs.last_error), (Some(noon()), None));
}

pub fn what_is_not_known_of_a_person_keeps_what_was(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    let mut row = AccountRow {
        name: "default".into(),
        profile_id: Some(7),
        display_name: Some("abc".into()),
        full_name: None,
        domain: "garmin.com".into(),
        time_zone: Some("Europe/Berlin".into()),
    };
    store.upsert_account(&row).unwrap();
    row = AccountRow {
        profile_id: None,
        full_name: Some("A Person".into()),
        time_zone: None,
        domain: "garmin.cn".into(),
        ..row
    };
    store.upsert_account(&row).unwrap();
    assert_eq!(engine.rows("SELECT * FROM account"), ["default|7|abc|A Person|garmin.cn|Europe/Berlin"]);
}

pub fn activities_wait_for_their_originals_newest_first(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let body = |day: u32| format!(r#"{{"name":"Run {day}","type":"running","start":"2026-10-{day}T08:00:00"}}"#);
    let bodies: Vec<_> = (11..=16).map(body).collect();
    let items: Vec<_> =
        ["11", "12", "13", "14", "15", "16"].into_iter().zip(bodies.iter().map(String::as_str)).collect();
    store.record(&batch(run, "activities", &items, &[])).unwrap();
    let wanted = |store: &Store| -> Vec<i64> {
        store.activities_without_original("default").unwrap().iter().map(|activity| activity.activity_id).collect()
    };
    assert_eq!(wanted(&store), [16, 15, 14, 13, 12, 11]);
    let newest = ActivityRef {
        activity_id: 16,
        name: Some("Run 16".into()),
        activity_type: Some("running".into()),
        start_local: Some("2026-10-16T08:00:00".into()),
    };
    assert_eq!(store.activities_without_original("default").unwrap()[0], newest);
    assert_eq!(store.activities_without_original("other").unwrap(), []);

    engine.hand("UPDATE activity SET deleted_utc = '2026-10-21T00:00:00Z' WHERE activity_id = 15");
    let marks = [("14", State::Empty), ("13", State::Error), ("12", State::Unavailable)];
    store.record(&batch(run, "original", &[], &marks)).unwrap();
    let mut saved = OriginalBatch {
        account: "default",
        run,
        requests: 1,
        bytes: 900,
        original: OriginalRow {
            activity_id: 11,
            path: "activities/2026/x.fit".into(),
            format: "fit".into(),
            bytes: 1000,
            sha256: sha256_hex(b"one"),
            fetched_utc: noon(),
        },
    };
    assert_eq!(store.record_original(&saved).unwrap().new, 1);
    assert_eq!(wanted(&store), [16, 13]);
    saved.original.sha256 = sha256_hex(b"two");
    assert_eq!(store.record_original(&saved).unwrap().changed, 1);

    assert_eq!(
        engine.rows("SELECT * FROM original"),
        [format!("default|11|activities/2026/x.fit|fit|1000|{}|2026-10-21T12:00:00Z|NULL", sha256_hex(b"two"))]
    );
    assert_eq!(engine.rows("SELECT day, state FROM ledger WHERE dataset = 'original' AND item = '11'"), ["NULL|ok"]);
    assert_eq!(engine.rows("SELECT requests, bytes, new_items, changed_items FROM sync_run"), ["4|2000|7|1"]);

    saved.run = 99;
    saved.original.path = "elsewhere".into();
    assert!(matches!(store.record_original(&saved), Err(Error::UnknownRun(99))));
    assert_eq!(engine.rows("SELECT path FROM original"), ["activities/2026/x.fit"]);
}

pub fn without_activities_no_originals_are_wanted(engine: &dyn Engine) {
    let store = engine.open(&[steps()]);
    assert_eq!(store.activities_without_original("default").unwrap(), []);
}

pub fn a_pause_survives_and_the_newest_counts(engine: &dyn Engine) {
    let mut store = engine.open(&both());
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
    assert_eq!(engine.open(&both()).pauses("default").unwrap(), [pause("account", 3), pause("personal", 2)]);
}

pub fn runs_are_told_newest_first(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    assert_eq!(store.runs("default", 9).unwrap(), []);
    assert!(!store.knows("default").unwrap());
    let first = store.begin_run("default", "login", at("2026-10-21T10:00:00Z")).unwrap();
    store.record(&batch(first, "steps", &[("2026-10-21", r#"{"steps":1}"#)], &[])).unwrap();
    store.end_run(first, "partial", Some("hrv: no"), at("2026-10-21T10:00:07Z")).unwrap();
    let second = store.begin_run("default", "schedule", noon()).unwrap();
    store.begin_run("other", "manual", noon()).unwrap();
    let runs = store.runs("default", 9).unwrap();
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [second, first]);
    assert_eq!((runs[0].outcome.as_deref(), runs[0].ended_utc), (None, None), "it runs");
    let ended = &runs[1];
    assert_eq!((ended.trigger.as_str(), ended.outcome.as_deref()), ("login", Some("partial")));
    assert_eq!((ended.started_utc, ended.ended_utc), (at("2026-10-21T10:00:00Z"), Some(at("2026-10-21T10:00:07Z"))));
    assert_eq!((ended.requests, ended.bytes, ended.new_items, ended.changed_items), (1, 100, 1, 0));
    assert_eq!(ended.error.as_deref(), Some("hrv: no"));
    assert_eq!(store.runs("default", 1).unwrap(), runs[..1]);
    assert!(store.knows("default").unwrap() && !store.knows("nobody").unwrap());
}

pub fn since_when_something_fails_is_remembered_until_it_is_answered(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    let mut mark = |minute: i64, state| {
        let mut marks = batch(run, "steps", &[], &[("2026-10-21", state)]);
        marks.fetched_utc = noon() + TimeDelta::minutes(minute);
        store.record(&marks).unwrap();
        crate::ledger(&store, "default")[0].since_utc.map(|since| (since - noon()).num_minutes())
    };
    assert_eq!(mark(0, State::Empty), None);
    assert_eq!(mark(1, State::Error), Some(1));
    assert_eq!(mark(2, State::Error), Some(1));
    assert_eq!(mark(3, State::Unavailable), Some(1), "it is missing all the while");
    assert_eq!(mark(4, State::Ok), None);
    assert_eq!(mark(5, State::Error), Some(5), "the data stay, but are not what Garmin has now");
    assert_eq!(mark(6, State::Provisional), None);
}

pub fn a_file_that_was_dropped_and_came_again_is_there(engine: &dyn Engine) {
    let mut store = engine.open(&both());
    let run = store.begin_run("default", "manual", noon()).unwrap();
    for (id, day) in [("1", "2020-01-01"), ("2", "2026-01-01")] {
        let body = format!(r#"{{"start":"{day}T08:00:00"}}"#);
        store.record(&batch(run, "activities", &[(id, &body)], &[])).unwrap();
    }
    let (path, format, sha256) = ("a/1.fit".into(), "fit".into(), sha256_hex(b"x"));
    let original = OriginalRow { activity_id: 1, path, format, bytes: 1, sha256, fetched_utc: noon() };
    let saved = OriginalBatch { account: "default", run, requests: 1, bytes: 1, original };
    store.originals().save_from("a/1.fit", &mut &b"x"[..]).unwrap();
    store.record_original(&saved).unwrap();
    let newest = OriginalRow { activity_id: 2, path: "a/2.fit".into(), ..saved.original.clone() };
    store.record_original(&OriginalBatch { original: newest, ..saved.clone() }).unwrap();
    let old = store.old_originals("2025-01-01".parse().unwrap()).unwrap().remove(0);
    store.drop_original(&old, noon()).unwrap();
    assert!(!engine.data_dir().join("a/1.fit").exists());
    assert_eq!(store.old_originals("2025-01-01".parse().unwrap()).unwrap(), []);
    store.record_original(&saved).unwrap();
    assert_eq!(engine.rows("SELECT dropped_utc FROM original WHERE activity_id = 1"), ["NULL"]);
}
