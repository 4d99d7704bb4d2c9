//! daemon/garmin
