//! The tables are only projections: made anew from the archive they are the same, without a request to Garmin, at any moment of being
//! killed; a new release makes anew what its SQL says differently, and old databases come along.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use garminsync_test_support::fake::Host;
use garminsync_test_support::harness::{Daemon, Ran, run, until};
use garminsync_test_support::people::SignInMood;
use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use crate::stage::{Stage, ana};

/// Every row of every table that is made from the archive, whatever datasets there are.
pub fn projected(database: &Connection) -> BTreeMap<String, Vec<Vec<Sql>>> {
    let mut tables = database.prepare("SELECT tables FROM projection").expect("projections");
    let names =
        tables.query_map([], |row| row.get::<_, String>(0)).expect("projections").map(|row| row.expect("a row"));
    let names: Vec<String> = names.flat_map(|names| names.split(',').map(String::from).collect::<Vec<_>>()).collect();
    names.into_iter().map(|table| (table.clone(), rows(database, &format!("SELECT * FROM \"{table}\"")))).collect()
}

fn rows(database: &Connection, sql: &str) -> Vec<Vec<Sql>> {
    let mut statement = database.prepare(sql).expect(sql);
    let columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect::<Result<Vec<Sql>, _>>();
    let mut rows: Vec<_> = statement.query_map([], read).expect(sql).map(|row| row.expect("a row")).collect();
    rows.sort_by_cached_key(|row| format!("{row:?}"));
    rows
}

fn look(stage: &Stage) -> Connection {
    stage.home.database().expect("garmin.db")
}

/// A second hand in the database, as of another program.
fn hand(stage: &Stage) -> Connection {
    Connection::open(stage.home.data_dir().join("garmin.db")).expect("garmin.db")
}

fn damage(stage: &Stage) {
    let hand = hand(stage);
    for table in projected(&hand).keys() {
        hand.execute_batch(&format!("DELETE FROM \"{table}\" WHERE random() % 2 = 0")).expect("damage");
    }
}

