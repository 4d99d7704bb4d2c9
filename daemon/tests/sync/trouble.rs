//! Garmin in trouble, refusing, or answering nonsense: an error is never an empty day, and never costs another day.

use std::time::Duration;

use chrono::Utc;
use garminsync_daemon::sync::run::lock;
use garminsync_daemon::sync::{Outcome, Report};
use garminsync_garmin::Tier;
use garminsync_test_support::fake::{Effect, Filter, Host, Rule};
use garminsync_test_support::people::KeyState;

use super::mirror::{ANA, CORE, Mirror, back, today};

fn at(host: Host, path: &str, effect: Effect) -> Rule {
    Rule::does(effect).host(host).path(path)
}

fn account(path: &str, effect: Effect) -> Rule {
    at(Host::Connectapi, path, effect)
}

fn states(mirror: &Mirror, dataset: &str) -> Vec<(String, u64)> {
    let sql = format!("SELECT state, count(*) AS z FROM ledger WHERE dataset = '{dataset}' GROUP BY 1");
    mirror.counts(&sql).into_iter().collect()
}

#[tokio::test]
async fn a_long_429_ends_the_run_at_once_and_is_remembered() {
    let mirror = Mirror::of(365, 40, &[Tier::Account]).await;
    mirror.fake.misbehave(account("", Effect::throttled(600)).skip(9).times(1));
    let Report { outcome, requests, retry_at, .. } = mirror.sync().await;
    assert_eq!((outcome, requests), (Outcome::RateLimited, mirror.data_requests() as u64));
    assert!((10..=11).contains(&requests), "{requests}: what was under way with the refused one, and no more");
    let wait = (retry_at.unwrap() - Utc::now()).num_seconds();
    assert!((590..=600).contains(&wait), "{wait}");
    let pauses = mirror.store().call(|store| store.pauses("default")).await.unwrap().unwrap();
    assert_eq!((pauses[0].tier.as_str(), pauses[0].strikes), ("account", 1));
    assert_eq!(states(&mirror, "hrv").iter().map(|(_, days)| days).sum::<u64>(), 365, "what was answered is kept");
    // A run that is started all the same asks nothing.
    assert_eq!(mirror.sync().await.requests, 0);
}

#[tokio::test]
async fn a_short_429_is_waited_out_once() {
    let mirror = Mirror::of(60, 5, &[Tier::Personal]).await;
    mirror.fake.misbehave(at(Host::Personal, "-service", Effect::throttled(1)).skip(3).times(1));
    let before = std::time::Instant::now();
    mirror.sync_ok().await;
    assert!(before.elapsed() >= Duration::from_secs(1));
    mirror.assert_complete(back(59));

    let mirror = Mirror::of(60, 5, &[Tier::Personal]).await;
    mirror.fake.misbehave(at(Host::Personal, "hrv-service", Effect::throttled(1)).times(2));
    assert_eq!(mirror.sync().await.outcome, Outcome::RateLimited);
}

#[tokio::test]
async fn a_pause_is_not_dodged_through_the_other_tier() {
    let mirror = Mirror::of(60, 5, &[Tier::Personal, Tier::Account]).await;
    mirror.fake.misbehave(at(Host::Personal, "hrv-service", Effect::throttled(600)));
    assert_eq!(mirror.sync().await.outcome, Outcome::RateLimited);
    assert!(lock(&mirror.paces)[&Tier::Personal].paused_until(Utc::now()).is_some());
    assert_eq!(mirror.sync().await.requests, 0);
    assert_eq!(mirror.fake.count(&Filter::host(Host::Connectapi)), 0);
}

