//! A fake Garmin, one person, and the records of a daemon that mirrors them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use chrono::{Days, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;
use garminsync_daemon::on_thread::OnThread;
use garminsync_daemon::report::Step;
use garminsync_daemon::sync::outbound::Outbound;
use garminsync_daemon::sync::run::{Job, Login, Paces, lock};
use garminsync_daemon::sync::{Outcome, Report, Trigger, datasets, pace, projections};
use garminsync_garmin::{Domain, Garmin, NoToken, Settings, Tier, TokenSource};
use garminsync_store::{AccountRow, Store};
use garminsync_test_support::fake::{FakeGarmin, Filter, Host, Options};
use garminsync_test_support::people::{Life, Person, SleepTruth};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

pub const ANA: &str = "ana@example.org";

/// What everybody has on both tiers, and what most of these tests are about.
pub const CORE: [&str; 5] = ["activities", "daily_summary", "hrv", "original", "sleep"];

/// Where Ana lives: at home in Berlin, unless it is about midnight there. No test may see its day end.
pub static HOME: LazyLock<Tz> = LazyLock::new(|| {
    let hours_from_midnight = |zone: &Tz| Utc::now().with_timezone(zone).hour().abs_diff(12);
    if hours_from_midnight(&Tz::Europe__Berlin) < 10 { Tz::Europe__Berlin } else { Tz::America__New_York }
});

/// Ana's day.
pub fn today() -> NaiveDate {
    Utc::now().with_timezone(&*HOME).date_naive()
}

/// What the records hold of somebody at home there, before any sync.
pub fn row(name: &str) -> AccountRow {
    AccountRow {
        name: name.into(),
        profile_id: None,
        display_name: None,
        full_name: None,
        domain: "garmin.com".into(),
        time_zone: Some(HOME.name().into()),
    }
}

pub fn back(days: u64) -> NaiveDate {
    today() - Days::new(days)
}

pub struct Mirror {
    pub fake: Arc<FakeGarmin>,
    pub tiers: Vec<Tier>,
    pub start: Option<NaiveDate>,
    pub since: Option<NaiveDate>,
    pub datasets: Vec<&'static str>,
    /// Who wants it.
    pub trigger: Trigger,
    pub display_name: Option<String>,
    pub paces: Paces,
    pub refused: Refused,
    /// A renewal takes so long that Garmin asks for a pause meanwhile.
    pub slow_renewal: bool,
    pub steps: Arc<Mutex<Vec<Step>>>,
    held: Held,
    pub garmin: Garmin,
    dir: tempfile::TempDir,
    store: Option<OnThread<Store>>,
}

/// Tokens as an account would have them, without a sign-in.
#[derive(Clone)]
pub struct Tokens {
    fake: Arc<FakeGarmin>,
    garmin: Garmin,
    held: Held,
    refused: Refused,
    /// The queues, where a renewal waits until one is in a pause.
    waits_for: Option<Paces>,
}

type Held = Arc<Mutex<HashMap<Tier, SecretString>>>;

/// What a login heard of refusals: the tier, the token, and how many data requests Garmin had seen by then.
pub type Refused = Arc<Mutex<Vec<(Tier, String, usize)>>>;

impl TokenSource for Tokens {
    async fn token(&self, tier: Tier) -> Result<SecretString, NoToken> {
        let held = self.held.lock().unwrap().get(&tier).cloned();
        match held {
            Some(token) => Ok(token),
            None => self.fresh(tier).await,
        }
    }

    async fn renew(&self, tier: Tier, _: &SecretString) -> Result<SecretString, NoToken> {
        while let Some(paces) = &self.waits_for
            && lock(paces)[&tier].paused_until(Utc::now()).is_none()
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.fresh(tier).await
    }
}

impl Login for Tokens {
    async fn refused_for_good(&self, tier: Tier, refused: &SecretString) {
        let seen = self.fake.count(&Filter::host(Host::Personal)) + self.fake.count(&Filter::host(Host::Connectapi));
        self.refused.lock().unwrap().push((tier, refused.expose_secret().to_owned(), seen));
    }
}

impl Tokens {
    async fn fresh(&self, tier: Tier) -> Result<SecretString, NoToken> {
        let token = match tier {
            Tier::Account => self.fake.tokens(ANA).access.into(),
            Tier::Personal => {
                let key = self.fake.person(ANA).unwrap().api_key.into();
                let token = self.garmin.personal_token(&key).await;
                token.map_err(|error| NoToken::LoginNeeded(error.to_string()))?.access
            }
        };
        self.held.lock().unwrap().insert(tier, token);
        Ok(self.held.lock().unwrap()[&tier].clone())
    }
}

/// How a client reaches the fake.
pub fn settings(fake: &FakeGarmin) -> Settings {
    let mut settings = Settings::of(Domain::Com);
    settings.endpoints.sso = fake.url(Host::Sso);
    settings.endpoints.diauth = fake.url(Host::Diauth);
    settings.endpoints.connectapi = fake.url(Host::Connectapi);
    settings.endpoints.personal = fake.url(Host::Personal);
    settings.timeouts.data = Duration::from_secs(5);
    settings
}

