//! Generates the truth of activities: every kind a client must cope with, in a fixed round.
//! `life` calls it; it knows nothing of listings or files.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use fastrand::Rng;

use super::chance::{decimal, of_number, once_in, rounded};
use super::plan::{Plan, at_local};
use super::truth::{ActivityTruth, Source};

/// What kind an activity is of, with the figures that make it plausible.
struct Sport {
    kind: &'static str,
    name: &'static str,
    minutes: (i64, i64),
    /// Metres a second; `None`: no distance.
    speed: Option<(f64, f64)>,
    outdoors: bool,
    power: bool,
    source: Source,
}

const fn sport(kind: &'static str, name: &'static str, minutes: (i64, i64), speed: Option<(f64, f64)>) -> Sport {
    Sport { kind, name, minutes, speed, outdoors: true, power: false, source: Source::Fit }
}

/// The round: the n-th activity of a life is of the n-th kind. Twenty activities have seen everything.
const ROUND: [Sport; 20] = [
    sport("running", "Potsdam Running", (25, 80), Some((2.4, 3.6))),
    Sport { power: true, ..sport("cycling", "Fläming – Skate 🚴", (40, 240), Some((5.5, 9.0))) },
    Sport { outdoors: false, ..sport("strength_training", "Strength", (25, 70), None) },
    Sport { power: true, ..sport("running", "Intervalle 6 × 800 m", (40, 70), Some((2.8, 4.2))) },
    sport("walking", "Spaziergang", (20, 120), Some((1.1, 1.6))),
    Sport { source: Source::None, outdoors: false, ..sport("running", "Lauf ohne Uhr", (30, 60), Some((2.5, 3.2))) },
    Sport { outdoors: false, ..sport("lap_swimming", "Pool Swim", (20, 60), Some((0.6, 1.1))) },
    Sport { source: Source::Tcx, ..sport("cycling", "Import: Tour \"Nord\" <2>", (60, 200), Some((5.0, 8.0))) },
    sport("running", "Morning Run", (25, 80), Some((2.4, 3.6))),
    Sport { outdoors: false, ..sport("treadmill_running", "Treadmill", (20, 60), Some((2.4, 3.4))) },
    sport("running", "Отдых / 休息日 run", (25, 60), Some((2.2, 3.0))),
    Sport { source: Source::Gpx, ..sport("hiking", "Wanderung O'Hara & Söhne", (90, 400), Some((0.8, 1.4))) },
    Sport { outdoors: false, power: true, ..sport("indoor_cycling", "Zwift", (30, 90), Some((6.0, 10.0))) },
    sport("trail_running", "Teufelsberg Trail", (40, 120), Some((2.0, 3.0))),
    Sport { power: true, ..sport("road_biking", "Road Cycling", (60, 240), Some((6.5, 10.0))) },
    sport("running", "Lunch Run", (25, 60), Some((2.4, 3.6))),
    Sport { outdoors: false, ..sport("yoga", "Yoga", (15, 60), None) },
    sport("multi_sport", "Triathlon", (60, 150), Some((3.0, 5.0))),
    sport("running", "Evening Run", (25, 80), Some((2.4, 3.6))),
    Sport { outdoors: false, ..sport("strength_training", "Rücken", (25, 70), None) },
];

/// The kind after which a multisport activity has legs.
const LEGS: [(&str, &str); 3] = [("open_water_swimming", "Swim"), ("cycling", "Bike"), ("running", "Run")];

