//! Training metrics: readiness, status, VO2max, race predictions, scores, thresholds. Made when they are asked for, from
//! the days and activities of a life. Only the account tier tells them.

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use fastrand::Rng;

use super::chance::{decimal, once_in, rounded};
use super::life::Life;
use super::things::{EDGE, WATCH};
use super::truth::{
    AcclimationTruth, EnduranceTruth, FtpTruth, HillTruth, LactateTruth, LoadBalanceTruth, RaceTruth, ReadinessTruth,
    ToleranceTruth, TrainingStatusTruth, Vo2MaxTruth,
};

impl Life {
    /// The rows of `training_readiness` of one day, earliest first: the morning's, and what changed it later.
    pub fn readiness(&self, day: NaiveDate) -> Vec<ReadinessTruth> {
        if self.worn(day).is_none() || day < self.plan.hrv_since {
            return Vec::new();
        }
        let mut rng = self.chance(day, "readiness");
        let night = self.sleep(day);
        let hrv = self.hrv(day).and_then(|hrv| hrv.weekly_avg_ms);
        let row = |at: DateTime<Utc>, context: Option<&str>, rng: &mut Rng| {
            let score = rng.i64(12..100);
            let mut factor = |known: bool| known.then(|| rng.i64(10..100));
            ReadinessTruth {
                measured_utc: at,
                measured_local: self.plan.local(at),
                day,
                device_id: WATCH,
                score,
                level: match score {
                    ..26 => "POOR",
                    26..50 => "LOW",
                    50..75 => "MODERATE",
                    75..95 => "HIGH",
                    _ => "PRIME",
                }
                .into(),
                feedback: Some("WELL_RECOVERED".into()),
                sleep_score: night.and_then(|night| night.score),
                sleep_score_factor_pct: factor(night.is_some()),
                recovery_time_s: factor(true).map(|percent| percent * 30 * 60),
                recovery_time_factor_pct: factor(true),
                acute_load: factor(true).map(|percent| percent * 9),
                acwr_factor_pct: factor(true),
                stress_history_factor_pct: factor(true),
                hrv_factor_pct: factor(hrv.is_some()),
                hrv_weekly_avg_ms: hrv,
                sleep_history_factor_pct: factor(true),
                valid_sleep: night.is_some(),
                context: context.map(str::to_owned),
            }
        };
        let morning = night.map(|night| night.end_utc + Duration::seconds(71));
        let mut rows: Vec<_> = morning.map(|at| row(at, Some("AFTER_WAKEUP_RESET"), &mut rng)).into_iter().collect();
        let begin = morning.unwrap_or_else(|| self.plan.begin(day) + Duration::hours(6));
        for number in 1..=rng.i64(0..4) {
            let context = (!once_in(&mut rng, 3)).then_some("UPDATE_REALTIME_VARIABLES");
            rows.push(row(begin + Duration::minutes(number * 133), context, &mut rng));
        }
        rows.retain(|row| row.measured_utc < self.known_until(day).max(begin + Duration::minutes(2)));
        rows
    }

    /// The rows of `training_status` of one day: the watch's, and on some days another device's.
    pub fn training_status(&self, day: NaiveDate) -> Vec<TrainingStatusTruth> {
        if self.worn(day).is_none() {
            return Vec::new();
        }
        let mut rng = self.chance(day, "status");
        let ridden = self.activities_on(day).any(|it| it.device_id == Some(EDGE));
        let devices = [Some(WATCH), ridden.then_some(EDGE)];
        let row = |device_id: i64| {
            let status = rng.i64(0..8);
            let (acute, chronic) = (rng.i64(150..700), rng.i64(250..600));
            let young = day < self.plan.first + Days::new(28);
            TrainingStatusTruth {
                day,
                device_id,
                measured_utc: self.plan.begin(day) + Duration::minutes(rng.i64(1..400)),
                status,
                feedback: format!("PRODUCTIVE_{}", status % 4 + 1),
                sport: if device_id == EDGE { "CYCLING" } else { "RUNNING" }.into(),
                sub_sport: "GENERIC".into(),
                fitness_trend: (!young).then(|| rng.i64(1..4)),
                paused: false,
                primary_device: device_id == WATCH,
                acute_load: Some(acute),
                chronic_load: (!young).then_some(chronic),
                chronic_load_min: (!young).then(|| rounded(chronic as f64 * 0.8, 1)),
                chronic_load_max: (!young).then(|| rounded(chronic as f64 * 1.5, 1)),
                load_ratio: (!young).then(|| rounded(acute as f64 / chronic as f64, 1)),
                acwr_pct: (!young).then(|| rng.i64(20..90)),
                acwr_status: (!young).then(|| "OPTIMAL".into()),
            }
        };
        devices.into_iter().flatten().map(row).collect()
    }

    /// The rows of `load_balance` of one day.
    pub fn load_balance(&self, day: NaiveDate) -> Option<LoadBalanceTruth> {
        self.worn(day)?;
        let mut rng = self.chance(day, "load balance");
        let mut load = |low: i64, high: i64| rng.i64(low..high) as f64;
        Some(LoadBalanceTruth {
            day,
            device_id: WATCH,
            aerobic_low: load(200, 900),
            aerobic_low_min: 400.0,
            aerobic_low_max: 900.0,
            aerobic_high: load(200, 900),
            aerobic_high_min: 450.0,
            aerobic_high_max: 1_000.0,
            anaerobic: load(0, 400),
            anaerobic_min: 100.0,
            anaerobic_max: 350.0,
            feedback: Some("BALANCED".into()),
            primary_device: true,
        })
    }