impl Mirror {
    /// Of a person with so many days of data up to today, and so many activities.
    pub async fn of(days: u64, activities: usize, tiers: &[Tier]) -> Self {
        let fake = FakeGarmin::start(Options::default()).await.unwrap();
        fake.add(Person::named(ANA).home(*HOME).lived(today(), days, activities));
        let garmin = Garmin::new(settings(&fake)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut mirror = Self {
            fake: Arc::new(fake),
            tiers: tiers.to_vec(),
            start: Some(back(days - 1)),
            since: None,
            datasets: CORE.to_vec(),
            trigger: Trigger::Manual,
            display_name: None,
            paces: Paces::default(),
            refused: Refused::default(),
            slow_renewal: false,
            steps: Arc::default(),
            held: Held::default(),
            garmin,
            dir,
            store: None,
        };
        mirror.restart();
        mirror.store().call(|store| store.upsert_account(&row("default"))).await.unwrap().unwrap();
        mirror
    }

    /// With every dataset there is, and what an account knows of its person.
    pub async fn everything(&mut self) {
        self.datasets = datasets::all().unwrap().iter().map(|dataset| dataset.name.as_str()).collect();
        let person = self.fake.person(ANA).unwrap();
        self.display_name = Some(person.display_name.clone());
        let row = AccountRow {
            profile_id: Some(person.profile_id),
            display_name: Some(person.display_name),
            ..row("default")
        };
        self.store().call(move |store| store.upsert_account(&row)).await.unwrap().unwrap();
    }

    /// As before Garmin was first asked for the settings.
    pub fn forget_zone(&self) {
        let database = rusqlite::Connection::open(self.dir.path().join("garmin.db")).unwrap();
        database.execute("UPDATE account SET time_zone = NULL", []).unwrap();
    }

    /// As if so many minutes had passed since the ledger's notes were made.
    pub fn notes_age(&self, minutes: i64) {
        let database = rusqlite::Connection::open(self.dir.path().join("garmin.db")).unwrap();
        let sql =
            "UPDATE ledger SET fetched_utc = strftime('%Y-%m-%dT%H:%M:%SZ', fetched_utc, ?1) WHERE item LIKE 'tier %'";
        assert!(database.execute(sql, [format!("-{minutes} minutes")]).unwrap() > 0);
    }

    /// As after `kill -9`: the memory is gone, the database is what it is.
    pub fn restart(&mut self) {
        self.store = None;
        let store = Store::open(self.dir.path(), &projections()).unwrap();
        self.store = Some(OnThread::start("records", store).unwrap());
        let rules =
            |tier| pace::Rules { gap: Duration::ZERO, retries: vec![Duration::ZERO; 2], ..pace::Rules::of(tier) };
        let queues =
            [Tier::Account, Tier::Personal].map(|tier| (tier, pace::Pace::new(rules(tier), pace::Memory::default())));
        self.paces = Arc::new(Mutex::new(queues.into()));
    }

    pub fn store(&self) -> OnThread<Store> {
        self.store.clone().unwrap()
    }

    pub async fn job(&self, cancel: CancellationToken) -> Job<Tokens> {
        let run = self.store().call(|store| store.begin_run("default", "manual", Utc::now())).await.unwrap().unwrap();
        let wanted = |name: &str| self.datasets.contains(&name);
        Job {
            account: "default".into(),
            run,
            garmin: self.garmin.clone(),
            login: Tokens {
                fake: self.fake.clone(),
                garmin: self.garmin.clone(),
                held: self.held.clone(),
                refused: self.refused.clone(),
                waits_for: self.slow_renewal.then(|| self.paces.clone()),
            },
            tiers: self.tiers.clone(),
            display_name: self.display_name.clone(),
            datasets: datasets::all().unwrap().iter().filter(|dataset| wanted(&dataset.name)).collect(),
            start: self.start,
            since: self.since,
            until: None,
            missing: false,
            trigger: self.trigger,
            store: self.store(),
            paces: self.paces.clone(),
            outbound: Outbound::new(Duration::ZERO),
            cancel,
            say: {
                let steps = self.steps.clone();
                Box::new(move |step| steps.lock().unwrap().push(step))
            },
        }
    }

    /// The newest token that the login has handed out.
    pub fn token(&self, tier: Tier) -> String {
        self.held.lock().unwrap()[&tier].expose_secret().to_owned()
    }

    pub async fn sync(&self) -> Report {
        self.job(CancellationToken::new()).await.run().await
    }

    /// A sync that brings everything.
    pub async fn sync_ok(&self) -> Report {
        let report = self.sync().await;
        assert_eq!((report.outcome, &report.error), (Outcome::Ok, &None));
        report
    }

    pub fn life(&self) -> Life {
        self.fake.person(ANA).unwrap().life
    }

    /// Data requests so far, by tier.
    pub fn data_requests(&self) -> usize {
        let keys = self.fake.count(&Filter::host(Host::Personal).path("personalapitoken"));
        self.fake.count(&Filter::host(Host::Connectapi)) + self.fake.count(&Filter::host(Host::Personal)) - keys
    }

    pub fn rows(&self, sql: &str) -> Vec<Map<String, Value>> {
        use rusqlite::types::ValueRef;
        let database = rusqlite::Connection::open(self.dir.path().join("garmin.db")).unwrap();
        let mut statement = database.prepare(sql).unwrap();
        let columns: Vec<String> = statement.column_names().into_iter().map(String::from).collect();
        let rows = statement.query_map([], |row| {
            let value = |(at, name): (usize, &String)| {
                let value = match row.get_ref(at).unwrap() {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => (number as f64).into(),
                    ValueRef::Real(number) => number.into(),
                    other => other.as_str().unwrap().into(),
                };
                (name.clone(), value)
            };
            Ok(columns.iter().enumerate().map(value).collect())
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// `SELECT key, count(*)` and the like, as text.
    /// Lets time pass, in SQLite's words, since all that the ledger knows.
    pub fn age(&self, by: &str) {
        let database = rusqlite::Connection::open(self.dir.path().join("garmin.db")).unwrap();
        let sql = "UPDATE ledger SET fetched_utc = strftime('%Y-%m-%dT%H:%M:%SZ', fetched_utc, ?1)";
        database.execute(sql, [by]).unwrap();
    }

    pub fn counts(&self, sql: &str) -> BTreeMap<String, u64> {
        let rows = self.rows(sql).into_iter().map(|row| row.into_iter().map(|(_, value)| value).collect::<Vec<_>>());
        rows.map(|row| (row[0].as_str().unwrap().into(), row[1].as_f64().unwrap() as u64)).collect()
    }

    pub fn file(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Every table holds exactly what Garmin holds from `from` on, and every file is the one Garmin has.
    pub fn assert_complete(&self, from: NaiveDate) {
        let life = self.life();
        let whole_sleep = self.tiers.contains(&Tier::Personal);
        let days = || life.days().filter(|(day, _)| *day >= from).map(|(_, data)| data.clone());
        self.same("daily_summary ORDER BY day", days().filter_map(|day| day.daily).map(|row| truth(&row, &[])));
        let missing: &[&str] = if whole_sleep { &[] } else { &SleepTruth::NOT_IN_STATS };
        self.same("sleep ORDER BY day", days().filter_map(|day| day.sleep).map(|row| truth(&row, missing)));
        self.same("hrv ORDER BY day", days().filter_map(|day| day.hrv).map(|row| truth(&row, &[])));
        let mut activities: Vec<_> =
            life.activities().into_iter().filter(|activity| activity.start_local.date() >= from).collect();
        activities.sort_by_key(|activity| activity.activity_id);
        // When an activity was changed stands in its detail, not in the list.
        self.same("activity ORDER BY activity_id", activities.iter().map(|row| truth(row, &["updated_utc"])));

        let files = self.rows("SELECT * FROM original ORDER BY activity_id");
        let originals: Vec<_> =
            activities.iter().filter_map(|a| Some((a.activity_id, life.original(a.activity_id)?))).collect();
        assert_eq!(files.len(), originals.len(), "originals");
        for (row, (id, original)) in files.iter().zip(originals) {
            assert_eq!(row["activity_id"], id as f64);
            let path = row["path"].as_str().unwrap();
            assert_eq!(std::fs::read(self.file(path)).unwrap(), original.bytes, "{path}");
            assert_eq!(row["sha256"], garminsync_store::sha256_hex(&original.bytes));
        }
    }

    fn same(&self, table: &str, expected: impl Iterator<Item = Map<String, Value>>) {
        let expected: Vec<_> = expected.collect();
        let mut found = self.rows(&format!("SELECT * FROM {table}"));
        assert_eq!(found.len(), expected.len(), "{table}");
        for (found, expected) in found.iter_mut().zip(expected) {
            assert_eq!(found.remove("account"), Some("default".into()));
            found.retain(|column, _| expected.contains_key(column));
            assert_eq!(*found, expected, "{table}");
        }
    }
}

/// A truth as a row of the database, numbers as floats; columns that the tier does not tell are absent there.
pub fn truth(row: &impl serde::Serialize, missing: &[&str]) -> Map<String, Value> {
    let Value::Object(row) = serde_json::to_value(row).unwrap() else { panic!("no object") };
    let column = |(name, value): (String, Value)| {
        let value = match value.as_f64() {
            _ if missing.contains(&name.as_str()) => Value::Null,
            Some(number) => number.into(),
            None => value,
        };
        (name, value)
    };
    row.into_iter().map(column).collect()
}
