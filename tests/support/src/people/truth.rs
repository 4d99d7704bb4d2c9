//! What really happened, in the units and names of the tables people query. The JSON of the fake is rendered from
//! this, so a test that compares database rows with it checks every conversion between the two.
//! `serde_json::to_value` of a truth gives an object with one entry per table column; [`super::TABLES`] names all tables
//! and gives their rows for any period.
//!
//! | table | key | columns | said by |
//! |---|---|---|---|
//! | `daily_summary` | day | [`DailyTruth`] | `v2/dailysummaries` |
//! | `sleep` | day | [`SleepTruth`] | `dailySleepSummariesByDate`, `stats/sleep/daily` |
//! | `hrv` | day | [`HrvTruth`] | `hrv/daily` |
//! | `body_battery` | day | [`BodyBatteryTruth`] | `bodyBattery/reports/daily` |
//! | `body_battery_event` | start_utc, type | [`BodyBatteryEventTruth`] | `bodyBattery/reports/daily` |
//! | `hydration` | day | [`HydrationTruth`] | `stats/hydration/daily` |
//! | `fitness_age` | day | [`FitnessAgeTruth`] | `fitnessage/v2/{date}`, `fitnessage…/stats/daily` |
//! | `health_status` | day | [`HealthStatusTruth`] | `healthstatus/summary` |
//! | `weight` | measured_utc, sample_pk | [`WeightTruth`] | `weight/range` |
//! | `weight_goal` | start_day | [`WeightGoalTruth`] | `effective/weightgoal` |
//! | `blood_pressure` | measured_utc, version | [`BloodPressureTruth`] | `bloodpressure/range` |
//! | `health_snapshot` | snapshot_id | [`SnapshotTruth`] | `activity/summary/range`, `summary/list` |
//! | `menstrual_cycle` | start_day | [`CycleTruth`] | `menstrualcycle/calendar` |
//! | `menstrual_day` | day | [`MenstrualDayTruth`] | `menstrualcycle/dayview` |
//! | `nutrition` | day | [`NutritionTruth`] | `food/logs` |
//! | `food` | log_id | [`FoodTruth`] | `food/logs` |
//! | `lifestyle` | day, behaviour_id, detail | [`LifestyleTruth`] | `lifestylelogging…/dailyLog` |
//! | `training_readiness` | measured_utc, device_id | [`ReadinessTruth`] | `trainingreadiness` |
//! | `training_status` | day, device_id | [`TrainingStatusTruth`] | `trainingstatus/weekly` |
//! | `vo2max` | day, sport | [`Vo2MaxTruth`] | `maxmet/daily` |
//! | `race_prediction` | day | [`RaceTruth`] | `racepredictions/daily` |
//! | `endurance_score` | day | [`EnduranceTruth`] | `endurancescore/stats`, daily |
//! | `hill_score` | day | [`HillTruth`] | `hillscore/stats`, daily |
//! | `running_tolerance` | day | [`ToleranceTruth`] | `runningtolerance/stats`, daily |
//! | `lactate_threshold` | day | [`LactateTruth`] | `biometric-service/stats/…/range` |
//! | `ftp` | day, sport | [`FtpTruth`] | `biometric-service/stats/functionalThresholdPower/range` |
//! | `personal_record` | record_id | [`RecordTruth`] | `personalrecord/prs` |
//! | `device` | device_id | [`DeviceTruth`] | `deviceregistration/devices` |
//! | `gear` | gear_uuid | [`GearTruth`] | `gear/filterGear`, `gear/stats` |
//! | `gear_activity` | gear_uuid, activity_id | [`GearLinkTruth`] | `activities/{gearUuid}/gear` |
//! | `badge` | badge_id | [`BadgeTruth`] | `badge/earned` |
//! | `goal` | goal_id | [`GoalTruth`] | `goal/goals` |
//! | `activity_type` | type_id | [`ActivityTypeTruth`] | `activity/activityTypes` |
//! | `hr_zone` | sport | [`HrZoneTruth`] | `heartRateZones/v2`, `heartRateZones` |
//! | `power_zone` | sport | [`PowerZoneTruth`] | `powerZones/sports/all` |
//! | `activity` | activity_id | [`ActivityTruth`] | the listing; `updated_utc` from the detail |
//! | `activity_lap` | activity_id, lap | [`LapTruth`] | `…/{id}/splits` |
//! | `activity_weather` | activity_id | [`WeatherTruth`] | `…/{id}/weather` |
//! | `activity_set` | activity_id, position | [`SetTruth`] | `…/{id}/exerciseSets` |
//! | `nap` | start_utc | [`NapTruth`] | `dailyNapDTOS` of both sleep answers, `naps` |
//! | `noticed_activity` | start_utc, type | [`NoticedTruth`] | `dailyEvents` |
//! | `load_balance` | day, device_id | [`LoadBalanceTruth`] | `trainingloadbalance/latest` |
//! | `acclimation` | day | [`AcclimationTruth`] | `heataltitudeacclimation/daily` |
//! | `profile` | birth_day (one row) | [`ProfileTruth`] | `userprofile/user-settings` |
//! | `workout`, `workout_step` | workout_id, position | [`WorkoutTruth`], [`WorkoutStepTruth`] | `workouts`, `workout/{id}` |
//! | `calendar_entry` | entry_id | [`CalendarTruth`] | `calendar-service` |
//! | `challenge` | challenge_id | [`ChallengeTruth`] | `badgechallenge-service`, `adhocchallenge-service` |
//! | `activity_power_zone` | activity_id, zone | [`ActivityPowerZoneTruth`] | `…/{id}/powerTimeInZones` |
//! | `activity_split` | activity_id, position | [`SplitTruth`] | `…/{id}/typedsplits` |
//! | `activity_workout_step` | activity_id, workout, position | [`ActivityStepTruth`] | `…/{id}/workouts` |
//! | `activity_hr_zone` | activity_id, zone | [`ActivityZoneTruth`] | `…/{id}/hrTimeInZones` |
//! | `heart_rate_sample` | at | `bpm` | `dailyHeartRate` |
//! | `stress_sample` | at | `level` | `dailyStress` |
//! | `body_battery_sample` | at | `level` | `dailyStress` |
//! | `respiration_sample` | at | `brpm` | `daily/respiration` |
//! | `spo2_sample` | at | `pct` | `daily/spo2`, `daily/spo2acclimation`: `spO2HourlyAverages` |
//! | `hrv_sample` | at | `ms` | `hrv/{date}`, or `hrvData` of the sleep detail: the same readings |
//! | `steps_sample` | at | `steps` | `dailySummaryChart`, by the start of each quarter of an hour |
//! | `floors_sample` | at | `up`, `down` | `floorsChartData`, by the start of each quarter |
//! | `intensity_sample` | at | `minutes` | `daily/im`, by the **end** of each quarter; vigorous counts double |
//! | `sleep_stage` | start_utc | [`StageTruth`] | `sleepLevels` |
//! | `sleep_movement` | at | `level` | `sleepMovement`, by the start of each minute |
//!
//! `activity` and its four companions hold what the listing has; the legs of a multisport activity are not in it
//! ([`super::Life::legs`] has them). A goal of a newer kind needs `Sec-Fetch-Site: same-origin` to be told. `fitness_age` by the
//! Personal tier is the row of the day that `lastUpdated` names, and it is told for the days one asks for. A night of
//! `spo2_sample` and `respiration_sample` stands in the sleep detail too, with the same values at the same moments.
//!
//! Rules: a sample that was not measured (null, −1, −2, heart rate 0) has **no row**. A quarter of an hour without steps is
//! measured: 0. Flags are 0 or 1. `…_day` and `day` are `YYYY-MM-DD`, `…_utc` ends in `Z`, `…_local` does not. Minutes that
//! Garmin gives for recovery and sleep need are seconds here (`_s`), as the units of column names want it.

