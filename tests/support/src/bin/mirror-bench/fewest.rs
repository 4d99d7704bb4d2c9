//! The fewest requests that Garmin's caps allow for a first sync, dataset by dataset. They come from the facts about Garmin's routes
//! (their longest ranges and pages) and from the life that is mirrored, never from what the daemon says of itself.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use garminsync_test_support::fake::{Host, Seen};
use garminsync_test_support::people::{ActivityTruth, Life, month_ends};

use Days::{Calendar, Hrv, Nights, Spo2, Worn};
use Least::{Each, Months, Once, Pages, Ranges};
use Things::{Activities, Files, Gear, Goals, Legs, Outdoors, Snapshots};

/// Of which days a route has to be asked.
#[derive(Clone, Copy)]
enum Days {
    /// All: only an answer tells that there is nothing, or somebody may have typed something in.
    Calendar,
    /// Those on which the watch was worn; the daily summaries tell.
    Worn,
    /// Those with a night.
    Nights,
    /// Those whose night has HRV.
    Hrv,
    /// Those with Pulse Ox.
    Spo2,
}

#[derive(Clone, Copy)]
enum Things {
    Activities,
    Files,
    Outdoors,
    Legs,
    Gear,
    Goals,
    Snapshots,
}

/// What the least number follows from.
#[derive(Clone, Copy)]
enum Least {
    /// Ranges of at most so many days.
    Ranges(u64, Days),
    /// One day of each month in which the watch was worn, and one of this month.
    Months,
    /// So many, however long the history is.
    Once(u64),
    /// Pages of so many things; one that is not full is the last.
    Pages(u64, Things),
    /// One for each thing.
    Each(Things),
}

/// Dataset, path (`*`: whatever stands there), least. The first path that fits counts.
type Route = (&'static str, &'static str, Least);

const BOTH: &[Route] = &[
    ("daily_summary", "/usersummary-service/v2/dailysummaries", Ranges(31, Calendar)),
    ("weight_goal", "/goal-service/goal/user/effective/weightgoal/*", Once(1)),
    ("settings", "/userprofile-service/userprofile/settings", Once(1)),
    ("heart_rate", "/wellness-service/wellness/dailyHeartRate*", Ranges(1, Worn)),
    ("spo2", "/wellness-service/wellness/daily/spo2acclimation/*", Ranges(1, Spo2)),
    ("original", "/download-service/files/activity/*", Each(Files)),
];

const PERSONAL: &[Route] = &[
    ("(token)", "/personalapitoken-service/*", Once(1)),
    ("(anything new?)", "/usersummary-service/usersummary/daily", Once(1)),
    ("sleep", "/sleep-service/sleep/dailySleepSummariesByDate", Ranges(31, Worn)),
    ("hrv", "/hrv-service/hrv/daily/*", Ranges(365, Calendar)),
    ("hrv_readings", "/hrv-service/hrv/*", Ranges(1, Hrv)),
    ("body_battery", "/wellness-service/wellness/bodyBattery/reports/daily", Ranges(31, Worn)),
    ("hydration", "/usersummary-service/stats/hydration/daily/*", Ranges(31, Worn)),
    ("fitness_age", "/fitnessage-service/fitnessage/v2/*", Months),
    ("health_snapshot", "/wellnessactivity-service/activity/summary/range/*", Ranges(31, Worn)),
    ("weight", "/weight-service/weight/range/*", Ranges(365, Calendar)),
    ("hr_zone", "/biometric-service/heartRateZones/v2", Once(1)),
    ("activities", "/activitylist-service/activities/search/activities", Pages(20, Activities)),
    ("activity_detail", "/activity-service/activity/*", Each(Activities)),
];

