//! Every limit of the control socket, in one place. The door enforces them; clients may rely on them.

use std::time::Duration;

/// Longest line either side sends, in bytes, newline included. A longer one ends the connection after an error.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;
/// Longest time from `accept` to the client's first complete line.
pub const FIRST_LINE: Duration = Duration::from_secs(10);
/// Connections served at the same time; one more is told `rate_limited` and closed.
pub const MAX_CONNECTIONS: usize = 64;
/// Calls of one connection that may be under way at the same time.
pub const MAX_CALLS_PER_CONNECTION: usize = 16;
/// Longest time a client may take to read what it was sent before it is dropped.
pub const WRITE: Duration = Duration::from_secs(10);
/// Longest account name, in bytes.
pub const MAX_ACCOUNT_NAME: usize = 64;
