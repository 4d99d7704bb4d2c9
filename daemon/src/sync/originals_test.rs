//! Original files: recognised by content, checked, and named so that a person finds them.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

use super::check::crc16;
use super::*;

fn fit(header: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![header, 0x20, 0, 0];
    bytes.extend_from_slice(&(data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(b".FIT");
    bytes.resize(usize::from(header), 0);
    bytes.extend_from_slice(data);
    let crc = crc16(0, &bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

/// What is found, and all of it.
fn unpacked(bytes: &[u8]) -> Result<(Format, Vec<u8>), Broken> {
    let original = unpack(Cursor::new(bytes))?;
    let (format, mut whole) = (original.format, Vec::new());
    original.read(|from| from.read_to_end(&mut whole).unwrap())?;
    Ok((format, whole))
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const GPX: &str =
    "\u{feff}<?xml version=\"1.0\"?>\n<!-- from elsewhere --><!DOCTYPE gpx><gpx version=\"1.1\"><trk/></gpx >\n";
const TCX: &str = "<?xml version=\"1.0\"?><x:TrainingCenterDatabase xmlns:x=\"a\"><A/></x:TrainingCenterDatabase>";

#[test]
fn the_checksum_is_the_known_one() {
    assert_eq!(crc16(0, b"123456789"), 0xBB3D); // the published check value of CRC-16/ARC
}

#[test]
fn each_format_is_recognised_by_its_content_zipped_or_bare() {
    let chained = [fit(14, b"one"), fit(12, b"two")].concat();
    for (bytes, format) in [
        (fit(14, b"data"), Format::Fit),
        (fit(12, b""), Format::Fit),
        (chained, Format::Fit),
        (GPX.into(), Format::Gpx),
        (TCX.into(), Format::Tcx),
    ] {
        assert_eq!(unpacked(&bytes), Ok((format, bytes.clone())));
        let zip = zipped(&[("readme.txt", b"hello"), ("1_ACTIVITY.bin", &bytes)]);
        assert_eq!(unpacked(&zip), Ok((format, bytes)), "zipped");
    }
}

#[test]
fn nothing_damaged_passes() {
    let whole = fit(14, b"some data of a run");
    for end in 0..whole.len() {
        assert!(unpacked(&whole[..end]).is_err(), "cut at {end}");
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        assert!(unpacked(&bytes).is_err(), "byte {at}");
    }
    let zip = zipped(&[("1_ACTIVITY.fit", &whole)]);
    for end in 0..zip.len() {
        assert!(unpacked(&zip[..end]).is_err(), "zip cut at {end}");
    }
    for end in 0..GPX.trim_end().len() {
        if GPX.is_char_boundary(end) {
            assert!(unpacked(&GPX.as_bytes()[..end]).is_err(), "GPX cut at {end}");
        }
    }
    for body in ["", "<!doctype html><html></html>", "<html></html>", "{}", "PK\x03\x04 but no zip"] {
        assert!(unpacked(body.as_bytes()).is_err(), "{body}");
    }
    assert!(unpacked(&zipped(&[])).is_err());
    assert!(unpacked(&zipped(&[("a.txt", b"hello")])).is_err());
}

#[test]
fn a_zip_bomb_is_refused() {
    let bomb = zipped(&[("1_ACTIVITY.fit", &vec![0; LARGEST as usize + 1])]);
    assert!(bomb.len() < 1_000_000);
    assert!(unpacked(&bomb).is_err());
}

#[test]
fn names_are_for_people_and_safe_everywhere() {
    let activity = |name: Option<&str>, activity_type: Option<&str>, start_local: Option<&str>| ActivityRef {
        activity_id: 123_456,
        name: name.map(Into::into),
        activity_type: activity_type.map(Into::into),
        start_local: start_local.map(Into::into),
    };
    let start = Some("2026-10-21T07:34:00");
    let long = "a".repeat(39) + " b c d";
    for (activity, expected) in [
        (
            activity(Some("Morning Run"), Some("running"), start),
            "activities/2026/2026-10-21-0734-running-morning-run-123456.fit",
        ),
        (
            activity(None, Some("strength_training"), start),
            "activities/2026/2026-10-21-0734-strength-training-123456.fit",
        ),
        (activity(Some("日本"), None, start), "activities/2026/2026-10-21-0734-123456.fit"),
        (activity(Some("../../etc/passwd\0\\"), Some("."), None), "activities/undated/etc-passwd-123456.fit"),
        (activity(Some(&long), None, Some("soon")), &format!("activities/undated/{}-123456.fit", "a".repeat(39))),
        (activity(None, None, Some("../../2026-10-21")), "activities/undated/123456.fit"),
    ] {
        assert_eq!(path(&activity, Format::Fit), expected);
    }
}
