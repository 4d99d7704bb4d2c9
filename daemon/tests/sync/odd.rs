//! A Garmin that answers what the fake one never would.

use std::sync::{Arc, Mutex};

use chrono::{Datelike, Days, NaiveDate};
use garminsync_daemon::sync::Outcome;
use garminsync_garmin::{Garmin, Tier};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::mirror::{Mirror, back, settings, today};

/// What a data service says, by a part of the path: the first that fits.
type Answers = Arc<Mutex<Vec<(String, u16, String)>>>;

/// A data service that answers so, and everything else with "no data"; gives its address.
async fn service(answers: Answers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") && stream.read_line(&mut request).await.is_ok_and(|read| read > 0) {}
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            let known = answers.lock().unwrap().iter().find(|(part, ..)| path.contains(part)).cloned();
            let (_, status, body) = known.unwrap_or((path, 200, "[]".into()));
            let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
            let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{length}\r\n");
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    address
}

/// An account whose Garmin gives these answers, as long as nobody says otherwise.
async fn mirror_of(datasets: &[&'static str], answers: Vec<(String, u16, String)>) -> (Mirror, Answers) {
    let answers = Arc::new(Mutex::new(answers));
    let mut mirror = Mirror::of(1, 0, &[Tier::Account]).await;
    let mut settings = settings(&mirror.fake);
    settings.endpoints.connectapi = service(answers.clone()).await;
    mirror.garmin = Garmin::new(settings).unwrap();
    mirror.datasets = datasets.to_vec();
    (mirror, answers)
}

fn ok(part: impl Into<String>, body: Value) -> (String, u16, String) {
    (part.into(), 200, body.to_string())
}

#[tokio::test]
async fn odd_rows_and_dates_and_names_cost_only_themselves() {
    let list = format!(
        r#"[{{"activityId":9,"startTimeLocal":"{} 07:00:00","activityName":"{}"}},null,{{"activityId":"../x"}},
            {{"activityId":8,"startTimeLocal":"1989-12-31 00:00:00"}},{{"activityId":7,"startTimeLocal":"0001-01-01 00:00:00"}}]"#,
        today(),
        "ä".repeat(600_000)
    );
    let core = Mirror::of(1, 0, &[Tier::Account]).await.datasets;
    let (mut mirror, _) = mirror_of(&core, vec![("activitylist".into(), 200, list)]).await;
    mirror.start = None;

    let report = mirror.sync().await;
    assert_eq!((report.outcome, report.new_items), (Outcome::Partial, 3), "{report:?}");
    let error = report.error.unwrap();
    assert!(error.starts_with("activities 2 of 5 rows cannot be read"), "{error}");
    assert_eq!(mirror.rows("SELECT activity_id FROM activity").len(), 3);
    let oldest = mirror.rows("SELECT min(day) AS day FROM ledger WHERE dataset = 'daily_summary'");
    let oldest: NaiveDate = oldest[0]["day"].as_str().unwrap().parse().unwrap();
    // Of each quarter one month: the oldest look is up to a quarter short of two years.
    assert!((back(731)..=back(731 - 92)).contains(&oldest), "two years are looked through: {oldest:?}");
    let steps = mirror.steps.lock().unwrap();
    assert!(steps.iter().any(|step| step.text.contains("ää")), "{} steps", steps.len());
    assert!(steps.iter().all(|step| step.text.chars().count() <= 200));
}

