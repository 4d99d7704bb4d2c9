//! Answers cut into rows, byte for byte; what is no answer is an error and not an empty day.

use super::super::datasets;
use super::*;

fn route(dataset: &str) -> Route {
    let dataset = datasets::all().unwrap().iter().find(|known| known.name == dataset).unwrap();
    dataset.personal.clone().or(dataset.account.clone()).unwrap()
}

fn rows<'a>(route: &Route, body: &'a str) -> Result<Vec<Row<'a>>, Shape> {
    let day = |text: &str| text.parse().unwrap();
    super::rows(route, day("2000-01-01"), day("2100-01-01"), &Part::whole(body))
}

#[test]
fn rows_are_cut_out_as_they_came() {
    let body = r#" { "x":1, "data" : [ {"calendarDate":"2026-10-21", "heartRate":{"minValue" :40}, "big": 1234567890123456789012} ,
        {"calendarDate":"2026-10-20","movement":{"steps":{"goal":9000,"value":null}}}]}"#;
    let rows = rows(&route("daily_summary"), body).unwrap();
    assert_eq!(
        rows[0].body,
        r#"{"calendarDate":"2026-10-21", "heartRate":{"minValue" :40}, "big": 1234567890123456789012}"#
    );
    assert_eq!((rows[0].item.as_str(), rows[0].blank), ("2026-10-21", false));
    assert_eq!((rows[1].item.as_str(), rows[1].blank), ("2026-10-20", true));
    assert_eq!(items(&rows).len(), 1);
}

