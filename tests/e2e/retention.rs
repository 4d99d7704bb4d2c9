//! `[retention]` with real programs: what is let go of is gone from tables, archive and disk, is no gap, and is not fetched again.

use garminsync_test_support::fake::{Filter, Host};
use garminsync_test_support::harness::{Daemon, until};
use garminsync_test_support::people::SignInMood;

use crate::rebuild::garminsyncd;
use crate::stage::{PASSWORD, Stage, ana, today};

/// So many rows, or days, or files.
fn count(stage: &Stage, sql: &str) -> i64 {
    let database = stage.home.database().expect("garmin.db");
    database.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Requests for samples, and for original files.
fn fetched(stage: &Stage) -> usize {
    let asked = |path| stage.fake.count(&Filter::host(Host::Connectapi).path(path));
    asked("/wellness-service/wellness/dailyHeartRate") + asked("/download-service/files/activity")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_let_go_of_is_gone_and_stays_away() {
    let stage = Stage::set(ana(SignInMood::Ok).lived(today(), 240, 40), "").await;
    let config = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    let quick = config.replace("sign_in_pause_s = 0\n", "sign_in_pause_s = 0\nrequest_gap_s = 0.005\n");
    let quick = quick.replace("samples = false\n", "samples = false\nheart_rate = true\n");
    std::fs::write(stage.home.config_file(), quick).expect("written");
    let daemon = Daemon::start(&stage.home).await;
    assert_eq!(stage.login(PASSWORD, &["--no-wait"]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    stage.login_has_synced().await;
    assert!(daemon.terminate().await.success());

    const OLD: &str = "at < unixepoch('now', '-150 days')";
    let old_samples = format!("SELECT count(*) FROM heart_rate_sample WHERE {OLD}");
    let files = "SELECT count(*) FROM original WHERE dropped_utc IS NULL";
    let (rows, days, kept) = (
        count(&stage, "SELECT count(*) FROM heart_rate_sample"),
        count(&stage, "SELECT count(*) FROM daily_summary"),
        count(&stage, files),
    );
    assert!(count(&stage, &old_samples) > 10_000 && kept > 20, "{rows} samples, {kept} files");

    // By whole months, so that what is older than 150 days is gone for sure when 90 are kept.
    let with = std::fs::read_to_string(stage.home.config_file()).expect("the configuration");
    std::fs::write(stage.home.config_file(), format!("{with}\n[retention]\nsamples = \"90d\"\noriginals = \"90d\"\n"))
        .expect("written");
    let before = fetched(&stage);
    let daemon = Daemon::start(&stage.home).await;
    until("the old samples are gone", || async { (count(&stage, &old_samples) == 0).then_some(()) }).await;
    until("the old files are gone", || async { (count(&stage, files) < kept).then_some(()) }).await;
    assert!(count(&stage, "SELECT count(*) FROM heart_rate_sample") > 10_000, "the young ones stay");
    assert_eq!(count(&stage, "SELECT count(*) FROM daily_summary"), days, "rows of a day stay");
    let archived = "SELECT count(*) FROM answer WHERE dataset = 'heart_rate' AND item < date('now', '-150 days')";
    assert_eq!(count(&stage, archived), 0);

    // What is away is no gap, and neither a sync, nor one for what is missing, nor a rebuild brings it back.
    assert_eq!(stage.home.ctl(&["sync", "--wait"]).await.code, 0);
    assert_eq!(stage.home.ctl(&["sync", "--missing", "--wait"]).await.code, 0);
    let young = fetched(&stage) - before;
    assert!(young <= 8, "{young} samples and files were fetched once more");
    let gaps = stage.home.ctl(&["gaps", "--json"]).await.json();
    assert_eq!(gaps["gaps"].as_array().map(Vec::len), Some(0), "{gaps}");
    assert!(daemon.terminate().await.success());
    let rebuilt = garminsyncd(&stage, &["--rebuild"]).await;
    assert_eq!(rebuilt.code, 0, "{rebuilt:?}");
    assert_eq!(count(&stage, &old_samples), 0);
    assert_eq!(count(&stage, "SELECT count(*) FROM daily_summary"), days);
}
