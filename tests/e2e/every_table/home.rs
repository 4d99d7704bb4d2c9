//! A person whose life has everything that happens to data, and a home whose daemon mirrors all of it.

use chrono::{Days, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use garminsync_test_support::fake::{FakeGarmin, Options};
use garminsync_test_support::harness::{Daemon, Home, Ran};
use garminsync_test_support::people::{Habits, Life, Person, Plan, Travel};
use rusqlite::Connection;

use crate::stage::{ANA, PASSWORD, Stage, binaries, today};

/// How the daemon gets at the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Account,
    Personal,
    Both,
}

/// Somebody who logs everything, has been away for ten days, and wore the watch on the day when the clocks at home changed. Their data end
/// on `last`.
pub fn traveller(home: Tz, away: Tz, last: NaiveDate) -> Person {
    let changed = clock_change(home, last - Days::new(1));
    let from = last - Days::new(24);
    let recent = last - Days::new(34);
    let mut plan = Plan {
        home,
        first: (changed - Days::new(2)).min(recent),
        travel: Some(Travel { from, to: from + Days::new(9), zone: away }),
        activities: 14,
        habits: Habits::ALL,
        ..Plan::until(last, 30)
    };
    (plan.hrv_since, plan.spo2_since) = (plan.first, plan.first);
    // Between the two times nobody wore it: the days would only cost.
    let drawer = (changed + Days::new(3), recent - Days::new(1));
    plan.drawer = (drawer.0 < drawer.1).then_some(drawer);
    let person = Person::named(ANA).password(PASSWORD);
    let plan = Plan { seed: person.life.plan().seed, ..plan };
    Person { life: Life::new(plan, ANA), ..person }
}

/// The newest day up to `last` that has not 24 hours.
fn clock_change(zone: Tz, last: NaiveDate) -> NaiveDate {
    let plan = Plan { home: zone, travel: None, ..Plan::until(last, 2) };
    let odd = |day: &NaiveDate| plan.end(*day) - plan.begin(*day) != TimeDelta::hours(24);
    last.iter_days().rev().take(366).find(odd).expect("a zone with summer time")
}

/// All datasets that there are, by the names of their folders.
pub fn datasets() -> Vec<String> {
    let folders = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("daemon/src/sync/datasets");
    let folders = std::fs::read_dir(folders).expect("datasets").map(|folder| folder.expect("a folder").file_name());
    let mut names: Vec<_> = folders.map(|name| name.into_string().expect("a name")).collect();
    names.sort();
    assert!(names.len() > 50, "{names:?}");
    names
}

/// A home with every dataset switched on; data are asked for as fast as the fake answers.
pub async fn everything(person: Person, sync: &str) -> Stage {
    let fake = FakeGarmin::start(Options::default()).await.expect("the fake starts");
    fake.add(person);
    let endpoints = format!("{}sign_in_pause_s = 0\nrequest_gap_s = 0\n", fake.endpoints_toml());
    let on: Vec<_> = datasets().into_iter().map(|name| format!("{name} = true\n")).collect();
    let more = format!("[sync]\nschedule = \"\"\n{sync}\n[datasets]\n{}", on.concat());
    let home = Home::new(&binaries(), &endpoints, &more).expect("a home");
    Stage { fake, home }
}

/// The key before the login: a sync begins with the first of them.
pub async fn sign_in(stage: &Stage, way: Way) {
    if way != Way::Account {
        let key = stage.fake.person(ANA).expect("Ana").api_key;
        done(stage.home.ctl_with(&["login", "--api-key-stdin"], &format!("{key}\n")).await);
    }
    if way == Way::Both {
        first_sync(stage, Way::Personal).await;
    }
    if way != Way::Personal {
        done(stage.login(PASSWORD, &[]).await);
    }
}

/// A daemon that has mirrored this person once.
pub async fn mirrored(person: Person, way: Way) -> (Stage, Daemon) {
    let first = person.life.plan().first;
    let stage = everything(person, &format!("start = \"{first}\"")).await;
    let daemon = Daemon::start(&stage.home).await;
    sign_in(&stage, way).await;
    first_sync(&stage, way).await;
    (stage, daemon)
}

async fn first_sync(stage: &Stage, way: Way) {
    let person = stage.fake.person(ANA).expect("Ana");
    if person.life.plan().today < today() { sync_behind(stage, way).await } else { sync(stage).await }
}

#[track_caller]
fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

/// A sync that brings everything.
pub async fn sync(stage: &Stage) {
    let ran = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    assert_eq!((ran.code, ran.json()["outcome"].as_str()), (0, Some("ok")), "{ran:?}");
}

/// A sync while the daemon's today is not the person's: the Personal tier refuses the readings of a night (400) on its day.
pub async fn sync_behind(stage: &Stage, way: Way) {
    let ran = stage.home.ctl(&["sync", "--wait", "--json"]).await;
    let said = ran.json();
    let tonight = said["error"]["message"].as_str().is_some_and(|why| why.contains("Synced with gaps: hrv_readings"));
    assert!(
        ran.code == 0 || (way != Way::Account && ran.code == 1 && tonight && !ran.stdout.contains(" more)")),
        "{ran:?}"
    );
}

/// So many days go by for the records: all that was noted is that much older. The daemon goes by the clock of the machine, which a test
/// cannot move, so the lives of these tests end before today and come nearer to it.
pub fn age(stage: &Stage, days: u64) {
    let database = Connection::open(stage.home.data_dir().join("garmin.db")).expect("garmin.db");
    let times = [("ledger", "fetched"), ("answer", "fetched"), ("original", "fetched"), ("pause", "until")];
    for (table, time) in times {
        let older = format!("strftime('%Y-%m-%dT%H:%M:%SZ', {time}_utc, '-{days} days')");
        database.execute_batch(&format!("UPDATE {table} SET {time}_utc = {older}")).expect(table);
    }
}

pub fn back(days: u64) -> NaiveDate {
    today() - Days::new(days)
}