mod activity;
mod body;
mod day;
mod intraday;
mod inventory;
mod personal;
mod planning;
mod training;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::Serializer;

pub use activity::{
    ActivityPowerZoneTruth, ActivityStepTruth, ActivityTruth, ActivityZoneTruth, LapTruth, SetTruth, Source,
    SplitTruth, WeatherTruth,
};
pub use body::{
    BloodPressureTruth, BodyBatteryEventTruth, BodyBatteryTruth, FitnessAgeTruth, HealthStatusTruth, HydrationTruth,
    SnapshotTruth, Vital, WeightGoalTruth, WeightTruth,
};
pub use day::{DailyTruth, HrvTruth, NapTruth, NoticedTruth, SleepTruth};
pub use intraday::{Sample, StageTruth};
pub use inventory::{
    ActivityTypeTruth, BadgeTruth, DeviceTruth, GearLinkTruth, GearTruth, GoalTruth, HrZoneTruth, PowerZoneTruth,
    RecordTruth,
};
pub use personal::{CycleTruth, FoodTruth, LifestyleTruth, MenstrualDayTruth, NutritionTruth};
pub use planning::{CalendarTruth, ChallengeTruth, ProfileTruth, WorkoutStepTruth, WorkoutTruth};
pub use training::{
    AcclimationTruth, EnduranceTruth, FtpTruth, HillTruth, LactateTruth, LoadBalanceTruth, RaceTruth, ReadinessTruth,
    ToleranceTruth, TrainingStatusTruth, Vo2MaxTruth,
};

/// `2026-10-21T05:34:00Z`.
fn iso_utc<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// `2026-10-21T07:34:00`.
fn iso_local<S: Serializer>(at: &NaiveDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.format("%Y-%m-%dT%H:%M:%S"))
}

/// [`iso_utc`] or null.
fn iso_utc_some<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => iso_utc(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// [`iso_local`] or null.
fn iso_local_some<S: Serializer>(at: &Option<NaiveDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => iso_local(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// 0 or 1, as SQLite keeps flags.
fn flag<S: Serializer>(yes: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(i64::from(*yes))
}
