//! Whether a file is a whole original: FIT, TCX or GPX, told by its content. It is read once from front to back and never held as a whole.
//! The originals' unpacking calls it. It must not know where the bytes come from.

use std::io::{BufRead, BufReader, Read};

use super::{Broken, Format};

/// So much of a text is searched for its root element: behind it stand a declaration and comments.
const HEAD: usize = 64 * 1024;
/// So much of its end is kept for the closing tag.
const TAIL: usize = 1024;

/// What a file is, if it is whole.
///
/// # Errors
/// [`Broken`] for a damaged file, and anything that is neither FIT nor TCX nor GPX.
pub fn recognise(bytes: impl Read) -> Result<Format, Broken> {
    let mut bytes = BufReader::with_capacity(HEAD, bytes);
    let start = bytes.fill_buf().map_err(unread)?;
    if start.get(8..12) == Some(b".FIT") {
        return check_fit(bytes).map(|()| Format::Fit);
    }
    check_text(bytes)
}

pub(super) fn unread(error: std::io::Error) -> Broken {
    Broken(format!("it cannot be read: {error}"))
}

fn check_text(mut bytes: impl BufRead) -> Result<Format, Broken> {
    let not_text = || Broken("neither FIT nor text".into());
    let (mut head, mut tail, mut split) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let chunk = bytes.fill_buf().map_err(unread)?;
        let length = chunk.len();
        if length == 0 {
            break;
        }
        head.extend(chunk.iter().take(HEAD - head.len().min(HEAD)));
        tail.extend_from_slice(&chunk[length.saturating_sub(TAIL)..]);
        tail.drain(..tail.len().saturating_sub(TAIL));
        // A letter may lie across two chunks.
        split.extend_from_slice(chunk);
        let good = match std::str::from_utf8(&split) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(not_text()),
        };
        split.drain(..good);
        bytes.consume(length);
    }
    if !split.is_empty() {
        return Err(not_text());
    }
    let head = String::from_utf8_lossy(&head);
    let root = root_element(&head).ok_or_else(|| Broken("neither FIT nor XML".into()))?;
    let format = match root.rsplit(':').next() {
        Some("TrainingCenterDatabase") => Format::Tcx,
        Some("gpx") => Format::Gpx,
        _ => return Err(Broken("XML that is neither TCX nor GPX".into())),
    };
    let tail = String::from_utf8_lossy(&tail);
    let end = tail.trim_end().strip_suffix('>').map(str::trim_end);
    if end.is_none_or(|end| !end.ends_with(&format!("</{root}"))) {
        return Err(Broken("the XML breaks off".into()));
    }
    Ok(format)
}

/// A FIT file is a header (12 or 14 bytes; data size at 4..8), its data, and a CRC-16 of both. Several may follow one another.
fn check_fit(mut bytes: impl BufRead) -> Result<(), Broken> {
    let broken = |what: &str| Broken(format!("FIT: {what}"));
    while !bytes.fill_buf().map_err(unread)?.is_empty() {
        let mut header = [0; 14];
        bytes.read_exact(&mut header[..12]).map_err(|_| broken("something else follows"))?;
        let [length, _, _, _, s0, s1, s2, s3, b'.', b'F', b'I', b'T', ..] = header else {
            return Err(broken("something else follows"));
        };
        let length = usize::from(length);
        if length != 12 && length != 14 {
            return Err(broken(&format!("a header of {length} bytes")));
        }
        let breaks_off = |_| broken("it breaks off");
        bytes.read_exact(&mut header[12..length]).map_err(breaks_off)?;
        let mut crc = crc16(0, &header[..length]);
        let mut left = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
        while left > 0 {
            let chunk = bytes.fill_buf().map_err(unread)?;
            let taken = chunk.len().min(left);
            if taken == 0 {
                return Err(broken("it breaks off"));
            }
            crc = crc16(crc, &chunk[..taken]);
            bytes.consume(taken);
            left -= taken;
        }
        let mut told = [0; 2];
        bytes.read_exact(&mut told).map_err(breaks_off)?;
        if crc != u16::from_le_bytes(told) {
            return Err(broken("its checksum is wrong"));
        }
    }
    Ok(())
}

/// The checksum of FIT files, carried on over `bytes`: CRC-16 with the polynomial 0x8005, reflected, starting at 0.
pub(super) fn crc16(crc: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(crc, |crc, byte| {
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
