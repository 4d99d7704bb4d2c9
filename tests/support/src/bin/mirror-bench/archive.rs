//! How well the archive of Garmin's answers compresses, dataset by dataset.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::Result;

/// zstd's level in the archive.
pub const LEVEL: i32 = 3;
/// The size of a dictionary, as zstd's own tool makes them.
const DICTIONARY: usize = 112_640;

/// The archived answers of one dataset, in bytes.
#[derive(Debug, Serialize)]
pub struct Archive {
    pub dataset: String,
    pub answers: u64,
    pub plain: u64,
    pub compressed: u64,
    /// With a dictionary trained on every other answer, the dictionary included; absent where there are too few to train one.
    pub with_dictionary: Option<u64>,
}

/// How well each dataset's answers compress, alone and with a dictionary. It is trained on half of them and tried on all, as it would be
/// for answers that come later.
pub fn archive(database: &Path) -> Result<Vec<Archive>> {
    let database = rusqlite::Connection::open(database)?;
    let mut statement = database.prepare("SELECT dataset, body FROM answer ORDER BY dataset")?;
    let mut bodies: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let body = zstd::decode_all(row.get_ref(1)?.as_blob()?)?;
        bodies.entry(row.get(0)?).or_default().push(body);
    }
    let sum = |sizes: std::io::Result<Vec<usize>>| sizes.map(|sizes| sizes.iter().sum::<usize>() as u64);
    let measure = |(dataset, bodies): (String, Vec<Vec<u8>>)| -> Result<Archive> {
        let alone = bodies.iter().map(|body| zstd::bulk::compress(body, LEVEL).map(|body| body.len())).collect();
        let half: Vec<&[u8]> = bodies.iter().step_by(2).map(Vec::as_slice).collect();
        let with_dictionary = zstd::dict::from_samples(&half, DICTIONARY).ok().and_then(|dictionary| {
            let mut with = zstd::bulk::Compressor::with_dictionary(LEVEL, &dictionary).ok()?;
            let sizes = bodies.iter().map(|body| with.compress(body).map(|body| body.len())).collect();
            Some(sum(sizes).ok()? + dictionary.len() as u64)
        });
        let plain = bodies.iter().map(|body| body.len() as u64).sum();
        Ok(Archive { dataset, answers: bodies.len() as u64, plain, compressed: sum(alone)?, with_dictionary })
    };
    bodies.into_iter().map(measure).collect()
}
