//! The rooms of garminsyncd, wired here and nowhere else.

pub mod account;
pub mod board;
pub mod on_thread;
pub mod report;
pub mod sync;
