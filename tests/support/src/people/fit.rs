//! A small FIT encoder: valid header, a few messages, both checksums (Flexible and Interoperable Data Transfer
//! protocol 2.0). `original` writes recorded activities with it. It reads nothing.

use chrono::{DateTime, Utc};

use super::truth::ActivityTruth;

/// Seconds from the Unix epoch to FIT's, 1989-12-31T00:00:00Z.
const FIT_EPOCH: i64 = 631_065_600;

const ENUM: u8 = 0x00;
const UINT8: u8 = 0x02;
const UINT16: u8 = 0x84;
const SINT32: u8 = 0x85;
const UINT32: u8 = 0x86;
const UINT32Z: u8 = 0x8C;

/// The activity as its watch would have recorded it, with at most 120 records.
pub(super) fn encode(activity: &ActivityTruth) -> Vec<u8> {
    let seconds = activity.duration_s as i64;
    let serial = u32::try_from(activity.device_id.unwrap_or(1) % 0xffff_ffff).unwrap_or(1);
    let end = time(activity.start_utc) + seconds as u32;
    let mut data = Vec::new();

    // file_id: type 4 is an activity, manufacturer 1 is Garmin.
    define(&mut data, 0, 0, &[(0, 1, ENUM), (1, 2, UINT16), (2, 2, UINT16), (3, 4, UINT32Z), (4, 4, UINT32)]);
    data.extend([0, 4]);
    data.extend(1_u16.to_le_bytes());
    data.extend(3_990_u16.to_le_bytes());
    data.extend(serial.to_le_bytes());
    data.extend(time(activity.start_utc).to_le_bytes());

    // record
    define(&mut data, 1, 20, &[(253, 4, UINT32), (0, 4, SINT32), (1, 4, SINT32), (5, 4, UINT32), (3, 1, UINT8)]);
    let records = (seconds / 30).clamp(2, 120);
    for number in 0..records {
        let share = number as f64 / (records - 1) as f64;
        data.push(1);
        data.extend((time(activity.start_utc) + (seconds as f64 * share) as u32).to_le_bytes());
        for start in [activity.start_lat, activity.start_lon] {
            // A straight line northeast; no position is the largest sint32.
            let position = start.map_or(i32::MAX, |degrees| semicircles(degrees + share * 0.02));
            data.extend(position.to_le_bytes());
        }
        let metres = activity.distance_m.unwrap_or(0.0) * share;
        data.extend(((metres * 100.0) as u32).to_le_bytes());
        data.push(activity.avg_hr_bpm.map_or(u8::MAX, |bpm| bpm as u8));
    }

    // session
    let fields = [(253, 4, UINT32), (2, 4, UINT32), (7, 4, UINT32), (8, 4, UINT32), (5, 1, ENUM)];
    define(&mut data, 2, 18, &fields);
    data.push(2);
    data.extend(end.to_le_bytes());
    data.extend(time(activity.start_utc).to_le_bytes());
    data.extend(millis(activity.elapsed_s.unwrap_or(activity.duration_s)).to_le_bytes());
    data.extend(millis(activity.duration_s).to_le_bytes());
    data.push(sport(&activity.kind));

    // activity: one session, type 0 is manual.
    define(&mut data, 3, 34, &[(253, 4, UINT32), (0, 4, UINT32), (1, 2, UINT16), (2, 1, ENUM)]);
    data.push(3);
    data.extend(end.to_le_bytes());
    data.extend(millis(activity.duration_s).to_le_bytes());
    data.extend(1_u16.to_le_bytes());
    data.push(0);

    finished(data)
}

