//! What the watch measures within a day: heart rate, stress, Body Battery, breath, SpO2, steps, floors, intensity; and the
//! stages of a night. Made from the day's row when it is asked for, so that sums and extremes agree with it.
//! The fake's intraday endpoints and the tables of samples read it.

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use fastrand::Rng;

use super::chance::{decimal, once_in};
use super::life::Life;
use super::truth::{Sample, StageTruth};

/// A series as the watch recorded it; `None` where it could not measure.
pub(crate) type Series = Vec<(i64, Option<f64>)>;

const QUARTER: i64 = 900;

impl Life {
    /// Every two minutes.
    pub(crate) fn heart_rates(&self, day: NaiveDate) -> Series {
        let Some((low, high)) = self.worn(day).and_then(|row| row.min_hr_bpm.zip(row.max_hr_bpm)) else {
            return Vec::new();
        };
        let mut rng = self.chance(day, "heart");
        let mut series = self.every(day, 120, |share| {
            (!once_in(&mut rng, 40)).then(|| {
                let effort = (share * std::f64::consts::PI).sin() * 0.4 * rng.f64();
                (low as f64 + (high - low) as f64 * effort).round()
            })
        });
        touch(&mut series, &mut rng, &[low as f64, high as f64]);
        series
    }

    /// Every three minutes.
    pub(crate) fn stress_levels(&self, day: NaiveDate) -> Series {
        let Some(row) = self.worn(day) else { return Vec::new() };
        let mut rng = self.chance(day, "stress");
        let (average, highest) = (row.avg_stress, row.max_stress);
        let mut series = self.every(day, 180, |_| {
            average.filter(|_| !once_in(&mut rng, 6)).map(|average| (average + rng.i64(-14..14)).clamp(1, 100) as f64)
        });
        if let Some(highest) = highest {
            touch(&mut series, &mut rng, &[highest as f64]);
        }
        series
    }

    /// Every three minutes: up in the night, down in the day.
    pub(crate) fn body_batteries(&self, day: NaiveDate) -> Series {
        let Some((low, high)) = self.worn(day).and_then(|row| row.body_battery_min.zip(row.body_battery_max)) else {
            return Vec::new();
        };
        let height = (high - low) as f64;
        let mut rng = self.chance(day, "battery");
        let mut series = self.every(day, 180, |share| {
            let part = if share < 0.3 { share / 0.3 } else { (1.0 - share) / 0.7 };
            (!once_in(&mut rng, 60)).then(|| (low as f64 + height * part.clamp(0.0, 1.0)).round())
        });
        touch(&mut series, &mut rng, &[low as f64, high as f64]);
        series
    }

    /// Every two minutes.
    pub(crate) fn breaths(&self, day: NaiveDate) -> Series {
        let Some(average) = self.worn(day).and_then(|row| row.avg_respiration_brpm) else { return Vec::new() };
        let mut rng = self.chance(day, "breath");
        self.every(day, 120, |_| (!once_in(&mut rng, 9)).then(|| (average + f64::from(rng.i32(-3..4))).max(6.0)))
    }

    /// Every hour, where Pulse Ox was on.
    pub(crate) fn oxygen(&self, day: NaiveDate) -> Series {
        let Some((low, average)) = self.worn(day).and_then(|row| row.min_spo2_pct.zip(row.avg_spo2_pct)) else {
            return Vec::new();
        };
        let mut rng = self.chance(day, "oxygen");
        let mut series = self.every(day, 3600, |_| {
            (!once_in(&mut rng, 5)).then(|| (average + f64::from(rng.i32(-2..2))).clamp(low, 100.0))
        });
        touch(&mut series, &mut rng, &[low]);
        series
    }

    /// Every five minutes of the night that ended on this day.
    pub(crate) fn hrv_readings(&self, day: NaiveDate) -> Vec<Sample> {
        let Some((night, hrv)) = self.sleep(day).zip(self.hrv(day)) else { return Vec::new() };
        let (Some(average), Some(high)) = (hrv.last_night_avg_ms, hrv.last_night_5min_high_ms) else {
            return Vec::new();
        };
        let mut rng = self.chance(day, "readings");
        let count = (night.end_utc - night.start_utc).num_minutes() / 5;
        let highest = rng.i64(0..count.max(1));
        (0..count)
            .map(|number| Sample {
                at: night.start_utc.timestamp() + number * 300,
                value: if number == highest { high } else { (average + rng.i64(-9..9)).min(high) } as f64,
            })
            .collect()
    }

    /// Steps of each quarter of an hour, by its start. They add up to the day's.
    pub fn steps_samples(&self, day: NaiveDate) -> Vec<Sample> {
        let Some(steps) = self.worn(day).and_then(|row| row.steps) else { return Vec::new() };
        self.spread(day, "quarters", steps)
    }

    /// Floors up and down of each quarter of an hour, by its start.
    pub fn floors(&self, day: NaiveDate) -> Vec<(i64, i64, i64)> {
        let Some(row) = self.worn(day) else { return Vec::new() };
        let up = self.spread(day, "up", row.floors_up.unwrap_or(0));
        let down = self.spread(day, "down", row.floors_down.unwrap_or(0));
        up.iter().zip(down).map(|(up, down)| (up.at, up.value as i64, down.value as i64)).collect()
    }

    /// Intensity minutes by the end of each quarter that had some; vigorous ones count double.
    pub fn intensity_samples(&self, day: NaiveDate) -> Vec<Sample> {
        let minutes = self.worn(day).and_then(|row| Some(row.moderate_min? + 2 * row.vigorous_min?)).unwrap_or(0);
        let spread = self.spread(day, "intensity", minutes).into_iter().filter(|sample| sample.value > 0.0);
        spread.map(|sample| Sample { at: sample.at + QUARTER, ..sample }).collect()
    }

