//! Downloads: originals, rendered exports, and the wellness bundle of a day. Bytes, not JSON.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Asked, Routed, activities};
use crate::fake::http::Reply;

pub(super) fn route(asked: &Asked, segments: &[&str]) -> Routed {
    match segments {
        ["download-service", "files", "activity", id] => {
            wants_zip(asked)?;
            let truth = activities::own(asked, id)?;
            let original = asked.person.life.original(truth.activity_id).and_then(|original| original.zip().ok());
            zip(original, &format!("{id}.zip"))
        }
        _ if asked.personal => Ok(None),
        ["download-service", "files", "wellness", day] => {
            wants_zip(asked)?;
            let day = asked.day(day)?;
            let padding = asked.world.knobs.wellness_padding;
            let bundle = asked.person.life.wellness_zip(day);
            zip(bundle.and_then(|bundle| padded(bundle, padding)), &format!("{day}.zip"))
        }
        ["download-service", "export", kind @ ("tcx" | "gpx" | "kml" | "csv"), "activity", id] => {
            let truth = activities::own(asked, id)?;
            let text = asked.person.life.export(truth, kind);
            Ok(Some(Reply::typed(200, &format!("application/{kind}+xml"), text)))
        }
        _ => Ok(None),
    }
}

/// A zip with one more member of so many bytes.
fn padded(bundle: Vec<u8>, padding: usize) -> Option<Vec<u8>> {
    if padding == 0 {
        return Some(bundle);
    }
    let mut zip = ZipWriter::new_append(Cursor::new(bundle)).ok()?;
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("padding", stored).ok()?;
    zip.write_all(&vec![0x5A; padding]).ok()?;
    Some(zip.finish().ok()?.into_inner())
}

/// The Personal tier takes no other word for it.
fn wants_zip(asked: &Asked) -> Result<(), Reply> {
    let good = !asked.personal || asked.accept.contains("zip") || asked.accept.contains("*/*");
    if good { Ok(()) } else { Err(Reply::exception(406)) }
}

fn zip(bytes: Option<Vec<u8>>, name: &str) -> Routed {
    let bytes = bytes.ok_or_else(|| Reply::exception(404))?;
    let reply = Reply::typed(200, "application/x-zip-compressed", bytes);
    Ok(Some(reply.with("content-disposition", format!("attachment; filename=\"{name}\""))))
}
