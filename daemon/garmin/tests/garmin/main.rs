//! The client against services that answer whatever a test wants (`stub`), and against the fake Garmin (`whole`).

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod code;
mod data;
mod sign_in;
mod stub;
mod token_service;
mod whole;
mod widget;
