//! The fake Garmin refuses what Garmin refuses, gives what it promises, and repeats itself.
//! Everything here goes over raw HTTP, so that no client's kindness hides a fault.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod browser;
mod client;
mod codes;
mod data;
mod empties;
mod happenings;
mod misbehaviour;
mod people;
mod personal;
mod refusals;
mod sign_in;
mod tables;
mod tokens;
mod widget;