/// A nap without a time that can be read costs that nap's day, not the night in whose answer it lies.
#[tokio::test]
async fn what_is_odd_within_an_answer_is_its_own() {
    let nights = (0..3).map(back).map(|day| json!({"calendarDate": day, "values": {"totalSleepTimeInSeconds": 25000}}));
    let mut answers = vec![ok("stats/sleep/daily", json!({"individualStats": nights.collect::<Vec<_>>()}))];
    for number in 0..3 {
        let day = back(number);
        let noon = day.and_hms_opt(12, 0, 0).unwrap().and_utc().timestamp_millis();
        let start = if number == 1 { json!("after lunch") } else { json!(noon) };
        let nap = json!({"napStartTimestampGMT": start, "napEndTimestampGMT": noon + 600_000, "napTimeSec": 600});
        let stage =
            json!({"startGMT": format!("{day}T01:00:00.0"), "endGMT": format!("{day}T02:00:00.0"), "activityLevel": 1});
        let night = json!({"id": noon, "calendarDate": day, "dailyNapDTOS": [nap]});
        answers.push(ok(
            format!("dailySleepData/anna?date={day}"),
            json!({"dailySleepDTO": night, "sleepLevels": [stage]}),
        ));
    }
    let (mut mirror, _) = mirror_of(&["sleep", "sleep_detail", "nap"], answers).await;
    (mirror.start, mirror.display_name) = (Some(back(2)), Some("anna".into()));
    let report = mirror.sync().await;
    assert_eq!(report.outcome, Outcome::Partial, "{report:?}");
    let error = report.error.unwrap();
    assert!(error.starts_with(&format!("nap {}: the answer does not fit its tables", back(1))), "{error}");
    assert_eq!(mirror.rows("SELECT * FROM sleep_stage").len(), 3);
    let naps: Vec<_> = mirror.rows("SELECT day, start_utc FROM nap ORDER BY day DESC");
    let expected = [0, 2].map(|number| format!("{}T12:00:00Z", back(number)));
    assert_eq!(naps.iter().map(|nap| nap["start_utc"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    let states = |dataset: &str| {
        let sql = format!("SELECT item, state FROM ledger WHERE dataset = '{dataset}' AND state = 'error'");
        mirror.rows(&sql).iter().map(|row| row["item"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((states("nap"), states("sleep_detail")), (vec![back(1).to_string()], vec![]));
}

/// An answer that is put together: what one part leaves out is not gone.
#[tokio::test]
async fn a_part_that_does_not_come_takes_nothing_away() {
    let (old, new) = (back(5), back(2));
    let at = |day: NaiveDate, value: f64| json!({"from": day, "until": day, "series": "x", "value": value});
    let speed = "lactateThresholdSpeed";
    let rate = "lactateThresholdHeartRate";
    let answers = vec![
        ok(speed, json!([at(old, 0.3), at(new, 0.31)])),
        ok(rate, json!([at(new, 170.0)])),
        ok("sport=CYCLING", json!([at(new, 250.0)])),
        ok("sport=RUNNING", json!([at(old, 330.0), at(new, 340.0)])),
        ok("devices/historical", json!([{"deviceId": 2}])),
        ok("deviceregistration/devices", json!([{"deviceId": 1}, {"deviceId": 3}])),
    ];
    let (mut mirror, said) = mirror_of(&["lactate_threshold", "ftp", "device"], answers.clone()).await;
    mirror.start = Some(back(30));
    mirror.sync_ok().await;
    let held = |mirror: &Mirror| {
        let all = |table: &str| mirror.rows(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3"));
        [all("lactate_threshold"), all("ftp"), all("device")]
    };
    let before = held(&mirror);
    assert_eq!(before.each_ref().map(Vec::len), [2, 3, 3]);
    for (status, body) in [(204, ""), (404, "{}"), (200, "[]"), (200, "null")] {
        for part in [speed, rate, "sport=CYCLING", "sport=RUNNING", "devices/historical"] {
            let mut answers = answers.clone();
            answers.insert(0, (part.into(), status, body.into()));
            *said.lock().unwrap() = answers;
            mirror.age("-25 hours");
            mirror.sync_ok().await;
            assert_eq!(held(&mirror), before, "{part}: {status} {body}");
        }
    }
    // What does come counts all the same, and a device that is put away moves.
    *said.lock().unwrap() = vec![
        (speed.into(), 204, String::new()),
        ok(rate, json!([at(new, 171.0)])),
        ok("devices/historical", json!([{"deviceId": 1}, {"deviceId": 2}, {"deviceId": 3}])),
    ];
    mirror.age("-25 hours");
    mirror.sync_ok().await;
    let [thresholds, power, devices] = held(&mirror);
    let threshold = (thresholds[1]["hr_bpm"].clone(), thresholds[1]["speed_mps"].clone());
    assert_eq!((thresholds.len(), threshold), (2, (json!(171.0), json!(3.1))));
    assert_eq!((power.len(), devices.iter().filter(|device| device["current"] == 1.0).count()), (3, 0));
}

/// A month of the calendar that Garmin names and shows empty is empty. Any other answer without entries proves nothing.
#[tokio::test]
async fn a_month_that_was_emptied_is_empty() {
    let last = today().with_day(1).unwrap() - Days::new(1);
    let path = format!("/calendar-service/year/{}/month/{}", last.year(), last.month0());
    let month = |items: Value| json!({"year": last.year(), "month": last.month0(), "calendarItems": items});
    let entry = json!({"id": 7, "itemType": "note", "title": "Schuhe", "date": last});
    let (mut mirror, said) = mirror_of(&["calendar"], vec![ok(&path, month(json!([entry])))]).await;
    mirror.start = Some(last);
    mirror.sync_ok().await;
    let entries = |mirror: &Mirror| mirror.rows("SELECT * FROM calendar_entry").len();
    assert_eq!(entries(&mirror), 1);
    let other = json!({"year": 2001, "month": 1, "calendarItems": []});
    for (status, body) in [(204, String::new()), (200, "[]".into()), (200, "{}".into()), (200, other.to_string())] {
        *said.lock().unwrap() = vec![(path.clone(), status, body.clone())];
        mirror.age("-25 hours");
        mirror.sync_ok().await;
        assert_eq!(entries(&mirror), 1, "{status} {body}");
    }
    *said.lock().unwrap() = vec![ok(&path, month(json!([])))];
    mirror.age("-25 hours");
    mirror.sync_ok().await;
    assert_eq!(entries(&mirror), 0);
    // And it fills again.
    *said.lock().unwrap() = vec![ok(&path, month(json!([entry])))];
    mirror.age("-25 hours");
    mirror.sync_ok().await;
    assert_eq!(entries(&mirror), 1);
}

#[tokio::test]
async fn what_is_no_zip_is_no_day_without_files() {
    let file = |body: &str| vec![("files/wellness/".to_owned(), 200, body.to_owned())];
    let (mut mirror, answers) = mirror_of(&["wellness_zip"], file(r#"{"error": "try again later"}"#)).await;
    mirror.start = Some(back(1));
    assert_eq!(mirror.sync().await.outcome, Outcome::Partial);
    let days = |mirror: &Mirror| {
        mirror.counts("SELECT state AS a, count(*) AS n FROM ledger WHERE dataset = 'wellness_zip' GROUP BY 1")
    };
    assert_eq!(days(&mirror), [("error".to_owned(), 2)].into());
    *answers.lock().unwrap() = file(&format!("PK\x05\x06{}", "\0".repeat(18)));
    mirror.sync_ok().await;
    assert!(!days(&mirror).contains_key("error"), "{:?}", days(&mirror));
}

/// On garmin.cn the wall clock of a night may be shifted twice. A clock that is up to 14 hours ahead is none of these.
#[tokio::test]
async fn the_local_times_of_a_night_are_the_persons_even_if_garmin_shifted_them_twice() {
    let expected = [(8, 8), (16, 8), (14, 14), (-10, -10)];
    let night = |(number, (shift, _)): (u64, &(i64, i64))| {
        let start = back(number).and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_millis() - 3_600_000;
        let (end, shift) = (start + 8 * 3_600_000, shift * 3_600_000);
        json!({"calendarDate": back(number), "values": {
            "totalSleepTimeInSeconds": 25000, "gmtSleepStartTimeInMillis": start, "gmtSleepEndTimeInMillis": end,
            "localSleepStartTimeInMillis": start + shift, "localSleepEndTimeInMillis": end + shift}})
    };
    let nights: Vec<_> = (0..).zip(&expected).map(night).collect();
    let (mut mirror, _) =
        mirror_of(&["sleep"], vec![ok("stats/sleep/daily", json!({"individualStats": nights}))]).await;
    mirror.start = Some(back(3));
    mirror.sync_ok().await;
    let hours = |end: &str| format!("round((julianday({end}_local) - julianday({end}_utc)) * 24, 2)");
    let rows = mirror.rows(&format!(
        "SELECT {} AS start, {} AS \"end\" FROM sleep ORDER BY day DESC",
        hours("start"),
        hours("end")
    ));
    let found: Vec<_> = rows.iter().map(|row| (row["start"].as_f64(), row["end"].as_f64())).collect();
    assert_eq!(found, expected.map(|(_, hours)| (Some(hours as f64), Some(hours as f64))));
}
