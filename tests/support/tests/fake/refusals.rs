//! What both tiers refuse of data requests: ranges over each cap, foreign names, days to come, pages, methods, broken days.

use std::time::Duration;

use chrono::{Days, NaiveDate};
use garminsync_test_support::fake::{Effect, FakeGarmin, Host, Rate, Rule};
use garminsync_test_support::people::{Person, SignInMood};

use crate::client::{ANA, Answer, Call, account, fake, personal, personal_token};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn get(fake: &FakeGarmin, path: &str) -> Answer {
    let path = path.replace("{dn}", &fake.person(ANA).unwrap().display_name);
    account(fake, &fake.tokens(ANA).access, &path).send()
}

/// The path with `{s}` and `{e}` so many days apart, both counted.
fn spanning(path: &str, days: u64) -> String {
    let last = day("2026-10-20");
    path.replace("{s}", &(last - Days::new(days - 1)).to_string()).replace("{e}", &last.to_string())
}

#[test]
fn every_range_has_its_cap_and_one_day_more_is_400() {
    let fake = fake(SignInMood::Ok);
    let metrics = "/metrics-service/metrics";
    for (path, cap) in [
        ("/usersummary-service/stats/steps/daily/{s}/{e}", 28),
        ("/usersummary-service/stats/stress/daily/{s}/{e}", 28),
        ("/usersummary-service/stats/bodybattery/daily/{s}/{e}", 28),
        ("/usersummary-service/stats/heartRate/daily/{s}/{e}", 28),
        ("/usersummary-service/stats/floors/daily/{s}/{e}", 28),
        ("/usersummary-service/stats/im/daily/{s}/{e}", 28),
        ("/usersummary-service/stats/respiration/daily/{s}/{e}", 31),
        ("/usersummary-service/stats/hydration/daily/{s}/{e}", 28),
        ("/usersummary-service/stats/im/weekly/{s}/{e}", 366),
        ("/userstats-service/wellness/daily/{dn}?fromDate={s}&untilDate={e}&metricId=60", 366),
        ("/wellness-service/stats/daily/sleep/score/{s}/{e}", 28),
        ("/wellness-service/wellness/bodyBattery/reports/daily?startDate={s}&endDate={e}", 28),
        ("/fitnessage-service/stats/daily/{s}/{e}", 29),
        ("/mobile-gateway/usersummary/trainingstatus/weekly/{s}/{e}", 366),
        ("/metrics-service/metrics/trainingreadiness/{s}/{e}", 366),
        ("/metrics-service/metrics/maxmet/daily/{s}/{e}", 366),
        ("/metrics-service/metrics/racepredictions/daily/{dn}?fromCalendarDate={s}&toCalendarDate={e}", 366),
        ("/metrics-service/metrics/endurancescore/stats?startDate={s}&endDate={e}&aggregation=daily", 84),
        ("/metrics-service/metrics/endurancescore/stats?startDate={s}&endDate={e}&aggregation=weekly", 366),
        ("/metrics-service/metrics/hillscore/stats?startDate={s}&endDate={e}&aggregation=daily", 366),
        ("/metrics-service/metrics/runningtolerance/stats?startDate={s}&endDate={e}&aggregation=daily", 28),
        ("/biometric-service/stats/lactateThresholdSpeed/range/{s}/{e}?sport=RUNNING", 366),
        ("/biometric-service/stats/functionalThresholdPower/range/{s}/{e}?sport=CYCLING", 366),
        ("/weight-service/weight/dateRange?startDate={s}&endDate={e}", 366),
        ("/periodichealth-service/menstrualcycle/calendar/{s}/{e}", 91),
    ] {
        let of = |days| get(&fake, &spanning(path, days)).status;
        assert_eq!((of(cap), of(cap + 1)), (200, 400), "{path}");
        assert_eq!(get(&fake, &path.replace("{s}", "2026-10-02").replace("{e}", "2026-10-01")).status, 400, "{path}");
        assert_eq!(get(&fake, &path.replace("{s}", "today").replace("{e}", "today")).status, 400, "{path}");
    }
    for path in [
        "/weight-service/weight/range/{s}/{e}?includeAll=true",
        "/bloodpressure-service/bloodpressure/range/{s}/{e}?includeAll=true",
        "/healthstatus-service/healthstatus/summary/{s}/{e}",
        "/wellness-service/stats/daily/acclimation?fromDate={s}&untilDate={e}",
        "/goal-service/goal/user/effective/weightgoal/{s}/{e}",
    ] {
        assert_eq!(get(&fake, &spanning(path, 3_650)).status, 200, "ten years of {path}");
    }
    for path in
        ["/weight-service/weight/weeklyRange/{s}/{e}", "/bloodpressure-service/bloodpressure/weeklyRange/{s}/{e}"]
    {
        let of = |days| get(&fake, &spanning(path, days)).status;
        assert_eq!([of(363), of(364), of(365)], [400, 200, 400], "{path}");
    }
    assert_eq!(
        get(&fake, "/usersummary-service/stats/steps/weekly/2026-10-20/52").json().as_array().unwrap().len(),
        52
    );
    assert_eq!(get(&fake, "/usersummary-service/stats/steps/weekly/2026-10-20/53").status, 400);
    assert_eq!(get(&fake, &format!("{metrics}/no-such-metric/2026-10-20")).status, 404);
}