/// The `index`-th activity of a life, on `day`; a multisport activity is followed by its legs.
/// `id_base` keeps the ids of different people apart; ids grow with the start time.
pub(super) fn of(plan: &Plan, id_base: i64, index: usize, day: NaiveDate) -> Vec<ActivityTruth> {
    let sport = &ROUND[index % ROUND.len()];
    let mut rng = of_number(plan.seed, i64::try_from(index).unwrap_or(0), "activity");
    // Today's are over by the early morning, whatever time it is when the fake runs.
    let hour = if day == plan.today { 0 } else { rng.u32(6..20) };
    let zone = plan.zone_on(day);
    let time = NaiveTime::from_hms_opt(hour, rng.u32(0..60), rng.u32(0..60)).unwrap_or_default();
    let start_utc = at_local(zone, day.and_time(time));
    let minutes = rng.i64(sport.minutes.0..sport.minutes.1);
    let duration_s = rounded(minutes as f64 * 60.0 + rng.f64() * 60.0, 3);
    let paused_s = if once_in(&mut rng, 3) { rounded(rng.f64() * 400.0, 3) } else { 0.0 };
    let recorded = sport.source != Source::None;
    let speed = sport.speed.map(|(low, high)| decimal(&mut rng, low, high, 3));
    let heart = (recorded && !once_in(&mut rng, 12)).then(|| rng.i64(105..160) as f64);
    let power = (sport.power && recorded).then(|| rng.i64(140..260) as f64);
    let climbs = sport.outdoors && recorded && speed.is_some();
    let position =
        (sport.outdoors && recorded).then(|| (decimal(&mut rng, 52.3, 52.6, 6), decimal(&mut rng, 12.9, 13.6, 6)));
    let activity_id = id_at(id_base, start_utc);
    let activity = ActivityTruth {
        activity_id,
        name: sport.name.to_owned(),
        description: once_in(&mut rng, 9).then(|| "Gut gelaufen.\nRückenwind, \"leicht\" 💨".to_owned()),
        kind: sport.kind.to_owned(),
        start_utc,
        start_local: start_utc.with_timezone(&zone).naive_local(),
        duration_s,
        moving_s: speed.filter(|_| recorded).map(|_| rounded(duration_s * 0.97, 3)),
        elapsed_s: Some(rounded(duration_s + paused_s, 3)),
        distance_m: speed.map(|speed| rounded(speed * duration_s, 2)),
        elevation_gain_m: climbs.then(|| rng.i64(5..900) as f64),
        elevation_loss_m: climbs.then(|| rng.i64(5..900) as f64),
        avg_speed_mps: speed,
        avg_hr_bpm: heart,
        max_hr_bpm: heart.map(|average| average + rng.i64(8..30) as f64),
        avg_power_w: power,
        max_power_w: power.map(|average| average + rng.i64(50..600) as f64),
        calories_kcal: Some(rounded(minutes as f64 * 9.5, 0)),
        training_effect: heart.map(|_| decimal(&mut rng, 0.5, 5.0, 1)),
        anaerobic_effect: heart.map(|_| decimal(&mut rng, 0.0, 3.0, 1)),
        training_load: heart.map(|_| decimal(&mut rng, 10.0, 320.0, 4)),
        start_lat: position.map(|(lat, _)| lat),
        start_lon: position.map(|(_, lon)| lon),
        // Rides are recorded by a second device.
        device_id: (sport.source == Source::Fit).then_some(if sport.power { 3_310_000_002 } else { 3_400_000_001 }),
        updated_utc: start_utc + Duration::seconds(duration_s as i64 + paused_s as i64 + rng.i64(60..900)),
        zone,
        source: sport.source,
        parent: None,
        legs: Vec::new(),
        privacy: "private",
        trimmed: false,
        uploaded: None,
    };
    if sport.kind == "multi_sport" { with_legs(activity, &mut rng) } else { vec![activity] }
}

/// The id of what begins at this moment.
pub(super) fn id_at(id_base: i64, at: DateTime<Utc>) -> i64 {
    id_base + (at.timestamp() / 60) * 10
}

fn with_legs(mut parent: ActivityTruth, rng: &mut Rng) -> Vec<ActivityTruth> {
    let share = 1.0 / LEGS.len() as f64;
    let legs: Vec<_> = (1..)
        .zip(LEGS)
        .map(|(number, (kind, name))| {
            let later = Duration::seconds((parent.duration_s * share) as i64 * (number - 1));
            ActivityTruth {
                activity_id: parent.activity_id + number,
                name: format!("{} - {name}", parent.name),
                kind: kind.to_owned(),
                start_utc: parent.start_utc + later,
                start_local: parent.start_local + later,
                duration_s: rounded(parent.duration_s * share, 3),
                elapsed_s: Some(rounded(parent.duration_s * share, 3)),
                moving_s: None,
                distance_m: parent.distance_m.map(|all| rounded(all * share, 2)),
                avg_hr_bpm: Some(rng.i64(120..160) as f64),
                source: Source::None,
                parent: Some(parent.activity_id),
                legs: Vec::new(),
                ..parent.clone()
            }
        })
        .collect();
    parent.legs = legs.iter().map(|leg| leg.activity_id).collect();
    std::iter::once(parent).chain(legs).collect()
}
