//! The vault's key: 32 bytes, and the three places it may be: the service manager's credential, the keyring of the operating system, a
//! key file. Opening the vault calls it. It must not know the vault, and it never overwrites a key.

use std::fmt;
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

/// What kind of place a key is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file that the service manager hands over.
    Credential,
    /// The keyring of the operating system.
    Keyring,
    /// A file of our own, 0600.
    File,
}

impl KeySource {
    pub(super) const ALL: [Self; 3] = [Self::Credential, Self::Keyring, Self::File];

    /// The word in the vault's table, and in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The keyring of the operating system. Its calls may wait for a person who is asked to unlock it. An error says, for people, why it
/// cannot be asked now; it never means that the key is lost.
pub trait Keyring: Send + Sync {
    /// What is kept under this name; nothing if the keyring is open and has no such entry.
    ///
    /// # Errors
    /// Locked, no session, not part of this program.
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String>;

    /// Keeps a new entry.
    ///
    /// # Errors
    /// As [`Keyring::read`].
    fn write(&self, name: &str, key: &[u8]) -> Result<(), String>;
}

/// Every place where the key may be. In each, it is 32 raw bytes, or 64 hex digits, or base64; a newline may follow.
pub struct Keys {
    /// The service manager's file, if it hands one over.
    pub credential: Option<PathBuf>,
    /// The keyring.
    pub keyring: Box<dyn Keyring>,
    /// Our own file; it may be absent.
    pub file: PathBuf,
    /// Where the key shall be. Without a wish, a vault stays with the key it has, and a new one takes the best there is.
    pub wish: Option<KeySource>,
}

impl Keys {
    /// A key file and nothing else.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { credential: None, keyring: Box::new(NoKeyring), file: path.into(), wish: None }
    }

    /// The key in a place, if there is one. `entry` names it in the keyring.
    pub(super) fn read(&self, source: KeySource, entry: Option<&str>) -> Result<Option<Key>, Error> {
        match source {
            KeySource::Credential => {
                let Some(path) = &self.credential else {
                    return Err(Error::NoCredential);
                };
                // Its owner and mode are the service manager's business: systemd lets the service in by an access list, which shows as
                // a group's; others hand over links.
                read_file(path, &File::open(path).map_err(|e| wrong(path, e.to_string()))?).map(Some)
            }
            KeySource::Keyring => {
                let nameless = || Error::KeyringClosed("the vault does not say under which name".into());
                let entry = entry.ok_or_else(nameless)?;
                let found = self.keyring.read(entry).map_err(Error::KeyringClosed)?;
                let found = found.ok_or_else(|| Error::KeyringClosed(format!("it has no entry {entry:?}")))?;
                let malformed = || Error::KeyringClosed(format!("its entry {entry:?} is no key"));
                parse(&found).ok_or_else(malformed).map(Some)
            }
            KeySource::File => {
                let path = &self.file;
                let file = match files::open_own(path, OpenOptions::new().read(true)) {
                    Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
                    opened => opened?,
                };
                let found = file.metadata().map_err(|e| wrong(path, e.to_string()))?;
                if let Some(mode) = files::mode_for_others(&found) {
                    let mend = format!("the vault was not touched; type: chmod 600 '{}'", path.display());
                    return Err(Error::Exposed { path: path.clone(), mode, mend });
                }
                read_file(path, &file).map(Some)
            }
        }
    }

    /// A key to seal with in this place: the one that is there, or a new one, which is kept there before anything is sealed with it. In
    /// the keyring it is always a new one, under a name that no other vault has.
    pub(super) fn obtain(&self, source: KeySource) -> Result<Chosen, Error> {
        let found = if source == KeySource::Keyring { None } else { self.read(source, None)? };
        if let Some(key) = found {
            return Ok(Chosen { key, source, entry: None });
        }
        let mut key = Key::default();
        getrandom::fill(key.as_mut()).map_err(|e| Error::Seal(e.to_string()))?;
        let mut text = Zeroizing::new(hex(key.as_ref()));
        if source == KeySource::File {
            text.push('\n');
            files::write_whole(&self.file, text.as_bytes(), Readers::Owner, false)?;
            return Ok(Chosen { key, source, entry: None });
        }
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(|e| Error::Seal(e.to_string()))?;
        let entry = format!("vault-key {}", hex(&name));
        self.keyring.write(&entry, text.as_bytes()).map_err(Error::KeyringClosed)?;
        // A keyring that takes everything and keeps nothing would cost every login at the next start.
        match self.read(source, Some(&entry))? {
            Some(kept) if kept == key => Ok(Chosen { key, source, entry: Some(entry) }),
            _ => Err(Error::KeyringClosed("it did not keep a new entry".into())),
        }
    }

    /// The key of a new vault.
    pub(super) fn for_new_vault(&self) -> Result<Chosen, Error> {
        if let Some(wish) = self.wish {
            return self.obtain(wish);
        }
        if self.credential.is_some() {
            return self.obtain(KeySource::Credential);
        }
        // A key file that is there already was put there, or belongs to a vault that is kept aside: it goes on.
        if std::fs::symlink_metadata(&self.file).is_ok() {
            return self.obtain(KeySource::File);
        }
        self.obtain(KeySource::Keyring).or_else(|_| self.obtain(KeySource::File))
    }
}

/// A key, and where it is.
pub(super) struct Chosen {
    pub key: Key,
    pub source: KeySource,
    /// Its name in the keyring.
    pub entry: Option<String>,
}

/// For programs and machines without one.
struct NoKeyring;

impl Keyring for NoKeyring {
    fn read(&self, _: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        Err("there is none".into())
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), String> {
        Err("there is none".into())
    }
}

fn wrong(path: &Path, what: impl Into<String>) -> Error {
    Error::Key { path: path.into(), what: what.into() }
}

fn read_file(path: &Path, file: &File) -> Result<Key, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    file.take(LONGEST).read_to_end(&mut bytes).map_err(|e| wrong(path, e.to_string()))?;
    parse(&bytes).ok_or_else(|| wrong(path, "it is not 32 bytes, raw, as 64 hex digits or in base64"))
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