#[test]
fn names_in_paths_have_to_be_the_owners() {
    let fake = fake(SignInMood::Ok);
    fake.add(Person::named("ben@example.org"));
    let foreign = fake.person("ben@example.org").unwrap().display_name;
    for path in [
        "/wellness-service/wellness/dailyHeartRate/{dn}?date=2026-10-20",
        "/wellness-service/wellness/dailySummaryChart/{dn}?date=2026-10-20",
        "/wellness-service/wellness/dailySleepData/{dn}?date=2026-10-20&nonSleepBufferMinutes=60",
        "/userstats-service/wellness/daily/{dn}?fromDate=2026-10-01&untilDate=2026-10-20&metricId=60",
        "/metrics-service/metrics/racepredictions/daily/{dn}?fromCalendarDate=2026-10-01&toCalendarDate=2026-10-20",
        "/personalrecord-service/personalrecord/prs/{dn}",
        "/device-service/deviceregistration/devices/all/{dn}",
        "/userprofile-service/userprofile/personal-information/{dn}",
    ] {
        assert_eq!(get(&fake, path).status, 200, "{path}");
        let refused = get(&fake, &path.replace("{dn}", &foreign));
        assert_eq!((refused.status, refused.json()["error"].as_str().unwrap()), (403, "ForbiddenException"), "{path}");
    }
    assert_eq!(get(&fake, "/wellness-service/wellness/dailyHeartRate?date=2026-10-20").status, 403, "a name is wanted");
    let profile = fake.person("ben@example.org").unwrap().profile_id;
    assert_eq!(get(&fake, &format!("/gear-service/gear/filterGear?userProfilePk={profile}")).status, 403);
}

#[test]
fn days_to_come_are_refused() {
    let fake = fake(SignInMood::Ok);
    let today = fake.now().date_naive().max(fake.person(ANA).unwrap().life.plan().today);
    let later = today + Days::new(2);
    for path in [
        "/wellness-service/wellness/dailyStress/{d}",
        "/hrv-service/hrv/{d}",
        "/usersummary-service/usersummary/daily/{dn}?calendarDate={d}",
        "/usersummary-service/v2/dailysummaries?startDate=2026-12-01&endDate={d}",
        "/download-service/files/wellness/{d}",
    ] {
        let first = (later - Days::new(3)).to_string();
        let path = path.replace("{d}", &later.to_string()).replace("2026-12-01", &first);
        assert_eq!(get(&fake, &path).status, 400, "{path}");
    }
    let token = personal_token(&fake);
    let path = format!("/usersummary-service/usersummary/daily?calendarDate={later}");
    assert_eq!(personal(&fake, &token, &path).send().status, 400);
}

