//! The records: `garmin.db` ([`Store`]), the original files ([`Originals`]) and `vault.db` ([`Vault`]). The daemon's sync and
//! account rooms call it, each on a thread of its own, because everything here blocks. It knows nothing of Garmin's services, of the
//! control protocol, or of async code: records outlive all three.

mod backup;
mod database;
mod error;
mod examine;
mod files;
mod forget;
mod ledger;
mod originals;
mod pauses;
mod projection;
mod reasons;
mod rebuild;
mod record;
mod retention;
mod runs;
mod store;
mod summary;
mod vault;

pub use error::Error;
pub use examine::{Examined, examine};
pub use files::{check_own_dir, open_own};
pub use forget::Holdings;
pub use ledger::{LedgerEntry, Mark, State};
pub use originals::{Originals, sha256_hex};
pub use pauses::Pause;
pub use projection::{GONE, Projection};
pub use reasons::Thing;
pub use rebuild::{Rebuilt, Step};
pub use record::{Batch, Item, OriginalBatch, OriginalRow, Recorded};
pub use retention::{OldOriginal, Thinned};
pub use runs::{LastRuns, RunRow};
pub use secrecy::zeroize::Zeroizing;
pub use store::{AccountRow, ActivityRef, Store};
pub use summary::Summary;
pub use vault::{KeptAside, KeySource, Keyring, Keys, Kind, Opened, Vault};
