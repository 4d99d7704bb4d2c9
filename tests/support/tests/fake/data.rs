//! connectapi: tokens, caps, gaps, listing, files.

use std::io::{Cursor, Read};
use std::time::Duration;

use chrono::{Days, NaiveDate};
use garminsync_test_support::fake::{FakeGarmin, Rate};
use garminsync_test_support::people::{Person, SignInMood, Source};
use serde_json::Value;

use crate::client::{ANA, Answer, Call, account, fake};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn get(fake: &FakeGarmin, path: &str) -> Answer {
    account(fake, &fake.tokens(ANA).access, path).send()
}

#[test]
fn a_foreign_or_malformed_token_is_refused() {
    let fake = fake(SignInMood::Ok);
    let path = "/userprofile-service/socialProfile";
    for token in ["nonsense", &crate::client::personal_token(&fake)] {
        let answer = account(&fake, token, path).send();
        assert_eq!(answer.status, 401);
        assert!(answer.text().contains("OAuthToken is invalid"));
    }
    let good = account(&fake, &fake.tokens(ANA).access, path);
    assert_eq!(good.clone().without("authorization").send().status, 401);
    assert_eq!(good.clone().without("x-garmin-client-platform").send().status, 400);
    assert_eq!(good.clone().header("cookie", "SESSION=1").send().status, 400);
    assert_eq!(good.clone().replace("accept", "application/zip").send().status, 406);
    assert_eq!(good.send().json()["displayName"], fake.person(ANA).unwrap().display_name);
    fake.expire_access(ANA);
    assert_eq!(get(&fake, path).status, 200, "later tokens are good");
}

#[test]
fn unknown_paths_are_a_page_and_foreign_names_forbidden() {
    let fake = fake(SignInMood::Ok);
    let unknown = get(&fake, "/no-such-service/x");
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("<html>"));
    let name = fake.person(ANA).unwrap().display_name;
    let path = "/usersummary-service/usersummary/daily";
    assert_eq!(get(&fake, &format!("{path}/{name}?calendarDate=2026-10-01")).status, 200);
    assert_eq!(get(&fake, &format!("{path}/?calendarDate=2026-10-01")).status, 200);
    let foreign = get(&fake, &format!("{path}/somebody?calendarDate=2026-10-01"));
    assert_eq!((foreign.status, foreign.json()["error"].as_str().unwrap()), (403, "ForbiddenException"));
}

#[test]
fn ranges_over_the_cap_and_odd_dates_are_refused() {
    let fake = fake(SignInMood::Ok);
    let range = |path: &str, days: u64| {
        let last = day("2026-10-20");
        let first = last - Days::new(days - 1);
        get(&fake, &path.replace("{s}", &first.to_string()).replace("{e}", &last.to_string())).status
    };
    for (path, cap) in [
        ("/usersummary-service/v2/dailysummaries?startDate={s}&endDate={e}", 31),
        ("/sleep-service/stats/sleep/daily/{s}/{e}", 28),
        ("/sleep-service/sleep/dailySleepSummariesByDate?startDate={s}&endDate={e}", 31),
        ("/hrv-service/hrv/daily/{s}/{e}", 367),
    ] {
        assert_eq!((range(path, cap), range(path, cap + 1)), (200, 400), "{path}");
    }
    for (first, last) in
        [("2026-10-02", "2026-10-01"), ("2026-02-30", "2026-03-01"), ("2026-1-01", "2026-01-02"), ("", "2026-01-02")]
    {
        assert_eq!(get(&fake, &format!("/hrv-service/hrv/daily/{first}/{last}")).status, 400, "{first} {last}");
    }
    assert_eq!(get(&fake, "/usersummary-service/v2/dailysummaries").status, 400);
}

