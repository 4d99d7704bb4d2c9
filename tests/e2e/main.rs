//! End to end: the real `garminsyncd` and `garminsyncctl`, a real socket, real databases, and the fake Garmin over HTTP. Each test is
//! one thing that a person, or Garmin, does.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test reports by panicking")]

mod accounts;
mod browser;
mod catalogue_codes;
mod catalogue_personal;
mod catalogue_sign_in;
mod catalogue_tokens;
mod disk;
mod doctor;
mod every_table;
mod forgetting;
mod import;
mod keys;
#[cfg(target_os = "linux")]
mod large;
mod ledger;
mod login;
mod mirror;
mod names;
mod pace;
mod persons;
mod rebuild;
mod restarts;
mod retention;
mod secrets;
mod service;
mod stage;
mod tokens;
mod unattended;
mod vault;
mod weather;
