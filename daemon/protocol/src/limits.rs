//! Every limit of the control socket, in one place. The door enforces them; clients may rely on them.

use std::time::Duration;

/// Longest line either side sends, in bytes, newline included. A longer one ends the connection after an error.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;
/// Longest time from `accept` to the client's first complete line.
pub const FIRST_LINE: Duration = Duration::from_secs(10);
/// Longest text that may be a request's id, in bytes: every answer repeats it.
pub const MAX_ID_BYTES: usize = 64;
/// Longest text of a progress notification, in characters.
pub const MAX_PROGRESS_TEXT: usize = 300;
/// Connections served at the same time. For one more the connection that has been without a call for longest is closed; where all have
/// calls under way, the new one is told `rate_limited` and closed.
pub const MAX_CONNECTIONS: usize = 64;
/// Calls of one connection that may be under way at the same time.
pub const MAX_CALLS_PER_CONNECTION: usize = 16;
/// Calls of all connections that may be under way at the same time, those included whose caller has hung up.
pub const MAX_CALLS: usize = 256;
/// Longest time that answers are still worked on for a client that has closed its side.
pub const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// Longest time a client may take to read what it was sent before it is dropped.
pub const WRITE: Duration = Duration::from_secs(10);
/// Longest account name, in bytes.
pub const MAX_ACCOUNT_NAME: usize = 64;
