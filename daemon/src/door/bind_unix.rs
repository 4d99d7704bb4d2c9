//! The socket's file on Unix: made where only we may go, then opened for the group; a dead one of an earlier daemon replaced, a living one
//! or anything else left alone. The caller holds the lock of the state directory. It must not accept anybody.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use interprocess::local_socket::tokio::Listener;
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};

use super::Permission;
use crate::lock::create_private_dir;

/// A bound socket. Dropping it removes the file, if it still is ours.
#[derive(Debug)]
pub struct Bound {
    // Declared first, dropped first: while the listener lives, nothing else can get its inode number.
    _file: SocketFile,
    pub(super) listener: Listener,
}

/// Why the socket cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody answers there.
    #[error("another program already answers at {}; stop it, or choose another place with --socket", .0.display())]
    Living(PathBuf),
    /// Something that is no socket has the name.
    #[error("{} exists and is no socket; it was not touched", .0.display())]
    NotASocket(PathBuf),
    /// The group cannot have it.
    #[error("{} cannot be given to the group of [control]: {source}", path.display())]
    Group {
        /// The socket or its directory.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Anything else.
    #[error("{}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Binds the socket: 0660 and the group's when there is one, else 0600. A directory that is missing is made, 0750 or 0700.
///
/// # Errors
/// [`BindError`].
pub fn bind(path: &Path, permission: Permission) -> Result<Bound, BindError> {
    let failed = |source| BindError::Io { path: path.into(), source };
    let group = permission.group();
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        let made = create_private_dir(directory).map_err(|source| BindError::Io { path: directory.into(), source })?;
        if made && group.is_some() {
            give(directory, group, 0o750)?;
        }
    }
    remove_dead(path)?;
    // No name of ours is in the file system before this, and none is opened for others before `give`.
    let name = path.to_fs_name::<GenericFilePath>().map_err(failed)?;
    let listener = ListenerOptions::new().name(name).reclaim_name(false).create_tokio().map_err(failed)?;
    let made = fs::symlink_metadata(path).map_err(failed)?;
    let file = SocketFile { path: path.into(), identity: (made.dev(), made.ino()) };
    give(path, group, if group.is_some() { 0o660 } else { 0o600 })?;
    Ok(Bound { _file: file, listener })
}

fn give(path: &Path, group: Option<u32>, mode: u32) -> Result<(), BindError> {
    if group.is_some() {
        chown(path, None, group).map_err(|source| BindError::Group { path: path.into(), source })?;
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|source| BindError::Io { path: path.into(), source })
}

/// Removes a socket that nobody listens at any more. Nothing else is ever removed.
fn remove_dead(path: &Path) -> Result<(), BindError> {
    let failed = |source| BindError::Io { path: path.into(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => return Err(BindError::NotASocket(path.into())),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(failed),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        // It answers, or it is too busy to (EAGAIN), or it is not ours to ask (EACCES): in any case it is not dead for sure.
        _ => Err(BindError::Living(path.into())),
    }
}

#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
#[path = "bind_tests.rs"]
mod tests;
