//! What can go wrong with the records, in words for people: what happened, what is safe, what to do. Every module of this crate
//! returns it. It must never carry a secret or a body of Garmin's.

use std::io;
use std::path::PathBuf;

use crate::vault::Kind;

/// An error of the records. Unless the words say otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// SQLite refused: the disk is full, the file is damaged, another program holds it too long.
    #[error("{file}: {source}; what was stored before is safe")]
    Database {
        /// The database's file name.
        file: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database was written by a newer garminsyncd.
    #[error(
        "{file} has schema {found}, this garminsyncd knows schemas up to {known}: a newer version wrote it; \
         nothing was changed, install that version again"
    )]
    Newer {
        /// The database's file name.
        file: &'static str,
        /// The schema number in the file.
        found: i64,
        /// The newest schema number of this program.
        known: i64,
    },
    /// A stored value that this program never writes.
    #[error("{file}: {what} cannot be understood; nothing was changed")]
    Stored {
        /// The database's file name.
        file: &'static str,
        /// The column and what is wrong with it.
        what: String,
    },
    /// A dataset's declaration is wrong: a defect of the program, found when the store opens.
    #[error("dataset {dataset}: {what}")]
    Dataset {
        /// The dataset.
        dataset: String,
        /// What is wrong with it.
        what: String,
    },
    /// A rebuild was broken off by whoever wanted it.
    #[error("stopped; the tables are as they were")]
    Stopped,
    /// There is too little room for the copy that is made before the schema changes.
    #[error(
        "{} has {} MB free, and {} MB are needed to bring {file} from schema {found} to {known} with a copy beside it; \
         nothing was changed: make room and start again", dir.display(), free >> 20, needed.div_ceil(1 << 20)
    )]
    NoRoom {
        /// The database's file name.
        file: &'static str,
        /// Its schema number.
        found: i64,
        /// The schema number of this program.
        known: i64,
        /// Where room is missing.
        dir: PathBuf,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A batch named a run that does not exist.
    #[error("there is no sync run {0}")]
    UnknownRun(i64),
    /// A file or directory could not be read or written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried, as in "cannot write".
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A path for an original that does not stay inside the data directory.
    #[error("{:?} is not a path inside the data directory; nothing was written", .0)]
    Path(PathBuf),
    /// What must be ours is another user's, who could read or replace it.
    #[error("{} belongs to user {owner}, but garminsyncd runs as user {own}; nothing was changed", path.display())]
    Foreign {
        /// The file or directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        own: u32,
    },
    /// A link, a pipe or the like has the name of one of our files.
    #[error("{} is no ordinary file; nothing was changed", .0.display())]
    NotAFile(PathBuf),
    /// Others can read what must be private.
    #[error("{} can be read by others (mode {mode:04o}); {mend}", path.display())]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What to type.
        mend: String,
    },
    /// The vault's key is missing or malformed.
    #[error("the vault's key in {}: {what}; the vault was not touched", path.display())]
    Key {
        /// The file the key should come from.
        path: PathBuf,
        /// What is wrong with it, never the key.
        what: String,
    },
    /// The vault was sealed with the service manager's credential, or shall be, and there is none. The vault was not touched.
    #[error(
        "the vault's key is the credential vault-key of the service manager, and none was handed over; the vault was not touched; \
         give the unit its LoadCredential=vault-key:… or LoadCredentialEncrypted=vault-key:… again"
    )]
    NoCredential,
    /// The vault's key is in the keyring, and that cannot be asked now. Nothing is lost; it may pass by itself.
    #[error(
        "the keyring of this system, where the vault's key is kept, does not give it ({0}); the vault was not touched"
    )]
    KeyringClosed(String),
    /// One sealed row does not open: it was damaged, or brought from elsewhere. A later write keeps it aside.
    #[error("the vault's {kind} of account {account} cannot be opened; it is kept, and the account needs a new login")]
    Unreadable {
        /// The account.
        account: String,
        /// Which secret.
        kind: Kind,
    },
    /// The operating system gave no random numbers, or the cipher refused: nothing was stored.
    #[error("cannot seal a secret: {0}")]
    Seal(String),
}

impl Error {
    /// Whether a file or directory is closed to this user, or another user's.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::File { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            Self::Foreign { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}
