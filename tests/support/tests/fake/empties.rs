//! How each endpoint says that there is nothing: 204, `[]`, `{}`, nulls, 404. And what was put away, or is not there yet.

use std::time::Duration;

use chrono::{Days, NaiveDate};
use garminsync_test_support::fake::FakeGarmin;
use garminsync_test_support::people::{Life, Person, SignInMood, Source};
use serde_json::{Value, json};

use crate::client::{ANA, Answer, Call, account, fake, native, personal, personal_token};

fn get(fake: &FakeGarmin, path: &str) -> Answer {
    let path = path.replace("{dn}", &fake.person(ANA).unwrap().display_name);
    account(fake, &fake.tokens(ANA).access, &path).send()
}

/// A day that Garmin has nothing of, in the middle of a life.
fn nothing(fake: &FakeGarmin) -> NaiveDate {
    let gone = NaiveDate::from_ymd_opt(2026, 10, 5).unwrap();
    fake.live(ANA, |life| {
        life.clear(gone);
        for id in life.activities_on(gone).map(|it| it.activity_id).collect::<Vec<_>>() {
            life.delete_activity(id);
        }
    });
    gone
}

#[test]
fn a_day_without_data_is_said_in_each_endpoints_way() {
    let fake = fake(SignInMood::Ok);
    let gone = nothing(&fake);
    let of = |path: &str| get(&fake, &path.replace("{d}", &gone.to_string()));
    for path in [
        "/hrv-service/hrv/{d}",
        "/hrv-service/hrv/daily/{d}/{d}",
        "/healthstatus-service/healthstatus/summary/{d}/{d}",
        "/metrics-service/metrics/endurancescore?calendarDate={d}",
        "/metrics-service/metrics/hillscore?calendarDate={d}",
        "/nutrition-service/food/logs/{d}",
        "/periodichealth-service/menstrualcycle/dayview/{d}",
        "/periodichealth-service/menstrualcycle/summary/{d}",
    ] {
        let answer = of(path);
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}");
    }
    for (path, empty) in [
        ("/metrics-service/metrics/trainingreadiness/{d}", json!([])),
        ("/metrics-service/metrics/trainingreadiness/{d}/{d}", json!([])),
        ("/metrics-service/metrics/maxmet/daily/{d}/{d}", json!([])),
        ("/metrics-service/metrics/racepredictions/daily/{dn}?fromCalendarDate={d}&toCalendarDate={d}", json!([])),
        ("/metrics-service/metrics/runningtolerance/stats?startDate={d}&endDate={d}&aggregation=daily", json!([])),
        ("/wellness-service/wellness/dailySummaryChart/{dn}?date={d}", json!([])),
        ("/wellness-service/wellness/bodyBattery/events/{d}", json!([])),
        ("/wellness-service/wellness/bodyBattery/reports/daily?startDate={d}&endDate={d}", json!([])),
        ("/usersummary-service/stats/steps/daily/{d}/{d}", json!([])),
        ("/usersummary-service/stats/hydration/daily/{d}/{d}", json!([])),
        ("/fitnessage-service/stats/daily/{d}/{d}", json!([])),
        ("/biometric-service/stats/lactateThresholdSpeed/range/{d}/{d}?sport=RUNNING", json!([])),
        ("/sleep-service/sleep/naps/{d}", json!([])),
        ("/lifestylelogging-service/dailyLog/{d}", json!({})),
        ("/usersummary-service/v2/dailysummaries?startDate={d}&endDate={d}", json!({"data": []})),
    ] {
        assert_eq!(of(path).json(), empty, "{path}");
    }
    for (path, nulls) in [
        ("/wellness-service/wellness/dailyHeartRate/{dn}?date={d}", &["heartRateValues", "maxHeartRate"][..]),
        (
            "/wellness-service/wellness/dailyStress/{d}",
            &["stressValuesArray", "bodyBatteryValuesArray", "avgStressLevel"],
        ),
        ("/wellness-service/wellness/daily/respiration/{d}", &["respirationValuesArray", "avgWakingRespirationValue"]),
        ("/wellness-service/wellness/daily/spo2/{d}", &["averageSpO2", "spO2HourlyAverages"]),
        ("/wellness-service/wellness/daily/im/{d}", &["imValuesArray", "moderateMinutes"]),
        ("/usersummary-service/usersummary/daily/{dn}?calendarDate={d}", &["totalSteps", "restingHeartRate"]),
    ] {
        let answer = of(path).json();
        assert!(nulls.iter().all(|field| answer.get(*field).is_some_and(Value::is_null)), "{path}: {answer}");
    }
    let night = of("/wellness-service/wellness/dailySleepData/{dn}?date={d}&nonSleepBufferMinutes=60").json();
    assert!(night["dailySleepDTO"]["id"].is_null() && night.get("sleepLevels").is_none(), "nulls, and no series");
    let status = of("/mobile-gateway/usersummary/trainingstatus/weekly/{d}/{d}").json();
    assert_eq!(status.pointer("/weeklyTrainingStatus/payload/reportData"), Some(&json!({})));
    let scores = of("/metrics-service/metrics/endurancescore/stats?startDate={d}&endDate={d}&aggregation=daily").json();
    assert_eq!((&scores["avg"], &scores["groupMap"]), (&Value::Null, &json!({})));
    let files = of("/download-service/files/wellness/{d}");
    assert_eq!((files.status, files.json()["error"].as_str().unwrap()), (404, "NotFoundException"));
}