#[test]
fn no_data_has_many_forms() {
    for body in
        ["[]", "{}", "null", " [ ] ", r#"{"data":null}"#, r#"{"data":[]}"#, r#"{"data":{}}"#, r#"{"other":null}"#]
    {
        assert_eq!(rows(&route("daily_summary"), body).map(|rows| rows.len()), Ok(0), "{body}");
    }
    for body in ["[]", "{}", "null"] {
        assert_eq!(rows(&route("activities"), body).map(|rows| rows.len()), Ok(0), "{body}");
    }
}

#[test]
fn a_row_of_nulls_costs_no_other_night() {
    // As Garmin writes a night without sleep: not even its day is named.
    let night =
        r#"{"id":null,"calendarDate":null,"sleepTimeSeconds":null,"dailyNapDTOS":[],"sleepScores":{"overall":null}}"#;
    let slept = r#"{"id":7,"calendarDate":"2026-10-21","sleepTimeSeconds":27000}"#;
    for empty in [night, &night.replace("{\"id\"", "{\"userProfilePK\":7,\"id\""), "{}"] {
        let body = format!("[{empty},{slept},{empty}]");
        let rows = rows(&route("sleep"), &body).unwrap();
        assert_eq!(rows.iter().map(|row| row.item.as_str()).collect::<Vec<_>>(), ["2026-10-21"], "{empty}");
    }
    // What holds data has a day, and what says nothing of them is something else.
    for odd in
        [&*slept.replace("\"2026-10-21\"", "null"), r#"{"message":"later"}"#, r#"{"calendarDate":"someday"}"#, "null"]
    {
        assert!(rows(&route("sleep"), &format!("[{odd},{slept}]")).is_err(), "{odd}");
    }
    let routes = datasets::all().unwrap().iter().flat_map(|dataset| [&dataset.personal, &dataset.account]).flatten();
    for route in routes.filter(|route| route.item.is_empty() && route.cap_days > 1 && !route.day.is_empty()) {
        let row = raw_rows(&Route::default(), r#"[{"calendarDate":null,"x":null}]"#).unwrap()[0];
        assert_eq!(super::row(route, row).map(|row| row.item), Ok(String::new()), "{}", route.path);
    }
}

#[test]
fn an_unknown_shape_is_never_no_data() {
    let whole = r#"{"data":[{"calendarDate":"2026-10-21"}]}"#;
    for end in 1..whole.len() {
        assert!(rows(&route("daily_summary"), &whole[..end]).is_err(), "{}", &whole[..end]);
    }
    let odd = [
        "",
        "<html>",
        "7",
        r#""no""#,
        r#"[{"calendarDate":"2026-10-21"}]"#,
        r#"{"statusCode":500}"#,
        r#"{"data":7}"#,
        r#"{"data":{"x":1}}"#,
        r#"{"data":[null]}"#,
        r#"{"data":[7]}"#,
        r#"{"data":[{"calendarDate":"someday"}]}"#,
    ];
    for body in odd {
        assert!(rows(&route("daily_summary"), body).is_err(), "{body}");
    }
    for body in [r#"{"x":1}"#, r#"[{"activityId":null}]"#, r#"[{}]"#] {
        assert!(rows(&route("activities"), body).is_err(), "{body}");
    }
}

#[test]
fn an_activity_is_known_by_its_number_and_may_have_no_start() {
    let body = r#"[{"activityId":7,"startTimeLocal":"2026-10-21 07:34:00","manualActivity":true},{"activityId":"8","startTimeLocal":null}]"#;
    let rows = rows(&route("activities"), body).unwrap();
    assert_eq!((rows[0].item.as_str(), rows[0].manual), ("7", true));
    assert_eq!((rows[1].item.as_str(), rows[1].day, rows[1].manual), ("8", None, false));
    assert_eq!(days(&rows).len(), 1);
}

#[test]
fn an_odd_row_costs_no_other_activity() {
    let odd = [
        "null",
        "true",
        "7",
        "[]",
        r#""text""#,
        "{}",
        r#"{"activityId":1.5}"#,
        r#"{"activityId":0}"#,
        r#"{"activityId":-7}"#,
        r#"{"activityId":123456789012345678901}"#,
        r#"{"activityId":1e3}"#,
        r#"{"activityId":"../../x"}"#,
        r#"{"activityId":"+7"}"#,
        r#"{"activityId":""}"#,
        r#"{"activityId":"99999999999999999999"}"#,
    ];
    for odd in odd {
        let body = format!(r#"[{{"activityId":7}},{odd},{{"activityId":"008"}}]"#);
        let (rows, count) = page(&route("activities"), &body).unwrap();
        let ids: Vec<_> = rows.iter().map(|row| row.item.as_str()).collect();
        assert_eq!((ids, count), (vec!["7", "8"], 1), "{odd}");
        assert!(page(&route("activities"), &format!("[{odd}]")).is_err(), "{odd}: a page of nothing else is no page");
    }
}

#[test]
fn an_odd_date_moves_no_horizon() {
    for date in ["0001-01-01 00:00:00", "-99999-1-1", "1989-12-31 00:00:00", "someday"] {
        let body = format!(r#"[{{"activityId":7,"startTimeLocal":"{date}"}}]"#);
        let (rows, odd) = page(&route("activities"), &body).unwrap();
        assert_eq!((rows.len(), rows[0].day, odd), (1, None, 0), "{date}: it is kept all the same");
    }
}

#[test]
fn the_last_of_two_rows_counts() {
    let body = r#"[{"activityId":7,"activityName":"old"},{"activityId":7,"activityName":"new"}]"#;
    let rows = rows(&route("activities"), body).unwrap();
    let items = items(&rows);
    assert_eq!(items.len(), 1);
    assert!(items[0].body.contains("new"));
}

#[test]
fn the_ledger_learns_about_every_day_that_was_asked_for() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let present = [day("2026-10-12"), day("2026-10-14")].into();
    let marks = marks(day("2026-10-11"), day("2026-10-15"), &present, day("2026-10-21"), 7);
    let states: Vec<_> = marks.iter().map(|mark| (mark.item.as_str(), mark.state)).collect();
    let expected = [
        ("2026-10-11", State::Empty),
        ("2026-10-12", State::Ok),
        ("2026-10-13", State::Empty),
        ("2026-10-14", State::Provisional),
        ("2026-10-15", State::Empty),
    ];
    assert_eq!(states, expected);
}

/// What goes, when the days 1 to 9 were held and a range of these days was answered with `body`.
fn lost(dataset: &str, body: &str, unfounded: &[u32]) -> Vec<u32> {
    let (route, day) = (route(dataset), |day| NaiveDate::from_ymd_opt(2026, 10, day).unwrap());
    let (range, held) = ((day(1), day(9)), (1..=9).map(day).collect());
    let parts = if body.is_empty() { vec![Part { name: "", pages: vec![] }] } else { Part::whole(body) };
    let listed = days(&super::rows(&route, range.0, range.1, &parts).unwrap());
    let unfounded: Vec<_> = unfounded.iter().copied().map(day).collect();
    let gone = gone(&route, range, &parts, &listed, &held, |day| unfounded.contains(&day));
    gone.iter().map(Datelike::day).collect()
}

#[test]
fn a_day_goes_when_an_answer_vouches_for_it() {
    let list = |days: std::ops::RangeInclusive<u32>| {
        let row = |day| format!(r#"{{"calendarDate":"2026-10-{day:02}","valueInML":250}}"#);
        format!("[{}]", days.map(row).collect::<Vec<_>>().join(","))
    };
    // Nothing, and nothing but a few, is no proof.
    for body in ["", "[]", "null", &list(1..=4), &list(11..=19)] {
        assert_eq!(lost("hydration", body, &[]), [0; 0], "{body}");
    }
    assert_eq!(lost("hydration", &list(1..=5), &[]), [6, 7, 8, 9]);
    assert_eq!(lost("hydration", &list(1..=9), &[]), [0; 0]);
    let zero = list(1..=9).replacen("250", "0", 1);
    assert_eq!(lost("hydration", &zero, &[]), [1], "listed without data");
    // What the day depended on is gone.
    assert_eq!(lost("hydration", "[]", &[3]), [3]);
    assert_eq!(lost("hydration", "", &[3]), [0; 0], "HTTP 204 says nothing of it");
    // The answer says what it is about, as milliseconds or as a date.
    let range = |from: u64, until: u64| {
        let ms = |day: u64| (1_790_812_800 + (day - 1) * 86_400) * 1_000;
        format!(r#"{{"dailyWeightSummaries":[],"totalAverage":{{"from":{},"until":{}}}}}"#, ms(from), ms(until))
    };
    assert_eq!(lost("weight", &range(1, 9), &[]), (1..=9).collect::<Vec<_>>());
    assert_eq!(lost("weight", &range(8, 20), &[]), [8, 9]);
    assert_eq!(lost("weight", r#"{"dailyWeightSummaries":[],"totalAverage":null}"#, &[]), [0; 0]);
    assert_eq!(lost("nutrition", r#"{"mealDate":"2026-10-09","mealDetails":[]}"#, &[]), [9]);
    assert_eq!(lost("nutrition", r#"{"mealDate":null,"mealDetails":[]}"#, &[]), [0; 0]);
    // A page of the calendar is about its month.
    let month = |month: u32, items: &str| format!(r#"{{"year":2026,"month":{month},"calendarItems":[{items}]}}"#);
    assert_eq!(lost("calendar", &month(9, ""), &[]), (1..=9).collect::<Vec<_>>());
    assert_eq!(lost("calendar", &month(8, ""), &[]), [0; 0], "of September");
    assert_eq!(lost("calendar", &month(9, r#"{"id":1,"date":"2026-10-02"}"#), &[]), [0; 0]);
    assert_eq!(lost("load_balance", r#"{"metricsTrainingLoadBalanceDTOMap":{}}"#, &[]), [0; 0]);
    // One day that stands for a month says nothing of others.
    assert_eq!(lost("fitness_age", "{}", &[9]), [0; 0]);
}
