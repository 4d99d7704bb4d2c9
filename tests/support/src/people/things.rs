//! What a person has: devices, gear, records, badges, goals, zones, and the types that activities can be of.
//! Most of it follows from the activities there are, when it is asked for.

use std::collections::BTreeMap;

use chrono::{Days, Duration, NaiveDate};

use super::chance::{hash, rounded};
use super::life::Life;
use super::truth::{
    ActivityTruth, ActivityTypeTruth, BadgeTruth, DeviceTruth, GearLinkTruth, GearTruth, GoalTruth, HrZoneTruth,
    PowerZoneTruth, RecordTruth, Source,
};

/// The watch, the device for rides, and the watch before this one.
pub(super) const WATCH: i64 = 3_400_000_001;
pub(super) const EDGE: i64 = 3_310_000_002;
const OLD_WATCH: i64 = 3_300_000_003;

/// The kinds of activities: id, key, parent (17 is the top).
const TYPES: [(i64, &str, i64); 19] = [
    (1, "running", 17),
    (2, "cycling", 17),
    (3, "hiking", 17),
    (4, "other", 17),
    (6, "trail_running", 1),
    (9, "walking", 17),
    (10, "road_biking", 2),
    (13, "strength_training", 29),
    (17, "all", 17),
    (18, "treadmill_running", 1),
    (25, "indoor_cycling", 2),
    (26, "swimming", 17),
    (27, "lap_swimming", 26),
    (28, "open_water_swimming", 26),
    (29, "fitness_equipment", 17),
    (83, "transition_v2", 17),
    (89, "multi_sport", 17),
    (163, "yoga", 29),
    (172, "breathwork", 29),
];

/// Id and parent of a kind of activity.
pub(crate) fn type_of(kind: &str) -> (i64, i64) {
    TYPES.iter().find(|(_, key, _)| *key == kind).map_or((4, 17), |(id, _, parent)| (*id, *parent))
}

impl Life {
    /// The rows of `device`: two that are registered, and in lives that began with one an older watch that is not.
    pub fn devices(&self) -> Vec<DeviceTruth> {
        let device = |device_id: i64, name: &str, key: &str, since: NaiveDate, current| DeviceTruth {
            device_id,
            name: name.into(),
            application_key: Some(key.into()),
            serial_number: Some(format!("S{}", device_id % 1_000_000_007)),
            firmware: Some("24.10".into()),
            registered_utc: Some(self.plan.begin(since) + Duration::hours(9)),
            primary_device: device_id == WATCH,
            current: current && !self.removed.contains(&format!("device {device_id}")),
        };
        let newer = self.plan.hrv_since;
        let mut devices = vec![
            device(WATCH, "Forerunner 965", "fr965", newer, true),
            device(EDGE, "Edge 1040", "edge1040", self.plan.first, true),
        ];
        if newer > self.plan.first {
            devices.push(device(OLD_WATCH, "Forerunner 245", "fr245", self.plan.first, false));
        }
        devices
    }

    /// The rows of `gear`: shoes in use, shoes that are worn out (without stats at Garmin), a bike, an unused one.
    pub fn gear(&self) -> Vec<GearTruth> {
        let mut totals: BTreeMap<String, (f64, i64)> = BTreeMap::new();
        for (uuid, activity) in self.linked() {
            let total = totals.entry(uuid).or_default();
            total.0 += activity.distance_m.unwrap_or(0.0);
            total.1 += 1;
        }
        let gear = |number: i64, kind: &str, make: &str, model: &str, end_day: Option<NaiveDate>| {
            let uuid = self.gear_uuid(number);
            let stats = end_day.is_none().then(|| totals.get(&uuid).copied().unwrap_or_default());
            GearTruth {
                gear_pk: self.id_base / 1_000 + number,
                name: (number != 2).then(|| format!("{make} {model}")),
                make: Some(make.into()),
                model: Some(model.into()),
                kind: kind.into(),
                status: if end_day.is_some() { "retired" } else { "active" }.into(),
                begin_day: Some(self.plan.first),
                end_day,
                max_distance_m: (kind == "Shoes").then_some(800_000.0),
                total_distance_m: stats.map(|(metres, _)| rounded(metres, 2)),
                total_activities: stats.map(|(_, count)| count),
                gear_uuid: uuid,
            }
        };
        vec![
            gear(1, "Shoes", "Saucony", "Ride 17", None),
            gear(2, "Shoes", "Brooks", "Ghost 14", Some(self.half())),
            gear(3, "Bike", "Canyon", "Endurace", None),
            gear(4, "Bike", "Other", "Stadtrad", None),
        ]
        .into_iter()
        .filter(|gear| !self.removed.contains(&format!("gear {}", gear.gear_uuid)))
        .collect()
    }