#[tokio::test]
async fn a_day_that_is_answered_500_for_ever_costs_only_itself() {
    let mirror = Mirror::of(200, 20, &[Tier::Account]).await;
    // Every range that holds that day, however it is cut out of the month that ends 93 days ago.
    for (from, to) in (100..=123).flat_map(|from| (93..=100).map(move |to| (from, to))) {
        let range = format!("dailysummaries?startDate={}&endDate={}", back(from), back(to));
        mirror.fake.misbehave(account(&range, Effect::status(500)));
    }
    let report = mirror.sync().await;
    assert_eq!(report.outcome, Outcome::Partial);
    assert!(report.error.as_ref().unwrap().contains(&format!("daily_summary {}", back(100))), "{report:?}");
    // Three tries for the range, then one for each part that holds the day, and three for the day.
    let asked = mirror.fake.count(&Filter::host(Host::Connectapi).status(500));
    assert!((7..=11).contains(&asked), "{asked}");
    assert!(states(&mirror, "daily_summary").contains(&("error".into(), 1)), "{:?}", states(&mirror, "daily_summary"));
    // It costs the next runs little: after three it rests for a week, whoever asks.
    let troubled = || mirror.fake.count(&Filter::host(Host::Connectapi).status(500));
    let second = mirror.sync().await;
    assert_eq!((second.outcome, second.requests), (Outcome::Partial, 5 + 3));
    assert_eq!(mirror.sync().await.outcome, Outcome::Partial);
    let tried = troubled();
    mirror.sync_ok().await;
    mirror.age("-167 hours");
    mirror.sync_ok().await;
    assert_eq!(troubled(), tried);
    mirror.age("-1 hours");
    assert_eq!(mirror.sync().await.outcome, Outcome::Partial);
    assert!(troubled() > tried);
    // And it heals.
    mirror.fake.behave();
    mirror.age("-168 hours");
    mirror.sync_ok().await;
    mirror.assert_complete(back(199));
}

#[tokio::test]
async fn an_outage_ends_the_run_and_blames_no_day() {
    let mirror = Mirror::of(200, 20, &[Tier::Account]).await;
    mirror.fake.misbehave(account("", Effect::status(503)));
    let report = mirror.sync().await;
    assert_eq!((report.outcome, report.requests), (Outcome::Unreachable, 9), "three requests, three tries each");
    assert!(report.retry_at.is_some());
    assert_eq!(mirror.rows("SELECT * FROM ledger WHERE dataset <> 'pace'").len(), 0);
    assert_eq!(mirror.rows("SELECT requests FROM sync_run")[0]["requests"], 9.0);
    mirror.fake.behave();
    mirror.sync_ok().await;
    mirror.assert_complete(back(199));
}

#[tokio::test]
async fn a_dataset_that_fails_as_a_whole_costs_no_other() {
    for path in ["dailysummaries", "sleep-service", "activitylist", "download-service"] {
        let mirror = Mirror::of(200, 20, &[Tier::Account]).await;
        mirror.fake.misbehave(account(path, Effect::status(503)));
        let report = mirror.sync().await;
        assert_eq!(report.outcome, Outcome::Partial, "{path}: {report:?}");
        let asked = mirror.fake.count(&Filter::host(Host::Connectapi).status(503));
        assert!((3..=3 * 3 + 4).contains(&asked), "{path}: {asked} requests for nothing");
        let hrv = mirror.rows("SELECT count(*) AS n FROM hrv")[0]["n"].clone();
        assert_eq!(hrv, mirror.life().days().filter(|(_, day)| day.hrv.is_some()).count() as f64, "{path}");
        let refused = mirror.rows("SELECT DISTINCT dataset FROM ledger WHERE state = 'error'");
        assert_eq!(refused.len(), 1, "{path}: {refused:?}");
        mirror.fake.behave();
        mirror.sync_ok().await;
        mirror.assert_complete(back(199));
    }
}

#[tokio::test]
async fn nonsense_is_asked_for_again() {
    for effect in [Effect::Html200, Effect::HalfBody, Effect::Reset, Effect::status(502), Effect::status(408)] {
        for path in ["hrv-service", "dailysummaries", "sleep-service", "activitylist", "download-service"] {
            let mirror = Mirror::of(40, 4, &[Tier::Account]).await;
            mirror.fake.misbehave(account(path, effect.clone()).times(2));
            mirror.sync_ok().await;
            mirror.assert_complete(back(39));
        }
    }
}