/// A file of the day's wellness bundle: its kind (32: monitoring, 49: sleep), and a heart rate for each of some moments.
pub(super) fn wellness(kind: u8, created: DateTime<Utc>, heart_rates: &[(i64, u8)]) -> Vec<u8> {
    let mut data = Vec::new();
    define(&mut data, 0, 0, &[(0, 1, ENUM), (1, 2, UINT16), (2, 2, UINT16), (3, 4, UINT32Z), (4, 4, UINT32)]);
    data.extend([0, kind]);
    data.extend(1_u16.to_le_bytes());
    data.extend(3_990_u16.to_le_bytes());
    data.extend(965_u32.to_le_bytes());
    data.extend(time(created).to_le_bytes());

    // monitoring
    define(&mut data, 1, 55, &[(253, 4, UINT32), (27, 1, UINT8)]);
    for (at, bpm) in heart_rates {
        data.push(1);
        data.extend(u32::try_from(at - FIT_EPOCH).unwrap_or(0).to_le_bytes());
        data.push(*bpm);
    }
    finished(data)
}

/// Header and checksums around the messages.
fn finished(data: Vec<u8>) -> Vec<u8> {
    let mut file = vec![14, 0x20];
    file.extend(2_140_u16.to_le_bytes());
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(b".FIT");
    file.extend(crc(&file).to_le_bytes());
    file.extend(data);
    file.extend(crc(&file).to_le_bytes());
    file
}

/// A definition message: local number, global number, and (field, bytes, base type) of each field.
fn define(data: &mut Vec<u8>, local: u8, global: u16, fields: &[(u8, u8, u8)]) {
    data.extend([0x40 | local, 0, 0]);
    data.extend(global.to_le_bytes());
    data.push(fields.len() as u8);
    for (field, size, base) in fields {
        data.extend([*field, *size, *base]);
    }
}

fn time(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.timestamp() - FIT_EPOCH).unwrap_or(0)
}

fn millis(seconds: f64) -> u32 {
    (seconds * 1000.0) as u32
}

fn semicircles(degrees: f64) -> i32 {
    (degrees * (2_f64.powi(31) / 180.0)) as i32
}

fn sport(kind: &str) -> u8 {
    match kind {
        "running" | "treadmill_running" | "trail_running" => 1,
        "cycling" | "road_biking" | "indoor_cycling" => 2,
        "lap_swimming" | "open_water_swimming" => 5,
        "strength_training" | "yoga" => 10,
        "walking" => 11,
        "hiking" => 17,
        "multi_sport" => 18,
        _ => 0,
    }
}

/// FIT's CRC-16, over header (bytes 0 to 11) and over the whole file before the checksum.
pub(super) fn crc(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 16] = [
        0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401, 0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01,
        0x8801, 0x4400,
    ];
    bytes.iter().fold(0, |crc, byte| {
        [byte & 0xF, byte >> 4]
            .into_iter()
            .fold(crc, |crc: u16, nibble| (crc >> 4) ^ TABLE[usize::from(crc & 0xF)] ^ TABLE[usize::from(nibble)])
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Person, Source};
    use super::*;

    #[test]
    fn crc_of_the_check_string_is_the_published_one() {
        // FIT uses CRC-16/ARC; its check value over "123456789" is 0xBB3D.
        assert_eq!(crc(b"123456789"), 0xBB3D);
    }

    #[test]
    fn every_recorded_activity_becomes_a_file_with_valid_checksums() {
        let person = Person::named("ana@example.org");
        let recorded: Vec<_> =
            person.life.activities().into_iter().filter(|activity| activity.source == Source::Fit).cloned().collect();
        assert!(recorded.len() > 100, "only {} FIT files", recorded.len());
        for activity in recorded {
            let file = encode(&activity);
            assert_eq!(&file[8..12], b".FIT");
            assert_eq!(crc(&file[..12]), u16::from_le_bytes([file[12], file[13]]), "header");
            let (content, checksum) = file.split_at(file.len() - 2);
            assert_eq!(crc(content), u16::from_le_bytes([checksum[0], checksum[1]]), "file");
            let size = u32::from_le_bytes([file[4], file[5], file[6], file[7]]) as usize;
            assert_eq!(size, file.len() - 16);
        }
    }
}
