//! The treaty between `garminsyncd` and its clients: method names, parameters, results, error kinds, frames and limits.
//! The daemon's door and every client use it. It must not do I/O, must not be async, and must not know Garmin or a database.
#![warn(missing_docs)]

pub mod failure;
pub mod frame;
pub mod ledger;
pub mod limits;
pub mod method;
pub mod openrpc;
pub mod places;
pub mod secret;
pub mod status;

pub use failure::{Failure, Kind, WayIn};
pub use frame::{Frame, Id, RpcError};
pub use ledger::*;
pub use method::*;
pub use secret::Secret;
pub use status::*;

/// The number of this protocol. It grows when a client of the last number would misunderstand; adding a field does not.
pub const PROTOCOL: u32 = 1;

/// Where a person makes a Personal API key, on the web: Garmin's phone app has no such page.
pub const KEY_PAGE: &str = "https://connect.garmin.com/app/settings/personalApiToken";

/// The account meant when nobody names one.
pub const DEFAULT_ACCOUNT: &str = "default";