#[tokio::test]
async fn nonsense_that_stays_is_an_error_never_empty() {
    for effect in [Effect::Html200, Effect::HalfBody, Effect::Reset] {
        let mirror = Mirror::of(40, 4, &[Tier::Account]).await;
        mirror.fake.misbehave(account("sleep-service", effect.clone()).times(3 + 2));
        mirror.fake.misbehave(account("download-service", effect.clone()).times(3));
        let report = mirror.sync().await;
        assert_eq!(report.outcome, Outcome::Partial, "{effect:?}");
        assert!(states(&mirror, "sleep").contains(&("error".into(), 28)), "{effect:?}: {:?}", states(&mirror, "sleep"));
        assert!(states(&mirror, "original").contains(&("error".into(), 1)), "{effect:?}");
        mirror.fake.behave();
        mirror.sync_ok().await;
        mirror.assert_complete(back(39));
    }
}

#[tokio::test]
async fn a_token_that_expires_on_the_way_is_renewed_once() {
    for (tier, host) in [(Tier::Account, Host::Connectapi), (Tier::Personal, Host::Personal)] {
        let mirror = Mirror::of(200, 20, &[tier]).await;
        mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(3));
        let fake = mirror.fake.clone();
        let expire = tokio::spawn(async move {
            while fake.count(&Filter::host(host)) < 12 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            fake.expire_access(ANA);
            fake.expire_personal(ANA);
        });
        mirror.sync_ok().await;
        expire.await.unwrap();
        let refused = mirror.fake.count(&Filter::host(host).status(401));
        assert!((1..=2).contains(&refused), "{refused}: what was under way with it, and no more");
        mirror.assert_complete(back(199));
    }
}

#[tokio::test]
async fn a_dead_login_stops_the_run_and_a_dead_key_leaves_the_other_tier() {
    let mirror = Mirror::of(60, 5, &[Tier::Account]).await;
    mirror.fake.misbehave(account("", Effect::status(401)).skip(2));
    let report = mirror.sync().await;
    assert_eq!(report.outcome, Outcome::LoginNeeded);
    assert_eq!(mirror.fake.count(&Filter::host(Host::Connectapi).status(401)), 2, "one renewal, one replay");
    let refused = mirror.refused.lock().unwrap().clone();
    assert_eq!(refused, [(Tier::Account, mirror.token(Tier::Account), 4)], "the token that was sent last");

    // The login hears it at once, though the run goes on with the other tier.
    let mirror = Mirror::of(60, 5, &[Tier::Personal, Tier::Account]).await;
    mirror.fake.misbehave(at(Host::Personal, "activitylist-service", Effect::status(401)));
    mirror.sync_ok().await;
    let refused = mirror.refused.lock().unwrap().clone();
    let keys = mirror.fake.count(&Filter::host(Host::Personal).path("personalapitoken"));
    assert_eq!(refused, [(Tier::Personal, mirror.token(Tier::Personal), keys + 2)]);

    let mirror = Mirror::of(60, 5, &[Tier::Personal, Tier::Account]).await;
    mirror.fake.change(ANA, |person| person.key_state = KeyState::Deleted).unwrap();
    mirror.sync_ok().await;
    assert_eq!(mirror.fake.count(&Filter::host(Host::Personal)), 1);
    assert_eq!(
        mirror.rows("SELECT count(*) AS n FROM sleep")[0]["n"],
        mirror.life().days().filter(|(_, d)| d.sleep.is_some()).count() as f64
    );
}

