//! What tests stand on: the fake Garmin, and the people it knows.
//! Test packages and the programs under `src/bin` use it; nothing that is shipped does.
//! It knows the treaty between daemon and client at most, never how either works inside.

// Garmin's flat objects have more fields than `json!` takes by default.
#![recursion_limit = "512"]

pub mod fake;
pub mod harness;
pub mod people;
