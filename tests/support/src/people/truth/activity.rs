//! The truth of activities, and of what Garmin keeps beside each: laps, weather, sets, zones.
//! `activities` and `sessions` make it.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

/// One row of `activity`, and behind it what the table does not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActivityTruth {
    /// Garmin's id.
    pub activity_id: i64,
    /// Name.
    pub name: String,
    /// Notes.
    pub description: Option<String>,
    /// Type key, such as `running`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Start.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// Start by the watch.
    #[serde(serialize_with = "super::iso_local")]
    pub start_local: NaiveDateTime,
    /// Seconds on the timer.
    pub duration_s: f64,
    /// Seconds in motion.
    pub moving_s: Option<f64>,
    /// Seconds from start to end, pauses included.
    pub elapsed_s: Option<f64>,
    /// Metres.
    pub distance_m: Option<f64>,
    /// Metres up.
    pub elevation_gain_m: Option<f64>,
    /// Metres down.
    pub elevation_loss_m: Option<f64>,
    /// Metres a second.
    pub avg_speed_mps: Option<f64>,
    /// Average heart rate.
    pub avg_hr_bpm: Option<f64>,
    /// Highest heart rate.
    pub max_hr_bpm: Option<f64>,
    /// Average power, W.
    pub avg_power_w: Option<f64>,
    /// Highest power, W.
    pub max_power_w: Option<f64>,
    /// Energy, kcal.
    pub calories_kcal: Option<f64>,
    /// Aerobic training effect, 0 to 5.
    pub training_effect: Option<f64>,
    /// Anaerobic training effect, 0 to 5.
    pub anaerobic_effect: Option<f64>,
    /// Training load.
    pub training_load: Option<f64>,
    /// Latitude of the start, degrees; none indoors.
    pub start_lat: Option<f64>,
    /// Longitude of the start, degrees.
    pub start_lon: Option<f64>,
    /// The recording device.
    pub device_id: Option<i64>,
    /// `metadataDTO.lastUpdateDate`: only in the detail, not in the list.
    #[serde(serialize_with = "super::iso_utc")]
    pub updated_utc: DateTime<Utc>,
    /// The zone it happened in.
    #[serde(skip)]
    pub zone: Tz,
    /// Where the original file comes from.
    #[serde(skip)]
    pub source: Source,
    /// The multisport activity this is a leg of; legs are not in the listing.
    #[serde(skip)]
    pub parent: Option<i64>,
    /// The legs of a multisport activity.
    #[serde(skip)]
    pub legs: Vec<i64>,
    /// `private`, `public`, `subscribers`.
    #[serde(skip)]
    pub privacy: &'static str,
    /// Its ends were cut off on the web page; the file is as it was.
    #[serde(skip)]
    pub trimmed: bool,
    /// What was uploaded, once something was changed: the file tells that for ever.
    #[serde(skip)]
    pub uploaded: Option<Box<ActivityTruth>>,
}

/// How an activity came to Garmin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Recorded by a watch: the original is a FIT file.
    Fit,
    /// Imported from a TCX file.
    Tcx,
    /// Imported from a GPX file.
    Gpx,
    /// Typed in by hand, or a leg of a multisport activity: no original.
    None,
}

/// One row of `activity_lap`, from `…/{id}/splits`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LapTruth {
    /// The activity. Part of the key.
    pub activity_id: i64,
    /// `lapIndex`, from 1. Part of the key.
    pub lap: i64,
    /// Start.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// Metres.
    pub distance_m: Option<f64>,
    /// Seconds on the timer.
    pub duration_s: f64,
    /// Average heart rate.
    pub avg_hr_bpm: Option<f64>,
    /// Highest heart rate.
    pub max_hr_bpm: Option<f64>,
    /// Metres a second.
    pub avg_speed_mps: Option<f64>,
    /// `intensityType`: `ACTIVE`, `REST`, …
    pub intensity: String,
}

/// One row of `activity_weather`, from `…/{id}/weather`; none for what was done indoors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeatherTruth {
    /// The activity. The key.
    pub activity_id: i64,
    /// `issueDate`: when it was observed.
    #[serde(serialize_with = "super::iso_utc")]
    pub observed_utc: DateTime<Utc>,
    /// Temperature, °C (Garmin: °F). `(F - 32) * 5 / 9`, two decimals.
    pub temperature_c: f64,
    /// Temperature as it feels, °C (Garmin: °F).
    pub apparent_c: f64,
    /// Dew point, °C (Garmin: °F).
    pub dew_point_c: f64,
    /// `relativeHumidity`.
    pub humidity_pct: i64,
    /// `windDirection`, degrees.
    pub wind_direction: i64,
    /// `windSpeed` as Garmin writes it; its unit is not known.
    pub wind_speed: f64,
    /// `windGust`, likewise.
    pub wind_gust: Option<f64>,
    /// `weatherTypeDTO.desc`.
    pub description: String,
}

/// One row of `activity_set`, from `…/{id}/exerciseSets`; strength activities only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetTruth {
    /// The activity. Part of the key.
    pub activity_id: i64,
    /// `messageIndex`. Part of the key.
    pub position: i64,
    /// `setType`: `ACTIVE` or `REST`.
    pub kind: String,
    /// Start.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// Seconds.
    pub duration_s: f64,
    /// `repetitionCount`; none for rests.
    pub repetitions: Option<i64>,
    /// Grams lifted; none for rests and bodyweight.
    pub weight_g: Option<f64>,
    /// Category of the most probable exercise, such as `BENCH_PRESS`.
    pub exercise: Option<String>,
}

/// One row of `activity_hr_zone`, from `…/{id}/hrTimeInZones`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActivityZoneTruth {
    /// The activity. Part of the key.
    pub activity_id: i64,
    /// `zoneNumber`, 1 to 5. Part of the key.
    pub zone: i64,
    /// Seconds in it.
    pub time_s: f64,
    /// `zoneLowBoundary`.
    pub low_bpm: i64,
}

/// One row of `activity_power_zone`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActivityPowerZoneTruth {
    /// The activity. Part of the key.
    pub activity_id: i64,
    /// `zoneNumber`, 1 to 7. Part of the key.
    pub zone: i64,
    /// Seconds in it.
    pub time_s: f64,
    /// `zoneLowBoundary`.
    pub low_w: i64,
}

/// One row of `activity_split`: a stretch by what was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitTruth {
    /// The activity. Part of the key.
    pub activity_id: i64,
    /// Its place in the list, from 0. Part of the key.
    pub position: i64,
    /// `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `startTimeGMT`.
    #[serde(serialize_with = "super::iso_utc")]
    pub start_utc: DateTime<Utc>,
    /// Seconds.
    pub duration_s: f64,
    /// Metres.
    pub distance_m: Option<f64>,
    /// `averageHR`; 0 is none.
    pub avg_hr_bpm: Option<f64>,
}

/// One row of `activity_workout_step`: a step of the workout that an activity followed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActivityStepTruth {
    /// The activity. Part of the key.
    pub activity_id: i64,
    /// `index` of the workout. Part of the key.
    pub workout: i64,
    /// `stepIndex`. Part of the key.
    pub position: i64,
    /// `workoutName`.
    pub name: String,
    /// `sport`.
    pub sport: String,
    /// `intensity`.
    pub intensity: String,
    /// `durationType`.
    pub until: String,
    /// `durationValue`.
    pub until_value: Option<f64>,
    /// `targetType`.
    pub target: String,
    /// `targetValueLow`.
    pub target_low: Option<f64>,
    /// `targetValueHigh`.
    pub target_high: Option<f64>,
}
