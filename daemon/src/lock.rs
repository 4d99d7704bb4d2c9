//! One daemon per state directory: a file lock that the kernel releases when the process ends, however it ends. The wiring takes it
//! before anything else is opened. It must not know what it protects.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "it is held, not used")] File);

/// Why the lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon works here. The daemon exits with 75.
    #[error("another garminsyncd{} already works in {}", pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(), state_dir.display())]
    Held {
        /// The directory.
        state_dir: PathBuf,
        /// The other daemon, where it can be read.
        pid: Option<u32>,
    },
    /// The directory or the file is somebody else's, or no file at all.
    #[error(transparent)]
    State(#[from] garminsync_store::Error),
    /// The directory or the file cannot be made.
    #[error("{}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl LockError {
    /// Whether the directory is closed to this user, or another user's.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Held { .. } => false,
            Self::State(error) => error.is_closed(),
            Self::Io { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
        }
    }
}

impl Lock {
    /// Makes the state directory (0700) if it is absent, and takes `STATE_DIR/lock`. Nothing is written before it is clear that both
    /// are ours.
    ///
    /// # Errors
    /// [`LockError::Held`] at once when another process has it; never waits.
    pub fn take(state_dir: &Path) -> Result<Self, LockError> {
        create_private_dir(state_dir).map_err(|source| LockError::Io { path: state_dir.into(), source })?;
        garminsync_store::check_own_dir(state_dir)?;
        let path = state_dir.join("lock");
        let failed = |source| LockError::Io { path: path.clone(), source };
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = (&file).take(16).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held { state_dir: state_dir.into(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        write_pid(&mut file).map_err(failed)?;
        Ok(Self(file))
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn open(path: &Path) -> Result<File, garminsync_store::Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    garminsync_store::open_own(path, &mut options)
}

/// Makes a directory, and what is missing above it, for this user only. Says whether it was missing; one that exists is left as it is.
pub fn create_private_dir(path: &Path) -> io::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_the_other_is_told_who() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/state");
        let lock = Lock::take(&state).unwrap();
        let error = Lock::take(&state).unwrap_err();
        let LockError::Held { pid, .. } = &error else { panic!("{error}") };
        if cfg!(unix) {
            assert_eq!(*pid, Some(std::process::id()));
            assert!(error.to_string().contains(&format!("(process {})", std::process::id())), "{error}");
        }
        drop(lock);
        Lock::take(&state).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn directory_and_file_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let _lock = Lock::take(&state).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join("lock"))), (0o700, 0o600));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_touched_through_a_link_or_in_a_directory_of_somebody_else() {
        use std::os::unix::fs::{chown, symlink};
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        let state = dir.path().join("state");
        std::fs::create_dir(&state).unwrap();
        symlink(&victim, state.join("lock")).unwrap();
        let error = Lock::take(&state).unwrap_err();
        assert!(error.to_string().contains("state/lock"), "{error}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");

        std::fs::remove_file(state.join("lock")).unwrap();
        if chown(&state, Some(65534), None).is_err() {
            println!("SKIPPED: only root can give a directory away");
            return;
        }
        let error = Lock::take(&state).unwrap_err();
        assert!(error.to_string().contains("belongs to user 65534"), "{error}");
        assert_eq!(std::fs::read_dir(&state).unwrap().count(), 0);
        chown(&state, Some(0), None).unwrap();
        std::fs::write(state.join("lock"), "").unwrap();
        chown(state.join("lock"), Some(65534), None).unwrap();
        let error = Lock::take(&state).unwrap_err();
        assert!(error.to_string().contains("belongs to user 65534"), "{error}");
    }

    #[test]
    fn a_place_that_cannot_be_is_an_error_with_its_path() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Lock::take(&file.path().join("state")).unwrap_err();
        assert!(error.to_string().contains("state"), "{error}");
    }
}
