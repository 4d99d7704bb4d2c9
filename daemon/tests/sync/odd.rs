//! A Garmin that answers what the fake one never would.

use garminsync_daemon::sync::Outcome;
use garminsync_garmin::{Garmin, Tier};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::mirror::{Mirror, back, settings, today};

/// A data service that answers the activity list with `list` and everything else with "no data"; gives its address.
async fn service(list: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") && stream.read_line(&mut request).await.is_ok_and(|read| read > 0) {}
            let body = if request.contains("activitylist") { list.as_str() } else { "[]" };
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all((head + body).as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn odd_rows_and_dates_and_names_cost_only_themselves() {
    let list = format!(
        r#"[{{"activityId":9,"startTimeLocal":"{} 07:00:00","activityName":"{}"}},null,{{"activityId":"../x"}},
            {{"activityId":8,"startTimeLocal":"1989-12-31 00:00:00"}},{{"activityId":7,"startTimeLocal":"0001-01-01 00:00:00"}}]"#,
        today(),
        "ä".repeat(600_000)
    );
    let mut mirror = Mirror::of(1, 0, &[Tier::Account]).await;
    let mut settings = settings(&mirror.fake);
    settings.endpoints.connectapi = service(list).await;
    mirror.garmin = Garmin::new(settings).unwrap();
    mirror.start = None;

    let report = mirror.sync().await;
    assert_eq!((report.outcome, report.new_items), (Outcome::Partial, 3), "{report:?}");
    let error = report.error.unwrap();
    assert!(error.starts_with("activities 2 of 5 rows cannot be read"), "{error}");
    assert_eq!(mirror.rows("SELECT activity_id FROM activity").len(), 3);
    let oldest = mirror.rows("SELECT min(day) AS day FROM ledger WHERE dataset = 'daily_summary'");
    assert!(oldest[0]["day"].as_str() > Some(&back(732).to_string()), "two years are looked through: {oldest:?}");
    let steps = mirror.steps.lock().unwrap();
    assert!(steps.iter().any(|step| step.text.contains("ää")), "{} steps", steps.len());
    assert!(steps.iter().all(|step| step.text.chars().count() <= 200));
}
