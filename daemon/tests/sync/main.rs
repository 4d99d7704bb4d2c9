//! Runs of the sync room against the fake Garmin: what is asked, what is stored, and what trouble may cost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod activities;
mod ahead;
mod first_and_second;
mod fresh;
mod mirror;
mod odd;
mod readme;
mod room;
mod stopping;
mod tables;
mod trouble;
mod zones;
