//! The sync room as the door and the clock see it: accounts that are signed in, runs that are started, joined, stopped and refused.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{NaiveDate, TimeDelta, Utc};
use garminsync_daemon::account::{Accounts, Setting};
use garminsync_daemon::board::Board;
use garminsync_daemon::on_thread::OnThread;
use garminsync_daemon::report::Reporter;
use garminsync_daemon::sync::plan::EARLIEST;
use garminsync_daemon::sync::{
    Outcome, Refused, Request, Rules, Started, Syncs, Trigger, View, datasets, pace, projections,
};
use garminsync_garmin::{Domain, Garmin, Pauses, Settings, Tier};
use garminsync_protocol::{AccountState, LoginStart};
use garminsync_store::{Keys, Store, Vault};
use garminsync_test_support::fake::{Effect, FakeGarmin, Filter, Host, Options, Rule};
use garminsync_test_support::people::Person;

use super::mirror::{CORE, HOME, back, row, today};

const DAYS: u64 = 60;

struct House {
    fake: FakeGarmin,
    dir: tempfile::TempDir,
    store: OnThread<Store>,
    accounts: Accounts,
    syncs: Syncs,
    shown: Arc<Mutex<Vec<(String, View)>>>,
}

fn email(account: &str) -> String {
    format!("{account}@example.org")
}

fn request(account: &str) -> Request {
    Request {
        account: account.into(),
        trigger: Trigger::Manual,
        since: None,
        until: None,
        datasets: Vec::new(),
        missing: false,
    }
}

impl House {
    /// With these accounts signed in, and `eva`, who is not.
    async fn of(names: &[&str]) -> Self {
        let fake = FakeGarmin::start(Options::default()).await.unwrap();
        for name in names {
            fake.add(Person::named(&email(name)).home(*HOME).lived(today(), DAYS, 20).password("pass"));
        }
        let mut settings = Settings::of(Domain::Com);
        settings.pauses = Pauses::all(Duration::ZERO);
        settings.endpoints.sso = fake.url(Host::Sso);
        settings.endpoints.diauth = fake.url(Host::Diauth);
        settings.endpoints.connectapi = fake.url(Host::Connectapi);
        settings.endpoints.personal = fake.url(Host::Personal);
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::open(&dir.path().join("state"), &Keys::file(dir.path().join("state/key"))).unwrap().vault;
        let store = Store::open(&dir.path().join("data"), &projections()).unwrap();
        let store = OnThread::start("records", store).unwrap();
        let setting = Setting {
            vault: OnThread::start("vault", vault).unwrap(),
            records: store.clone(),
            board: Board::new([]),
            garmin: Box::new(move |_| Garmin::new(settings.clone())),
            key_file: Box::new(|_| None),
            mfa_timeout: TimeDelta::minutes(30),
            unattended: Default::default(),
            events: tokio::sync::mpsc::unbounded_channel().0,
        };
        let accounts = Accounts::start(setting, ["eva".to_owned()]).await.unwrap();
        for name in names {
            let start = LoginStart {
                account: Some((*name).into()),
                email: Some(email(name)),
                password: Some("pass".to_owned().into()),
                ..LoginStart::default()
            };
            assert_eq!(accounts.login(start, Reporter::silent()).await.unwrap().state, AccountState::Active);
        }
        for name in names {
            let row = row(name);
            store.call(move |store| store.upsert_account(&row)).await.unwrap().unwrap();
        }
        let shown = Arc::default();
        let syncs = open(&store, &accounts, &shown);
        fake.forget_requests();
        Self { fake, dir, store, accounts, syncs, shown }
    }

    fn last_shown(&self, account: &str) -> View {
        self.shown.lock().unwrap().iter().rev().find(|(name, _)| name == account).unwrap().1.clone()
    }