/// Runs the daemon's program to its end.
pub async fn garminsyncd(stage: &Stage, words: &[&str]) -> Ran {
    let mut command = stage.home.command(stage.home.daemon_program());
    command.args(words);
    run(command, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_gives_every_row_of_every_table_back_without_asking_garmin() {
    let (stage, mut daemon) = Stage::mirrored().await;
    let before = projected(&look(&stage));
    assert!(before.values().map(Vec::len).sum::<usize>() > 60, "{before:?}");

    // Beside a living daemon it refuses.
    let beside = garminsyncd(&stage, &["--rebuild"]).await;
    assert_eq!(beside.code, 75, "{beside:?}");
    assert!(beside.stderr.contains("stop it first"), "{beside:?}");
    daemon.signal("TERM");
    assert!(daemon.ended().await.success());

    let unknown = garminsyncd(&stage, &["--rebuild", "steeps"]).await;
    assert_eq!(unknown.code, 2, "{unknown:?}");

    let asked = stage.fake.requests().len();
    damage(&stage);
    let damaged = projected(&look(&stage));
    assert_ne!(damaged, before);
    let one = garminsyncd(&stage, &["--rebuild", "hrv"]).await;
    assert_eq!(one.code, 0, "{one:?}");
    let partly = projected(&look(&stage));
    assert_eq!((&partly["hrv"], &partly["sleep"]), (&before["hrv"], &damaged["sleep"]), "only what was named");

    // Killed at any moment, each table is the one from before or the whole new one, and can be read.
    let mut seed = 0x2026_u64;
    for _ in 0..20 {
        let rebuild = Daemon::spawn(&stage.home, &["--rebuild"]);
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tokio::time::sleep(Duration::from_millis((seed >> 33) % 60)).await;
        rebuild.kill().await;
        for (table, rows) in projected(&look(&stage)) {
            assert!(rows == damaged[&table] || rows == before[&table], "{table} is half made");
        }
    }
    let all = garminsyncd(&stage, &["--rebuild"]).await;
    assert_eq!(all.code, 0, "{all:?}");
    assert!(all.stderr.contains("dataset=\"sleep\"") && all.stderr.contains("rebuilt"), "{all:?}");
    assert_eq!(projected(&look(&stage)), before);
    assert_eq!(stage.fake.requests().len(), asked, "Garmin was not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_release_projects_otherwise_is_made_anew_by_itself() {
    let (stage, daemon) = Stage::mirrored().await;
    assert!(daemon.terminate().await.success());
    let before = projected(&look(&stage));
    damage(&stage);
    // As if another release had made the tables of sleep, and those of hrv with answers that fit nothing.
    let hand = hand(&stage);
    hand.execute_batch("UPDATE projection SET sql_sha256 = 'of another release' WHERE dataset IN ('sleep', 'hrv')")
        .expect("a hand");
    hand.execute_batch("UPDATE answer SET body = x'00' WHERE dataset = 'hrv'").expect("a hand");
    let damaged = projected(&hand);
    drop(hand);

    let daemon = Daemon::start(&stage.home).await;
    let status = until("the tables are made anew", || async {
        let status = stage.home.ctl(&["status", "--json"]).await.json();
        let kinds = status["troubles"].as_array()?.iter().map(|trouble| trouble["kind"].as_str());
        (kinds.collect::<Vec<_>>() == [Some("tables.outdated")]).then_some(status)
    })
    .await;
    let text = status["troubles"][0]["text"].as_str().expect("a text").to_owned();
    assert!(text.contains("hrv") && text.contains("cannot be understood"), "{text}");
    let now = projected(&look(&stage));
    assert_eq!(now["sleep"], before["sleep"]);
    assert_eq!(now["hrv"], damaged["hrv"], "the old table stays");
    assert_eq!(now["daily_summary"], damaged["daily_summary"], "what did not change is left alone");
    assert!(daemon.terminate().await.success());
}

fn golden() -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = std::fs::read_dir(dir).expect("golden files").map(|entry| entry.expect("an entry").path());
    let databases = files.filter(|path| path.to_string_lossy().ends_with(".db.zst"));
    databases.map(|path| zstd::decode_all(std::fs::read(path).expect("a file").as_slice()).expect("zstd")).collect()
}

/// The daemon of today starts on every database of yesterday, also when it is killed in the middle of changing it.
#[tokio::test(flavor = "multi_thread")]
async fn old_databases_come_along_whenever_the_daemon_is_killed() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    let facts = "SELECT account, dataset, item, sha256, body FROM answer";
    let marks = "SELECT account, dataset, item, state, fetched_utc, attempts, detail FROM ledger";
    for bytes in golden() {
        let _ = std::fs::remove_dir_all(stage.home.data_dir());
        std::fs::create_dir_all(stage.home.data_dir()).expect("a directory");
        std::fs::write(stage.home.data_dir().join("garmin.db"), &bytes).expect("a database");
        let before = (rows(&look(&stage), facts), rows(&look(&stage), marks));
        let mut seed = 0x1999_u64;
        for _ in 0..20 {
            let daemon = Daemon::spawn(&stage.home, &[]);
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            tokio::time::sleep(Duration::from_millis((seed >> 33) % 40)).await;
            daemon.kill().await;
        }
        let daemon = Daemon::start(&stage.home).await;
        assert_eq!((rows(&look(&stage), facts), rows(&look(&stage), marks)), before);
        let copies =
            std::fs::read_dir(stage.home.data_dir().join("backups")).expect("copies").map(|copy| copy.expect("a copy"));
        for copy in copies {
            let copy = Connection::open(copy.path()).expect("a copy");
            assert_eq!((rows(&copy, facts), rows(&copy, marks)), before);
        }
        assert!(daemon.terminate().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_is_refused_by_name_and_number() {
    let stage = Stage::set(ana(SignInMood::Ok), "").await;
    std::fs::create_dir_all(stage.home.data_dir()).expect("a directory");
    hand(&stage).execute_batch("PRAGMA user_version = 77").expect("a hand");
    let refused = garminsyncd(&stage, &[]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("garmin.db has schema 77, this garminsyncd knows schemas up to"), "{refused:?}");
    assert_eq!(stage.asked(Host::Connectapi, "GET", ""), 0);
}