#[test]
fn a_day_can_be_broken_for_ever_and_its_neighbours_not() {
    let fake = fake(SignInMood::Ok);
    fake.live(ANA, |life| life.break_day(day("2026-10-10"), "dailyStress"));
    let stress = |day: &str| get(&fake, &format!("/wellness-service/wellness/dailyStress/{day}")).status;
    assert_eq!([stress("2026-10-10"), stress("2026-10-10"), stress("2026-10-11")], [500, 500, 200]);
    assert_eq!(get(&fake, "/wellness-service/wellness/daily/respiration/2026-10-10").status, 200, "only this path");
    fake.live(ANA, |life| life.break_day(day("2026-10-10"), ""));
    assert_eq!(get(&fake, "/wellness-service/wellness/dailyHeartRate/{dn}?date=2026-10-10").status, 500);
    assert_eq!(
        get(&fake, "/usersummary-service/stats/steps/daily/2026-10-05/2026-10-12").status,
        200,
        "a range is not a day"
    );
}

#[test]
fn the_inside_of_an_answer_can_fail_alone() {
    let fake = fake(SignInMood::Ok);
    let path = "/mobile-gateway/usersummary/trainingstatus/weekly/2026-09-01/2026-10-20";
    let whole = get(&fake, path).json();
    assert_eq!(whole["weeklyTrainingStatus"]["statusCode"], 200);
    fake.knobs(|knobs| knobs.training_status_error = Some(500));
    let partial = get(&fake, path);
    assert_eq!(partial.status, 200);
    let partial = partial.json();
    assert_eq!(partial["weeklyTrainingStatus"]["statusCode"], 500);
    assert!(partial["weeklyTrainingStatus"]["payload"].is_null());
    assert_eq!(partial["vo2MaxWeeklyStatistics"], whole["vo2MaxWeeklyStatistics"], "the other part is good");
}

#[test]
fn newer_goals_show_to_garmins_own_page_only() {
    let fake = fake(SignInMood::Ok);
    let call = account(&fake, &fake.tokens(ANA).access, "/goal-service/goal/goals?status=active&start=1&limit=30");
    let count = |call: &Call| call.send().json().as_array().unwrap().len();
    assert_eq!((count(&call), count(&call.clone().header("sec-fetch-site", "same-origin"))), (2, 3));
    let second = "/goal-service/goal/goals?status=active&start=2&limit=1";
    assert_eq!(get(&fake, second).json().as_array().unwrap().len(), 1, "pages begin with 1");
    assert_eq!(get(&fake, "/goal-service/goal/goals?status=active&start=0&limit=1").status, 400);
}

