//! What every test stands on: a fake Garmin with its people, a home, and the two programs.

use std::time::{Duration, Instant};

use chrono::{NaiveDate, Utc};
use garminsync_test_support::fake::{FakeGarmin, Filter, Host, Options, Seen};
use garminsync_test_support::harness::{Binaries, Daemon, Home, PATIENCE, Ran, until};
use garminsync_test_support::people::{Person, SignInMood};

pub const PASSWORD: &str = "correct horse battery staple";
pub const ANA: &str = "ana@example.org";

/// Periodic syncs off: a test says itself when something happens. Five datasets, which everybody has on both tiers: what else there is
/// the daemon's own tests compare.
pub const QUIET: &str = "[datasets]\ninventory = false\ntraining = false\nbody = false\nwellness = false\nactivity = false\n\
    samples = false\ndaily_summary = true\nsleep = true\nhrv = true\nactivities = true\noriginal = true\n\n\
    [sync]\nschedule = \"\"\n";

pub struct Stage {
    pub fake: FakeGarmin,
    pub home: Home,
}

pub fn binaries() -> Binaries {
    Binaries { daemon: env!("CARGO_BIN_EXE_garminsyncd").into(), ctl: env!("CARGO_BIN_EXE_garminsyncctl").into() }
}

pub fn today() -> NaiveDate {
    Utc::now().date_naive()
}

/// Ana, who signs in like this and has a small life.
pub fn ana(mood: SignInMood) -> Person {
    Person::named(ANA).password(PASSWORD).mood(mood).lived(today(), 20, 3)
}

impl Stage {
    pub async fn set(person: Person, more: &str) -> Self {
        let fake = FakeGarmin::start(Options::default()).await.expect("the fake starts");
        fake.add(person);
        let endpoints = format!("{}\nsign_in_pause_s = 0\n", fake.endpoints_toml());
        let home = Home::new(&binaries(), &endpoints, &format!("{QUIET}\n{more}")).expect("a home");
        Self { fake, home }
    }

    /// Ana signed in, and everything read.
    pub async fn mirrored() -> (Self, Daemon) {
        let stage = Self::set(ana(SignInMood::Ok), "").await;
        let daemon = Daemon::start(&stage.home).await;
        assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
        // The first sync, or what the login's own run has left of it.
        assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
        stage.login_has_synced().await;
        (stage, daemon)
    }

    /// The vault, as another program sees it.
    pub fn vault(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.home.state_dir().join("vault.db")).expect("the vault")
    }

    /// `login` with the password on standard input.
    pub async fn login(&self, password: &str, more: &[&str]) -> Ran {
        let words = [&["login", "--email", ANA, "--password-stdin"], more].concat();
        self.home.ctl_with(&words, &format!("{password}\n")).await
    }

    /// Waits until the account's `status` passes. A sync may take its time on a slow machine: patience begins anew with each request that comes.
    pub async fn account_is(&self, what: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let begun = Instant::now();
        let (mut asked, mut since) = (0, begun);
        loop {
            let account = self.home.account("default").await;
            if wanted(&account) {
                return account;
            }
            let so_far = self.fake.count(&Filter::default());
            if so_far != asked {
                (asked, since) = (so_far, Instant::now());
            }
            if since.elapsed() > PATIENCE || begun.elapsed() > 10 * PATIENCE {
                let (gaps, log) = (self.home.ctl(&["gaps"]).await.stdout, self.home.log());
                let newest: Vec<_> = log.lines().skip(log.lines().count().saturating_sub(20)).collect();
                panic!("it did not come true that {what}: {account:#}\n{gaps}\n{}", newest.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a sync hears that no credential works any more. The login's own sync, with nothing left to ask, may come late on a slow
    /// machine; then the first of these joins it.
    pub async fn needs_login(&self) {
        let sync = || async { (self.home.ctl(&["sync", "--wait"]).await.code == 4).then_some(()) };
        until("a sync needs a login", sync).await;
    }

    /// Waits until the sync that follows a login by itself is over: it may come before one that was asked for, or after it. Until then another may
    /// have to wait for it, and a daemon that is stopped has it to go on with.
    pub async fn login_has_synced(&self) {
        until("the login's own sync ends", || async {
            let history = self.home.ctl(&["history", "--last", "9", "--json"]).await.json();
            let over = |run: &serde_json::Value| run["trigger"] == "login" && run["ended_at"].is_string();
            history["runs"].as_array().is_some_and(|runs| runs.iter().any(over)).then_some(())
        })
        .await;
    }

    /// Waits until no sync is under way.
    pub async fn idle(&self) {
        self.account_is("the sync ends", |account| account["sync"]["state"] != "running").await;
    }

    /// Requests that Garmin's sign-in has seen by method and part of their path.
    pub fn asked(&self, host: Host, method: &str, path: &str) -> usize {
        self.fake.count(&Filter::host(host).method(method).path(path))
    }

    /// The tokens that a key was to be exchanged for, as seconds from one such request to the next.
    pub fn between_exchanges(&self) -> Vec<i64> {
        let requests = self.fake.requests();
        let of_key = |seen: &&Seen| seen.host == Host::Personal && seen.method == "POST" && seen.path.contains("token");
        let moments: Vec<_> = requests.iter().filter(of_key).map(|seen| seen.at).collect();
        moments.windows(2).map(|pair| (pair[1] - pair[0]).num_seconds()).collect()
    }

    /// What Garmin's sign-in, its token service and the check of a login were asked for: `2 POST /mobile/api/login`, sorted.
    pub fn sent(&self) -> Vec<String> {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for seen in self.fake.requests() {
            let counted = match seen.host {
                Host::Sso | Host::Diauth => true,
                Host::Connectapi => seen.path.ends_with("socialProfile"),
                Host::Personal => false,
            };
            if counted {
                *counts.entry(format!("{} {}", seen.method, seen.path)).or_default() += 1;
            }
        }
        let mut sent: Vec<String> = counts.into_iter().map(|(place, count)| format!("{count} {place}")).collect();
        sent.sort();
        sent
    }

    /// The newest code that was mailed to Ana.
    pub fn code(&self) -> String {
        self.fake.mail(ANA).last().expect("a mail").code.clone()
    }

    /// Any code but the right one.
    pub fn wrong_code(&self) -> String {
        if self.code() == "123456" { "654321".into() } else { "123456".into() }
    }
}