#[test]
fn years_before_the_first_day_are_empty() {
    let fake = fake(SignInMood::Ok);
    let day = "2019-05-05";
    let range = "2019-05-01/2019-05-28";
    assert_eq!(get(&fake, &format!("/usersummary-service/stats/steps/daily/{range}")).json(), json!([]));
    assert_eq!(get(&fake, &format!("/hrv-service/hrv/daily/{range}")).status, 204);
    let stress = get(&fake, &format!("/wellness-service/wellness/dailyStress/{day}")).json();
    assert!(stress["stressValuesArray"].is_null());
    // An old watch brings one of those days after all.
    fake.live(ANA, |life| life.late_upload(&[day.parse().unwrap()], 0));
    assert_eq!(
        get(&fake, &format!("/usersummary-service/stats/steps/daily/{range}")).json().as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_watch_that_could_not_measure_it_gives_no_hrv_and_no_spo2() {
    let fake = fake(SignInMood::Ok);
    fake.add(Person::named(ANA).lived(NaiveDate::from_ymd_opt(2026, 10, 21).unwrap(), 800, 300));
    let life = fake.person(ANA).unwrap().life;
    let plan = life.plan().clone();
    let early = |day: &NaiveDate| *day < plan.hrv_since;
    let old: Vec<_> = life.days().map(|(day, _)| day).filter(early).collect();
    assert!(old.len() > 100 && old.iter().all(|day| life.hrv(*day).is_none() && life.spo2_samples(*day).is_empty()));
    assert!(old.iter().any(|day| life.sleep(*day).is_some()), "nights were measured all the same");
    assert!(old.iter().all(|day| life.readiness(*day).is_empty()));
    assert!(life.days().any(|(day, _)| day > plan.spo2_since && !life.spo2_samples(day).is_empty()));
    let devices = |which: &str| get(&fake, &format!("/device-service/deviceregistration/devices{which}")).json();
    assert_eq!((devices("").as_array().unwrap().len(), devices("/historical").as_array().unwrap().len()), (2, 1));
}

#[test]
fn samples_that_were_put_away_come_back_when_they_are_asked_for() {
    let fake = fake(SignInMood::Ok);
    let before = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
    let worn = |life: &Life, day: &NaiveDate| life.heart_rate_samples(*day).len() > 500 && life.sleep(*day).is_some();
    let life = fake.person(ANA).unwrap().life;
    let day = life.days().map(|(day, _)| day).filter(|day| *day < before).find(|day| worn(&life, day)).unwrap();
    let later = life.days().map(|(day, _)| day).filter(|day| *day > before).find(|day| worn(&life, day)).unwrap();
    fake.live(ANA, |life| life.offload(before));
    let hearts =
        |day: NaiveDate| get(&fake, &format!("/wellness-service/wellness/dailyHeartRate/{{dn}}?date={day}")).json();
    let put_away = hearts(day);
    assert!(put_away["maxHeartRate"].is_number(), "the summary stays");
    assert_eq!(put_away["heartRateValues"], json!([]));
    assert!(!hearts(later)["heartRateValues"].as_array().unwrap().is_empty());
    let night = format!("/wellness-service/wellness/dailySleepData/{{dn}}?date={day}&nonSleepBufferMinutes=60");
    assert_eq!(get(&fake, &night).json()["sleepLevels"], json!([]));

    let path = format!("/connectapi/wellness-service/wellness/epoch/request/{day}");
    let call = native(Call::new(&fake, "POST", &path))
        .header("authorization", &format!("Bearer {}", fake.tokens(ANA).access))
        .header("accept", "application/json");
    assert_eq!(get(&fake, path.trim_start_matches("/connectapi")).status, 405, "GET is not the way");
    assert_eq!(call.send().json()["status"], "SUBMITTED");
    assert_eq!(hearts(day)["heartRateValues"], json!([]), "not at once");
    fake.advance(Duration::from_secs(11));
    assert!(hearts(day)["heartRateValues"].as_array().unwrap().len() > 500);
    assert!(!get(&fake, &night).json()["sleepLevels"].as_array().unwrap().is_empty());
    assert_eq!(hearts(day - Days::new(1))["heartRateValues"].as_array().map_or(0, Vec::len), 0, "only that day");
}

#[test]
fn a_night_needs_the_buffer_for_its_series() {
    let fake = fake(SignInMood::Ok);
    let life = fake.person(ANA).unwrap().life;
    let day = life.days().rev().find(|(_, data)| data.hrv.is_some()).unwrap().0;
    let plain = get(&fake, &format!("/sleep-service/sleep/dailySleepData?date={day}")).json();
    assert!(plain["dailySleepDTO"]["id"].is_number() && plain["sleepLevels"].is_null() && plain["hrvData"].is_null());
    let whole = get(&fake, &format!("/sleep-service/sleep/dailySleepData?date={day}&nonSleepBufferMinutes=60")).json();
    assert!(whole["sleepLevels"].is_array() && whole["hrvData"].is_array());
}

#[test]
fn what_an_activity_lacks_is_absent_in_its_own_way() {
    let fake = fake(SignInMood::Ok);
    let life = fake.person(ANA).unwrap().life;
    let of = |id: i64, what: &str| get(&fake, &format!("/activity-service/activity/{id}/{what}"));
    let indoors: Vec<_> = life.activities().into_iter().filter(|it| it.start_lat.is_none()).cloned().collect();
    let mut ways: Vec<u16> = indoors.iter().take(40).map(|it| of(it.activity_id, "weather").status).collect();
    ways.sort_unstable();
    ways.dedup();
    assert_eq!(ways, [204, 404], "both are seen");
    let manual = life.activities().into_iter().find(|it| it.source == Source::None && it.legs.is_empty()).unwrap();
    assert_eq!(of(manual.activity_id, "hrTimeInZones").json(), json!([]));
    assert!(of(manual.activity_id, "exerciseSets").json()["exerciseSets"].is_null());
    assert_eq!(of(manual.activity_id, "splits").json()["lapDTOs"].as_array().unwrap().len(), 1);
    assert_eq!(of(manual.activity_id, "nonsense").status, 404);
    assert_eq!(of(1, "splits").status, 404);
    let retired = life.gear().into_iter().find(|gear| gear.status == "retired").unwrap();
    assert_eq!(get(&fake, &format!("/gear-service/gear/stats/{}", retired.gear_uuid)).status, 404);
}

#[test]
fn a_wellness_bundle_is_a_zip_of_fit_files_and_may_be_empty() {
    let fake = fake(SignInMood::Ok);
    let life = fake.person(ANA).unwrap().life;
    let bundle = |day: NaiveDate| get(&fake, &format!("/download-service/files/wellness/{day}")).body;
    let worn = life.days().rev().find(|(_, data)| data.hrv.is_some()).unwrap().0;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bundle(worn))).unwrap();
    assert_eq!(zip.len(), life.wellness_files(worn).unwrap().len());
    assert!(zip.len() >= 5 && zip.by_index(0).unwrap().name().ends_with("_WELLNESS.fit"));
    let off = life.days().find(|(_, data)| data.daily.as_ref().is_some_and(|row| row.steps.is_none())).unwrap().0;
    let empty = bundle(off);
    assert!(empty.len() < 100 && empty.starts_with(b"PK"));
}

#[test]
fn the_personal_tiers_fitness_age_looks_back() {
    let fake = fake(SignInMood::Ok);
    let gone = nothing(&fake);
    let token = personal_token(&fake);
    let answer = personal(&fake, &token, &format!("/fitnessage-service/fitnessage/v2/{gone}?fullHistoryScan=false"));
    let answer = answer.send().json();
    assert!(answer["fitnessAge"].is_number() && answer["lastUpdated"].as_str().unwrap()[..10] < *gone.to_string());
    let long_ago = personal(&fake, &token, "/fitnessage-service/fitnessage/v2/2019-01-01").send().json();
    assert_eq!(long_ago, json!({}));
}
