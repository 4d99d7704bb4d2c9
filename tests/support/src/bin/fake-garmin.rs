//! fake-garmin
fn main() {}