const ACCOUNT: &[Route] = &[
    ("(check of the login)", "/userprofile-service/socialProfile", Once(1)),
    ("(anything new?)", "/device-service/deviceservice/mylastused", Once(1)),
    ("sleep", "/sleep-service/stats/sleep/daily/*", Ranges(28, Worn)),
    ("sleep_detail", "/wellness-service/wellness/dailySleepData*", Ranges(1, Nights)),
    ("hrv", "/hrv-service/hrv/daily/*", Ranges(367, Calendar)),
    // The readings stand in the sleep detail.
    ("hrv_readings", "/hrv-service/hrv/*", Once(0)),
    ("body_battery", "/wellness-service/wellness/bodyBattery/reports/daily", Ranges(28, Worn)),
    ("hydration", "/usersummary-service/stats/hydration/daily/*", Ranges(28, Worn)),
    ("fitness_age", "/fitnessage-service/stats/daily/*", Ranges(29, Worn)),
    ("health_status", "/healthstatus-service/healthstatus/summary/*", Ranges(3650, Calendar)),
    ("health_snapshot", "/wellnessactivity-service/activity/summary/list", Pages(20, Snapshots)),
    ("weight", "/weight-service/weight/range/*", Ranges(3650, Calendar)),
    ("blood_pressure", "/bloodpressure-service/bloodpressure/range/*", Ranges(3650, Calendar)),
    ("training_readiness", "/metrics-service/metrics/trainingreadiness/*", Ranges(366, Calendar)),
    ("training_status", "/mobile-gateway/usersummary/trainingstatus/weekly/*", Ranges(358, Calendar)),
    ("vo2max", "/metrics-service/metrics/maxmet/daily/*", Ranges(365, Calendar)),
    ("race_prediction", "/metrics-service/metrics/racepredictions/daily/*", Ranges(366, Calendar)),
    ("endurance_score", "/metrics-service/metrics/endurancescore/stats", Ranges(84, Calendar)),
    ("hill_score", "/metrics-service/metrics/hillscore/stats", Ranges(365, Calendar)),
    ("running_tolerance", "/metrics-service/metrics/runningtolerance/stats", Ranges(28, Worn)),
    ("lactate_threshold: heart rate", "/biometric-service/stats/lactateThresholdHeartRate/*", Ranges(365, Calendar)),
    ("lactate_threshold: speed", "/biometric-service/stats/lactateThresholdSpeed/*", Ranges(365, Calendar)),
    ("ftp: cycling", "/biometric-service/stats/functionalThresholdPower/*sport=CYCLING*", Ranges(365, Calendar)),
    ("ftp: running", "/biometric-service/stats/functionalThresholdPower/*sport=RUNNING*", Ranges(365, Calendar)),
    ("stress", "/wellness-service/wellness/dailyStress/*", Ranges(1, Worn)),
    ("respiration", "/wellness-service/wellness/daily/respiration/*", Ranges(1, Worn)),
    ("steps", "/wellness-service/wellness/dailySummaryChart/*", Ranges(1, Worn)),
    ("floors", "/wellness-service/wellness/floorsChartData/daily/*", Ranges(1, Worn)),
    ("intensity", "/wellness-service/wellness/daily/im/*", Ranges(1, Worn)),
    ("wellness_zip", "/download-service/files/wellness/*", Ranges(1, Worn)),
    ("device", "/device-service/deviceregistration/devices*", Once(2)),
    ("gear_stats", "/gear-service/gear/stats/*", Each(Gear)),
    ("gear", "/gear-service/gear/filterGear", Once(1)),
    ("gear_activity", "/activitylist-service/activities/*/gear", Pages(100, Gear)),
    ("personal_record", "/personalrecord-service/personalrecord/prs/*", Once(1)),
    ("badge", "/badge-service/badge/earned", Once(1)),
    ("goal", "/goal-service/goal/goals", Pages(100, Goals)),
    ("power_zone", "/biometric-service/powerZones/sports/all", Once(1)),
    ("hr_zone", "/biometric-service/heartRateZones", Once(1)),
    ("acclimation", "/metrics-service/metrics/heataltitudeacclimation/daily/*", Ranges(365, Calendar)),
    ("load_balance", "/metrics-service/metrics/trainingloadbalance/latest/*", Months),
    ("profile", "/userprofile-service/userprofile/user-settings", Once(1)),
    ("workout", "/workout-service/workouts", Once(1)),
    ("activities", "/activitylist-service/activities/search/activities", Pages(1000, Activities)),
    ("activity_type", "/activity-service/activity/activityTypes", Once(1)),
    ("activity_weather", "/activity-service/activity/*/weather", Each(Outdoors)),
    ("activity_lap", "/activity-service/activity/*/splits", Each(Activities)),
    ("activity_hr_zone", "/activity-service/activity/*/hrTimeInZones", Each(Activities)),
    ("activity_set", "/activity-service/activity/*/exerciseSets", Each(Activities)),
    ("activity_detail", "/activity-service/activity/*", Each(Activities)),
];

/// The days of a mirror.
#[derive(Clone, Copy)]
pub struct Span {
    /// The first day with data.
    pub first: NaiveDate,
    /// Today.
    pub last: NaiveDate,
    /// Nobody tells the daemon which is the first: finding it is part of the fewest.
    pub found: bool,
}

/// By dataset: how many requests there were, none where nobody asked, and the fewest. What belongs to no dataset stands under its route, without
/// a fewest.
pub fn compare(seen: &[Seen], life: &Life, span: Span) -> BTreeMap<String, (u64, Option<u64>)> {
    let last = span.last;
    let mut sent: BTreeMap<String, (u64, Option<u64>)> = BTreeMap::new();
    // Whose a key is stands in the summaries of any day: a login by key reads those of the 31 days before today.
    let check = format!("startDate={}&endDate={}", last - chrono::Days::new(31), last - chrono::Days::new(1));
    for one in seen {
        let personal = one.host == Host::Personal;
        let least = if personal && one.query == check && one.route.ends_with("/dailysummaries") {
            Some(("(check of the key)", Once(1)))
        } else {
            of(one, life, personal)
        };
        // The fewest is worked out once a dataset: it walks through the whole life.
        let dataset = least.map_or_else(|| one.route.clone(), |(dataset, _)| dataset.to_owned());
        let fewest = || (0, least.map(|(_, least)| fewest(least, life, span)));
        sent.entry(dataset).or_insert_with(fewest).0 += 1;
    }
    // What a tier that was asked anything was not asked for is told, too.
    let of_host = |host| match host {
        Host::Personal => PERSONAL,
        _ => ACCOUNT,
    };
    let hosts = [Host::Personal, Host::Connectapi].into_iter().filter(|host| seen.iter().any(|one| one.host == *host));
    for (dataset, _, least) in hosts.flat_map(|host| BOTH.iter().chain(of_host(host))) {
        sent.entry((*dataset).to_owned()).or_insert_with(|| (0, Some(fewest(*least, life, span))));
    }
    sent
}

