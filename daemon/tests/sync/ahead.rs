//! Two requests under way: what a run gains by it, and what it must not cost when the run ends in between.

use std::collections::BTreeMap;
use std::time::Duration;

use garminsync_daemon::sync::Outcome;
use garminsync_garmin::Tier;
use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use tokio_util::sync::CancellationToken;

use super::mirror::{ANA, Mirror, back};

/// How often each file came whole.
fn files(mirror: &Mirror) -> BTreeMap<String, usize> {
    let mut files = BTreeMap::new();
    for seen in mirror.fake.requests() {
        if seen.path.contains("download-service") && seen.status == Some(200) {
            *files.entry(seen.path).or_default() += 1;
        }
    }
    files
}

fn kept(mirror: &Mirror) -> usize {
    mirror.rows("SELECT path FROM original").len()
}

#[tokio::test]
async fn two_requests_are_under_way_and_never_more() {
    for (tier, host) in [(Tier::Account, Host::Connectapi), (Tier::Personal, Host::Personal)] {
        let mut mirror = Mirror::of(40, 20, &[tier]).await;
        mirror.everything().await;
        mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(10));
        mirror.sync_ok().await;
        let seen: Vec<u32> =
            mirror.fake.requests().iter().filter(|seen| seen.host == host).map(|seen| seen.in_flight).collect();
        assert_eq!(seen.iter().max(), Some(&2));
        let both = seen.iter().filter(|under_way| **under_way == 2).count();
        assert!(both > seen.len() / 3, "{both} of {}", seen.len());
        assert!(files(&mirror).values().all(|times| *times == 1), "{:?}", files(&mirror));
    }
}

#[tokio::test]
async fn a_429_stops_what_has_not_started_and_keeps_what_was_under_way() {
    for skip in 3..9 {
        let mirror = Mirror::of(60, 20, &[Tier::Account]).await;
        mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(20));
        let refusal = Rule::does(Effect::throttled(600)).host(Host::Connectapi).path("download-service");
        mirror.fake.misbehave(refusal.skip(skip).times(1));
        assert_eq!(mirror.sync().await.outcome, Outcome::RateLimited);
        let asked = mirror.fake.count(&Filter::host(Host::Connectapi).path("download-service"));
        assert!(asked as u32 <= skip + 2, "{asked} after {skip}");
        assert_eq!(kept(&mirror), asked - 1, "all but the one that was refused");
        let (all, runs) = (mirror.data_requests(), mirror.rows("SELECT sum(requests) AS n FROM sync_run"));
        assert_eq!(runs[0]["n"], all as f64, "all are counted");
    }
}

/// The token is refused while the request after it hears a 429: with a new token it is not sent again into the pause.
#[tokio::test]
async fn a_request_whose_token_was_renewed_is_not_repeated_in_a_pause() {
    let mut mirror = Mirror::of(60, 20, &[Tier::Account]).await;
    mirror.slow_renewal = true;
    mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(20));
    let files = |effect| Rule::does(effect).host(Host::Connectapi).path("download-service").skip(4).times(1);
    // A rule does not count what another has met.
    mirror.fake.misbehave(files(Effect::status(401)));
    mirror.fake.misbehave(files(Effect::throttled(600)));
    let report = mirror.sync().await;
    assert_eq!(report.outcome, Outcome::RateLimited, "{report:?}");
    let count = |status| mirror.fake.count(&Filter::host(Host::Connectapi).path("download-service").status(status));
    assert_eq!((count(401), count(429), count(200)), (1, 1, 4));
    assert_eq!((kept(&mirror), mirror.data_requests() as u64), (4, report.requests), "all are counted");
    assert!(mirror.refused.lock().unwrap().is_empty(), "nobody has seen whether the new token is good");
}

/// The plan of a mirror without a beginning changes as soon as an older era is found: what was asked ahead of the old one is in vain, and slows
/// down all that comes after it.
#[tokio::test]
async fn a_plan_that_may_change_is_not_looked_ahead_of() {
    let mut mirror = Mirror::of(700, 0, &[Tier::Account]).await;
    mirror.start = None;
    mirror.datasets = vec!["daily_summary", "floors"];
    // Nobody wore a watch for a year and more.
    mirror.fake.live(ANA, |life| (100..500).for_each(|n| life.clear(back(n))));
    // Longer than it takes to write down a day, on a slow machine, too.
    mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(40));
    mirror.sync_ok().await;
    let seen = |path: &str| {
        let mut seen = mirror.fake.requests();
        seen.retain(|seen| seen.path.contains(path));
        seen
    };
    let days = seen("floorsChartData");
    let both = days.iter().filter(|seen| seen.in_flight == 2).count();
    assert!(days.len() > 200 && both > days.len() / 3, "{both} of {}", days.len());
}

#[tokio::test]
async fn a_run_that_is_stopped_costs_no_more_than_what_was_under_way() {
    let mirror = Mirror::of(60, 40, &[Tier::Account]).await;
    mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(20));
    let mut stopped = 0;
    for files_before in [2, 7, 9, 16, 22] {
        let cancel = CancellationToken::new();
        let run = tokio::spawn(mirror.job(cancel.clone()).await.run());
        while files(&mirror).values().sum::<usize>() < files_before && !run.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cancel.cancel();
        stopped += usize::from(run.await.unwrap().outcome == Outcome::Cancelled);
    }
    assert!(stopped >= 3, "only {stopped} runs were stopped on their way");
    mirror.sync_ok().await;
    let again: usize = files(&mirror).values().map(|times| times - 1).sum();
    assert!(again <= 2 * stopped, "{again} came again after {stopped} stops");
    assert_eq!(kept(&mirror), files(&mirror).len());
}
