//! Signing out: the secrets go and the data stay; or, if a person says so twice, the data go too, and nothing else.

use std::time::Duration;

use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use garminsync_test_support::harness::{Daemon, Terminal, until};
use garminsync_test_support::people::{Person, SignInMood};
use rusqlite::Connection;

use crate::stage::{PASSWORD, Stage, ana, today};

const EVA: &str = "eva@example.org";

/// Ana as `default` and Eva as `eva`, both mirrored.
async fn two_people() -> (Stage, Daemon) {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    stage.fake.add(Person::named(EVA).password(PASSWORD).lived(today(), 20, 3));
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    let words = ["--account", "eva", "login", "--email", EVA, "--password-stdin"];
    assert_eq!(stage.home.ctl_with(&words, &format!("{PASSWORD}\n")).await.code, 0);
    for account in ["default", "eva"] {
        assert_eq!(stage.home.ctl(&["--account", account, "sync", "--wait"]).await.code, 0);
    }
    (stage, daemon)
}

/// Every row and every file of an account, counted from outside.
fn held(stage: &Stage, account: &str) -> (i64, usize) {
    let database = stage.home.database().expect("the database");
    let number = |sql: &str| database.query_row(sql, [account], |row| row.get::<_, i64>(0)).expect("a number");
    let mut tables = database
        .prepare("SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'account' WHERE m.type = 'table'")
        .expect("tables");
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).expect("tables").map(|name| name.expect("a name")).collect();
    assert!(tables.len() > 7, "{tables:?}");
    let mut rows = number("SELECT count(*) FROM account WHERE name = ?1");
    for table in tables {
        rows += number(&format!("SELECT count(*) FROM \"{table}\" WHERE account = ?1"));
    }
    let mut paths = database.prepare("SELECT path FROM original WHERE account = ?1").expect("originals");
    let paths = paths.query_map([account], |row| row.get::<_, String>(0)).expect("originals");
    let files = paths.filter(|path| path.as_ref().is_ok_and(|path| stage.home.data_dir().join(path).is_file())).count();
    (rows, files)
}

fn all_files(stage: &Stage) -> usize {
    let mut dirs = vec![stage.home.data_dir().join("activities")];
    let mut files = 0;
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
            if entry.path().is_dir() { dirs.push(entry.path()) } else { files += 1 }
        }
    }
    files
}

