//! The client's library against a scripted daemon on a real Unix socket: what it sends, what it shows, how it ends.
//! The daemon's own behaviour is shown elsewhere, with the real binaries.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should say so")]

mod browser;
mod fake_daemon;
mod person;

mod login;
mod mfa;
mod output;
mod status;
mod sync;
mod version;
mod wire;
