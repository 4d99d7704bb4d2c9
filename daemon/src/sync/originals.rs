//! The files activities were recorded in: taken out of Garmin's zip, recognised and checked by their content, and named so that a
//! person finds them. The runner calls it on the store's thread. It is pure: it writes nothing.

mod check;

use std::io::{Read, Seek};

use garminsync_store::ActivityRef;
use zip::ZipArchive;

use self::check::{recognise, unread};

/// How a zip begins.
pub const ZIP: &[u8] = b"PK\x03\x04";
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

/// An original within what Garmin sent.
#[derive(Debug)]
pub struct Original<R> {
    /// What it is.
    pub format: Format,
    within: Within<R>,
}

#[derive(Debug)]
enum Within<R> {
    /// It came bare.
    Bare(R),
    /// It is this member of a zip.
    Zip(ZipArchive<R>, usize),
}

impl<R: Read + Seek> Original<R> {
    /// Lets `take` read it, from its beginning.
    ///
    /// # Errors
    /// [`Broken`] where it cannot be read any more.
    pub fn read<T>(self, take: impl FnOnce(&mut dyn Read) -> T) -> Result<T, Broken> {
        match self.within {
            Within::Bare(mut body) => body.rewind().map(|()| take(&mut body)).map_err(unread),
            Within::Zip(mut zip, at) => zip.by_index(at).map(|mut member| take(&mut member)).map_err(in_zip),
        }
    }
}

/// Finds the original in what Garmin sent, a zip or the bare file, and checks it. It is read piece by piece.
///
/// # Errors
/// [`Broken`] for a damaged or oversized zip, a damaged file, and anything that is neither FIT nor TCX nor GPX.
pub fn unpack<R: Read + Seek>(mut body: R) -> Result<Original<R>, Broken> {
    let mut start = Vec::new();
    (&mut body).take(ZIP.len() as u64).read_to_end(&mut start).and_then(|_| body.rewind()).map_err(unread)?;
    if start != ZIP {
        return Ok(Original { format: recognise(&mut body)?, within: Within::Bare(body) });
    }
    let mut zip = ZipArchive::new(body).map_err(in_zip)?;
    let mut why = in_zip("it is empty");
    for index in 0..zip.len().min(MOST_MEMBERS) {
        let member = zip.by_index(index).map_err(in_zip)?;
        if member.is_dir() {
            continue;
        }
        let mut member = member.take(LARGEST + 1);
        let recognised = recognise(&mut member);
        if member.limit() == 0 {
            return Err(in_zip(format!("more than {LARGEST} bytes")));
        }
        drop(member);
        match recognised {
            Ok(format) => return Ok(Original { format, within: Within::Zip(zip, index) }),
            Err(unknown) => why = unknown,
        }
    }
    Err(why)
}

fn in_zip(what: impl std::fmt::Display) -> Broken {
    Broken(format!("the zip: {what}"))
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
