//! The vault's key: 32 bytes from the service manager or from a key file. Opening the vault calls it. It must not know the vault,
//! and it never overwrites a key.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::Zeroizing;
use crate::error::Error;
use crate::files::{self, Readers};
use crate::originals::hex;

pub(super) type Key = Zeroizing<[u8; 32]>;

/// No form of a key is longer than this.
const LONGEST: u64 = 1024;

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file handed over by the service manager: 32 raw bytes, or as 64 hex digits, or in base64; a newline may follow. It must exist.
    Credential(PathBuf),
    /// A file of our own in the same forms, 0600; written with a new key if there is none.
    File(PathBuf),
}

/// Where the key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// From the service manager.
    Credential,
    /// From the key file.
    File,
    /// Made just now, and written to the key file.
    NewFile,
}

impl KeySource {
    fn path(&self) -> &Path {
        match self {
            Self::Credential(path) | Self::File(path) => path,
        }
    }

    fn wrong(&self, what: impl Into<String>) -> Error {
        Error::Key { path: self.path().into(), what: what.into() }
    }

    /// The key, or nothing if the key file is not there yet.
    pub(super) fn read(&self) -> Result<Option<(Key, KeyOrigin)>, Error> {
        let path = self.path();
        let (file, origin) = match self {
            // Its owner and mode are the service manager's business: systemd lets the service in by an access list, which shows as a
            // group's; others hand over links.
            Self::Credential(_) => (File::open(path).map_err(|e| self.wrong(e.to_string()))?, KeyOrigin::Credential),
            Self::File(_) => match files::open_own(path, OpenOptions::new().read(true)) {
                Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
                opened => (opened?, KeyOrigin::File),
            },
        };
        let found = file.metadata().map_err(|e| self.wrong(e.to_string()))?;
        if let Some(mode) = files::mode_for_others(&found).filter(|_| origin == KeyOrigin::File) {
            let mend = format!("the vault was not touched; type: chmod 600 '{}'", path.display());
            return Err(Error::Exposed { path: path.into(), mode, mend });
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
        file.take(LONGEST).read_to_end(&mut bytes).map_err(|e| self.wrong(e.to_string()))?;
        let key = parse(&bytes).ok_or_else(|| self.wrong("it is not 32 bytes, raw, as 64 hex digits or in base64"))?;
        Ok(Some((key, origin)))
    }

    /// Writes a new key where none is. It is on disk before anything is sealed with it.
    pub(super) fn create(&self) -> Result<(Key, KeyOrigin), Error> {
        let mut key = Key::default();
        getrandom::fill(key.as_mut()).map_err(|e| self.wrong(e.to_string()))?;
        let mut text = Zeroizing::new(hex(key.as_ref()));
        text.push('\n');
        files::write_whole(self.path(), text.as_bytes(), Readers::Owner, false)?;
        Ok((key, KeyOrigin::NewFile))
    }
}

fn parse(bytes: &[u8]) -> Option<Key> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // Raw bytes first, untouched: the last of them may well be a newline.
    raw(bytes).or_else(|| raw(line)).or_else(|| from_hex(line)).or_else(|| from_base64(line))
}

fn raw(bytes: &[u8]) -> Option<Key> {
    bytes.try_into().ok().map(Zeroizing::new)
}

fn from_hex(line: &[u8]) -> Option<Key> {
    if line.len() != 64 {
        return None;
    }
    let mut key = Key::default();
    for (byte, pair) in key.iter_mut().zip(line.chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(key)
}

fn from_base64(line: &[u8]) -> Option<Key> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = Zeroizing::new(GeneralPurpose::new(&STANDARD, config).decode(line).ok()?);
    raw(&bytes)
}
