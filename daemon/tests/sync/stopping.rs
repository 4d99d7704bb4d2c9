//! Runs that are stopped, dropped or killed: nothing is lost, nothing comes twice.

use std::time::Duration;

use garminsync_daemon::sync::{Outcome, Trigger};
use garminsync_garmin::Tier;
use garminsync_test_support::fake::{Filter, Host};
use tokio_util::sync::CancellationToken;

use super::mirror::{Mirror, back};

/// Requests of an account that are under way at one time, at most.
const IN_FLIGHT: usize = 2;
/// A page of the activity list proves its days when the next one goes on from there: a death in between costs it again.
const A_PAGE: usize = 1;

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

/// What a run read before it died is not read again by the one that goes on: twenty deaths cost what was in flight.
#[tokio::test]
async fn a_run_that_is_killed_costs_only_what_was_in_flight() {
    for tier in [Tier::Account, Tier::Personal] {
        let mut whole = Mirror::of(32, 12, &[tier]).await;
        whole.everything().await;
        whole.sync_ok().await;
        let fewest = whole.data_requests();

        let mut mirror = Mirror::of(32, 12, &[tier]).await;
        mirror.everything().await;
        mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(1));
        mirror.trigger = Trigger::Login;
        let mut deaths = 0;
        for requests in (0..20).map(|n| 2 + n * 7 % 9) {
            let run = tokio::spawn(mirror.job(CancellationToken::new()).await.run());
            after(&mirror, requests, || run.is_finished()).await;
            deaths += usize::from(!run.is_finished());
            run.abort();
            let _ = run.await;
            mirror.restart();
            mirror.trigger = Trigger::Resume;
        }
        assert_eq!(deaths, 20);
        mirror.sync_ok().await;
        let (sent, lost) = (mirror.data_requests(), IN_FLIGHT * deaths + A_PAGE);
        assert!(sent <= fewest + lost, "{tier:?}: {sent} requests, {fewest} without a death and {lost} lost with them");
        let held = |mirror: &Mirror| {
            let days =
                "SELECT dataset || ' ' || state, count(*) AS z FROM ledger WHERE item NOT LIKE 'pages%' GROUP BY 1";
            mirror.counts(days)
        };
        assert_eq!(held(&mirror), held(&whole), "{tier:?}");
    }
}
