//! Downloads: originals, rendered exports, and the wellness bundle of a day. Bytes, not JSON.

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
            zip(asked.person.life.wellness_zip(day), &format!("{day}.zip"))
        }
        ["download-service", "export", kind @ ("tcx" | "gpx" | "kml" | "csv"), "activity", id] => {
            let truth = activities::own(asked, id)?;
            let text = asked.person.life.export(truth, kind);
            Ok(Some(Reply::typed(200, &format!("application/{kind}+xml"), text)))
        }
        _ => Ok(None),
    }
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
