//! The client against services that answer whatever a test wants (`stub`), and against the fake Garmin (`whole`).

mod code;
mod data;
mod sign_in;
mod stub;
mod token_service;
mod whole;