#[test]
fn the_personal_tier_serves_its_26_endpoints_and_no_more() {
    let fake = fake(SignInMood::Ok);
    let token = personal_token(&fake);
    let status = |path: &str| personal(&fake, &token, path).send().status;
    let id = fake.person(ANA).unwrap().life.activities()[0].activity_id;
    for path in [
        "/activitylist-service/activities/search/activities?start=0&limit=20",
        &format!("/activity-service/activity/{id}"),
        &format!("/activity-service/activity/{id}/workouts"),
        "/usersummary-service/usersummary/daily?calendarDate=2026-10-20",
        "/usersummary-service/v2/dailysummaries?startDate=2026-10-01&endDate=2026-10-20",
        "/usersummary-service/stats/steps/daily/2026-10-01/2026-10-20",
        "/usersummary-service/stats/stress/daily/2026-10-01/2026-10-20",
        "/usersummary-service/stats/hydration/daily/2026-10-01/2026-10-20",
        "/sleep-service/sleep/dailySleep?date=2026-10-20",
        "/sleep-service/sleep/dailySleepSummariesByDate?startDate=2026-10-01&endDate=2026-10-20",
        "/hrv-service/hrv/daily/2026-10-01/2026-10-20",
        "/wellness-service/wellness/bodyBattery/reports/daily?startDate=2026-10-01&endDate=2026-10-20",
        "/wellness-service/wellness/dailyHeartRate?date=2026-10-20",
        "/wellness-service/wellness/daily/spo2acclimation/2026-10-20",
        "/biometric-service/heartRateZones/v2?generateDefaults=true",
        "/fitnessage-service/fitnessage/v2/2026-10-20?fullHistoryScan=false",
        "/weight-service/weight/range/2026-01-01/2026-10-20?includeAll=true",
        "/goal-service/goal/user/effective/weightgoal/2026-01-01/2026-10-20",
        "/wellnessactivity-service/activity/summary/range/2026-10-01/2026-10-20",
        "/userprofile-service/userprofile/settings",
    ] {
        assert_eq!(status(path), 200, "{path}");
    }
    let name = fake.person(ANA).unwrap().display_name;
    for path in [
        "/metrics-service/metrics/trainingreadiness/2026-10-20",
        "/mobile-gateway/usersummary/trainingstatus/weekly/2026-10-01/2026-10-20",
        "/wellness-service/wellness/dailyStress/2026-10-20",
        "/wellness-service/wellness/daily/respiration/2026-10-20",
        "/usersummary-service/stats/bodybattery/daily/2026-10-01/2026-10-20",
        "/healthstatus-service/healthstatus/summary/2026-10-01/2026-10-20",
        "/bloodpressure-service/bloodpressure/range/2026-10-01/2026-10-20",
        "/device-service/deviceservice/mylastused",
        "/wellness-service/wellness/syncTimestamp",
        &format!("/gear-service/gear/filterGear?activityId={id}"),
        &format!("/activity-service/activity/{id}/weather"),
        &format!("/wellness-service/wellness/dailySleepData/{name}?date=2026-10-20"),
        "/download-service/files/wellness/2026-10-20",
        "/lifestylelogging-service/dailyLog/2026-10-20",
        "/activitylist-service/activities/count",
    ] {
        assert_eq!(status(path), 404, "{path}");
    }
}

#[test]
fn a_policy_counts_what_is_under_way_and_may_name_no_time() {
    let fake = fake(SignInMood::Ok);
    let policy = Rate { in_flight: 2, retry_after_s: None, ..Rate::of(1_000, Duration::from_secs(1)) };
    fake.knobs(|knobs| (knobs.rate, knobs.latency) = (Some(policy), Duration::from_millis(300)));
    let call = account(&fake, &fake.tokens(ANA).access, "/userprofile-service/userprofile/settings");
    let threads: Vec<_> = (0..5)
        .map(|_| {
            let call = call.clone();
            std::thread::spawn(move || call.send())
        })
        .collect();
    let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty() && refused.len() < 5);
    assert!(refused.iter().all(|answer| answer.all("retry-after").is_empty()));
    assert_eq!(fake.throttled(), refused.len());
}

#[test]
fn a_page_may_break_off_or_drip() {
    let fake = fake(SignInMood::Ok);
    let list = "/activitylist-service/activities/search/activities?start=0&limit=100";
    let whole = get(&fake, list);
    fake.misbehave(Rule::does(Effect::HalfBody).host(Host::Connectapi).path("start=0").times(1));
    let half = get(&fake, list);
    assert!(half.status == 200 && !half.complete && half.body.len() < whole.body.len());
    fake.misbehave(Rule::does(Effect::slow(Duration::from_millis(200))).host(Host::Connectapi).path("start=0"));
    let begun = std::time::Instant::now();
    let slow = get(&fake, list);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert!(slow.complete && slow.body == whole.body);
}