    fn outcomes(&self) -> Vec<String> {
        let database = rusqlite::Connection::open(self.dir.path().join("data/garmin.db")).unwrap();
        let mut statement = database.prepare("SELECT outcome FROM sync_run ORDER BY id").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Waits until Garmin has got a data request.
    async fn asked(&self) {
        while self.fake.count(&Filter::host(Host::Connectapi)) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn open(store: &OnThread<Store>, accounts: &Accounts, shown: &Arc<Mutex<Vec<(String, View)>>>) -> Syncs {
    let manners = |tier| pace::Rules { gap: Duration::ZERO, retries: Vec::new(), ..pace::Rules::of(tier) };
    let rules = Rules {
        start: Some(back(DAYS - 1)),
        account: manners(Tier::Account),
        personal: manners(Tier::Personal),
        datasets: datasets::all().unwrap().iter().map(|known| (known.name.clone(), is_core(&known.name))).collect(),
        ..Rules::default()
    };
    let shown = shown.clone();
    let show = Arc::new(move |account: &str, view: &View| shown.lock().unwrap().push((account.into(), view.clone())));
    Syncs::new(rules.checked().unwrap(), store.clone(), accounts.clone(), show)
}

fn is_core(name: &str) -> bool {
    CORE.contains(&name)
}

async fn end(started: &mut Started) -> Outcome {
    started.finished(Reporter::silent()).await.outcome
}

#[tokio::test]
async fn a_run_tells_its_steps_and_shows_what_is_mirrored() {
    let house = House::of(&["ana"]).await;
    let (reporter, mut steps) = Reporter::channel();
    let mut started = house.syncs.start(request("ana")).await.unwrap();
    let report = started.finished(reporter).await;
    assert_eq!((report.run, report.outcome, started.joined), (started.run, Outcome::Ok, false));
    let step = steps.recv().await.unwrap();
    assert!(step.dataset.is_some() && step.done.unwrap() < step.total.unwrap(), "{step:?}");

    let shown = house.shown.lock().unwrap().clone();
    let progress: Vec<f64> = shown.iter().filter_map(|(_, view)| view.progress).collect();
    assert!(progress.len() > 10 && progress.iter().all(|share| (0.0..=1.0).contains(share)), "{progress:?}");
    let view = house.last_shown("ana");
    assert_eq!((view.running, view.progress, &view.dataset, &view.last_error), (false, None, &None, &None));
    assert_eq!((view.queues["account"].requests_today, view.gaps), (report.requests, 0));
    assert_eq!((view.complete_from, view.newest_day), (Some(back(DAYS - 1)), Some(today())));
    assert!(view.last_ok_at.is_some());
    assert_eq!(house.outcomes(), ["ok"]);

    // What is shown after a restart comes from the store alone.
    let shown = Arc::default();
    open(&house.store, &house.accounts, &shown).refresh_view("ana").await;
    assert_eq!(shown.lock().unwrap()[0], ("ana".into(), view));
}

#[tokio::test]
async fn whoever_starts_a_run_that_is_under_way_joins_it() {
    let house = House::of(&["ana"]).await;
    let starts = (0..5).map(|_| house.syncs.start(request("ana")));
    let mut started: Vec<_> = futures_util::future::join_all(starts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(started.iter().filter(|started| !started.joined).count(), 1);
    let ends =
        futures_util::future::join_all(started.iter_mut().map(|started| started.finished(Reporter::silent()))).await;
    assert!(ends.iter().all(|report| *report == ends[0]) && ends[0].outcome == Outcome::Ok);
    assert_eq!(house.fake.count(&Filter::host(Host::Connectapi).path("activitylist")), 1);
    assert_eq!(house.outcomes(), ["ok"]);
    // When it is over, the next is another.
    assert!(!house.syncs.start(request("ana")).await.unwrap().joined);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_without_a_request() {
    let house = House::of(&["ana"]).await;
    let refused = async |request| house.syncs.start(request).await.unwrap_err();
    assert_eq!(refused(request("nobody")).await, Refused::UnknownAccount);
    assert!(matches!(refused(request("eva")).await, Refused::LoginNeeded(_)));
    let named = Request { datasets: vec!["hrv".into(), "steeps".into()], ..request("ana") };
    assert_eq!(refused(named).await, Refused::UnknownDataset("steeps".into()));
    let (early, late) = (Some(back(9)), Some(back(5)));
    assert_eq!(refused(Request { since: late, until: early, ..request("ana") }).await, Refused::BadRange);
    for day in [EARLIEST.pred_opt().unwrap(), NaiveDate::MIN] {
        assert_eq!(refused(Request { since: Some(day), until: early, ..request("ana") }).await, Refused::BadRange);
        assert_eq!(refused(Request { until: Some(day), ..request("ana") }).await, Refused::BadRange);
    }
    let tomorrow = today().succ_opt();
    assert_eq!(refused(Request { since: tomorrow, ..request("ana") }).await, Refused::BadRange);
    assert_eq!(house.fake.requests().len(), 0);
    assert_eq!(house.outcomes().len(), 0);
}

#[tokio::test]
async fn a_pause_is_kept_by_everybody_over_a_restart_and_by_nobody_else() {
    let house = House::of(&["ana", "bob"]).await;
    let rule = Rule::does(Effect::throttled(900)).host(Host::Connectapi).user(&email("ana"));
    house.fake.misbehave(rule);
    let report = house.syncs.start(request("ana")).await.unwrap().finished(Reporter::silent()).await;
    assert_eq!((report.outcome, report.requests), (Outcome::RateLimited, 1));
    let until = report.retry_at.unwrap();
    assert!((890..=900).contains(&(until - Utc::now()).num_seconds()), "{until}");
    assert_eq!(house.last_shown("ana").paused_until, Some(until));

    let again = open(&house.store, &house.accounts, &house.shown);
    for syncs in [&house.syncs, &again] {
        for trigger in [Trigger::Manual, Trigger::Schedule, Trigger::Login] {
            match syncs.start(Request { trigger, ..request("ana") }).await {
                Err(Refused::Paused { until: told }) => assert_eq!(told.timestamp(), until.timestamp()),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(house.fake.count(&Filter::host(Host::Connectapi).user(&email("ana"))), 1);
    assert_eq!(end(&mut house.syncs.start(request("bob")).await.unwrap()).await, Outcome::Ok);
}

#[tokio::test]
async fn after_an_outage_the_schedule_waits_and_a_person_need_not() {
    let house = House::of(&["ana"]).await;
    house.fake.misbehave(Rule::does(Effect::status(503)).host(Host::Connectapi));
    assert_eq!(end(&mut house.syncs.start(request("ana")).await.unwrap()).await, Outcome::Unreachable);
    let scheduled = || Request { trigger: Trigger::Schedule, ..request("ana") };
    assert!(matches!(house.syncs.start(scheduled()).await, Err(Refused::Paused { .. })));
    house.fake.behave();
    assert_eq!(end(&mut house.syncs.start(request("ana")).await.unwrap()).await, Outcome::Ok);
    assert_eq!(end(&mut house.syncs.start(scheduled()).await.unwrap()).await, Outcome::Ok);
}

#[tokio::test]
async fn a_run_is_cancelled_or_ends_with_the_daemon() {
    let house = House::of(&["ana"]).await;
    house.fake.knobs(|knobs| knobs.latency = Duration::from_millis(50));
    let mut started = house.syncs.start(request("ana")).await.unwrap();
    house.asked().await;
    assert_eq!(house.syncs.cancel("ana").unwrap().run, started.run);
    assert_eq!(end(&mut started).await, Outcome::Cancelled);
    assert!(house.syncs.cancel("ana").is_none() && house.syncs.cancel("nobody").is_none());

    house.fake.forget_requests();
    let mut started = house.syncs.start(request("ana")).await.unwrap();
    house.asked().await;
    house.syncs.stop().await;
    assert_eq!(house.outcomes(), ["cancelled", "interrupted"], "written before stop returns");
    assert_eq!(end(&mut started).await, Outcome::Interrupted);
    assert_eq!(house.syncs.start(request("ana")).await.unwrap_err(), Refused::ShuttingDown);
}

#[tokio::test]
async fn a_token_that_is_refused_even_fresh_makes_the_account_ask_for_a_login() {
    let house = House::of(&["ana"]).await;
    house.fake.misbehave(Rule::does(Effect::status(401)).host(Host::Connectapi));
    assert_eq!(end(&mut house.syncs.start(request("ana")).await.unwrap()).await, Outcome::LoginNeeded);
    assert!(matches!(house.syncs.start(request("ana")).await, Err(Refused::LoginNeeded(_))));
}

/// The thread that answers `status` is the one that runs syncs: the work on a page of a thousand activities must not hold it.
#[tokio::test]
async fn a_sync_leaves_the_thread_free() {
    let house = House::of(&["ana"]).await;
    house.fake.change(&email("ana"), |ana| *ana = ana.clone().lived(today(), DAYS, 999)).unwrap();
    let list = Request { datasets: vec!["activities".into()], ..request("ana") };
    let before = Instant::now();
    let mut started = house.syncs.start(list).await.unwrap();
    let (mut turn, mut longest) = (Instant::now(), Duration::ZERO);
    let over = end(&mut started);
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            outcome = &mut over => break assert_eq!(outcome, Outcome::Ok),
            () = tokio::task::yield_now() => {}
        }
        longest = longest.max(turn.elapsed());
        turn = Instant::now();
    }
    assert!(longest * 2 < before.elapsed(), "{longest:?} of {:?} at a stretch", before.elapsed());
}

impl House {
    /// Adds the API key that `ana` has.
    async fn key(&self, account: &str) {
        let key = self.fake.person(&email(account)).unwrap().api_key;
        let start = LoginStart { account: Some(account.into()), api_key: Some(key.into()), ..LoginStart::default() };
        assert_eq!(self.accounts.login(start, Reporter::silent()).await.unwrap().state, AccountState::Active);
    }
}

#[tokio::test]
async fn what_the_run_under_way_does_not_bring_the_next_one_does() {
    let house = House::of(&["ana"]).await;
    house.fake.knobs(|knobs| knobs.latency = Duration::from_millis(20));
    let only = |name: &str| Request { datasets: vec![name.into()], ..request("ana") };
    let mut first = house.syncs.start(only("hrv")).await.unwrap();
    let mut others = [
        house.syncs.start(only("hrv")).await.unwrap(),
        house.syncs.start(only("sleep")).await.unwrap(),
        house.syncs.start(only("sleep")).await.unwrap(),
    ];
    let how = others.each_ref().map(|started| (started.joined, started.follows, started.run == first.run));
    assert_eq!(how, [(true, false, true), (false, true, true), (false, true, true)]);
    let first = first.finished(Reporter::silent()).await;
    let mut reports = Vec::new();
    for started in &mut others {
        reports.push(started.finished(Reporter::silent()).await);
    }
    assert_eq!(reports[0], first);
    assert_eq!((reports[1].run, reports[1].outcome), (first.run + 1, Outcome::Ok));
    assert_eq!(reports[1], reports[2], "who wants the same waits for the same");
    assert_eq!(house.outcomes(), ["ok", "ok"]);
    let sleep = house.store.call(|store| store.entries_of("ana", "sleep")).await.unwrap().unwrap();
    assert!(sleep.len() > 30, "{}", sleep.len());
}

#[tokio::test]
async fn a_tier_that_comes_during_a_run_is_read_by_the_next_one_at_once() {
    for asked_for in [false, true] {
        let house = House::of(&["ana"]).await;
        house.fake.knobs(|knobs| knobs.latency = Duration::from_millis(20));
        let login = || Request { trigger: Trigger::Login, ..request("ana") };
        let mut first = house.syncs.start(login()).await.unwrap();
        house.asked().await;
        house.key("ana").await;
        // The login's own sync, and that of a person.
        let mut second = house.syncs.start(login()).await.unwrap();
        let then = if asked_for { request("ana") } else { login() };
        let mut waits = house.syncs.start(then).await.unwrap();
        assert!(second.follows && waits.follows);
        let first = first.finished(Reporter::silent()).await;
        let (second, waited) = (second.finished(Reporter::silent()).await, waits.finished(Reporter::silent()).await);
        assert_eq!((first.outcome, second.run), (Outcome::Ok, first.run + 1));
        assert_eq!(waited, second, "one run for both");
        let read = second.requests > 0;
        assert_eq!((second.outcome, read), (Outcome::Ok, asked_for), "all was read a moment ago, unless a person asks");
        assert_eq!(house.outcomes(), ["ok", "ok"]);
    }
}

/// A run of the clock may find that nothing is new, and one that goes on with another reads little again: a person wants more.
#[tokio::test]
async fn who_asks_during_a_run_that_nobody_asked_for_gets_one_of_their_own() {
    let house = House::of(&["ana"]).await;
    let by = |trigger| Request { trigger, ..request("ana") };
    // All that the first one reads is new.
    let mut first = house.syncs.start(by(Trigger::Login)).await.unwrap();
    assert!(house.syncs.start(request("ana")).await.unwrap().joined);
    assert_eq!(end(&mut first).await, Outcome::Ok);
    house.fake.knobs(|knobs| knobs.latency = Duration::from_millis(50));
    for trigger in [Trigger::Schedule, Trigger::Resume, Trigger::Login] {
        let mut first = house.syncs.start(by(trigger)).await.unwrap();
        let mut second = house.syncs.start(request("ana")).await.unwrap();
        assert_eq!((second.joined, second.follows), (false, true), "{trigger:?}");
        let first = first.finished(Reporter::silent()).await;
        let second = second.finished(Reporter::silent()).await;
        assert_eq!((second.outcome, second.run), (Outcome::Ok, first.run + 1), "{trigger:?}");
        assert!(second.requests >= 4, "{trigger:?}: {second:?}");
    }
}

#[tokio::test]
async fn who_asks_while_a_run_is_being_stopped_gets_the_next_one() {
    let house = House::of(&["ana"]).await;
    house.fake.knobs(|knobs| knobs.latency = Duration::from_millis(20));
    let mut first = house.syncs.start(request("ana")).await.unwrap();
    house.asked().await;
    let (second, stopped) = tokio::join!(house.syncs.start(request("ana")), async { house.syncs.cancel("ana") });
    let mut second = second.unwrap();
    assert_eq!((stopped.unwrap().run, second.joined), (first.run, false));
    assert_eq!((end(&mut first).await, end(&mut second).await), (Outcome::Cancelled, Outcome::Ok));
    assert_eq!(house.outcomes(), ["cancelled", "ok"]);
}

#[tokio::test]
async fn a_run_that_waits_ends_with_the_one_that_is_stopped() {
    let house = House::of(&["ana"]).await;
    house.fake.knobs(|knobs| knobs.latency = Duration::from_millis(50));
    let only = |name: &str| Request { datasets: vec![name.into()], ..request("ana") };
    for stop in [false, true] {
        house.fake.forget_requests();
        let mut first = house.syncs.start(only("hrv")).await.unwrap();
        let mut second = house.syncs.start(only("sleep")).await.unwrap();
        house.asked().await;
        if stop {
            house.syncs.stop().await
        } else {
            assert_eq!(house.syncs.cancel("ana").unwrap().run, first.run)
        }
        let outcome = if stop { Outcome::Interrupted } else { Outcome::Cancelled };
        assert_eq!((end(&mut first).await, end(&mut second).await), (outcome, outcome));
    }
    assert_eq!(house.outcomes(), ["cancelled", "interrupted"], "the second one never began");
    assert_eq!(house.fake.count(&Filter::host(Host::Connectapi).path("sleep-service")), 0);
}
