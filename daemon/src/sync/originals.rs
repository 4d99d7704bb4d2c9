//! The files activities were recorded in: taken out of Garmin's zip, recognised and checked by their content, and named so that a
//! person finds them. The runner calls it on the store's thread. It is pure: it writes nothing.

use std::io::{Cursor, Read};

use garminsync_store::ActivityRef;
use zip::ZipArchive;

/// The largest file that is unpacked, in bytes. Real ones stay below ten megabytes; a zip of a few kilobytes can claim anything.
const LARGEST: u64 = 64 * 1024 * 1024;
/// Garmin's zips hold one file; more than a few is not one of them.
const MOST_MEMBERS: usize = 64;
/// The longest part of a file name that comes from an activity's own name.
const LONGEST_SLUG: usize = 40;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What watches record.
    Fit,
    /// Training Center XML, from imports.
    Tcx,
    /// GPS Exchange, from imports.
    Gpx,
}

impl Format {
    /// As in `original.format` and at the end of the file's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Tcx => "tcx",
            Self::Gpx => "gpx",
        }
    }
}

/// What came is not a whole original file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a whole original file: {0}")]
pub struct Broken(String);

/// Takes the original out of what Garmin sent: a zip, or the bare file.
///
/// # Errors
/// [`Broken`] for a damaged or oversized zip, a damaged file, and anything that is neither FIT nor TCX nor GPX.
pub fn unpack(body: &[u8]) -> Result<(Format, Vec<u8>), Broken> {
    if !body.starts_with(b"PK\x03\x04") {
        return Ok((recognise(body)?, body.to_vec()));
    }
    let broken = |what: &dyn std::fmt::Display| Broken(format!("the zip: {what}"));
    let mut zip = ZipArchive::new(Cursor::new(body)).map_err(|e| broken(&e))?;
    let mut why = broken(&"it is empty");
    for index in 0..zip.len().min(MOST_MEMBERS) {
        let member = zip.by_index(index).map_err(|e| broken(&e))?;
        if member.is_dir() {
            continue;
        }
        let mut bytes = Vec::new();
        member.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| broken(&e))?;
        if bytes.len() as u64 > LARGEST {
            return Err(broken(&format!("more than {LARGEST} bytes")));
        }
        match recognise(&bytes) {
            Ok(format) => return Ok((format, bytes)),
            Err(unknown) => why = unknown,
        }
    }
    Err(why)
}

fn recognise(bytes: &[u8]) -> Result<Format, Broken> {
    if bytes.get(8..12) == Some(b".FIT") {
        return check_fit(bytes).map(|()| Format::Fit);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Broken("neither FIT nor text".into()))?;
    let root = root_element(text).ok_or_else(|| Broken("neither FIT nor XML".into()))?;
    let format = match root.rsplit(':').next() {
        Some("TrainingCenterDatabase") => Format::Tcx,
        Some("gpx") => Format::Gpx,
        _ => return Err(Broken("XML that is neither TCX nor GPX".into())),
    };
    let end = text.trim_end().strip_suffix('>').map(str::trim_end);
    if end.is_none_or(|end| !end.ends_with(&format!("</{root}"))) {
        return Err(Broken("the XML breaks off".into()));
    }
    Ok(format)
}

/// A FIT file is a header (12 or 14 bytes; data size at 4..8), its data, and a CRC-16 of both. Several may follow one another.
fn check_fit(mut bytes: &[u8]) -> Result<(), Broken> {
    while !bytes.is_empty() {
        let header = usize::from(bytes[0]);
        let &[s0, s1, s2, s3, b'.', b'F', b'I', b'T'] = bytes.get(4..12).unwrap_or_default() else {
            return Err(Broken("FIT: something else follows".into()));
        };
        if header != 12 && header != 14 {
            return Err(Broken(format!("FIT: a header of {header} bytes")));
        }
        let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
        let end = header.saturating_add(size);
        let (Some(content), Some(&[c0, c1])) = (bytes.get(..end), bytes.get(end..end.saturating_add(2))) else {
            return Err(Broken("FIT: it breaks off".into()));
        };
        if crc16(content) != u16::from_le_bytes([c0, c1]) {
            return Err(Broken("FIT: its checksum is wrong".into()));
        }
        bytes = &bytes[end + 2..];
    }
    Ok(())
}

/// The checksum of FIT files: CRC-16 with the polynomial 0x8005, reflected, starting at 0.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 })
    })
}

/// The name of the root element, behind byte order mark, declaration, comments and document type.
fn root_element(text: &str) -> Option<&str> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    loop {
        let end = if rest.starts_with("<?") {
            "?>"
        } else if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<!") {
            ">"
        } else {
            let name = rest.strip_prefix('<')?;
            let length = name.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(name.len());
            return Some(&name[..length]).filter(|name| !name.is_empty());
        };
        rest = rest.split_once(end)?.1.trim_start();
    }
}

/// Where the file goes, relative to the data directory: `activities/2026/2026-10-21-0734-running-morning-run-123456.fit`. The number
/// keeps names apart; the rest is for people.
pub fn path(activity: &ActivityRef, format: Format) -> String {
    let start = activity.start_local.as_deref().and_then(start_parts);
    let year = start.as_ref().map_or("undated", |(year, _)| year);
    let id = activity.activity_id.to_string();
    let parts = [
        start.as_ref().map(|(_, start)| start.clone()).unwrap_or_default(),
        slug(activity.activity_type.as_deref().unwrap_or_default()),
        slug(activity.name.as_deref().unwrap_or_default()),
        id,
    ];
    let name = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("-");
    format!("activities/{year}/{name}.{}", format.as_str())
}

/// `2026-10-21T07:34:00` → (`2026`, `2026-10-21-0734`).
fn start_parts(text: &str) -> Option<(&str, String)> {
    let start = chrono::NaiveDateTime::parse_from_str(text.get(..16)?, "%Y-%m-%dT%H:%M").ok()?;
    Some((text.get(..4)?, start.format("%Y-%m-%d-%H%M").to_string()))
}

/// Lower case letters and digits of ASCII, with one hyphen for anything between them.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    slug.truncate(LONGEST_SLUG);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
#[path = "originals_test.rs"]
mod tests;