    /// The rows of `gear_activity`.
    pub fn gear_links(&self) -> Vec<GearLinkTruth> {
        let link = |(gear_uuid, it): (String, &ActivityTruth)| GearLinkTruth { gear_uuid, activity_id: it.activity_id };
        self.linked().map(link).collect()
    }

    /// The gear that an activity was done with.
    pub(crate) fn gear_of(&self, activity: &ActivityTruth) -> Option<String> {
        if activity.parent.is_some() || activity.source != Source::Fit {
            return None;
        }
        let number = match activity.kind.as_str() {
            "running" | "trail_running" if activity.start_local.date() <= self.half() => 2,
            "running" | "trail_running" => 1,
            "cycling" | "road_biking" => 3,
            _ => return None,
        };
        Some(self.gear_uuid(number)).filter(|uuid| !self.removed.contains(&format!("gear {uuid}")))
    }

    fn linked(&self) -> impl Iterator<Item = (String, &ActivityTruth)> {
        self.activities.values().filter_map(|activity| Some((self.gear_of(activity)?, activity)))
    }

    fn gear_uuid(&self, number: i64) -> String {
        format!("{:016x}{:016x}", hash(&format!("gear/{}/{number}", self.id_base)), number)
    }

    /// The day on which the old shoes were put away and the weight goal was changed. It stays when days go by.
    pub(super) fn half(&self) -> NaiveDate {
        self.plan.first + Days::new(10)
    }

