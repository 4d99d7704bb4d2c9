//! Original files (FIT, TCX, GPX) under the data directory, each written whole or not at all. Sync calls it, then records what was
//! saved in the store. It must not know how a file is named or what is in it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::files::{self, Readers, UNFINISHED};

/// A file whose content is hashed as it is written.
struct Hashed<'a> {
    file: &'a mut fs::File,
    hash: &'a mut Sha256,
}

impl io::Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The writer of original files below one data directory.
#[derive(Clone, Debug)]
pub struct Originals {
    data_dir: PathBuf,
}

impl Originals {
    /// Prepares the data directory: makes it if it is missing and removes what killed writes left behind.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn new(data_dir: &Path) -> Result<Self, Error> {
        files::shared_dir(data_dir)?;
        remove_unfinished(data_dir);
        Ok(Self { data_dir: data_dir.into() })
    }

    /// Writes a file at a path relative to the data directory, making directories as needed; durable on return. A file that is there is
    /// replaced: whoever reads it sees the old one or the new one, whole. What `from` gives is never in memory as a whole. Its size, and
    /// its SHA-256 as lower-case hex digits.
    ///
    /// # Errors
    /// [`Error::Path`] if the path is absolute, empty, or contains `..`; [`Error::File`], also if `from` cannot be read. The old file
    /// stands then.
    pub fn save_from(&self, relative_path: &str, from: &mut dyn io::Read) -> Result<(u64, String), Error> {
        let relative = inside(relative_path)?;
        let path = self.data_dir.join(relative);
        self.make_dirs(files::parent(relative))?;
        let mut hash = Sha256::new();
        let mut bytes = 0;
        let fill = |file: &mut fs::File| {
            bytes = io::copy(from, &mut Hashed { file, hash: &mut hash })?;
            Ok(())
        };
        files::write_whole_with(&path, fill, Readers::Group, true)?;
        Ok((bytes, hex(&hash.finalize())))
    }

    /// An empty file beside the originals for what is on its way; it has no name, and is gone with its handle, whatever ends the daemon.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn spool(&self) -> Result<fs::File, Error> {
        tempfile::tempfile_in(&self.data_dir).map_err(Error::file("cannot write", &self.data_dir))
    }

    /// Removes a file at a path relative to the data directory, and directories that are empty without it. One that is not there is no
    /// error.
    ///
    /// # Errors
    /// [`Error::Path`] as in [`Originals::save_from`], or where a link leads elsewhere; [`Error::File`].
    pub fn remove(&self, relative_path: &str) -> Result<(), Error> {
        self.remove_all(&[relative_path])
    }

    /// Below which directory they are.
    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Removes files, and the directories that are empty without them; durable on return. One that is gone already is no error.
    ///
    /// # Errors
    /// [`Error::Path`] for a path that [`Originals::save_from`] would not take or that a link leads elsewhere; [`Error::File`]. Some may be
    /// gone then.
    pub(crate) fn remove_all(&self, relative_paths: &[&str]) -> Result<(), Error> {
        let mut dirs = BTreeSet::new();
        for relative_path in relative_paths {
            let relative = inside(relative_path)?;
            if relative.ancestors().skip(1).any(|dir| self.data_dir.join(dir).is_symlink() && dir != Path::new("")) {
                return Err(Error::Path(relative.into()));
            }
            let path = self.data_dir.join(relative);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::file("cannot remove", path)(error));
                }
                _ => dirs.insert(above(relative).to_path_buf()),
            };
        }
        for dir in dirs {
            let mut dir = dir.as_path();
            // Whether a directory is empty, its removal tells.
            while dir != Path::new("") && fs::remove_dir(self.data_dir.join(dir)).is_ok() {
                dir = above(dir);
            }
            let standing = self.data_dir.join(dir);
            if standing.is_dir() {
                files::sync_dir(&standing)?;
            }
        }
        Ok(())
    }

    /// Makes the directories of `relative` one by one, each name durable before a file goes into it.
    fn make_dirs(&self, relative: &Path) -> Result<(), Error> {
        let mut dir = self.data_dir.clone();
        for part in relative.components().filter(|part| matches!(part, Component::Normal(_))) {
            let above = dir.clone();
            dir.push(part);
            if !dir.is_dir() {
                files::shared_dir(&dir)?;
                files::sync_dir(&above)?;
            }
        }
        Ok(())
    }
}

/// The directory that a path is in; the data directory itself is "".
fn above(relative: &Path) -> &Path {
    relative.parent().unwrap_or(Path::new(""))
}

/// The path, if it stays below the data directory on every system.
fn inside(relative_path: &str) -> Result<&Path, Error> {
    let relative = Path::new(relative_path);
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    // The text is asked too, because on Unix a backslash is an ordinary character and elsewhere it is not.
    if relative.file_name().is_none() || !inside || relative_path.contains(['\\', '\0']) || relative_path.ends_with('/')
    {
        return Err(Error::Path(relative.into()));
    }
    Ok(relative)
}

/// Best effort: a directory that cannot be listed holds nothing of ours.
fn remove_unfinished(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue }; // of a link, the link: links are not followed
        if kind.is_dir() {
            remove_unfinished(&entry.path());
        } else if kind.is_file() && entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// SHA-256 as lower-case hex digits, as `sha256sum` prints it.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