#[test]
fn days_without_data_are_left_out_or_empty() {
    let fake = fake(SignInMood::Ok);
    let gone = day("2026-10-05");
    fake.live(ANA, |life| life.clear(gone));
    let days = |answer: Value, list: &str| {
        let items = if list.is_empty() { answer } else { answer[list].clone() };
        let days = items.as_array().unwrap().iter().map(|item| item["calendarDate"].as_str().unwrap().to_owned());
        days.collect::<Vec<_>>()
    };
    let life = fake.person(ANA).unwrap().life;
    let range = "2026-10-01/2026-10-20";
    let query = "startDate=2026-10-01&endDate=2026-10-20";
    let within = || day("2026-10-01").iter_days().take(20);
    let with = |has: &dyn Fn(NaiveDate) -> bool| {
        within().filter(|day| has(*day)).map(|day| day.to_string()).collect::<Vec<_>>()
    };
    let summaries = get(&fake, &format!("/usersummary-service/v2/dailysummaries?{query}")).json();
    assert_eq!(days(summaries, "data"), with(&|day| life.daily(day).is_some()));
    let nights = with(&|day| life.sleep(day).is_some());
    assert!(!nights.contains(&gone.to_string()) && nights.len() > 12);
    let stats = get(&fake, &format!("/sleep-service/stats/sleep/daily/{range}")).json();
    assert_eq!(days(stats, "individualStats"), nights);
    let flat = get(&fake, &format!("/sleep-service/sleep/dailySleepSummariesByDate?{query}")).json();
    assert_eq!(days(flat, ""), nights);
    let hrv = get(&fake, &format!("/hrv-service/hrv/daily/{range}")).json();
    assert_eq!(days(hrv, "hrvSummaries"), with(&|day| life.hrv(day).is_some()));

    assert_eq!(get(&fake, &format!("/hrv-service/hrv/daily/{gone}/{gone}")).status, 204);
    assert_eq!(get(&fake, &format!("/hrv-service/hrv/{gone}")).status, 204);
    let nothing = get(&fake, &format!("/sleep-service/sleep/dailySleep?date={gone}")).json();
    assert!(nothing["id"].is_null() && nothing["calendarDate"] == gone.to_string());
    let nothing = get(&fake, &format!("/usersummary-service/usersummary/daily/?calendarDate={gone}")).json();
    assert_eq!(nothing["includesWellnessData"], false);
}

