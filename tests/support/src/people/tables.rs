//! The tables that people query, by name. Tests walk through [`TABLES`] and compare each with what the fake holds.
//! The columns are in `truth`.

/// One table of `garmin.db` that a mirror fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its key, after `account`.
    pub key: &'static [&'static str],
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key }
}

/// Every table whose rows follow from a person's life.
pub const TABLES: [Table; 51] = [
    table("daily_summary", &["day"]),
    table("sleep", &["day"]),
    table("hrv", &["day"]),
    table("body_battery", &["day"]),
    table("body_battery_event", &["start_utc", "type"]),
    table("hydration", &["day"]),
    table("fitness_age", &["day"]),
    table("health_status", &["day"]),
    table("weight", &["measured_utc"]),
    table("weight_goal", &["goal_id"]),
    table("blood_pressure", &["measured_utc"]),
    table("health_snapshot", &["snapshot_id"]),
    table("menstrual_cycle", &["start_day"]),
    table("menstrual_day", &["day"]),
    table("nutrition", &["day"]),
    table("food", &["log_id"]),
    table("lifestyle", &["day", "behaviour_id", "detail"]),
    table("training_readiness", &["measured_utc", "device_id"]),
    table("training_status", &["day", "device_id"]),
    table("vo2max", &["day", "sport"]),
    table("race_prediction", &["day"]),
    table("endurance_score", &["day"]),
    table("hill_score", &["day"]),
    table("running_tolerance", &["day"]),
    table("lactate_threshold", &["day"]),
    table("ftp", &["day", "sport"]),
    table("personal_record", &["record_id"]),
    table("device", &["device_id"]),
    table("gear", &["gear_uuid"]),
    table("gear_activity", &["gear_uuid", "activity_id"]),
    table("badge", &["badge_id"]),
    table("goal", &["goal_id"]),
    table("activity_type", &["type_id"]),
    table("hr_zone", &["sport"]),
    table("power_zone", &["sport"]),
    table("activity", &["activity_id"]),
    table("activity_lap", &["activity_id", "lap"]),
    table("activity_weather", &["activity_id"]),
    table("activity_set", &["activity_id", "position"]),
    table("activity_hr_zone", &["activity_id", "zone"]),
    table("heart_rate_sample", &["at"]),
    table("stress_sample", &["at"]),
    table("body_battery_sample", &["at"]),
    table("respiration_sample", &["at"]),
    table("spo2_sample", &["at"]),
    table("hrv_sample", &["at"]),
    table("steps_sample", &["at"]),
    table("floors_sample", &["at"]),
    table("intensity_sample", &["at"]),
    table("sleep_stage", &["start_utc"]),
    table("sleep_movement", &["at"]),
];