    /// The rows of `personal_record`: fastest 5 km and 10 km, longest run and ride, and most steps in a day.
    pub fn records(&self) -> Vec<RecordTruth> {
        let best = |type_id: i64, kinds: &[&str], value: &dyn Fn(&ActivityTruth) -> Option<f64>, most: bool| {
            let values = self.activities.values().filter(|it| it.parent.is_none() && kinds.contains(&it.kind.as_str()));
            let values = values.filter_map(|it| Some((it, value(it)?)));
            let best = if most {
                values.max_by(|(_, one), (_, other)| one.total_cmp(other))
            } else {
                values.min_by(|(_, one), (_, other)| one.total_cmp(other))
            };
            best.map(|(it, value)| RecordTruth {
                record_id: self.id_base / 1_000 + it.activity_id % 1_000_000 * 100 + type_id,
                type_id,
                value: rounded(value, 3),
                activity_id: Some(it.activity_id),
                activity_name: Some(it.name.clone()),
                activity_type: Some(it.kind.clone()),
                achieved_utc: it.start_utc,
                achieved_local: it.start_local,
                status: "ACCEPTED".into(),
            })
        };
        let within = |metres: f64| {
            move |it: &ActivityTruth| {
                let speed = it.avg_speed_mps.filter(|_| it.distance_m >= Some(metres))?;
                Some(metres / speed)
            }
        };
        let runs: &[&str] = &["running", "trail_running", "treadmill_running"];
        let most_steps = self.days.values().filter_map(|day| day.daily.as_ref()).max_by_key(|row| row.steps);
        let steps = most_steps.and_then(|row| {
            let at = self.plan.begin(row.day);
            Some(RecordTruth {
                record_id: self.id_base / 1_000 + row.steps? * 100 + 12,
                type_id: 12,
                value: row.steps? as f64,
                activity_id: None,
                activity_name: None,
                activity_type: None,
                achieved_utc: at,
                achieved_local: self.plan.local(at),
                status: "ACCEPTED".into(),
            })
        });
        [
            best(3, runs, &within(5_000.0), false),
            best(4, runs, &within(10_000.0), false),
            best(7, runs, &|it| it.distance_m, true),
            best(8, &["cycling", "road_biking"], &|it| it.distance_m, true),
            steps,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The rows of `badge`: one each month of a life.
    pub fn badges(&self) -> Vec<BadgeTruth> {
        let names = ["5K", "10K", "Weekend 40", "Sleep Streak", "Frühaufsteher", "100 km im Monat"];
        (0..)
            .map(|number: usize| (number, self.plan.first + Days::new(29 * number as u64)))
            .take_while(|(_, day)| *day < self.plan.today)
            .map(|(number, day)| BadgeTruth {
                badge_id: 1_000 + number as i64,
                badge_key: format!("badge_{number}"),
                name: format!("{} {}", names[number % names.len()], number / names.len() + 1),
                category_id: 1 + number as i64 % 5,
                points: [1, 2, 4, 8][number % 4],
                earned_utc: self.plan.begin(day) + Duration::hours(18),
                times_earned: 1 + i64::from(number.is_multiple_of(5)),
            })
            .collect()
    }

    /// The rows of `goal`, the newer kinds included.
    pub fn goals(&self) -> Vec<GoalTruth> {
        let begin = self.plan.first;
        let goal = |number: i64, kind: &str, status: &str, after: u64, newer: bool| GoalTruth {
            goal_id: self.id_base / 1_000 + 100 + number,
            kind: kind.into(),
            name: (number % 2 == 0).then(|| format!("Ziel {number} – „mehr“")),
            status: status.into(),
            start_day: begin + Days::new(after),
            end_day: (number % 3 != 0).then(|| begin + Days::new(after + 364)),
            target: 1_000_000.0 + 1_000.0 * number as f64,
            progress: (status != "future").then_some(250_500.0),
            newer,
        };
        vec![
            goal(1, "running_distance", "active", 0, false),
            goal(2, "cycling_distance", "active", 3, false),
            goal(3, "training_consistency", "active", 9, true),
            goal(4, "running_distance", "future", 9_000, false),
            goal(5, "steps", "past", 0, false),
            goal(6, "cycling_distance", "past", 1, false),
        ]
        .into_iter()
        .filter(|goal| !self.removed.contains(&format!("goal {}", goal.goal_id)))
        .collect()
    }

    /// The rows of `hr_zone`.
    pub fn hr_zones(&self) -> Vec<HrZoneTruth> {
        let zone = |sport: &str, method: &str, max: i64, lactate: Option<i64>| HrZoneTruth {
            sport: sport.into(),
            method: method.into(),
            zone1_bpm: max / 2,
            zone2_bpm: max * 6 / 10,
            zone3_bpm: max * 7 / 10,
            zone4_bpm: max * 8 / 10,
            zone5_bpm: max * 9 / 10,
            max_hr_bpm: Some(max),
            resting_hr_bpm: None,
            lactate_threshold_hr_bpm: lactate,
        };
        vec![zone("DEFAULT", "HR_MAX", 184, None), zone("RUNNING", "LACTATE_THRESHOLD", 186, Some(171))]
    }

    /// The rows of `power_zone`.
    pub fn power_zones(&self) -> Vec<PowerZoneTruth> {
        let zone = |sport: &str, ftp_w: i64| PowerZoneTruth {
            sport: sport.into(),
            ftp_w,
            zone1_w: ftp_w * 45 / 100,
            zone2_w: ftp_w * 56 / 100,
            zone3_w: ftp_w * 76 / 100,
            zone4_w: ftp_w * 91 / 100,
            zone5_w: ftp_w * 106 / 100,
            zone6_w: ftp_w * 121 / 100,
            zone7_w: ftp_w * 151 / 100,
        };
        vec![zone("CYCLING", 240), zone("RUNNING", 330)]
    }

    /// The rows of `activity_type`: the same for everybody.
    pub fn activity_types(&self) -> Vec<ActivityTypeTruth> {
        TYPES
            .iter()
            .map(|(type_id, key, parent)| ActivityTypeTruth {
                type_id: *type_id,
                type_key: (*key).into(),
                parent_type_id: *parent,
            })
            .collect()
    }
}