#[test]
fn the_listing_pages_and_filters_by_local_date() {
    let fake = fake(SignInMood::Ok);
    let list = |query: &str| get(&fake, &format!("/activitylist-service/activities/search/activities?{query}"));
    let ids = |answer: &Answer| {
        let items = answer.json();
        items.as_array().unwrap().iter().map(|item| item["activityId"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let life = fake.person(ANA).unwrap().life;
    let all: Vec<_> = life.activities().iter().map(|activity| activity.activity_id).collect();
    assert_eq!(all.len(), 300);

    let pages: Vec<_> = (0..4).flat_map(|page| ids(&list(&format!("start={}&limit=100", page * 100)))).collect();
    assert_eq!(pages, all);
    assert_eq!(ids(&list("start=300&limit=100")), Vec::<i64>::new());
    assert_eq!(ids(&list("start=0&limit=1000")).len(), 300);
    assert_eq!(list("start=0&limit=1001").status, 400);
    assert_eq!(list("limit=ten").status, 400);
    assert_eq!(list("startDate=2026-03-02&endDate=2026-03-01").status, 400);
    let mut ascending = all.clone();
    ascending.reverse();
    assert_eq!(ids(&list("limit=1000&sortOrder=asc")), ascending);

    let march = |day: NaiveDate| (self::day("2026-03-01")..=self::day("2026-03-31")).contains(&day);
    let wanted: Vec<_> =
        life.activities().iter().filter(|it| march(it.start_local.date())).map(|it| it.activity_id).collect();
    assert!(wanted.len() > 10);
    assert_eq!(ids(&list("limit=1000&startDate=2026-03-01&endDate=2026-03-31")), wanted);
    assert_eq!(list("limit=10&favorite=1").status, 501, "what is not played is not ignored");

    let count = get(&fake, "/activitylist-service/activities/count").json();
    let legs = count["multisportChildCount"].as_i64().unwrap();
    assert!(legs > 0);
    assert_eq!(count["totalCount"].as_i64().unwrap() - legs, 300);
    assert_eq!(ids(&list("limit=1000&excludeChildren=false")).len() as i64, count["totalCount"].as_i64().unwrap());
}

#[test]
fn deleted_foreign_and_unknown_activities_differ() {
    let fake = fake(SignInMood::Ok);
    fake.add(Person::named("ben@example.org"));
    let id = |user: &str| fake.person(user).unwrap().life.activities()[3].activity_id;
    let (mine, theirs) = (id(ANA), id("ben@example.org"));
    let detail = |id: i64| get(&fake, &format!("/activity-service/activity/{id}"));
    assert_eq!(detail(mine).json()["activityId"], mine);
    assert_eq!(detail(theirs).status, 403);
    assert_eq!(get(&fake, &format!("/download-service/files/activity/{theirs}")).status, 403);
    fake.live(ANA, |life| assert!(life.delete_activity(mine)));
    let gone = detail(mine);
    assert_eq!((gone.status, gone.json()["error"].as_str().unwrap()), (404, "NotFoundException"));
    assert_eq!(detail(1).status, 404);
}

#[test]
fn downloads_are_zips_of_the_original() {
    let fake = fake(SignInMood::Ok);
    let life = fake.person(ANA).unwrap().life;
    let newest = |source: Source| life.activities().into_iter().find(|it| it.source == source).unwrap().activity_id;
    let token = fake.tokens(ANA).access;
    let download = |id: i64| {
        account(&fake, &token, &format!("/download-service/files/activity/{id}")).replace("accept", "*/*").send()
    };
    for source in [Source::Fit, Source::Tcx, Source::Gpx] {
        let id = newest(source);
        let answer = download(id);
        assert_eq!(answer.all("content-type"), ["application/x-zip-compressed"]);
        assert_eq!(answer.all("content-disposition"), [format!("attachment; filename=\"{id}.zip\"")]);
        let mut zip = zip::ZipArchive::new(Cursor::new(answer.body)).unwrap();
        let mut bytes = Vec::new();
        zip.by_index(0).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, life.original(id).unwrap().bytes);
    }
    assert_eq!(download(newest(Source::None)).status, 404, "typed in by hand");
}

#[test]
fn what_happens_to_a_life_shows_in_the_answers() {
    let fake = fake(SignInMood::Ok);
    let lately = day("2026-09-09");
    let id = fake.person(ANA).unwrap().life.activities()[5].activity_id;
    let device = || get(&fake, "/device-service/deviceservice/mylastused").json()["lastUsedDeviceUploadTime"].as_i64();
    let listed = || {
        let path = format!(
            "/activitylist-service/activities/search/activities?limit=1000&startDate={lately}&endDate={lately}"
        );
        get(&fake, &path).json().as_array().unwrap().len()
    };
    let steps = || {
        let path = format!("/usersummary-service/v2/dailysummaries?startDate={lately}&endDate={lately}");
        get(&fake, &path).json()["data"].as_array().unwrap().len()
    };
    fake.live(ANA, |life| life.clear(lately));
    let before = (device(), listed());
    assert_eq!(steps(), 0);
    let added = fake.live(ANA, |life| life.late_upload(&[lately], 2)).unwrap();
    assert_eq!((steps(), listed()), (1, before.1 + 2));
    assert!(device() > before.0);
    assert_eq!(get(&fake, &format!("/activity-service/activity/{}", added[0])).status, 200);

    let detail = || get(&fake, &format!("/activity-service/activity/{id}")).json();
    let old = detail();
    fake.live(ANA, |life| assert!(life.rename_activity(id, "Umbenannt ✓")));
    assert_eq!(detail()["activityName"], "Umbenannt ✓");
    assert_ne!(detail()["metadataDTO"]["lastUpdateDate"], old["metadataDTO"]["lastUpdateDate"]);
}

#[test]
fn a_rate_can_be_kept() {
    let fake = fake(SignInMood::Ok);
    fake.knobs(|knobs| knobs.rate = Some(Rate { retry_after_s: Some(7), ..Rate::of(2, Duration::from_secs(2_000)) }));
    let answers: Vec<_> = (0..3).map(|_| get(&fake, "/userprofile-service/userprofile/settings")).collect();
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 429]);
    assert_eq!(answers[2].all("retry-after"), ["7"]);
}

#[test]
fn identity_and_small_answers() {
    let fake = fake(SignInMood::Ok);
    assert_eq!(get(&fake, "/userprofile-service/userprofile/settings").json()["timeZone"], "Europe/Berlin");
    assert!(get(&fake, "/userprofile-service/userprofile/user-settings").json()["userData"]["weight"].is_number());
    assert!(get(&fake, "/wellness-service/wellness/syncTimestamp").json().is_string());
    assert_eq!(Call::get(&fake, "/nowhere").send().status, 404);
}
