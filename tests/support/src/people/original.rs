//! The original file of an activity, the wellness files of a day, and the zips they are downloaded in. Bytes follow from the truth alone.
//! `life` gives it out, the download endpoint serves the zip; tests compare what was stored with `bytes`.

use std::io::{Cursor, Write};

use chrono::{Datelike, Duration, NaiveDate, SecondsFormat};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::fit;
use super::life::Life;
use super::truth::{ActivityTruth, Source};

/// An original file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Its name in the zip, such as `17000000001_ACTIVITY.fit`.
    pub member: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Original {
    /// The zip that Garmin sends: this one member, deflated.
    ///
    /// # Errors
    /// None in practice: it is written to memory.
    pub fn zip(&self) -> std::io::Result<Vec<u8>> {
        zipped(std::slice::from_ref(self))
    }
}

/// A zip of these files, the same each time.
fn zipped(files: &[Original]) -> std::io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    for file in files {
        zip.start_file(file.member.as_str(), options)?;
        zip.write_all(&file.bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

impl Life {
    /// The FIT files of a day, none if Garmin has nothing of it. A day with the watch left off is an empty bundle.
    pub fn wellness_files(&self, day: NaiveDate) -> Option<Vec<Original>> {
        self.daily(day)?;
        let rates = self.heart_rate_samples(day);
        let rates: Vec<_> = rates.iter().map(|sample| (sample.at, sample.value as u8)).collect();
        let id = |number: usize| self.id_base + i64::from(day.num_days_from_ce()) * 100 + number as i64;
        let begin = self.plan().begin(day);
        let mut files: Vec<_> = rates
            .chunks(60)
            .enumerate()
            .map(|(number, part)| Original {
                member: format!("{}_WELLNESS.fit", id(number)),
                bytes: fit::wellness(32, begin + Duration::hours(2 * number as i64), part),
            })
            .collect();
        if let Some(night) = self.sleep(day) {
            let created = night.end_utc;
            files.push(Original {
                member: format!("{}_SLEEP_DATA.fit", id(90)),
                bytes: fit::wellness(49, created, &[]),
            });
            if self.hrv(day).is_some() {
                files.push(Original {
                    member: format!("{}_HRV_STATUS.fit", id(91)),
                    bytes: fit::wellness(68, created, &[]),
                });
            }
        }
        Some(files)
    }

    /// The wellness bundle as it is downloaded; `None`: 404.
    pub fn wellness_zip(&self, day: NaiveDate) -> Option<Vec<u8>> {
        zipped(&self.wellness_files(day)?).ok()
    }

    /// An activity rendered by Garmin: `tcx`, `gpx`, `kml` or `csv`. Indoors there is no track.
    pub(crate) fn export(&self, activity: &ActivityTruth, kind: &str) -> String {
        match kind {
            "tcx" => tcx(activity),
            "csv" => {
                let laps = self.laps(activity).into_iter();
                let lines =
                    laps.map(|lap| format!("{},{},{}\n", lap.lap, lap.duration_s, lap.distance_m.unwrap_or(0.0)));
                lines.fold("Laps,Time,Distance\n".to_owned(), |csv, line| csv + &line)
            }
            _ if activity.start_lat.is_none() => String::new(),
            _ => gpx(activity),
        }
    }
}

pub(super) fn of(activity: &ActivityTruth) -> Option<Original> {
    // Whatever was changed since, the file is the one that was uploaded.
    let activity = activity.uploaded.as_deref().unwrap_or(activity);
    let id = activity.activity_id;
    Some(match activity.source {
        Source::Fit => Original { member: format!("{id}_ACTIVITY.fit"), bytes: fit::encode(activity) },
        Source::Tcx => Original { member: format!("{id}.tcx"), bytes: tcx(activity).into_bytes() },
        Source::Gpx => Original { member: format!("{id}.gpx"), bytes: gpx(activity).into_bytes() },
        Source::None => return None,
    })
}

fn tcx(activity: &ActivityTruth) -> String {
    let start = activity.start_utc.to_rfc3339_opts(SecondsFormat::Secs, true);
    let points = points(activity, |time, lat, lon| {
        format!(
            "<Trackpoint><Time>{time}</Time><Position><LatitudeDegrees>{lat:.6}</LatitudeDegrees>\
             <LongitudeDegrees>{lon:.6}</LongitudeDegrees></Position></Trackpoint>"
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <TrainingCenterDatabase xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\"><Activities>\
         <Activity Sport=\"Biking\"><Id>{start}</Id><Lap StartTime=\"{start}\"><TotalTimeSeconds>{}</TotalTimeSeconds>\
         <DistanceMeters>{}</DistanceMeters><Calories>{}</Calories><Intensity>Active</Intensity>\
         <TriggerMethod>Manual</TriggerMethod><Track>{points}</Track></Lap></Activity></Activities>\
         </TrainingCenterDatabase>\n",
        activity.duration_s,
        activity.distance_m.unwrap_or(0.0),
        activity.calories_kcal.unwrap_or(0.0),
    )
}

fn gpx(activity: &ActivityTruth) -> String {
    let points = points(activity, |time, lat, lon| {
        format!("<trkpt lat=\"{lat:.6}\" lon=\"{lon:.6}\"><time>{time}</time></trkpt>")
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"fake\" \
         xmlns=\"http://www.topografix.com/GPX/1/1\"><trk><trkseg>{points}</trkseg></trk></gpx>\n"
    )
}

fn points(activity: &ActivityTruth, write: impl Fn(String, f64, f64) -> String) -> String {
    let (lat, lon) = (activity.start_lat.unwrap_or(52.5), activity.start_lon.unwrap_or(13.4));
    (0..20)
        .map(|number| {
            let share = f64::from(number) / 19.0;
            let time = activity.start_utc + Duration::seconds((activity.duration_s * share) as i64);
            write(time.to_rfc3339_opts(SecondsFormat::Secs, true), lat + share * 0.02, lon + share * 0.02)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Read;

    use super::super::Person;
    use super::*;

    #[test]
    fn zips_hold_the_original_and_are_the_same_each_time() {
        let life = Person::named("ana@example.org").life;
        let mut endings = BTreeSet::new();
        for activity in life.activities() {
            let Some(original) = life.original(activity.activity_id) else {
                assert_eq!(activity.source, Source::None);
                continue;
            };
            let packed = original.zip().unwrap();
            assert_eq!(packed, original.zip().unwrap());
            let mut zip = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
            assert_eq!(zip.len(), 1);
            let mut member = zip.by_index(0).unwrap();
            assert_eq!(member.name(), original.member);
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, original.bytes);
            endings.insert(original.member.rsplit('.').next().unwrap().to_owned());
        }
        assert_eq!(endings, BTreeSet::from(["fit", "gpx", "tcx"].map(String::from)));
    }
}
