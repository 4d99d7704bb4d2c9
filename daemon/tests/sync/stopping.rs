//! Runs that are stopped, dropped or killed: nothing is lost, nothing comes twice.

use std::time::Duration;

use garminsync_daemon::sync::Outcome;
use garminsync_garmin::Tier;
use garminsync_test_support::fake::{Filter, Host};
use tokio_util::sync::CancellationToken;

use super::mirror::{Mirror, back};

/// Waits until Garmin has got so many more data requests, or the run is over.
async fn after(mirror: &Mirror, requests: usize, over: impl Fn() -> bool) {
    let wanted = mirror.data_requests() + requests;
    while mirror.data_requests() < wanted && !over() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_run_that_is_cancelled_goes_on_where_it_was() {
    let mirror = Mirror::of(200, 80, &[Tier::Personal]).await;
    mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(2));
    let mut cancelled = 0;
    for requests in [1, 3, 2, 7, 5, 11, 4, 13, 17, 6, 10, 10, 10] {
        let cancel = CancellationToken::new();
        let run = tokio::spawn(mirror.job(cancel.clone()).await.run());
        after(&mirror, requests, || run.is_finished()).await;
        cancel.cancel();
        let report = run.await.unwrap();
        assert!(matches!(report.outcome, Outcome::Cancelled | Outcome::Ok), "{report:?}");
        cancelled += u32::from(report.outcome == Outcome::Cancelled);
    }
    assert!(cancelled > 8, "only {cancelled}");
    mirror.sync_ok().await;
    mirror.assert_complete(back(199));
}

#[tokio::test]
async fn a_run_that_is_killed_goes_on_where_it_was() {
    let mut mirror = Mirror::of(200, 80, &[Tier::Account]).await;
    mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(2));
    for requests in (0..20).map(|n| (n * 7) % 11) {
        let run = tokio::spawn(mirror.job(CancellationToken::new()).await.run());
        after(&mirror, requests, || run.is_finished()).await;
        run.abort();
        let _ = run.await;
        mirror.restart();
    }
    let list = mirror.fake.count(&Filter::host(Host::Connectapi).path("activitylist"));
    assert!(list >= 3, "{list}");
    mirror.sync_ok().await;
    mirror.assert_complete(back(199));
    let files = mirror.rows("SELECT count(*) AS n, count(DISTINCT path) AS d FROM original");
    assert_eq!(files[0]["n"], files[0]["d"]);
}
