//! The named pipe on Windows, for its owner, administrators and the system. It must not accept anybody.

use std::io;
use std::path::{Path, PathBuf};

use interprocess::local_socket::tokio::Listener;
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};
use interprocess::os::windows::local_socket::ListenerOptionsExt;
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use widestring::u16cstr;

use super::Permission;

/// A pipe's listener. The name ends with it.
#[derive(Debug)]
pub struct Bound {
    pub(super) listener: Listener,
}

/// Why the pipe cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Anything.
    #[error("{}: {source}", path.display())]
    Io {
        /// The pipe.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Makes the pipe. The first instance owns the name: a second daemon gets an error.
///
/// # Errors
/// [`BindError`].
pub fn bind(path: &Path, _: Permission) -> Result<Bound, BindError> {
    let make = || {
        // Protected; full access for the owner, the administrators and the local system; nobody else, nobody over the network.
        let descriptor =
            SecurityDescriptor::deserialize(u16cstr!("D:P(D;;GA;;;NU)(A;;GA;;;OW)(A;;GA;;;BA)(A;;GA;;;SY)"))?;
        let name = path.to_fs_name::<GenericFilePath>()?;
        ListenerOptions::new().name(name).security_descriptor(descriptor).create_tokio()
    };
    make().map(|listener| Bound { listener }).map_err(|source| BindError::Io { path: path.into(), source })
}