async fn names(stage: &Stage) -> Vec<String> {
    let list = stage.home.ctl(&["accounts", "--json"]).await.json();
    let accounts = list["accounts"].as_array().cloned().unwrap_or_default();
    accounts.iter().filter_map(|account| account["name"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_keeps_the_data_and_the_account_stays_in_sight() {
    let (stage, daemon) = two_people().await;
    let before = held(&stage, "eva");
    assert_eq!(stage.home.ctl(&["--account", "eva", "logout"]).await.code, 0);
    assert_eq!(held(&stage, "eva"), before);
    daemon.kill().await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(names(&stage).await, ["default", "eva"], "its data are here");
    let eva = stage.home.account("eva").await;
    assert_eq!(eva["state"], "signed_out");
    assert!(eva["sync"]["newest_day"].is_string(), "{eva}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_takes_all_of_one_account_and_nothing_of_another() {
    let (stage, daemon) = two_people().await;
    let (ana, eva) = (held(&stage, "default"), held(&stage, "eva"));
    assert!(ana.1 > 0 && eva.1 > 0 && all_files(&stage) == ana.1 + eva.1, "{ana:?} {eva:?}");

    // Nobody can be asked, so nothing happens.
    let unasked = stage.home.ctl(&["--account", "eva", "logout", "--forget-data"]).await;
    assert_eq!(unasked.code, 2, "{unasked:?}");
    assert!(unasked.stderr.contains("--forget-data --yes"), "{unasked:?}");
    assert_eq!(stage.home.account("eva").await["state"], "active");

    let announced: i64 = stage
        .home
        .database()
        .expect("the database")
        .query_row(
            "SELECT (SELECT sum(bytes) FROM original WHERE account = 'eva')
                 + (SELECT sum(length(body)) FROM answer WHERE account = 'eva')",
            [],
            |row| row.get(0),
        )
        .expect("a number");
    let gone = stage.home.ctl(&["--account", "eva", "logout", "--forget-data", "--yes", "--json"]).await;
    assert_eq!(gone.code, 0, "{gone:?}");
    let gone = gone.json();
    assert_eq!(gone["forgotten"]["bytes"].as_i64(), Some(announced), "what is said before is what is said after");
    assert_eq!(
        (gone["forgotten"]["rows"].as_i64(), gone["forgotten"]["files"].as_u64()),
        (Some(eva.0), Some(eva.1 as u64))
    );
    assert_eq!((held(&stage, "eva"), held(&stage, "default")), ((0, 0), ana));
    assert_eq!(all_files(&stage), ana.1);
    assert_eq!(names(&stage).await, ["default"]);
    let unknown = stage.home.ctl(&["--account", "eva", "logout", "--forget-data", "--yes"]).await;
    assert_eq!(unknown.code, 1, "{unknown:?}");
    daemon.kill().await;
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(names(&stage).await, ["default"]);

    // The name is free, for anybody.
    let words = ["--account", "eva", "login", "--email", EVA, "--password-stdin"];
    assert_eq!(stage.home.ctl_with(&words, &format!("{PASSWORD}\n")).await.code, 0);
    assert_eq!(stage.home.ctl(&["--account", "eva", "sync", "--wait"]).await.code, 0);
    assert_eq!(held(&stage, "eva").1, eva.1);
}

/// The account is signed out already, and a sync of another one hangs; then one whose own sync hangs.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_under_way_ends_first() {
    let (stage, _daemon) = two_people().await;
    assert_eq!(stage.home.ctl(&["--account", "eva", "logout"]).await.code, 0);
    stage.fake.misbehave(Rule::does(Effect::hang(Duration::from_secs(600))).host(Host::Connectapi));
    assert_eq!(stage.home.ctl(&["sync", "--no-wait"]).await.code, 0);
    stage.account_is("the sync runs", |account| account["sync"]["state"] == "running").await;
    assert_eq!(stage.home.ctl(&["--account", "eva", "logout", "--forget-data", "--yes"]).await.code, 0);
    assert_eq!(held(&stage, "eva"), (0, 0));
    assert_eq!(stage.home.account("default").await["sync"]["state"], "running");

    assert_eq!(stage.home.ctl(&["logout", "--forget-data", "--yes"]).await.code, 0);
    assert_eq!(held(&stage, "default"), (0, 0));
    assert_eq!(all_files(&stage), 0);
    let status = stage.home.status().await;
    assert_eq!(status["accounts"][0]["sync"]["state"], "idle", "{status}");
    assert!(status["accounts"][0]["troubles"].as_array().is_some_and(Vec::is_empty), "{status}");
}

/// Killed in the middle: the secrets are gone, and the next daemon removes the rest without being asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_leaves_nothing_half() {
    let (stage, daemon) = two_people().await;
    let ana = held(&stage, "default");
    let path = stage.home.data_dir().join("garmin.db");
    let mut outside = Connection::open(path).expect("the database");
    outside.busy_timeout(Duration::from_secs(30)).expect("patience");
    outside
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
             INSERT INTO ledger (account, dataset, item, state, fetched_utc, attempts)
             SELECT 'eva', 'padding', i, 'ok', '2026-01-01T00:00:00Z', 0 FROM n",
        )
        .expect("a long history");
    let mut ctl = stage.home.command(stage.home.ctl_program());
    ctl.args(["--account", "eva", "logout", "--forget-data", "--yes"]);
    let mut ctl =
        ctl.stderr(std::process::Stdio::null()).stdout(std::process::Stdio::null()).spawn().expect("ctl starts");
    let left = |database: &Connection| -> i64 {
        let sql = "SELECT count(*) FROM ledger WHERE account = 'eva' AND dataset = 'padding'";
        database.query_row(sql, [], |row| row.get(0)).expect("a number")
    };
    let reader = stage.home.database().expect("the database");
    until("some rows are gone", || async { (left(&reader) < 60000).then_some(()) }).await;
    // Hold the database where it is: some rows are gone, and some are not.
    let lock = outside.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("the lock");
    assert!(left(&lock) > 0, "it was too quick to be caught");
    let account = stage.home.account("eva").await;
    assert_eq!(account["state"], "signed_out", "{account}");
    assert_eq!(account["troubles"][0]["kind"], "data.forgetting", "{account}");
    let login = ["--account", "eva", "login", "--email", EVA, "--password-stdin"];
    assert_eq!(stage.home.ctl_with(&login, &format!("{PASSWORD}\n")).await.code, 1, "not before it is done");
    daemon.kill().await;
    drop(lock);
    let _ = ctl.wait().await;
    let asked = stage.fake.count(&Filter::host(Host::Sso));
    let _daemon = Daemon::start(&stage.home).await;
    until("the rest is gone", || async { (names(&stage).await == ["default"]).then_some(()) }).await;
    assert_eq!((held(&stage, "eva"), held(&stage, "default")), ((0, 0), ana));
    assert_eq!(all_files(&stage), ana.1);
    assert_eq!(stage.fake.count(&Filter::host(Host::Sso)), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_the_name_is_typed() {
    let (stage, _daemon) = two_people().await;
    let words = ["--account", "eva", "logout", "--forget-data"];
    let mut terminal = Terminal::ctl(&stage.home, &words).expect("a terminal");
    terminal.sees("original files");
    terminal.sees("Type the account's name");
    terminal.types("yes\n", false);
    assert_eq!(terminal.ends(), 1, "{}", terminal.screen());
    assert_eq!(stage.home.account("eva").await["state"], "active");
    let mut terminal = Terminal::ctl(&stage.home, &words).expect("a terminal");
    terminal.sees("Type the account's name");
    terminal.types("eva\n", false);
    assert_eq!(terminal.ends(), 0, "{}", terminal.screen());
    terminal.sees("its data are gone");
    assert_eq!(held(&stage, "eva"), (0, 0));
}

/// Garmin's block is no secret and no row: it outlives both, and whoever forgets everything hears so.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_outlives_what_is_forgotten() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let _daemon = Daemon::start(&stage.home).await;
    stage.fake.misbehave(Rule::does(Effect::CloudflareChallenge).host(Host::Sso));
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 6);
    let gone = stage.home.ctl(&["logout", "--forget-data", "--yes"]).await;
    assert!(gone.code == 0 && gone.stderr.contains("goes on all the same: garminsyncctl status"), "{gone:?}");
    assert_eq!(stage.home.account("default").await["state"], "cooling_down");
}