fn of(seen: &Seen, life: &Life, personal: bool) -> Option<(&'static str, Least)> {
    let id = seen.path.strip_prefix("/activity-service/activity/").and_then(|id| id.parse().ok());
    if id.and_then(|id| life.activity(id)).is_some_and(|activity| activity.parent.is_some()) {
        return Some(("activity_leg", Each(Legs)));
    }
    let place = format!("{}?{}", seen.path, seen.query);
    let fits = |pattern: &str| {
        if pattern.contains('=') { is_like(&place, pattern) } else { is_like(&seen.path, pattern) }
    };
    let routes = BOTH.iter().chain(if personal { PERSONAL } else { ACCOUNT });
    routes.clone().find(|(_, pattern, _)| fits(pattern)).map(|(dataset, _, least)| (*dataset, *least))
}

/// Whether a text is the pattern, where each `*` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return text == pattern };
    let Some(rest) = text.strip_prefix(head) else { return false };
    (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| is_like(rest, tail)))
}

fn fewest(least: Least, life: &Life, Span { first, last, found }: Span) -> u64 {
    let listed = || life.activities().into_iter().filter(|one| (first..=last).contains(&one.start_local.date()));
    let count = |pick: &dyn Fn(&ActivityTruth) -> bool| listed().filter(|one| pick(one)).count() as u64;
    let things = |things: Things| match things {
        Activities => count(&|_| true),
        Files => count(&|one| life.original(one.activity_id).is_some()),
        Outdoors => count(&|one| one.start_lat.is_some()),
        Legs => life.legs().len() as u64,
        Gear => life.gear().len() as u64,
        Goals => life.goals().len() as u64,
        Snapshots => days(first, last).filter(|day| life.snapshot(*day).is_some()).count() as u64,
    };
    match least {
        Once(times) => times,
        Each(kind) => things(kind),
        Months => {
            let worn = days(first, last).filter(|day| life.daily(*day).is_some());
            month_ends(worn, last).len() as u64
        }
        Pages(size, Gear) => life
            .gear()
            .iter()
            .map(|gear| life.gear_links().iter().filter(|link| link.gear_uuid == gear.gear_uuid).count() as u64)
            .map(|links| links / size + 1)
            .sum(),
        // Three lists: active, future and past.
        Pages(size, Goals) => 3 * (things(Goals) / 3 / size + 1),
        Pages(size, kind) => things(kind) / size + 1,
        Ranges(cap, Calendar) if found => to_the_beginning(cap, first, last),
        Ranges(cap, kind) => {
            let wanted = days(first, last).filter(|day| match kind {
                Calendar => true,
                Worn => life.daily(*day).is_some(),
                Nights => life.sleep(*day).is_some(),
                Hrv => life.hrv(*day).is_some(),
                Spo2 => life.daily(*day).is_some_and(|daily| daily.avg_spo2_pct.is_some()),
            });
            ranges(wanted, cap)
        }
    }
}

/// Ranges of which nobody knows where they have to end. A route that answers a year at once goes on until a year is silent; another one until
/// a month is. And one of all routes, the one of days, has to look whether somebody wore a watch before a longer silence: in a month of each
/// quarter of two years.
fn to_the_beginning(cap: u64, first: NaiveDate, last: NaiveDate) -> u64 {
    let lived = (last - first).num_days().unsigned_abs() + 1;
    if cap >= 300 {
        return (lived + 365).div_ceil(cap);
    }
    let ranges = lived.div_ceil(cap);
    let silent = u64::from(ranges * cap - lived < 30);
    let two_years =
        (1..=24 + 1).filter_map(|ago| (first - chrono::Days::new(31)).checked_sub_months(chrono::Months::new(ago)));
    let looks = two_years.filter(|day| [1, 4, 7, 10].contains(&day.month())).filter_map(|day| day.with_day(1));
    let looks = looks.filter(|day| (31 + 31..=731).contains(&(first - *day).num_days())).count() as u64;
    ranges + silent + if cap == 31 { looks } else { 0 }
}

fn days(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |day| *day <= last)
}

/// The smallest number of ranges of at most `cap` days that hold all these days, which come in order: each begins at the first that
/// is left.
fn ranges(days: impl Iterator<Item = NaiveDate>, cap: u64) -> u64 {
    let mut began: Option<NaiveDate> = None;
    let mut ranges = 0;
    for day in days {
        if began.is_none_or(|began| (day - began).num_days().unsigned_abs() >= cap) {
            began = Some(day);
            ranges += 1;
        }
    }
    ranges
}