    /// The row of `acclimation`: on days that were hot or high.
    pub fn acclimation(&self, day: NaiveDate) -> Option<AcclimationTruth> {
        self.worn(day)?;
        let mut rng = self.chance(day, "acclimation");
        let (hot, high) = (once_in(&mut rng, 2), once_in(&mut rng, 3));
        (hot || high).then(|| AcclimationTruth {
            day,
            heat_pct: hot.then(|| rng.i64(1..100) as f64),
            heat_trend: hot.then(|| "ACCLIMATIZING".into()),
            altitude_m: high.then(|| rng.i64(850..2_600) as f64),
            acclimated_altitude_m: high.then(|| rng.i64(100..2_000) as f64),
            altitude_pct: high.then(|| rng.i64(1..100) as f64),
            altitude_trend: high.then(|| "GAINING".into()),
        })
    }

    /// The rows of `vo2max` of one day: only where an activity gave a new value.
    pub fn vo2max(&self, day: NaiveDate) -> Vec<Vo2MaxTruth> {
        let mut rng = self.chance(day, "vo2max");
        let mut value = |sport: &str| {
            let precise = decimal(&mut rng, 44.0, 52.0, 1);
            Vo2MaxTruth {
                day,
                sport: sport.into(),
                vo2max: precise.round(),
                vo2max_precise: precise,
                fitness_age: (precise > 46.0).then_some(31),
                category: Some(rng.i64(0..3)),
            }
        };
        let ran = self.activities_on(day).any(|it| it.kind == "running" && it.avg_hr_bpm.is_some());
        let rode = self.activities_on(day).any(|it| it.device_id == Some(EDGE) && it.avg_power_w.is_some());
        [ran.then(|| value("generic")), rode.then(|| value("cycling"))].into_iter().flatten().collect()
    }

    /// The row of `race_prediction`.
    pub fn race_prediction(&self, day: NaiveDate) -> Option<RaceTruth> {
        self.worn(day)?;
        let five = self.chance(day, "race").i64(1_290..1_420);
        Some(RaceTruth {
            day,
            time_5k_s: five,
            time_10k_s: five * 209 / 100,
            time_half_marathon_s: five * 462 / 100,
            time_marathon_s: five * 973 / 100,
        })
    }

    /// The row of `endurance_score`.
    pub fn endurance_score(&self, day: NaiveDate) -> Option<EnduranceTruth> {
        self.worn(day).filter(|_| day >= self.plan.hrv_since)?;
        let score = self.chance(day, "endurance").i64(5_600..7_400);
        Some(EnduranceTruth { day, score, max_score: score + 12 })
    }

    /// The row of `hill_score`.
    pub fn hill_score(&self, day: NaiveDate) -> Option<HillTruth> {
        self.worn(day).filter(|_| day >= self.plan.hrv_since)?;
        let mut rng = self.chance(day, "hill");
        let precise = decimal(&mut rng, 44.0, 52.0, 1);
        Some(HillTruth {
            day,
            score: rng.i64(20..80),
            strength_score: rng.i64(10..60),
            endurance_score: rng.i64(20..70),
            classification: rng.i64(1..6),
            feedback: rng.i64(1..20),
            vo2max: Some(precise.round()),
            vo2max_precise: Some(precise),
        })
    }

    /// The row of `running_tolerance`.
    pub fn running_tolerance(&self, day: NaiveDate) -> Option<ToleranceTruth> {
        self.worn(day).filter(|_| day >= self.plan.hrv_since)?;
        let mut rng = self.chance(day, "tolerance");
        Some(ToleranceTruth {
            day,
            acute_impact_load: f64::from(rng.u32(8_000..60_000)),
            acute_distance_m: f64::from(rng.u32(8_000..60_000)),
            acute_tolerance: f64::from(rng.u32(30_000..70_000)),
            feedback: (!once_in(&mut rng, 3)).then(|| "WITHIN_TOLERANCE".into()),
        })
    }

    /// The row of `lactate_threshold`: only days with a new value of one or both.
    pub fn lactate_threshold(&self, day: NaiveDate) -> Option<LactateTruth> {
        let mut rng = self.chance(day, "lactate");
        let ran = self.activities_on(day).any(|it| it.kind == "running" && it.avg_hr_bpm.is_some());
        if !ran {
            return None;
        }
        let speed_mps = (!once_in(&mut rng, 4)).then(|| decimal(&mut rng, 3.0, 3.9, 2));
        let hr_bpm = (speed_mps.is_none() || !once_in(&mut rng, 4)).then(|| rng.i64(162..178));
        Some(LactateTruth { day, speed_mps, hr_bpm })
    }

    /// The rows of `ftp` of one day: each ride and run gives a new value.
    pub fn ftp(&self, day: NaiveDate) -> Vec<FtpTruth> {
        let mut rng = self.chance(day, "ftp");
        let row = |sport: &str, power_w| FtpTruth { day, sport: sport.into(), power_w };
        let rode = self.activities_on(day).any(|it| it.device_id == Some(EDGE));
        let ran = self.activities_on(day).any(|it| it.kind == "running");
        [rode.then(|| row("cycling", rng.i64(190..260))), ran.then(|| row("running", rng.i64(280..360)))]
            .into_iter()
            .flatten()
            .collect()
    }
}
