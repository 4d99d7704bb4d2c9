//! Files and directories with the right permissions from their first byte, and durable renames. The store, the originals and the vault
//! call it. It must not know what is in the files. Windows has no modes: there, the access list of the profile directory, which
//! new files inherit, keeps other people out.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::Error;

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};

#[cfg(unix)]
use nix::{fcntl::OFlag, unistd::geteuid};

/// Begins the name of every file that is still being written.
pub(crate) const UNFINISHED: &str = ".garminsync-unfinished-";

/// What a group may read: the umask decides whether it does.
#[cfg(unix)]
const SHARED_DIR: u32 = 0o750;
#[cfg(unix)]
const SHARED_FILE: u32 = 0o640;

/// Makes a directory, with its parents, that a group may read. One that exists is left as it is.
pub(crate) fn shared_dir(path: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(SHARED_DIR);
    builder.create(path).map_err(Error::file("cannot create", path))
}

/// Makes an empty file that a group may read, unless it exists.
pub(crate) fn create_shared(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    options.mode(SHARED_FILE);
    options.open(path).map(drop).map_err(Error::file("cannot write", path))
}

/// Makes a directory for our eyes only. One that exists and lets others in is tightened, which is told by `true`, if it is plainly ours:
/// no directory in it but those named. Otherwise it is refused, as it may be `/var/lib`, or somebody's home.
pub(crate) fn private_dir(path: &Path, may_hold: &[&str]) -> Result<bool, Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path).map_err(Error::file("cannot create", path))?;
    check_own_dir(path)?;
    let Some(mode) = mode_for_others(&fs::metadata(path).map_err(Error::file("cannot read", path))?) else {
        return Ok(false);
    };
    for entry in fs::read_dir(path).map_err(Error::file("cannot read", path))? {
        let entry = entry.map_err(Error::file("cannot read", path))?;
        let is_dir = entry.file_type().map_err(Error::file("cannot read", path))?.is_dir();
        if is_dir && !may_hold.iter().any(|name| entry.file_name() == *name) {
            let mend = format!("choose a directory of its own, or type: chmod 700 '{}'", path.display());
            return Err(Error::Exposed { path: path.into(), mode, mend });
        }
    }
    #[cfg(unix)]
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(Error::file("cannot restrict", path))?;
    Ok(true)
}

/// Makes an empty file for our eyes only. One that exists and lets others in is tightened, which is told by `true`.
pub(crate) fn private_file(path: &Path) -> Result<bool, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    match options.open(path) {
        Ok(_) => return sync_dir(parent(path)).map(|()| false),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(Error::file("cannot create", path)(e)),
    }
    let file = open_own(path, OpenOptions::new().read(true))?;
    let wide = mode_for_others(&file.metadata().map_err(Error::file("cannot read", path))?).is_some();
    #[cfg(unix)]
    if wide {
        file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(Error::file("cannot restrict", path))?;
    }
    Ok(wide)
}

/// Opens one of our own files. A link to elsewhere, a pipe that would block and another user's file are refused; what is asked is the
/// opened file, which nobody can exchange any more.
///
/// # Errors
/// [`Error::Foreign`], [`Error::NotAFile`], [`Error::File`].
pub fn open_own(path: &Path, options: &mut OpenOptions) -> Result<File, Error> {
    #[cfg(unix)]
    options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
    let file = options.open(path).map_err(|error| {
        let found = fs::symlink_metadata(path);
        match found.is_ok_and(|found| !found.is_file()) {
            true => Error::NotAFile(path.into()),
            false => Error::file("cannot open", path)(error),
        }
    })?;
    let found = file.metadata().map_err(Error::file("cannot read", path))?;
    if !found.is_file() {
        return Err(Error::NotAFile(path.into()));
    }
    check_owner(path, &found)?;
    Ok(file)
}

/// Whether a directory is ours: in another user's, names could be exchanged under our hands.
///
/// # Errors
/// [`Error::Foreign`], [`Error::File`].
pub fn check_own_dir(path: &Path) -> Result<(), Error> {
    check_owner(path, &fs::metadata(path).map_err(Error::file("cannot read", path))?)
}

#[cfg(unix)]
fn check_owner(path: &Path, found: &Metadata) -> Result<(), Error> {
    let (owner, own) = (found.uid(), geteuid().as_raw());
    if owner == own { Ok(()) } else { Err(Error::Foreign { path: path.into(), owner, own }) }
}

/// Windows: see the head of this module.
#[cfg(not(unix))]
fn check_owner(_: &Path, _: &Metadata) -> Result<(), Error> {
    Ok(())
}

/// The permission bits, if they let anybody but the owner in.
#[cfg(unix)]
pub(crate) fn mode_for_others(found: &Metadata) -> Option<u32> {
    let mode = found.mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Windows: see the head of this module.
#[cfg(not(unix))]
pub(crate) fn mode_for_others(_: &Metadata) -> Option<u32> {
    None
}

/// Who may read a file that is written whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    Owner,
    Group,
}

/// Writes a file whole: no reader and no crash ever sees a part of it. `replace` decides what happens to one that exists.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], readers: Readers, replace: bool) -> Result<(), Error> {
    write_whole_with(path, |file| file.write_all(bytes), readers, replace)
}

/// The same, with what `fill` writes.
pub(crate) fn write_whole_with(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
    readers: Readers,
    replace: bool,
) -> Result<(), Error> {
    let dir = parent(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    let shared = fs::Permissions::from_mode(SHARED_FILE);
    #[cfg(unix)]
    if readers == Readers::Group {
        builder.permissions(shared);
    }
    #[cfg(not(unix))]
    let _ = readers;
    let write = |mut file: NamedTempFile| -> io::Result<()> {
        fill(file.as_file_mut())?;
        file.as_file().sync_all()?;
        if replace {
            file.persist(path)?
        } else {
            file.persist_noclobber(path)?
        };
        Ok(())
    };
    builder.tempfile_in(dir).and_then(write).map_err(Error::file("cannot write", path))?;
    sync_dir(dir)
}

pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes names in a directory durable. Windows has no such call; NTFS keeps its names in a journal.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::file("cannot write", dir))?;
    }
    Ok(())
}

/// `path` with `suffix` appended to its name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