/// A key that dies at any moment of a run: the login reads the rest, in the same run.
#[tokio::test]
async fn a_key_that_dies_on_the_way_leaves_the_rest_to_the_login() {
    for served in [1, 2, 3, 5, 8, 13, 21] {
        let mirror = Mirror::of(60, 20, &[Tier::Personal, Tier::Account]).await;
        mirror.fake.knobs(|knobs| knobs.latency = Duration::from_millis(3));
        let fake = mirror.fake.clone();
        let dies = tokio::spawn(async move {
            while fake.count(&Filter::host(Host::Personal).method("GET").status(200)) < served {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            fake.change(ANA, |person| person.key_state = KeyState::Deleted);
            fake.expire_personal(ANA);
        });
        mirror.sync_ok().await;
        dies.await.unwrap();
        for (table, days) in [
            ("sleep", mirror.life().days().filter(|(_, day)| day.sleep.is_some()).count()),
            ("activity", mirror.life().activities().len()),
        ] {
            assert_eq!(
                mirror.rows(&format!("SELECT count(*) AS n FROM {table}"))[0]["n"],
                days as f64,
                "{served}: {table}"
            );
        }
        let open = "SELECT count(*) AS n FROM ledger WHERE state IN ('error', 'unavailable') AND item NOT LIKE 'tier%'";
        assert_eq!(mirror.rows(open)[0]["n"], 0.0, "{served}");
    }
}

#[tokio::test]
async fn an_area_that_one_tier_refuses_is_asked_of_the_other() {
    for status in [403, 404] {
        let mirror = Mirror::of(60, 5, &[Tier::Personal, Tier::Account]).await;
        mirror.fake.misbehave(at(Host::Personal, "hrv-service", Effect::status(status)));
        mirror.sync_ok().await;
        mirror.assert_complete(back(59));
        assert_eq!(mirror.fake.count(&Filter::host(Host::Personal).path("hrv-service")), 1);
    }
}

#[tokio::test]
async fn an_area_that_nobody_serves_rests_for_a_day() {
    let mirror = Mirror::of(60, 5, &[Tier::Account]).await;
    mirror.fake.misbehave(account("sleep-service", Effect::status(403)));
    mirror.sync_ok().await;
    let sleep = states(&mirror, "sleep");
    assert!(sleep.len() == 1 && sleep[0].0 == "unavailable", "{sleep:?}");
    let note = mirror.rows("SELECT detail FROM ledger WHERE dataset = 'sleep' AND item = 'tier account'");
    assert_eq!(note[0]["detail"], "not served to this account by its account tier");
    let asked = mirror.fake.count(&Filter::host(Host::Connectapi).path("sleep-service"));
    mirror.sync_ok().await;
    assert_eq!((asked, mirror.fake.count(&Filter::host(Host::Connectapi).path("sleep-service"))), (1, 1));
    // Then it is asked for once more, and all of it where it is served by now.
    mirror.age("-24 hours");
    mirror.sync_ok().await;
    assert_eq!(mirror.fake.count(&Filter::host(Host::Connectapi).path("sleep-service")), 2);
    mirror.fake.behave();
    mirror.age("-24 hours");
    mirror.sync_ok().await;
    mirror.assert_complete(back(59));
}

#[tokio::test]
async fn what_one_tier_refused_is_asked_of_the_other_as_soon_as_there_is_one() {
    let areas = ["hrv-service", "dailysummaries"];
    for (first, host) in [(Tier::Personal, Host::Personal), (Tier::Account, Host::Connectapi)] {
        let mut mirror = Mirror::of(60, 5, &[first]).await;
        for area in areas {
            mirror.fake.misbehave(at(host, area, Effect::status(403)));
        }
        mirror.sync_ok().await;
        assert_eq!(states(&mirror, "hrv").iter().filter(|(state, _)| state != "unavailable").count(), 0);
        mirror.tiers = vec![Tier::Personal, Tier::Account];
        mirror.sync_ok().await;
        // Nights that came from statistics before there was a key say less.
        mirror.fake.forget_requests();
        for (table, held) in [
            ("hrv", mirror.life().days().filter(|(_, day)| day.hrv.is_some()).count()),
            ("daily_summary", mirror.life().days().filter(|(_, day)| day.daily.is_some()).count()),
            ("sleep", mirror.life().days().filter(|(_, day)| day.sleep.is_some()).count()),
        ] {
            assert_eq!(mirror.rows(&format!("SELECT count(*) AS n FROM {table}"))[0]["n"], held as f64, "{table}");
        }
        // Who refused is left alone for its time.
        mirror.sync_ok().await;
        for area in areas {
            assert_eq!(mirror.fake.count(&Filter::host(host).path(area)), 0, "{area}");
        }
    }
}

#[tokio::test]
async fn an_area_that_was_refused_is_asked_for_again_after_its_pause() {
    for (tier, host, hours) in [(Tier::Account, Host::Connectapi, 24), (Tier::Personal, Host::Personal, 6)] {
        let mirror = Mirror::of(60, 5, &[tier]).await;
        mirror.fake.misbehave(at(host, "hrv-service", Effect::status(403)));
        mirror.sync_ok().await;
        mirror.fake.behave();
        mirror.fake.forget_requests();
        for (passed, asked) in [(hours * 60 - 2, false), (3, true)] {
            mirror.notes_age(passed);
            mirror.sync_ok().await;
            assert_eq!(mirror.fake.count(&Filter::host(host).path("hrv-service")) > 0, asked, "{tier:?} {passed}");
        }
        mirror.assert_complete(back(59));
    }
}

#[tokio::test]
async fn what_follows_a_dataset_that_cannot_be_had_goes_on_without_it() {
    // What is refused is known at once; that nothing comes of it, by the next run at the latest.
    for (effect, runs) in [(Effect::status(403), 1), (Effect::status(503), 2)] {
        for (tier, host) in [(Tier::Account, Host::Connectapi), (Tier::Personal, Host::Personal)] {
            let mut mirror = Mirror::of(60, 5, &[tier]).await;
            mirror.everything().await;
            mirror.datasets = CORE.iter().copied().chain(["heart_rate", "body_battery"]).collect();
            mirror.fake.misbehave(at(host, "dailysummaries", effect.clone()));
            for _ in 0..runs {
                mirror.sync().await;
            }
            let nights = mirror.life().days().filter(|(_, day)| day.sleep.is_some()).count();
            assert_eq!(mirror.rows("SELECT count(*) AS n FROM sleep")[0]["n"], nights as f64, "{effect:?} {tier:?}");
            for dataset in ["heart_rate", "body_battery"] {
                let read = states(&mirror, dataset).iter().map(|(_, days)| days).sum::<u64>();
                assert_eq!(read, 60, "{effect:?} {tier:?} {dataset}: {:?}", states(&mirror, dataset));
            }
        }
    }
}

#[tokio::test]
async fn a_page_that_is_too_big_is_asked_for_in_smaller_ones() {
    let mirror = Mirror::of(90, 60, &[Tier::Personal]).await;
    mirror.fake.misbehave(at(Host::Personal, "limit=20", Effect::status(500)));
    mirror.sync_ok().await;
    mirror.assert_complete(back(89));
    assert_eq!(mirror.fake.count(&Filter::host(Host::Personal).path("limit=20")), 1, "once a run");
    mirror.sync_ok().await;
    assert_eq!(mirror.fake.count(&Filter::host(Host::Personal).path("limit=20")), 1, "nor by the next one");

    let mirror = Mirror::of(90, 60, &[Tier::Account]).await;
    mirror.fake.misbehave(account("limit=1000", Effect::status(400)));
    mirror.sync_ok().await;
    mirror.assert_complete(back(89));
}

#[tokio::test]
async fn an_unknown_shape_is_an_error() {
    let mirror = Mirror::of(40, 4, &[Tier::Account]).await;
    // JSON, status 200, and nothing of what was asked for.
    mirror.fake.misbehave(account("hrv-service", Effect::ThrottledIn200));
    mirror.fake.misbehave(account("activitylist", Effect::ThrottledIn200));
    let report = mirror.sync().await;
    assert_eq!(report.outcome, Outcome::Partial, "{report:?}");
    assert_eq!(states(&mirror, "hrv"), [("error".into(), 40)]);
    assert_eq!(states(&mirror, "activities"), [("error".into(), 40)]);
    mirror.fake.behave();
    mirror.sync_ok().await;
    mirror.assert_complete(back(39));
}

#[tokio::test]
async fn a_file_that_is_refused_thrice_stops_the_files_only() {
    let mirror = Mirror::of(60, 20, &[Tier::Account]).await;
    mirror.fake.misbehave(account("download-service", Effect::status(403)));
    let report = mirror.sync().await;
    assert_eq!(report.outcome, Outcome::Partial);
    assert_eq!(mirror.fake.count(&Filter::host(Host::Connectapi).path("download-service")), 3);
    mirror.fake.behave();
    mirror.sync_ok().await;
    mirror.assert_complete(back(59));
    assert!(mirror.life().days().any(|(day, _)| day == today()));
}