    /// The rows of `heart_rate_sample`.
    pub fn heart_rate_samples(&self, day: NaiveDate) -> Vec<Sample> {
        measured(self.heart_rates(day))
    }

    /// The rows of `stress_sample`.
    pub fn stress_samples(&self, day: NaiveDate) -> Vec<Sample> {
        measured(self.stress_levels(day))
    }

    /// The rows of `body_battery_sample`.
    pub fn body_battery_samples(&self, day: NaiveDate) -> Vec<Sample> {
        measured(self.body_batteries(day))
    }

    /// The rows of `respiration_sample`.
    pub fn respiration_samples(&self, day: NaiveDate) -> Vec<Sample> {
        measured(self.breaths(day))
    }

    /// The rows of `spo2_sample`.
    pub fn spo2_samples(&self, day: NaiveDate) -> Vec<Sample> {
        measured(self.oxygen(day))
    }

    /// The rows of `hrv_sample`.
    pub fn hrv_samples(&self, day: NaiveDate) -> Vec<Sample> {
        self.hrv_readings(day)
    }

    /// The rows of `sleep_stage`: they fill the night without a gap and add up to its row.
    pub fn sleep_stages(&self, day: NaiveDate) -> Vec<StageTruth> {
        let Some(night) = self.sleep(day) else { return Vec::new() };
        let rounds = 5;
        let mut at = night.start_utc;
        let mut stages: Vec<StageTruth> = Vec::new();
        for round in 0..rounds {
            let part = |seconds: i64| (seconds / 60 * (round + 1) / rounds - seconds / 60 * round / rounds) * 60;
            let light = part(night.light_s);
            let first = light / 120 * 60;
            for (stage, seconds) in [
                ("light", first),
                ("deep", part(night.deep_s)),
                ("light", light - first),
                ("rem", part(night.rem_s.unwrap_or(0))),
                ("awake", part(night.awake_s)),
            ] {
                if seconds == 0 {
                    continue;
                }
                let end = at + Duration::seconds(seconds);
                match stages.last_mut() {
                    Some(last) if last.stage == stage => last.end_utc = end,
                    _ => stages.push(StageTruth { start_utc: at, end_utc: end, day, stage: stage.into() }),
                }
                at = end;
            }
        }
        stages
    }

    /// The rows of `sleep_movement`: each minute from an hour before the night to an hour after it.
    pub fn sleep_movement(&self, day: NaiveDate) -> Vec<Sample> {
        let Some(night) = self.sleep(day) else { return Vec::new() };
        let mut rng = self.chance(day, "movement");
        let (start, end) = (night.start_utc.timestamp() - 3600, night.end_utc.timestamp() + 3600);
        (start..end).step_by(60).map(|at| Sample { at, value: decimal(&mut rng, 0.0, 7.0, 3) }).collect()
    }

    /// The part of a series that lies in the night which ended on this day, from the day before and this one.
    pub(crate) fn overnight(&self, day: NaiveDate, series: fn(&Life, NaiveDate) -> Vec<Sample>) -> Vec<Sample> {
        let Some(night) = self.sleep(day) else { return Vec::new() };
        let within = night.start_utc.timestamp()..night.end_utc.timestamp();
        let both = series(self, day - Days::new(1)).into_iter().chain(series(self, day));
        both.filter(|sample| within.contains(&sample.at)).collect()
    }

    /// One value every so many seconds of the part of the day that is known; `value` gets how much of the day has passed.
    fn every(&self, day: NaiveDate, seconds: i64, mut value: impl FnMut(f64) -> Option<f64>) -> Series {
        let (begin, end) = (self.plan.begin(day).timestamp(), self.plan.end(day).timestamp());
        let until = self.known_until(day).timestamp();
        let step = usize::try_from(seconds).unwrap_or(1);
        (begin..until).step_by(step).map(|at| (at, value((at - begin) as f64 / (end - begin) as f64))).collect()
    }

    /// A whole sum over the quarters of the day, most of it in the daytime.
    fn spread(&self, day: NaiveDate, purpose: &str, sum: i64) -> Vec<Sample> {
        let mut rng = self.chance(day, purpose);
        let weights = self.every(day, QUARTER, |share| {
            Some(if share < 0.25 || once_in(&mut rng, 3) { 0.0 } else { 0.1 + rng.f64() })
        });
        let all: f64 = weights.iter().filter_map(|(_, weight)| *weight).sum();
        let (mut seen, mut given) = (0.0, 0);
        weights
            .into_iter()
            .map(|(at, weight)| {
                seen += weight.unwrap_or(0.0);
                let share = if all > 0.0 { (sum as f64 * seen / all).round() as i64 } else { 0 };
                let value = share - given;
                given = share;
                Sample { at, value: value as f64 }
            })
            .collect()
    }
}

/// Puts these values somewhere into the series: the day's extremes were measured too.
fn touch(series: &mut Series, rng: &mut Rng, values: &[f64]) {
    let places = series.len() / values.len().max(1);
    for (number, value) in values.iter().enumerate().filter(|_| places > 0) {
        series[number * places + rng.usize(0..places)].1 = Some(*value);
    }
}

fn measured(series: Series) -> Vec<Sample> {
    series.into_iter().filter_map(|(at, value)| Some(Sample { at, value: value? })).collect()
}

/// A sample's moment.
pub(crate) fn moment(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).unwrap_or_default()
}
