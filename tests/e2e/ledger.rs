//! What the ledger tells people: gaps with their reasons, runs, datasets; and `sync --missing`, which reads only the gaps.

use garminsync_test_support::fake::{Effect, Host, Rule};
use garminsync_test_support::harness::{Daemon, Ran, until};
use garminsync_test_support::people::{Person, SignInMood};
use serde_json::Value;

use crate::stage::{ANA, PASSWORD, Stage, ana, today};

fn gaps_of<'a>(gaps: &'a Value, dataset: &str) -> Vec<&'a Value> {
    gaps["gaps"].as_array().expect("gaps").iter().filter(|gap| gap["dataset"] == dataset).collect()
}

fn find<'a>(datasets: &'a Value, name: &str) -> &'a Value {
    datasets["datasets"].as_array().expect("datasets").iter().find(|one| one["name"] == name).expect(name)
}

fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_say_why_and_a_sync_of_what_is_missing_reads_nothing_else() {
    let first = today() - chrono::Days::new(19);
    let stage = Stage::set(ana(SignInMood::Ok), &format!("start = \"{first}\"\n")).await;
    stage.fake.misbehave(Rule::does(Effect::status(500)).host(Host::Connectapi).path("/hrv-service/"));
    stage.fake.misbehave(Rule::does(Effect::status(403)).host(Host::Connectapi).path("/download-service/"));
    let _daemon = Daemon::start(&stage.home).await;
    let nobody = stage.home.ctl(&["--account", "nobody", "gaps", "--json"]).await;
    assert_eq!(nobody.json()["error"]["kind"], "unknown_account", "{nobody:?}");
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 1);
    stage.login_has_synced().await;

    let gaps = done(stage.home.ctl(&["gaps", "--json"]).await).json();
    let hrv = gaps_of(&gaps, "hrv");
    let [gap] = hrv.as_slice() else { panic!("{hrv:?}") };
    assert_eq!(
        (&gap["state"], &gap["unit"], &gap["from"]),
        (&"error".into(), &"day".into(), &first.to_string().into())
    );
    assert!(gap["detail"].as_str().is_some_and(|why| why.contains("500")), "{gap}");
    assert!(gap["since"].is_string() && gap["attempts"].as_u64() >= Some(1), "{gap}");
    let files = gaps_of(&gaps, "original");
    assert_eq!(files.iter().filter_map(|gap| gap["missing"].as_u64()).sum::<u64>(), 3, "{files:?}");
    assert!(gaps_of(&gaps, "sleep").is_empty(), "{gaps}");
    let table = done(stage.home.ctl(&["gaps", "--dataset", "hrv"]).await);
    assert!(table.stdout.contains("DATASET") && table.stdout.contains("hrv"), "{table:?}");
    assert!(!table.stdout.contains("original") && table.stderr.contains("sync --missing"), "{table:?}");
    let csv = done(stage.home.ctl(&["gaps", "--output", "csv"]).await).stdout;
    assert!(
        csv.starts_with("dataset,from,to,missing,unit,state,detail,since,attempts,next_at,rests_until\r\n"),
        "{csv}"
    );

    stage.fake.behave();
    stage.fake.forget_requests();
    done(stage.home.ctl(&["sync", "--missing"]).await);
    let asked: Vec<String> =
        stage.fake.requests().into_iter().filter(|seen| seen.host == Host::Connectapi).map(|seen| seen.path).collect();
    assert!(!asked.is_empty());
    assert!(
        asked.iter().all(|path| path.contains("/hrv-service/") || path.contains("/download-service/")),
        "{asked:?}"
    );
    let filled = done(stage.home.ctl(&["gaps"]).await);
    assert_eq!((filled.stdout.as_str(), filled.stderr.trim()), ("", "Nothing is missing."));
    stage.fake.forget_requests();
    done(stage.home.ctl(&["sync", "--missing"]).await);
    assert_eq!(stage.asked(Host::Connectapi, "GET", ""), 0, "nothing is missing, nothing is asked");

    let history = done(stage.home.ctl(&["history", "--json"]).await).json();
    let runs = history["runs"].as_array().expect("runs");
    let outcomes: Vec<_> = runs.iter().map(|run| run["outcome"].as_str().expect("an outcome")).collect();
    assert_eq!(outcomes.first_chunk(), Some(&["ok", "ok", "partial"]), "{history}");
    assert!(runs[1]["requests"].as_u64() >= Some(4) && runs[1]["bytes"].as_u64() > Some(1000), "{history}");
    assert!(runs[1]["duration_s"].is_u64() && runs[1]["ended_at"].is_string(), "{history}");
    let one = done(stage.home.ctl(&["history", "--last", "1", "--output", "csv"]).await).stdout;
    assert_eq!(one.lines().count(), 2, "{one}");
    assert!(done(stage.home.ctl(&["history"]).await).stdout.contains("partial"));

    let datasets = done(stage.home.ctl(&["datasets", "--json"]).await).json();
    let hrv = find(&datasets, "hrv");
    assert_eq!((&hrv["on"], &hrv["reachable"], &hrv["missing"]), (&true.into(), &true.into(), &0.into()));
    assert!(hrv["held"].as_u64() >= Some(10) && hrv["last_read_at"].is_string(), "{hrv}");
    assert!(hrv["oldest"].as_str() >= Some(first.to_string().as_str()), "{hrv}");
    assert_eq!(find(&datasets, "original")["held"], 3);
    assert!(done(stage.home.ctl(&["datasets"]).await).stdout.contains("LAST READ"));

    let wrong = stage.home.ctl(&["gaps", "--dataset", "steeps"]).await;
    assert!(wrong.code == 1 && wrong.stderr.contains("steeps"), "{wrong:?}");
    let yaml = done(stage.home.ctl(&["history", "--last", "1", "--output", "yaml"]).await).stdout;
    assert!(
        yaml.contains("\nruns:\n- ") && yaml.contains("  outcome: ok\n") && yaml.ends_with("version: 1\n"),
        "{yaml}"
    );
    let refused = stage.home.ctl(&["logout", "--output", "csv"]).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    done(stage.home.ctl(&["logout"]).await);
    done(stage.home.ctl(&["history"]).await);
    done(stage.home.ctl(&["gaps"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_gap_says_why_and_when_it_is_tried_and_status_counts_the_same() {
    // A schedule that has its next turn long after this test.
    let first = today() - chrono::Days::new(19);
    let stage = Stage::set(ana(SignInMood::Ok), &format!("start = \"{first}\"\n")).await;
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    std::fs::write(stage.home.config_file(), config.replace("schedule = \"\"", "schedule = \"0 0 29 2 *\""))
        .expect("a file");
    let misbehave = |status, path: &str| {
        stage.fake.misbehave(Rule::does(Effect::status(status)).host(Host::Connectapi).path(path));
    };
    misbehave(403, "/hrv-service/");
    misbehave(400, "/sleep-service/");
    misbehave(403, "/download-service/");
    let _daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    // The login's own sync is the first to try.
    let has_tried =
        |account: &Value| account["sync"]["last_error"].is_string() && account["sync"]["state"] != "running";
    stage.account_is("the login's own sync is over", has_tried).await;
    let mut resting = Vec::new();
    for tries in 1..=3 {
        if tries > 1 {
            stage.home.ctl(&["sync", "--wait"]).await;
        }
        let gaps = done(stage.home.ctl(&["gaps", "--json"]).await).json();
        let rows = gaps["gaps"].as_array().expect("gaps");
        let missing: u64 = rows.iter().filter_map(|gap| gap["missing"].as_u64()).sum();
        assert_eq!((&gaps["missing"], &gaps["login_needed"]), (&missing.into(), &false.into()), "{gaps}");
        let sync = stage.home.account("default").await["sync"].clone();
        assert_eq!(sync["gaps"], missing, "{gaps}");
        // What is not served is told apart; the files, which this person may not have one by one, are not among it.
        assert_eq!(sync["not_served"], serde_json::json!({ "hrv": gaps_of(&gaps, "hrv")[0]["missing"] }), "{gaps}");
        assert!(done(stage.home.ctl(&["status"]).await).stdout.contains(", hrv not served,"));
        for gap in rows {
            assert!(gap["detail"].as_str().is_some_and(|why| !why.is_empty()) && gap["next_at"].is_string(), "{gap}");
        }
        let why = |dataset| gaps_of(&gaps, dataset)[0]["detail"].as_str().unwrap_or_default().to_owned();
        assert!(why("hrv").contains("does not serve"), "{gaps}");
        assert!(why("sleep").contains("HTTP 400") && why("original").contains("does not allow"), "{gaps}");
        let sleep = gaps_of(&gaps, "sleep");
        assert!(sleep.iter().all(|gap| gap["state"] == "error" && gap["attempts"] == tries), "{gaps}");
        resting = sleep.iter().filter(|gap| gap["rests_until"].is_string()).map(|gap| gap["to"].clone()).collect();
        assert_eq!(resting.is_empty(), tries < 3, "{gaps}");
        let table = done(stage.home.ctl(&["gaps", "--dataset", "sleep"]).await);
        let hint = if tries < 3 { "garminsyncctl sync --missing" } else { "by itself" };
        assert!(table.stdout.contains("HTTP 400") && table.stderr.contains(hint), "{table:?}");
    }
    assert!(!resting.is_empty());
    // What rests is asked for by nobody, not even by a person.
    stage.fake.forget_requests();
    stage.home.ctl(&["sync", "--missing"]).await;
    assert_eq!(stage.asked(Host::Connectapi, "GET", "/sleep-service/"), 0);

    // Signed out, the same is missing, and a login is what helps.
    done(stage.home.ctl(&["logout"]).await);
    let gaps = done(stage.home.ctl(&["gaps", "--json"]).await).json();
    assert_eq!(gaps["login_needed"], true, "{gaps}");
    assert_eq!(stage.home.account("default").await["sync"]["gaps"], gaps["missing"], "{gaps}");
    let table = done(stage.home.ctl(&["gaps"]).await);
    assert!(table.stdout.contains("after a login") && table.stderr.contains("garminsyncctl login"), "{table:?}");
}

/// Every row that is written from now on, whoever writes it, leaves a line in `written`.
pub fn watch(database: &rusqlite::Connection) {
    let tables: Vec<String> = {
        let mut statement = database
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            .expect("a schema");
        statement.query_map([], |row| row.get(0)).expect("tables").map(|name| name.expect("a name")).collect()
    };
    assert!(tables.len() > 10, "{tables:?}");
    database.execute_batch("CREATE TABLE written (name TEXT, what TEXT)").expect("a table");
    for table in tables {
        for what in ["INSERT", "UPDATE", "DELETE"] {
            let log = format!("INSERT INTO written VALUES ('{table}', '{what}')");
            let trigger = format!("CREATE TRIGGER \"{table}_{what}\" AFTER {what} ON \"{table}\" BEGIN {log}; END");
            database.execute_batch(&trigger).expect(&trigger);
        }
    }
}

/// What was, each once, as `table WHAT`.
pub fn written(stage: &Stage) -> Vec<String> {
    let database = stage.home.database().expect("garmin.db");
    let mut statement =
        database.prepare("SELECT DISTINCT name || ' ' || what FROM written ORDER BY 1").expect("a statement");
    statement.query_map([], |row| row.get(0)).expect("lines").map(|line| line.expect("a line")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_over_unchanged_data_writes_no_data() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    done(stage.home.ctl(&["sync", "--wait"]).await);
    stage.login_has_synced().await;
    let hand = rusqlite::Connection::open(stage.home.data_dir().join("garmin.db")).expect("garmin.db");
    watch(&hand);

    // With nothing to read, only the run itself is written.
    done(stage.home.ctl(&["sync", "--missing"]).await);
    assert_eq!(written(&stage), ["sync_run INSERT", "sync_run UPDATE"]);
    // With days to read again, the ledger says besides when they were read.
    done(stage.home.ctl(&["sync"]).await);
    assert_eq!(written(&stage), ["ledger UPDATE", "sync_run INSERT", "sync_run UPDATE"]);
    // Looking writes nothing at all, and neither does a restart.
    hand.execute_batch("DELETE FROM written").expect("a hand");
    for look in ["gaps", "history", "datasets", "status", "accounts"] {
        done(stage.home.ctl(&[look]).await);
    }
    assert!(daemon.terminate().await.success());
    let daemon = Daemon::start(&stage.home).await;
    assert!(daemon.terminate().await.success());
    assert_eq!(written(&stage), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_files_are_let_go_where_retention_says_so_and_never_fetched_again() {
    let person = Person::named(ANA).password(PASSWORD).mood(SignInMood::Ok).lived(today(), 365, 12);
    let first = today() - chrono::Days::new(364);
    let stage = Stage::set(person, &format!("start = \"{first}\"\n")).await;
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &[]).await.code, 0);
    done(stage.home.ctl(&["sync", "--wait"]).await);
    stage.login_has_synced().await;
    assert!(daemon.terminate().await.success());
    let originals = || {
        let database = stage.home.database().expect("garmin.db");
        let sql = "SELECT path, dropped_utc IS NOT NULL, date(start_local) FROM original JOIN activity USING (account, activity_id)";
        let mut statement = database.prepare(sql).expect(sql);
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, String>(2)?));
        statement.query_map([], read).expect(sql).map(|row| row.expect("a row")).collect::<Vec<_>>()
    };
    let before = originals();
    assert!(before.iter().all(|(path, dropped, _)| !dropped && stage.home.data_dir().join(path).exists()));

    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    std::fs::write(stage.home.config_file(), format!("{config}\n[retention]\noriginals = \"90d\"\n")).expect("a file");
    let _daemon = Daemon::start(&stage.home).await;
    let kept = (today() - chrono::Days::new(125)).to_string();
    until("old files are gone", || async {
        let old = |(_, dropped, day): &(String, bool, String)| *dropped || *day > kept;
        originals().iter().all(old).then_some(())
    })
    .await;
    let young = (today() - chrono::Days::new(90)).to_string();
    for (path, dropped, day) in originals() {
        assert_eq!(stage.home.data_dir().join(&path).exists(), !dropped, "{path}");
        assert!(!dropped || day < young, "{path} is younger than that");
    }
    stage.fake.forget_requests();
    done(stage.home.ctl(&["sync", "--wait"]).await);
    assert_eq!(stage.asked(Host::Connectapi, "GET", "/download-service/"), 0);
    assert_eq!(done(stage.home.ctl(&["gaps"]).await).stdout, "", "nothing is missing");
}
